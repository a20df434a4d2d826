//! What the programs warn of, without what changes from run to run. What they say at milder levels is of the moment, and
//! what they say of single requests is what clients see, unless it is what nginx does not like of an answer of Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use super::redaction;
use crate::location::Location;
use crate::observe::{BUFFERED, LogLevel, LogLine};

/// What is said, with the line that it names.
pub(super) type Said = BTreeMap<String, Option<Location>>;

/// What nginx says of handshakes that fail, those of the checks, which ask for what nobody should take; and of an answer
/// that its client is slow to take.
const OF_THE_MOMENT: [&str; 4] = ["SSL_do_handshake()", "SSL handshaking", "SSL_read()", BUFFERED];

/// What nginx complains of in what Prometheus answers, such as `upstream sent duplicate header line`. That it does not
/// answer is what clients see.
const ANSWERS: &str = "upstream sent";

/// What nginx warned of, as `LEVEL: MESSAGE`.
pub(super) fn of_nginx(lines: &[LogLine], locate: impl Fn(&str, usize) -> Option<Location>) -> Said {
    let counts = |line: &&LogLine| {
        let is_of_an_answer = line.level == LogLevel::Error && line.message.contains(ANSWERS);
        line.level == LogLevel::Warn || line.level >= LogLevel::Crit || is_of_an_answer
    };
    let is_left_out = |line: &&LogLine| OF_THE_MOMENT.iter().any(|what| line.message.contains(what));
    let own = lines.iter().filter(counts).filter(|line| !is_left_out(line));
    let place = |line: &LogLine| line.place.as_ref().and_then(|(path, number)| locate(path, *number));
    own.map(|line| (format!("{}: {}", line.level.name(), said(line)), place(line))).collect()
}

/// Why nginx refused to start.
pub(super) fn refusal_of_nginx(log: &str, locate: impl Fn(&str, usize) -> Option<Location>) -> Said {
    let lines: Vec<LogLine> = LogLine::read_all(log).into_iter().filter(|line| line.level >= LogLevel::Emerg).collect();
    if lines.is_empty() {
        return BTreeMap::from([(log.trim().to_owned(), None)]);
    }
    let place = |line: &LogLine| line.place.as_ref().and_then(|(path, number)| locate(path, *number));
    lines.iter().map(|line| (said(line), place(line))).collect()
}

/// What a line says, without the place that it names, which is given as one, and without the request that it is about.
fn said(line: &LogLine) -> String {
    let message = match &line.place {
        Some(_) => line.message.rsplit_once(" in ").map_or(line.message.as_str(), |(message, _)| message),
        None => &line.message,
    };
    let message = message.split_once(", client: ").map_or(message, |(message, _)| message);
    match message.strip_prefix('*').and_then(|rest| rest.split_once(' ')) {
        Some((connection, rest)) if connection.bytes().all(|byte| byte.is_ascii_digit()) => {
            redaction::without_temporary_names(rest)
        }
        _ => redaction::without_temporary_names(message),
    }
}

/// What Prometheus warned of, as `LEVEL: MESSAGE`.
pub(super) fn of_prometheus(log: &str) -> BTreeSet<String> {
    let lines = log.lines().filter_map(|line| {
        let level = field(line, "level")?.to_lowercase();
        let message = field(line, "msg")?;
        matches!(level.as_str(), "warn" | "error").then(|| format!("{level}: {message}"))
    });
    lines.collect()
}

/// Why Prometheus refused to start: the words of its last complaint.
pub(crate) fn refusal_of_prometheus(log: &str) -> String {
    let of_flags = log.lines().find(|line| line.starts_with("Error parsing command line arguments"));
    if let Some(line) = of_flags {
        return line.trim().to_owned();
    }
    let complaint = |line: &str| {
        let level = field(line, "level")?.to_lowercase();
        let words: Vec<String> = ["msg", "err"].into_iter().filter_map(|key| field(line, key)).collect();
        (level == "error").then(|| words.join(": "))
    };
    let last = log.lines().filter_map(complaint).next_back();
    last.or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()))
        .unwrap_or_else(|| "it ended and said nothing".to_owned())
}

/// The value of a key in a line of logfmt, without its quotes.
fn field(line: &str, key: &str) -> Option<String> {
    let start = line.find(&format!(" {key}=")).map(|at| at + key.len() + 2);
    let start = start.or_else(|| line.starts_with(&format!("{key}=")).then_some(key.len() + 1))?;
    let rest = &line[start..];
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split(' ').next().unwrap_or_default().to_owned());
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_is_read_without_its_handshakes() {
        let log = "2026/01/31 12:00:00 [warn] 1#1: the \"listen ... http2\" directive is deprecated, use the \"http2\" \
                   directive instead in /etc/nginx/nginx.conf:3\n\
                   2026/01/31 12:00:00 [crit] 7#7: *2 SSL_do_handshake() failed (SSL: x) while SSL handshaking, client: 1\n\
                   2026/01/31 12:00:00 [error] 7#7: *2 open() \"/x\" failed, client: 1\n\
                   2026/01/31 12:00:00 [error] 7#7: *9 upstream sent invalid header: \"a b\" while reading response header \
                   from upstream, client: 127.0.0.1, server: a\n";
        let place = |_: &str, line| Some(Location::new("nginx.conf", line, 1));
        let said = of_nginx(&LogLine::read_all(log), place);
        let only = "warn: the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead";
        let answer = "error: upstream sent invalid header: \"a b\" while reading response header from upstream";
        let place = Some(Location::new("nginx.conf", 3, 1));
        assert_eq!(said, BTreeMap::from([(answer.to_owned(), None), (only.to_owned(), place)]));
    }

    #[test]
    fn both_formats_of_prometheus_are_read() {
        let log = "ts=2026-01-31T12:00:00Z caller=main.go:1 level=warn msg=\"old \\\"thing\\\"\" x=1\n\
                   time=2026-01-31T12:00:00Z level=ERROR source=main.go:1 msg=bad\n\
                   time=2026-01-31T12:00:00Z level=INFO msg=\"Server is ready\"\n";
        assert_eq!(of_prometheus(log), ["error: bad", "warn: old \"thing\""].map(str::to_owned).into());
    }

    #[test]
    fn a_refusal_is_one_line() {
        let flags = "Error parsing command line arguments: unknown long flag '--x'\nprometheus: error: unknown\n";
        assert_eq!(refusal_of_prometheus(flags), "Error parsing command line arguments: unknown long flag '--x'");
        let config = "ts=1 level=info msg=a\nts=1 level=error msg=\"Error loading config\" err=\"yaml: line 1\"\n";
        assert_eq!(refusal_of_prometheus(config), "Error loading config: yaml: line 1");
        assert_eq!(refusal_of_prometheus(""), "it ended and said nothing");
    }
}
