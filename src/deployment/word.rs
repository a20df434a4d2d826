//! One word of a configuration: what its quotes and escapes stand for, and whether it names a directive.

/// The text that nginx takes a word for.
pub(super) fn unquoted(raw: &str) -> String {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| raw.strip_prefix(quote)?.strip_suffix(quote));
    unescaped(inner.unwrap_or(raw))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let stands_for = match (c, chars.peek()) {
            ('\\', Some(quoted @ ('"' | '\'' | '\\'))) => Some(*quoted),
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('n')) => Some('\n'),
            _ => None,
        };
        if stands_for.is_some() {
            chars.next();
        }
        out.push(stands_for.unwrap_or(c));
    }
    out
}

/// Directives that end where the next one starts, if only their `;` is forgotten.
const SIMPLE: [&str; 22] = [
    "access_log",
    "add_header",
    "auth_basic",
    "auth_basic_user_file",
    "client_max_body_size",
    "error_log",
    "error_page",
    "include",
    "listen",
    "proxy_http_version",
    "proxy_pass",
    "proxy_read_timeout",
    "proxy_redirect",
    "proxy_set_header",
    "return",
    "rewrite",
    "root",
    "server_name",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_ciphers",
    "ssl_protocols",
];

const BLOCKS: [&str; 6] = ["http", "if", "location", "map", "server", "upstream"];

/// Whether a word is the name of a well-known directive, of one with a block if the text goes on with `{`.
pub(super) fn is_directive_name(word: &str, with_block: bool) -> bool {
    SIMPLE.contains(&word) || (with_block && BLOCKS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn only_the_escapes_that_nginx_knows_are_resolved() {
        assert_eq!(unquoted(r"^/a\.b$"), r"^/a\.b$");
        assert_eq!(unquoted(r#""a\"b\\c""#), r#"a"b\c"#);
        assert_eq!(unquoted("it's"), "it's");
    }
}
