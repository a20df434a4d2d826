//! A report to render in tests.

use std::time::Duration;

use super::{DeploymentReport, Program, Programs, Report, SourceText, Verdict};
use crate::check::{CheckResult, Outcome};
use crate::finding::{Finding, Level};
use crate::location::Location;
use crate::world::{Substitution, SubstitutionKind};

const NGINX_CONF: &str = "\
http {
    server {
        listen 443 ssl;
        server_name example.com;
        ssl_certificate /root/certs/example.com/example.com.crt;
        ssl_certificate_key /root/certs/example.com/example.com.key;

        location /prometheus/ {
            proxy_pass http://localhost:9090/;
        }
    }
}

events {}
";

/// One deployment with these findings: a pass where there are none.
pub(super) fn report(findings: Vec<Finding>) -> Report {
    let verdict = if findings.is_empty() { Verdict::Pass } else { Verdict::Fail };
    Report {
        verdict,
        runtime: "docker",
        programs: Programs { nginx: program("1.26.3"), prometheus: program("2.53.3") },
        deployments: vec![deployment(verdict, findings)],
    }
}

pub(super) fn finding() -> Finding {
    Finding {
        check: "prefix-redirects",
        level: Level::Error,
        message: "`/prometheus/graph` redirects out of the prefix".into(),
        expected: "a redirect to a URL below https://example.com/prometheus/".into(),
        actual: "301 to https://example.com/graph/".into(),
        location: Some(Location::new("nginx.conf", 9, 13)),
        fix: "add `proxy_redirect / /prometheus/;` beside this line".into(),
        edits: Vec::new(),
        reproduce: Some(
            "curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph".into(),
        ),
    }
}

pub(super) fn passed(id: &'static str) -> CheckResult {
    CheckResult { id, outcome: Outcome::Pass, reason: None, duration: Duration::from_millis(4) }
}

pub(super) fn skipped(id: &'static str, reason: &str) -> CheckResult {
    CheckResult { outcome: Outcome::Skip, reason: Some(reason.to_owned()), ..passed(id) }
}

pub(super) fn with_source(text: &str, finding: Finding) -> Report {
    let mut report = report(vec![finding]);
    report.deployments[0].files[0].text = text.into();
    report
}

fn deployment(verdict: Verdict, findings: Vec<Finding>) -> DeploymentReport {
    DeploymentReport {
        path: "nginx.conf".into(),
        public_url: "https://example.com/prometheus/".into(),
        verdict,
        runtime: "docker",
        programs: Programs { nginx: program("1.26.3"), prometheus: program("2.53.3") },
        substitutions: vec![
            substitution(
                SubstitutionKind::Certificate,
                "/root/certs/example.com/example.com.crt",
                "made for example.com",
                Some(5),
            ),
            substitution(
                SubstitutionKind::PrometheusFlags,
                "--web.external-url, --web.route-prefix",
                "derived from nginx.conf",
                None,
            ),
        ],
        checks: vec![
            passed("nginx-starts"),
            CheckResult {
                outcome: match verdict {
                    Verdict::Pass => Outcome::Pass,
                    Verdict::Fail => Outcome::Fail,
                },
                ..passed("prefix-redirects")
            },
        ],
        findings,
        duration: Duration::from_millis(912),
        timings: None,
        files: vec![SourceText { file: "nginx.conf".into(), text: NGINX_CONF.into() }],
    }
}

fn program(version: &str) -> Program {
    Program { version: version.to_owned(), source: "debian:trixie".to_owned() }
}

fn substitution(kind: SubstitutionKind, what: &str, by: &str, line: Option<usize>) -> Substitution {
    Substitution {
        kind,
        what: what.to_owned(),
        by: by.to_owned(),
        location: line.map(|line| Location::new("nginx.conf", line, 25)),
    }
}
