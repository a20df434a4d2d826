//! Templates of other kinds: they can't be rendered here, and their errors would be misleading ones.

use super::super::DeploymentError;
use super::super::normalise::{Reading, Region};
use super::super::source_text::SourceText;

/// How a kind of template is recognised.
struct Kind {
    open: &'static str,
    close: &'static str,
    name: &'static str,
    cure: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        open: "{{",
        close: "}}",
        name: "a Jinja, Helm or Go template",
        cure: "Render it first (with `ansible`, `helm template`, or whatever deploys it)",
    },
    Kind {
        open: "{%",
        close: "%}",
        name: "a Jinja template",
        cure: "Render it first (with `ansible`, or whatever deploys it)",
    },
    Kind { open: "<%", close: "%>", name: "an ERB template", cure: "Render it first (with `erb`, `puppet` or `chef`)" },
];

/// An error if the text is a template that has to be rendered first, or a manifest with a configuration in it.
pub(in crate::deployment) fn refuse_foreign(source: &SourceText<'_>) -> Result<(), DeploymentError> {
    if let Some(offset) = manifest(source.text) {
        return Err(DeploymentError::Manifest { location: source.location(offset) });
    }
    // Most files have none of these, and need no reading character by character.
    if !["{{", "{%", "<%", "__", "${"].iter().any(|sign| source.text.contains(sign)) {
        return Ok(());
    }
    let closing: Vec<&str> = KINDS.iter().map(|kind| kind.close).filter(|sign| source.text.contains(sign)).collect();
    let mut directive = None;
    for seen in Reading::of(source.text) {
        let rest = &source.text[seen.offset..];
        if let Some(kind) =
            Some(seen.c).filter(|c| "{<".contains(*c)).and_then(|_| template(rest, seen.region, &closing))
        {
            return Err(error(source, seen.offset, kind.open, kind.name, kind.cure));
        }
        match (seen.region, seen.c) {
            (Region::Plain, ';' | '{' | '}') => directive = None,
            (Region::Plain, c) if !c.is_whitespace() => {
                let start = *directive.get_or_insert(seen.offset);
                terraform(source, start, seen.offset)?;
                yunohost(source, start, seen.offset)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// In quotes, where such signs may be text, the closing one has to be on the same line.
fn template(rest: &str, region: Region, closing: &[&str]) -> Option<&'static Kind> {
    let kind = KINDS.iter().find(|kind| rest.starts_with(kind.open))?;
    let line = || head(rest).lines().next().unwrap_or_default();
    match region {
        Region::Plain => Some(kind),
        Region::Quoted => (closing.contains(&kind.close) && line().contains(kind.close)).then_some(kind),
        Region::Comment | Region::Lua => None,
    }
}

/// As much of a text as a placeholder can be long, so that a line of megabytes is not searched again and again.
pub(super) fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(300)]
}

/// `${name}` in small letters where a directive should begin: elsewhere it may be a variable.
fn terraform(source: &SourceText<'_>, directive: usize, offset: usize) -> Result<(), DeploymentError> {
    let inner = source.text[offset..].strip_prefix("${").filter(|_| offset == directive);
    let Some((name, _)) = inner.and_then(|inner| head(inner).split_once('}')) else { return Ok(()) };
    if name.is_empty() || name.contains(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_') {
        return Ok(());
    }
    let cure = "Render it first (with `terraform`, or whatever deploys it)";
    Err(error(source, offset, &format!("${{{name}}}"), "a template as Terraform has it", cure))
}

/// `__NAME__`, unless it stands in what is replaced in a page.
fn yunohost(source: &SourceText<'_>, directive: usize, offset: usize) -> Result<(), DeploymentError> {
    let rest = &source.text[offset..];
    let name = head(rest).strip_prefix("__").filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    let Some(name) = name.filter(|_| !goes_on(&source.text[..offset])) else { return Ok(()) };
    let end = name.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_').unwrap_or(name.len());
    let in_page = source.text[directive..].starts_with("sub_filter");
    if !name[..end].ends_with("__") || in_page {
        return Ok(());
    }
    let mark = &rest[..2 + end];
    let cure = "Render it first: pass what YunoHost (or `sed`) makes of it";
    Err(error(source, offset, mark, "a template as YunoHost's packages have it", cure))
}

/// Whether what comes before is a part of the same name.
fn goes_on(before: &str) -> bool {
    before.ends_with(|c: char| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit())
}

fn error(
    source: &SourceText<'_>,
    offset: usize,
    mark: &str,
    kind: &'static str,
    cure: &'static str,
) -> DeploymentError {
    DeploymentError::Template { location: source.location(offset), mark: mark.to_owned(), kind, cure }
}

/// Where a YAML file embeds its configuration: a top-level key in the first line with a word, or that of a manifest.
fn manifest(text: &str) -> Option<usize> {
    const KEYS: [&str; 5] = ["apiVersion:", "kind:", "metadata:", "data:", "services:"];
    let is_key = |line: &str| KEYS.iter().any(|key| line.starts_with(key));
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    let begins = first == "---" || first.split_whitespace().next().is_some_and(|word| word.ends_with(':'));
    // A Helm chart begins with `{{- if … }}`.
    let yaml = begins || (first.starts_with("{{") && text.lines().any(is_key));
    let mut offset = 0;
    let embedded = text.split_inclusive('\n').find_map(|line| {
        let at = offset + line.len() - line.trim_start().len();
        offset += line.len();
        let (key, value) = line.trim().split_once(':')?;
        (key.ends_with(".conf") && value.trim_start().starts_with(['|', '>'])).then_some(at)
    });
    yaml.then(|| embedded.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<String> {
        refuse_foreign(&SourceText::new(&"f".into(), text)).err().map(|error| error.to_string())
    }

    #[test]
    fn templates_are_named_at_their_first_place() {
        for (text, place, kind) in [
            ("# {{ ansible_managed }}\nserver {\n  server_name {{ name }};\n}", "f:3:15: ", "Jinja, Helm or Go"),
            ("a 'b';\n{% if x %}\nserver { }\n", "f:2:1: ", "Jinja"),
            ("a \"{{ x | default('y') }}\";", "f:1:4: ", "Jinja"),
            ("listen <%= @port %>;", "f:1:8: ", "ERB"),
            ("a b;\n  ${allow}\n  listen 80;", "f:2:3: ", "Terraform"),
            ("location __PATH__/ {\n}", "f:1:10: ", "YunoHost"),
            ("proxy_pass http://localhost:__PORT__;", "f:1:29: ", "YunoHost"),
        ] {
            let message = refused(text).unwrap_or_default();
            assert!(message.starts_with(place) && message.contains(kind), "{text:?} gave {message:?}");
            assert!(message.contains("Render it first"), "{message}");
        }
    }

    #[test]
    fn what_nginx_can_read_is_no_template() {
        for text in [
            "log_format j '{\"a\":\"$b\",\"c\":{\"d\":\"${e}\"}}';",
            "location ~ \"^/x{2}$\" { }",
            "content_by_lua_block { return {{1}, {2}} }",
            "# {% x %} <% y %> __Z__\na b; # {{ c }}",
            "sub_filter __BASE__ /x; sub_filter '__A__' b; set $__x 1; a /my__FILE_x;",
            "map $a $b { ~^x:y z; default: 1; }",
            "http { server { } }",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn a_manifest_is_told_at_the_embedded_file() {
        let map = "apiVersion: v1\nkind: ConfigMap\ndata:\n  nginx.conf: |-\n    events {}\n";
        assert!(refused(map).unwrap().starts_with("f:4:3: "));
        assert!(refused("{{- if .Values.x }}\napiVersion: v1\n").unwrap().contains("YAML"));
        assert!(refused("services:\n  nginx:\n").unwrap().contains("YAML"));
    }
}
