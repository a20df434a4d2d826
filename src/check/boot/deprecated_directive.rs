//! Nothing is written that a newer nginx or Prometheus refuses or ignores.

use super::super::{Answer, Check, NEEDS_CONFIGURATION, Turn, View};
use super::deprecations::{self, Deprecation, Fate, Flag, PROMETHEUS};
use crate::deployment::{Directive, PrometheusFlag};
use crate::finding::{Edit, Finding, Fix, Level};
use crate::observe::{LogLevel, LogLine, Observer};

/// What nginx says of a directive that it no longer wants. `nginx-log-clean` leaves these lines to this check.
const SAYINGS: [&str; 3] = ["directive is deprecated", "directive is obsolete", "was superseded by"];
/// The blocks in which a word is a directive and not an entry, as it is in `map`.
const BLOCKS: [&str; 8] = ["http", "server", "location", "if", "limit_except", "stream", "mail", "upstream"];
const HTTP2_SWITCH: [u32; 3] = [1, 25, 1];

pub(crate) static CHECK: Check = Check {
    id: "deprecated-directive",
    level: Level::Warning,
    what: "No directive of nginx and no flag of Prometheus is one that a newer version refuses, ignores or warns of.",
    why: "They work until the day of an upgrade. `ssl on` keeps nginx 1.25.1 and later from starting; \
          `--storage.tsdb.retention` keeps Prometheus 3 from starting, and `--enable-feature=remote-write-receiver` is \
          ignored there, so that remote write ends. What nginx only warns of (`listen … http2`) is a note.",
    fix: "listen 443 ssl; instead of ssl on; and, from nginx 1.25.1, http2 on; instead of listen … http2. For the flags of \
          Prometheus see its migration guide.",
    source: "https://nginx.org/en/CHANGES; https://prometheus.io/docs/prometheus/latest/migration/",
    turn: Turn::Last,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let mut findings = Vec::new();
    for directive in &observer.facts().deployment.nginx.directives {
        walk(observer, directive, None, &mut findings);
    }
    let is_known = |line: &LogLine, findings: &[Finding]| {
        let place = place(observer, line);
        findings.iter().any(|known| {
            let same = |place: &crate::Location| {
                known.location.as_ref().is_some_and(|own| (&own.file, own.line) == (&place.file, place.line))
            };
            place.as_ref().is_some_and(same) || known.actual == line.message
        })
    };
    for line in observer.nginx_log().iter().filter(|line| is_of_this_check(line)) {
        if !is_known(line, &findings) {
            findings.push(of_log(observer, line));
        }
    }
    findings.extend(of_prometheus(observer));
    Ok(findings)
}

/// Whether this check reports a line of nginx's log.
pub(in super::super) fn is_of_this_check(line: &LogLine) -> bool {
    line.level == LogLevel::Warn && SAYINGS.iter().any(|saying| line.message.contains(saying))
}

fn place(observer: &Observer, line: &LogLine) -> Option<crate::Location> {
    line.place.as_ref().and_then(|(path, number)| observer.locate(path, *number))
}

/// What the running nginx warns of, and the table above does not know.
fn of_log(observer: &Observer, line: &LogLine) -> Finding {
    CHECK
        .finding("nginx warns of a directive that it no longer wants")
        .at_level(Level::Note)
        .expected("no such warning")
        .actual(line.message.clone())
        .at(place(observer, line))
        .fix("write what the message names instead")
}

fn walk(observer: &Observer, directive: &Directive, around: Option<&Directive>, findings: &mut Vec<Finding>) {
    if let Some(known) = deprecations::of(directive) {
        findings.push(of_nginx(observer, directive, around, known));
    }
    if BLOCKS.contains(&directive.name.as_str()) {
        for child in directive.children() {
            walk(observer, child, Some(directive), findings);
        }
    }
}

fn of_nginx(observer: &Observer, directive: &Directive, around: Option<&Directive>, known: &Deprecation) -> Finding {
    let what = match known.parameter {
        Some(parameter) => format!("listen … {parameter}"),
        None => directive.name.clone(),
    };
    let warns = observer.nginx_has(known.since);
    let since = version(known.since);
    let (message, level) = match known.refused {
        Some(from) => (format!("nginx {} and later do not start with `{what}`", version(from)), CHECK.level),
        None if warns => (format!("`{what}` is deprecated since nginx {since}"), Level::Note),
        None => (format!("`{what}` is right for this nginx, and deprecated from {since} on"), Level::Note),
    };
    CHECK
        .finding(message)
        .at_level(level)
        .expected(format!("instead of it {}", known.instead))
        .actual(directive.written())
        .at(directive.location.clone())
        .fix(fix(observer, directive, around, known))
}

fn fix(observer: &Observer, directive: &Directive, around: Option<&Directive>, known: &Deprecation) -> Fix {
    let place = directive.location.clone();
    match (known.name, known.parameter, around) {
        ("ssl", _, Some(server)) if server.is("server") => ssl_of_listens(directive, server),
        ("ssl", ..) => {
            Fix::from("remove it, and write `ssl` into each listen of a server that speaks TLS: listen 443 ssl;")
        }
        ("listen", Some("http2"), Some(server)) if observer.nginx_has(HTTP2_SWITCH) => {
            http2_of_server(directive, server)
        }
        ("listen", Some("http2"), _) => Fix::from(
            "with nginx 1.25.1 and later: listen without http2, and `http2 on;` in the server. Before it this is the only way",
        ),
        ("listen", Some(parameter), _) => Fix::replace(place, without(directive, parameter)),
        _ => Fix::remove(place, format!("remove `{}`; instead of it: {}", directive.written(), known.instead)),
    }
}

