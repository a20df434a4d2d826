//! Where `error_log` and `access_log` write to.

use super::FileKind;
use crate::deployment::directive::Directive;

/// A log that needs something of the file system.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// A file of lines, which can be seen as they come.
    File(FileKind),
    /// A file whose directory has to be there: its name depends on the request, or it is compressed.
    Below,
}

/// What a log directive needs; nothing where it writes to no file.
pub(super) fn of(directive: &Directive) -> Option<Log> {
    let place = directive.arg(0)?;
    let elsewhere = ["syslog:", "memory:", "/dev/"].iter().any(|prefix| place.starts_with(prefix));
    let error = directive.is("error_log");
    if elsewhere || (error && place == "stderr") || (!error && place == "off") {
        return None;
    }
    let compressed = directive.args.iter().skip(1).any(|arg| arg.text == "gzip" || arg.text.starts_with("gzip="));
    Some(match (place.contains('$') || compressed, error) {
        (true, _) => Log::Below,
        (false, true) => Log::File(FileKind::ErrorLog),
        (false, false) => Log::File(FileKind::AccessLog),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    #[test]
    fn only_files_need_something() {
        for (text, expected) in [
            ("error_log /var/log/x.log warn;", Some(Log::File(FileKind::ErrorLog))),
            ("error_log off;", Some(Log::File(FileKind::ErrorLog))),
            ("error_log stderr;", None),
            ("error_log syslog:server=x;", None),
            ("access_log off;", None),
            ("access_log /dev/stdout main;", None),
            ("access_log logs/x.log main;", Some(Log::File(FileKind::AccessLog))),
            ("access_log /x/$host.log;", Some(Log::Below)),
            ("access_log /x/y.gz combined gzip=4;", Some(Log::Below)),
        ] {
            assert_eq!(of(&directives(text)[0]), expected, "{text}");
        }
    }
}
