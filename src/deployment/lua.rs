//! Where the Lua code of a `…_by_lua_block` ends: braces and quotes in it are Lua's, not nginx's.

/// Whether the block of a directive of this name holds Lua code.
pub(super) fn is_block(name: &str) -> bool {
    name.ends_with("_by_lua_block")
}

/// The length of the code before the `}` that closes the block; all of it if none does.
pub(super) fn body_length(code: &str) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    let bytes = code.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        match byte {
            b'}' if depth == 0 => return at,
            b'}' => depth -= 1,
            b'{' => depth += 1,
            _ => {}
        }
        at += match byte {
            b'-' if rest.starts_with(b"--") => 2 + comment(&rest[2..]),
            b'[' => long_bracket(rest).unwrap_or(1),
            b'"' | b'\'' => string(rest),
            _ => 1,
        };
    }
    bytes.len()
}

fn comment(rest: &[u8]) -> usize {
    long_bracket(rest).unwrap_or_else(|| rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()))
}

/// The length of `[[…]]` or `[==[…]==]`, if that begins here.
fn long_bracket(rest: &[u8]) -> Option<usize> {
    let level = rest.strip_prefix(b"[")?.iter().take_while(|byte| **byte == b'=').count();
    let body = rest.get(level + 1..)?.strip_prefix(b"[")?;
    let close: Vec<u8> = [vec![b']'], vec![b'='; level], vec![b']']].concat();
    let end = body.windows(close.len()).position(|window| window == close);
    Some(level + 2 + end.map_or(body.len(), |end| end + close.len()))
}

/// The length of a string; one that is not closed ends with its line.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            _ if *byte == rest[0] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::body_length;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        for body in [
            " return {a = {1, 2}} ",
            " -- don't }\n x = 1 ",
            " x = \"}\\\"}\" y = '}' ",
            " --[==[ } ]] ]==] x = [[ }}} ]] a[b[1]] = 2 ",
            "",
        ] {
            assert_eq!(body_length(&format!("{body}}} next")), body.len(), "{body}");
        }
        assert_eq!(body_length("é '\\"), 5);
        assert_eq!(body_length("[=["), 3);
    }
}
