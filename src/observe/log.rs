//! nginx's error log, line by line: <https://nginx.org/en/docs/ngx_core_module.html#error_log>.

use std::time::Duration;

use tokio::time::{interval, timeout};

use super::Observer;

/// How long a line may take on its way through the engine.
const PATIENCE: Duration = Duration::from_secs(1);
/// What nginx warns of an answer that is larger than its buffers: it is about that answer, not about the configuration.
pub(crate) const BUFFERED: &str = "is buffered to a temporary file";

/// The levels of nginx's error log, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Notice,
    Warn,
    Error,
    Crit,
    Alert,
    Emerg,
}

const LEVELS: [(&str, LogLevel); 8] = [
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("notice", LogLevel::Notice),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
    ("crit", LogLevel::Crit),
    ("alert", LogLevel::Alert),
    ("emerg", LogLevel::Emerg),
];

impl LogLevel {
    /// As nginx writes it.
    pub(crate) fn name(self) -> &'static str {
        LEVELS.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// A line of nginx's error log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    /// How bad nginx finds it.
    pub(crate) level: LogLevel,
    /// What it says, without time, process and connection, and without the request that it was about.
    pub(crate) message: String,
    /// The file and line that it names, in the Pod's paths.
    pub(crate) place: Option<(String, usize)>,
}

impl LogLine {
    /// The lines of an error log in all that nginx wrote.
    pub(crate) fn read_all(log: &str) -> Vec<Self> {
        parse(log)
    }
}

impl Observer {
    /// What nginx has logged so far.
    pub(crate) fn nginx_log(&self) -> Vec<LogLine> {
        parse(&self.sight.nginx_log())
    }

    /// The first line that fits. What nginx writes about an answer may come a moment after the answer.
    pub(crate) async fn nginx_says(&self, fits: impl Fn(&LogLine) -> bool) -> Option<LogLine> {
        let first = || self.nginx_log().into_iter().find(&fits);
        let mut ticks = interval(Duration::from_millis(10));
        let looking = async {
            loop {
                ticks.tick().await;
                if let Some(line) = first() {
                    return line;
                }
            }
        };
        timeout(PATIENCE, looking).await.ok()
    }
}

/// The error-log lines in all that nginx wrote; access-log lines are passed over.
fn parse(log: &str) -> Vec<LogLine> {
    log.lines().filter_map(parse_line).collect()
}

/// Reads `nginx: [emerg] …` (before the log is open) and `2026/01/31 12:00:00 [error] 7#7: *1 …`.
fn parse_line(line: &str) -> Option<LogLine> {
    let (before, rest) = line.split_once('[')?;
    let (level, rest) = rest.split_once(']')?;
    let (_, level) = LEVELS.iter().find(|(name, _)| *name == level)?;
    let at_the_beginning = before.starts_with("nginx:") || before.split_whitespace().count() == 2;
    if !at_the_beginning {
        return None;
    }
    let message = without_request(without_process(rest.trim()));
    Some(LogLine { level: *level, message: message.to_owned(), place: place(message) })
}

/// Drops `7#7: ` and `*1 `.
fn without_process(rest: &str) -> &str {
    let rest = match rest.split_once(": ") {
        Some((process, rest)) if process.chars().all(|c| c.is_ascii_digit() || c == '#') => rest,
        _ => rest,
    };
    match rest.split_once(' ') {
        Some((connection, rest)) if is_connection(connection) => rest,
        _ => rest,
    }
}

/// Drops `, client: 10.0.0.1, server: …, request: "…"` at the end.
fn without_request(message: &str) -> &str {
    message.split_once(", client: ").map_or(message, |(what, _)| what)
}

fn is_connection(word: &str) -> bool {
    word.strip_prefix('*').is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Reads the end of `… in /etc/nginx/nginx.conf:12`.
fn place(message: &str) -> Option<(String, usize)> {
    let (_, place) = message.rsplit_once(" in ")?;
    let (file, line) = place.trim().rsplit_once(':')?;
    Some((file.to_owned(), line.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_place() {
        let log = "nginx: [emerg] unknown directive \"lisen\" in /etc/nginx/nginx.conf:3\n";
        let line = parse(log).pop().expect("a line");
        assert_eq!(line.level, LogLevel::Emerg);
        assert_eq!(line.message, "unknown directive \"lisen\" in /etc/nginx/nginx.conf:3");
        assert_eq!(line.place, Some(("/etc/nginx/nginx.conf".to_owned(), 3)));
    }

    #[test]
    fn a_running_servers_lines_lose_process_and_connection() {
        let log = "2026/01/31 12:00:00 [error] 7#7: *12 connect() failed (111: Connection refused), client: 10.0.0.1, \
                   server: a.b, request: \"GET / HTTP/1.1\"\n";
        let line = parse(log).pop().expect("a line");
        assert_eq!((line.level, line.place), (LogLevel::Error, None));
        assert_eq!(line.message, "connect() failed (111: Connection refused)");
    }

    #[test]
    fn access_log_lines_are_no_errors() {
        let log = "172.18.0.1 - - [31/Jan/2026:12:00:00 +0000] \"GET /[error] HTTP/1.1\" 200 5\n";
        assert_eq!(parse(log), []);
    }
}
