use std::io::Write;

use super::{Many, render};
use crate::finding::{Finding, Level};
use crate::location::Location;
use crate::report::{Report, Verdict, sample};

#[test]
fn a_clean_run_shows_what_was_proven() {
    let mut report = sample::report(vec![]);
    report.deployments[0].checks = [
        "nginx-starts",
        "nginx-log-clean",
        "upstream-answers",
        "tls-enforced",
        "certificate-trusted",
        "insecure-still-encrypted",
        "plaintext-port",
        "prefix-root",
        "prefix-bare",
        "prefix-redirects",
        "prefix-stripped-once",
        "metrics-exposition",
        "api-query",
    ]
    .map(sample::passed)
    .to_vec();
    insta::assert_snapshot!(text(&report), @"
    nginx.conf as https://example.com/prometheus/ on docker: nginx 1.26.3 (debian:trixie), Prometheus 2.53.3 (debian:trixie)

    passed
      nginx-starts              insecure-still-encrypted  prefix-stripped-once
      nginx-log-clean           plaintext-port            metrics-exposition
      upstream-answers          prefix-root               api-query
      tls-enforced              prefix-bare
      certificate-trusted       prefix-redirects

    made for this run
      certificate       line 5  /root/certs/example.com/example.com.crt  made for example.com
      Prometheus flags          --web.external-url, --web.route-prefix   derived from nginx.conf

    13 passed, 0 failed, 0 skipped in 0.9 s: PASS
    ");
}

#[test]
fn a_finding_comes_first_with_its_line() {
    insta::assert_snapshot!(text(&sample::report(vec![sample::finding()])), @"
    nginx.conf as https://example.com/prometheus/ on docker: nginx 1.26.3 (debian:trixie), Prometheus 2.53.3 (debian:trixie)

    error[prefix-redirects]: `/prometheus/graph` redirects out of the prefix
     --> nginx.conf:9:13
      |
    9 |             proxy_pass http://localhost:9090/;
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = expected: a redirect to a URL below https://example.com/prometheus/
      = actual: 301 to https://example.com/graph/
      = fix: add `proxy_redirect / /prometheus/;` beside this line
      show it again:
        curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph

    passed
      nginx-starts

    made for this run
      certificate       line 5  /root/certs/example.com/example.com.crt  made for example.com
      Prometheus flags          --web.external-url, --web.route-prefix   derived from nginx.conf

    1 passed, 1 failed, 0 skipped, 1 error in 0.9 s: FAIL
    ");
}

#[test]
fn a_finding_without_a_place_has_no_line() {
    let mut finding = sample::finding();
    finding.location = None;
    finding.reproduce = None;
    insta::assert_snapshot!(findings(&sample::report(vec![finding])), @"
    error[prefix-redirects]: `/prometheus/graph` redirects out of the prefix
     |
     = expected: a redirect to a URL below https://example.com/prometheus/
     = actual: 301 to https://example.com/graph/
     = fix: add `proxy_redirect / /prometheus/;` beside this line
    ");
}

#[test]
fn a_place_whose_text_is_not_at_hand_is_named() {
    let mut finding = sample::finding();
    finding.location = Some(Location::new("conf.d/other.conf", 3, 5));
    insta::assert_snapshot!(findings(&sample::report(vec![finding])), @"
    error[prefix-redirects]: `/prometheus/graph` redirects out of the prefix
    --> conf.d/other.conf:3:5
     = expected: a redirect to a URL below https://example.com/prometheus/
     = actual: 301 to https://example.com/graph/
     = fix: add `proxy_redirect / /prometheus/;` beside this line
      show it again:
        curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph
    ");
}

#[test]
fn a_skip_has_its_reason() {
    let mut report = sample::report(vec![]);
    report.deployments[0].checks = vec![
        sample::skipped("ui-page", "this build of Prometheus has no UI"),
        sample::skipped("plaintext-port", "--skip: behind a load balancer"),
        sample::passed("nginx-starts"),
    ];
    report.deployments[0].substitutions.clear();
    insta::assert_snapshot!(text(&report), @"
    nginx.conf as https://example.com/prometheus/ on docker: nginx 1.26.3 (debian:trixie), Prometheus 2.53.3 (debian:trixie)

    passed
      nginx-starts

    skipped
      ui-page         this build of Prometheus has no UI
      plaintext-port  --skip: behind a load balancer

    1 passed, 0 failed, 2 skipped in 0.9 s: PASS
    ");
}

#[test]
fn a_long_message_stays_whole() {
    let mut finding = sample::finding();
    finding.message = "nginx does not start: ".to_owned() + &"a long story, ".repeat(12) + "the end";
    finding.actual = "first line of the log\nsecond line of the log".into();
    insta::assert_snapshot!(findings(&sample::report(vec![finding])), @"
    error[prefix-redirects]: nginx does not start: a long story, a long story, a long story, a long story, a long story, a long story, a long story, a long story, a long story, a long story, a long story, a long story, the end
     --> nginx.conf:9:13
      |
    9 |             proxy_pass http://localhost:9090/;
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = expected: a redirect to a URL below https://example.com/prometheus/
      = actual: first line of the log
                second line of the log
      = fix: add `proxy_redirect / /prometheus/;` beside this line
      show it again:
        curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph
    ");
}

#[test]
fn the_mark_counts_characters_and_not_bytes() {
    let mut finding = sample::finding();
    finding.location = Some(Location::new("nginx.conf", 1, 29));
    let report = sample::with_source("server_name größer.example; proxy_pass http://世界:9090;\r\n", finding);
    insta::assert_snapshot!(findings(&report), @"
    error[prefix-redirects]: `/prometheus/graph` redirects out of the prefix
     --> nginx.conf:1:29
      |
    1 | server_name größer.example; proxy_pass http://世界:9090;
      |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = expected: a redirect to a URL below https://example.com/prometheus/
      = actual: 301 to https://example.com/graph/
      = fix: add `proxy_redirect / /prometheus/;` beside this line
      show it again:
        curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph
    ");
}

#[test]
fn the_mark_stands_right_after_tabs() {
    let mut finding = sample::finding();
    finding.location = Some(Location::new("nginx.conf", 2, 3));
    let report = sample::with_source("server {\n\t\tlisten\t443 ssl; # TLS\n", finding);
    insta::assert_snapshot!(findings(&report), @"
    error[prefix-redirects]: `/prometheus/graph` redirects out of the prefix
     --> nginx.conf:2:3
      |
    2 |         listen    443 ssl; # TLS
      |         ^^^^^^^^^^^^^^^^^
      |
      = expected: a redirect to a URL below https://example.com/prometheus/
      = actual: 301 to https://example.com/graph/
      = fix: add `proxy_redirect / /prometheus/;` beside this line
      show it again:
        curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph
    ");
}

#[test]
fn a_stranger_s_text_does_not_reach_the_terminal_s_controls() {
    let mut finding = sample::finding();
    finding.message = "\x1b[2J\x1b]0;title\x07 gone".into();
    finding.reproduce = Some("curl 'https://example.com/\x1b[2J'".into());
    let mut report = sample::with_source("\x1b[2J\n".repeat(9).as_str(), finding);
    report.deployments[0].path = "\x1b[31mnginx.conf".into();
    report.deployments[0].checks = vec![sample::skipped("ui-page", "\x1b[2J\r\nPASS")];
    let mut coloured = Vec::new();
    render(&report, &mut coloured).unwrap();
    let coloured = String::from_utf8(coloured).unwrap();
    for sequence in ["\x1b[2J", "\x1b]0;", "\x07", "\x1b[31mnginx", "\r"] {
        assert!(!coloured.contains(sequence), "{coloured:?}");
    }
}

/// Where it fails by warnings, those are shown; where by errors, nothing below them.
#[test]
fn of_many_what_made_them_fail_is_shown() {
    let shown = |fail_on, found: &[Level]| {
        let findings = found.iter().map(|level| Finding { level: *level, ..sample::finding() }).collect();
        let mut report = sample::report(findings);
        if !found.iter().any(|level| *level >= fail_on) {
            report.verdict = Verdict::Pass;
            report.deployments[0].verdict = Verdict::Pass;
        }
        let mut out = anstream::StripStream::new(Vec::new());
        Many::new(fail_on).one(&report.deployments, &mut out).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let titles = text.lines().filter(|line| line.contains("[prefix-redirects]"));
        titles.map(|line| line.split('[').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let all = [Level::Error, Level::Warning, Level::Note];
    assert_eq!(shown(Level::Error, &all), ["error"]);
    assert_eq!(shown(Level::Warning, &all), ["error", "warning"]);
    assert_eq!(shown(Level::Error, &all[1..]), [""; 0]);
}

#[test]
fn what_was_probed_is_its_url() {
    let mut report = sample::report(vec![]);
    report.deployments[0].runtime = Report::PROBE;
    report.deployments[0].programs.nginx.source = "Server: nginx/1.26.3".into();
    report.deployments[0].path = "https://example.com/prometheus/".into();
    let text = text(&report);
    let expected = "https://example.com/prometheus/ from outside: nginx 1.26.3 (Server: nginx/1.26.3), Prometheus ";
    assert!(text.starts_with(expected), "{text}");
}

fn text(report: &Report) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    render(report, &mut out).unwrap();
    out.flush().unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

/// What lies between the header and the passed checks.
fn findings(report: &Report) -> String {
    let text = text(report);
    let (_, rest) = text.split_once("\n\n").unwrap();
    rest.split("passed\n").next().unwrap().to_owned()
}
