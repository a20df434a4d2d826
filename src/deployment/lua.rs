//! Where a block of Lua ends: its braces count, but for those in strings and comments.
//!
//! As the lexer of lua-nginx-module does it: <https://github.com/openresty/lua-nginx-module#content_by_lua_block>.

/// Whether a directive's block is Lua.
pub(super) fn is_block_of(directive: &str) -> bool {
    directive.ends_with("_by_lua_block")
}

/// The offset of the `}` that closes the block whose `{` stands before `code`.
pub(super) fn end(code: &str) -> Option<usize> {
    let bytes = code.as_bytes();
    let (mut at, mut open) = (0, 1_u32);
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'{' => {
                open += 1;
                at + 1
            }
            b'}' if open == 1 => return Some(at),
            b'}' => {
                open -= 1;
                at + 1
            }
            b'"' | b'\'' => after_string(bytes, at),
            b'[' => after_long_bracket(code, at).unwrap_or(at + 1),
            b'-' if bytes.get(at + 1) == Some(&b'-') => after_comment(code, at + 2),
            _ => at + 1,
        };
    }
    None
}

fn after_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if *byte == bytes[start] => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn after_comment(code: &str, at: usize) -> usize {
    after_long_bracket(code, at).unwrap_or_else(|| line_end(code, at))
}

fn line_end(code: &str, at: usize) -> usize {
    code.as_bytes()[at..].iter().position(|byte| *byte == b'\n').map_or(code.len(), |length| at + length)
}

/// Behind `[[…]]` or `[==[…]==]`; none if there is no such thing here.
fn after_long_bracket(code: &str, at: usize) -> Option<usize> {
    let inside = code.get(at..)?.strip_prefix('[')?;
    let equals = inside.len() - inside.trim_start_matches('=').len();
    let text = inside[equals..].strip_prefix('[')?;
    let close = format!("]{}]", &inside[..equals]);
    let begin = code.len() - text.len();
    Some(text.find(&close).map_or(code.len(), |length| begin + length + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        for code in [
            "a = { b = {} } }",
            "a = '}' .. \"{\\\"{\" }",
            "-- don't } mind {\n }",
            "--[==[ } \n ]] } ]==] }",
            "a = [[ } ' ]] b[c[1]] = 2 }",
            "a = b[1] - -1 }",
            "x = 'é{' }",
        ] {
            assert_eq!(end(code), Some(code.len() - 1), "{code}");
        }
        for code in ["", "a = {}", "a = '}", "--[[ }", "-- }"] {
            assert_eq!(end(code), None, "{code}");
        }
    }
}