/// What `ssl on` does for all ports of a server, said at each of them.
fn ssl_of_listens(directive: &Directive, server: &Directive) -> Fix {
    let removed = Fix::remove(directive.location.clone(), "");
    if directive.arg(0) != Some("on") {
        return removed.said(format!("remove `{}`: that is the default", directive.written()));
    }
    let without = server.children_named("listen").filter(|listen| !listen.args.iter().any(|arg| arg.text == "ssl"));
    let edits: Vec<Fix> = without.map(|listen| Fix::replace(listen.location.clone(), with(listen, "ssl"))).collect();
    let lines: Vec<&str> = edits.iter().map(|edit| edit.text.as_str()).collect();
    let words = match lines.is_empty() {
        true => "remove `ssl on;`: listen says it already".to_owned(),
        false => format!("{} and no `ssl on;`", lines.join(" ")),
    };
    joined(words, std::iter::once(removed).chain(edits))
}

/// The first `listen` that says it brings the switch, unless it is there.
fn http2_of_server(directive: &Directive, server: &Directive) -> Fix {
    let listen = Fix::replace(directive.location.clone(), without(directive, "http2"));
    let mut saying = server.children_named("listen").filter(|listen| listen.args.iter().any(|arg| arg.text == "http2"));
    let is_first = saying.next().is_some_and(|first| first.location == directive.location);
    if server.children_named("http2").next().is_some() || !is_first {
        return listen;
    }
    let words = format!("{} http2 on;", listen.text);
    joined(words, [listen, Fix::insert_after(directive.location.clone(), "http2 on;")])
}

fn joined(words: String, fixes: impl IntoIterator<Item = Fix>) -> Fix {
    let edits: Vec<Edit> = fixes.into_iter().flat_map(|fix| fix.edits).collect();
    Fix { text: words, edits }
}

fn without(directive: &Directive, parameter: &str) -> String {
    let mut changed = directive.clone();
    changed.args.retain(|arg| arg.text != parameter);
    changed.written()
}

fn with(directive: &Directive, parameter: &str) -> String {
    let written = directive.written();
    format!("{} {parameter};", written.trim_end_matches(';'))
}

fn version([major, minor, patch]: [u32; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

/// Flags that the deployment gives, and Prometheus 3 no longer takes.
fn of_prometheus(observer: &Observer) -> Vec<Finding> {
    let prometheus = observer.facts().prometheus();
    let given = prometheus.flags.iter().filter(|_| prometheus.flags_given);
    given
        .flat_map(|flag| PROMETHEUS.iter().filter(|known| is_meant(flag, known)).map(|known| of_flag(flag, known)))
        .collect()
}

fn is_meant(flag: &PrometheusFlag, known: &Flag) -> bool {
    let has = |feature| flag.value().is_some_and(|value| value.split(',').any(|word| word.trim() == feature));
    flag.name() == known.name && known.feature.is_none_or(has)
}

fn of_flag(flag: &PrometheusFlag, known: &Flag) -> Finding {
    let what = match known.feature {
        Some(feature) => format!("--{}={feature}", known.name),
        None => format!("--{}", known.name),
    };
    let (message, level) = match known.fate {
        Fate::Refused => (format!("Prometheus 3 does not start with {what}"), CHECK.level),
        Fate::Ignored => (format!("Prometheus 3 ignores {what}, and does not do what it asks for"), CHECK.level),
        Fate::Default => (format!("Prometheus 3 no longer knows {what}, and does so without it"), Level::Note),
    };
    CHECK
        .finding(message)
        .at_level(level)
        .expected(format!("instead of it {}", known.instead))
        .actual(flag.text.clone())
        .at(flag.location.clone())
        .fix(format!("remove {what}; instead of it: {}", known.instead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Location;

    fn directive(name: &str, args: &[&str]) -> Directive {
        let location = Location::new("f", 1, 1);
        let argument =
            |text: &&str| crate::deployment::Argument { text: (*text).to_owned(), location: location.clone() };
        let args = args.iter().map(argument).collect();
        Directive { name: name.to_owned(), args, location: location.clone(), block: None, end_line: 1 }
    }

    #[test]
    fn a_parameter_counts_behind_the_address_alone() {
        let known = |args: &[&str]| deprecations::of(&directive("listen", args)).and_then(|known| known.parameter);
        assert_eq!(known(&["443", "ssl", "http2"]), Some("http2"));
        assert_eq!((known(&["http2"]), known(&["443", "ssl"])), (None, None));
        assert!(deprecations::of(&directive("ssl", &["on"])).is_some());
    }

    #[test]
    fn a_parameter_is_taken_away_and_added() {
        let listen = directive("listen", &["[::]:443", "ssl", "http2", "ipv6only=on"]);
        assert_eq!(without(&listen, "http2"), "listen [::]:443 ssl ipv6only=on;");
        assert_eq!(with(&directive("listen", &["443"]), "ssl"), "listen 443 ssl;");
    }

    #[test]
    fn a_feature_is_one_word_of_many() {
        let flag = PrometheusFlag { text: "--enable-feature=x,agent".to_owned(), location: None };
        let meant: Vec<_> =
            PROMETHEUS.iter().filter(|known| is_meant(&flag, known)).map(|known| known.feature).collect();
        assert_eq!(meant, [Some("agent")]);
    }
}
