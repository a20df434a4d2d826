//! nginx's log holds no line that asks for attention.

use super::super::tls::ocsp_stapling::IGNORED as IGNORED_STAPLING;
use super::super::{Answer, Check, Turn, View};
use super::deprecated_directive;
use crate::finding::{Finding, Level};
use crate::location::Location;
use crate::observe::{BUFFERED, LogLevel, LogLine, Observer};

pub(crate) static CHECK: Check = Check {
    id: "nginx-log-clean",
    level: Level::Warning,
    what: "nginx's error log holds no line of level warn, crit, alert or emerg after the checks have asked.",
    why: "A warning at start-up is how nginx says what it ignores, such as names that conflict; a crit or alert line is a \
          fault that clients do not see yet. What it says of deprecated directives is in deprecated-directive.",
    fix: "Mend the directive that the line names; what it says is what nginx does instead of what was written.",
    source: "https://nginx.org/en/docs/ngx_core_module.html#error_log",
    turn: Turn::Last,
    view: View::Inside("nginx's log is not seen from outside: proxyproof check"),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let mut lines: Vec<LogLine> = observer.nginx_log();
    lines.retain(|line| line.level >= LogLevel::Warn && line.level != LogLevel::Error);
    lines.retain(|line| line.level > LogLevel::Warn || !line.message.contains(BUFFERED));
    // ocsp-stapling says it; of a certificate that is made up it says nothing.
    lines.retain(|line| !line.message.starts_with(IGNORED_STAPLING));
    lines.retain(|line| !deprecated_directive::is_of_this_check(line));
    let mut seen: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for line in &lines {
        if !seen.contains(&line.message.as_str()) {
            seen.push(&line.message);
            findings.push(finding(observer, line));
        }
    }
    Ok(findings)
}

fn finding(observer: &Observer, line: &LogLine) -> Finding {
    let place = line.place.as_ref().and_then(|(path, number)| observer.locate(path, *number));
    CHECK
        .finding("nginx's log asks for attention")
        .expected("no line of level warn or above, but for single requests that failed")
        .actual(format!("[{}] {}", line.level.name(), line.message))
        .at(place.or_else(|| place_of_a_name_that_conflicts(observer, &line.message)))
        .fix(CHECK.fix)
}

/// nginx names no line in `conflicting server name "example.com" on 0.0.0.0:443, ignored`.
fn place_of_a_name_that_conflicts(observer: &Observer, message: &str) -> Option<Location> {
    let (name, rest) = message.strip_prefix("conflicting server name \"")?.split_once('"')?;
    let port = rest.strip_suffix(", ignored")?.rsplit_once(':')?.1.parse().ok()?;
    observer.facts().last_name_place(name, port)
}
