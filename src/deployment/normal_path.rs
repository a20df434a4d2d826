//! The path by which nginx chooses a location: decoded, with `.` and `..` resolved and adjacent slashes merged.
//! <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>, `#merge_slashes`.

/// A path as a client writes it, as nginx sees it. A path that leads above the root is nginx's 400, and stays as it is.
pub(super) fn normal_path(written: &str, merges_slashes: bool) -> String {
    let path = written.split(['?', '#']).next().unwrap_or_default();
    let decoded = decoded(path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                if segments.pop().is_none() {
                    return decoded;
                }
            }
            "" if merges_slashes => {}
            segment => segments.push(segment),
        }
    }
    let ends_open = ["/", "/.", "/.."].iter().any(|end| decoded.ends_with(end));
    let slash = if ends_open && !segments.last().is_none_or(|last| last.is_empty()) { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

/// Percent-encoding taken off once; what is no encoding is left.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let digit = |index: usize| bytes.get(index).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match (bytes[index], digit(index + 1), digit(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are at most 255.
                decoded.extend(u8::try_from(high * 16 + low));
                index += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::normal_path;

    #[test]
    fn a_path_is_what_nginx_makes_of_it() {
        for (written, normal) in [
            ("/p/api", "/p/api"),
            ("/p/", "/p/"),
            ("/", "/"),
            ("//p//api", "/p/api"),
            ("/x/../p/./api", "/p/api"),
            ("/p/x/..", "/p/"),
            ("/p/.", "/p/"),
            ("/%70/a%2fb?c=%2f", "/p/a/b"),
            ("/p/%2e%2e/q", "/q"),
            ("/%zz", "/%zz"),
            ("/../etc", "/../etc"),
            ("//", "/"),
        ] {
            assert_eq!(normal_path(written, true), normal, "{written}");
        }
        assert_eq!(normal_path("//p//api/", false), "//p//api/");
    }
}
