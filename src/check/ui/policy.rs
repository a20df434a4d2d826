//! What a Content-Security-Policy lets a page do: <https://www.w3.org/TR/CSP3/>.

use html5gum::{Token, Tokenizer};

use crate::observe::Seen;

/// The header's name.
pub(super) const NAME: &str = "content-security-policy";
/// A policy under which every UI of Prometheus works.
pub(super) const FIT: &str =
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// The policies that came with a page: all of them hold.
pub(super) fn of(page: &Seen) -> Vec<&str> {
    page.headers.get_all(NAME).iter().filter_map(|value| value.to_str().ok()).collect()
}

/// What of its own the policies forbid a page to do, in the words of a sentence.
pub(super) fn what_is_forbidden(page: &Seen) -> Option<String> {
    let policies = of(page);
    let inline = Inline::of(&page.text());
    policies.iter().flat_map(|policies| policies.split(',')).find_map(|policy| forbidden_by(policy, &inline))
}

/// What a page holds itself.
struct Inline {
    /// A script without a nonce.
    script: bool,
    /// A script from a file of the same site.
    file: bool,
}

impl Inline {
    fn of(html: &str) -> Self {
        let tags = Tokenizer::new(html).flatten().filter_map(|token| match token {
            Token::StartTag(tag) if tag.name.as_slice() == b"script" => Some(tag),
            _ => None,
        });
        let mut found = Self { script: false, file: false };
        for tag in tags {
            let has = |name: &[u8]| tag.attributes.contains_key(name);
            found.file |= has(b"src");
            found.script |= !has(b"src") && !has(b"nonce");
        }
        found
    }
}

fn forbidden_by(policy: &str, inline: &Inline) -> Option<String> {
    let directives: Vec<Vec<&str>> = policy.split(';').map(|part| part.split_whitespace().collect()).collect();
    let sources = |names: &[&str]| -> Option<Vec<String>> {
        let named = |name: &&str| {
            directives.iter().find(|words| words.first().is_some_and(|word| word.eq_ignore_ascii_case(name)))
        };
        let words = names.iter().find_map(named)?;
        Some(words[1..].iter().map(|word| word.to_ascii_lowercase()).collect())
    };
    let scripts = sources(&["script-src-elem", "script-src", "default-src"]);
    let requests = sources(&["connect-src", "default-src"]);
    let own = |sources: &[String]| {
        sources.iter().any(|word| matches!(word.as_str(), "'self'" | "*" | "https:") || word.contains('.'))
    };
    let sandbox = sources(&["sandbox"]);
    if sandbox.is_some_and(|allowed| !allowed.iter().any(|word| word == "allow-scripts")) {
        Some("all scripts (sandbox without allow-scripts)".to_owned())
    } else if inline.script && scripts.as_deref().is_some_and(|words| !allows_inline(words)) {
        Some("the script in the page".to_owned())
    } else if inline.file && scripts.as_deref().is_some_and(|words| !own(words)) {
        Some("the page's script files".to_owned())
    } else if requests.as_deref().is_some_and(|words| !own(words)) {
        Some("requests to the API".to_owned())
    } else {
        None
    }
}

/// A hash may be that of the page's script: whoever has computed one knows. Beside a hash or a nonce `'unsafe-inline'` is
/// not heard.
fn allows_inline(words: &[String]) -> bool {
    let hashed = words.iter().any(|word| word.starts_with("'sha"));
    let nonce = words.iter().any(|word| word.starts_with("'nonce-"));
    hashed || (!nonce && words.iter().any(|word| word == "'unsafe-inline'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: &str) -> Option<String> {
        forbidden_by(policy, &Inline::of("<html><script>const A=1</script><script src=\"a.js\"></script></html>"))
    }

    #[test]
    fn a_policy_for_files_alone_forbids_the_script_in_the_page() {
        assert_eq!(verdict("default-src 'self'").as_deref(), Some("the script in the page"));
        assert_eq!(
            verdict("default-src 'none'; script-src 'self' 'nonce-x' 'unsafe-inline'").as_deref(),
            Some("the script in the page")
        );
        assert_eq!(
            verdict("default-src 'none'; script-src 'self' 'unsafe-inline'").as_deref(),
            Some("requests to the API")
        );
        assert_eq!(verdict("script-src 'unsafe-inline'").as_deref(), Some("the page's script files"));
    }

    #[test]
    fn what_lets_the_page_be_is_no_fault() {
        for policy in [
            FIT,
            "frame-ancestors 'none'",
            "upgrade-insecure-requests",
            "default-src https: 'unsafe-inline'",
            "script-src 'self' 'sha256-x='",
        ] {
            assert_eq!(verdict(policy), None, "{policy}");
        }
    }
}
