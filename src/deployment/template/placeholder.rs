//! Placeholders of envsubst that nobody gives a value for.

use std::collections::BTreeSet;

use super::super::DeploymentError;
use super::super::normalise::{Reading, Region};
use super::foreign::head;
use super::rendering::name_length;
use crate::location::Location;

/// A `${NAME}` or `$NAME` in capitals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::deployment) struct Placeholder<P> {
    pub(in crate::deployment) name: String,
    /// The rest of `${NAME:-default}`, which only a shell understands.
    pub(in crate::deployment) default: Option<String>,
    /// Where it stands: an offset, then a place.
    pub(in crate::deployment) at: P,
}

/// What looks like a placeholder in a text, but for comments and code.
pub(in crate::deployment) fn placeholders(text: &str) -> Vec<Placeholder<usize>> {
    let capital = |rest: &str| rest.trim_start_matches(['$', '{']).starts_with(|c: char| c.is_ascii_uppercase());
    if !text.match_indices('$').any(|(at, _)| capital(head(&text[at..]))) {
        return Vec::new();
    }
    let mut escaped = false;
    let mut found = Vec::new();
    for seen in Reading::of(text) {
        let wanted = seen.c == '$' && !escaped && matches!(seen.region, Region::Plain | Region::Quoted);
        escaped = seen.c == '\\' && !escaped;
        if wanted {
            found.extend(placeholder(&text[seen.offset..], seen.offset));
        }
    }
    found
}

/// Capitals alone: nginx's own variables are written small, and it would not tell them apart.
fn placeholder(text: &str, at: usize) -> Option<Placeholder<usize>> {
    let inner = text.strip_prefix("${");
    let rest = inner.or_else(|| text.strip_prefix('$'))?;
    let (name, after) = rest.split_at(name_length(rest));
    let capitals =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains(|c: char| c.is_ascii_lowercase());
    let default =
        inner.filter(|_| after.starts_with([':', '-', '=', '?', '+'])).and_then(|_| head(after).split_once('}'));
    let complete = inner.is_none() || after.starts_with('}') || default.is_some();
    (capitals && complete).then(|| Placeholder {
        name: name.to_owned(),
        default: default.map(|(words, _)| words.chars().take(40).collect()),
        at,
    })
}

/// The error for placeholders without a value, at the first of them; none if all of them are defined.
pub(in crate::deployment) fn missing(
    placeholders: &[Placeholder<Location>],
    is_defined: impl Fn(&str) -> bool,
) -> Option<DeploymentError> {
    if let Some(Placeholder { name, default: Some(default), at }) =
        placeholders.iter().find(|placeholder| placeholder.default.is_some())
    {
        let (location, name, written) = (at.clone(), name.clone(), format!("${{{name}{default}}}"));
        return Some(DeploymentError::ShellDefault { location, name, written });
    }
    let (mut seen, mut names, mut first) = (BTreeSet::new(), Vec::new(), None);
    for Placeholder { name, at, .. } in placeholders {
        if seen.insert(name) && !is_defined(name) {
            names.push(name.as_str());
            first.get_or_insert(at);
        }
    }
    first.map(|location| DeploymentError::Placeholders {
        location: location.clone(),
        names: listed(&names),
        cure: names.iter().map(|name| format!("--env {name}=VALUE")).collect::<Vec<_>>().join(" "),
    })
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`${{{name}}}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_placeholders_and_nginx_s_variables_are_not() {
        let text = "a ${A_1} $B; # $C\n'$D' $host ${lower} $Mixed $1 ~^/x$|Y \\$E ${F:-x y}; x_by_lua_block {$H} ${G";
        let found = placeholders(text);
        let names: Vec<_> = found.iter().map(|placeholder| placeholder.name.as_str()).collect();
        assert_eq!(names, ["A_1", "B", "D", "F"]);
        assert_eq!(found[3].default.as_deref(), Some(":-x y"));
        assert_eq!(found[1].at, 9);
    }
}
