//! The variables in a compose file: `${NAME}`, `${NAME:-default}`, `$NAME`, and `$$` for a dollar.

use super::words::{Variables, is_name, variable};

const MAX_DEPTH: usize = 16;

/// A text with its variables filled in.
///
/// # Errors
/// The name of a variable that nothing sets and that has no default.
pub(super) fn interpolate(text: &str, variables: &Variables) -> Result<String, String> {
    within(text, variables, 0)
}

fn within(text: &str, variables: &Variables, depth: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some((inner, after)) = braced(rest) {
            out.push_str(&value(inner, variables, depth)?);
            rest = after;
        } else if let Some((name, after)) = variable(rest) {
            out.push_str(variables.get(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands between `${` and the brace that closes it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("${")?;
    let mut depth = 1_usize;
    for (offset, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&inner[..offset], &inner[offset + 1..]));
        }
    }
    None
}

fn value(inner: &str, variables: &Variables, depth: usize) -> Result<String, String> {
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    if !is_name(name) || depth > MAX_DEPTH {
        return Err(inner.to_owned());
    }
    let (even_empty, rest) = match rest.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let set = variables.get(name).filter(|value| !even_empty || !value.is_empty());
    let otherwise = rest.get(1..).unwrap_or_default();
    match (rest.chars().next(), set) {
        (Some('+'), Some(_)) => within(otherwise, variables, depth + 1),
        (Some('+'), None) => Ok(String::new()),
        (_, Some(value)) => Ok(value.to_owned()),
        (Some('-'), None) => within(otherwise, variables, depth + 1),
        (_, None) => Err(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_stand_in_for_what_is_not_set() {
        let variables = Variables::of([("A".to_owned(), "1".to_owned()), ("E".to_owned(), String::new())]);
        for (text, expected) in [
            ("$A-${A}-$$A", "1-1-$A"),
            ("${B:-x${A}}${E:-y}${E-z}", "x1y"),
            ("${B-${C:-d}}${A:+p}${B:+q}", "dp"),
            ("5$ ${", "5$ ${"),
        ] {
            assert_eq!(interpolate(text, &variables).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(interpolate("${B}", &variables), Err("B".to_owned()));
        assert_eq!(interpolate("${B:?needed}", &variables), Err("B".to_owned()));
        assert_eq!(interpolate("$B", &variables), Err("B".to_owned()));
    }
}
