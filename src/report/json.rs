//! The report for programs: `proxyproof/report/1`, as the README documents it.

use std::io::{self, Write};

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use super::gathered::Summary;
use super::{Broken, DeploymentReport, Gathered, Paths, Programs, Report, Shard, Verdict};

/// Writes `report` as indented JSON that ends with a newline.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let whole = Whole {
        schema: Report::SCHEMA,
        verdict: report.verdict,
        runtime: Some(report.runtime),
        programs: Some(&report.programs),
        shard: None,
        paths: Paths { given: 1, checked: 1, broken: 0 },
        deployments: &report.deployments,
        broken: Vec::new(),
    };
    write(&whole, out)
}

/// Writes the same of many deployments, one after the other.
pub fn render_gathered(gathered: &Gathered, out: &mut dyn Write) -> io::Result<()> {
    let Summary { verdict, runtime, programs, shard, paths, .. } = gathered.summary();
    let whole = Whole {
        schema: Report::SCHEMA,
        verdict: *verdict,
        runtime: *runtime,
        programs: programs.as_ref(),
        shard: *shard,
        paths: *paths,
        deployments: OneByOne(gathered),
        broken: gathered.broken().collect(),
    };
    write(&whole, out)
}

fn write(whole: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, whole)?;
    writeln!(out)?;
    out.flush()
}

/// The keys of a report, in their order.
#[derive(Serialize)]
struct Whole<'a, D> {
    schema: &'static str,
    verdict: Verdict,
    runtime: Option<&'static str>,
    programs: Option<&'a Programs>,
    shard: Option<Shard>,
    paths: Paths,
    deployments: D,
    broken: Vec<&'a Broken>,
}

struct OneByOne<'a>(&'a Gathered);

impl Serialize for OneByOne<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = serializer.serialize_seq(None)?;
        for entry in self.0.deployments() {
            let entry: DeploymentReport = entry.map_err(S::Error::custom)?;
            entries.serialize_element(&entry)?;
        }
        entries.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Gathered, render, render_gathered};
    use crate::check::{CheckResult, Outcome};
    use crate::report::{Report, Verdict, sample};

    /// Keys, their order and the words in them are a contract: a change here is a new schema.
    #[test]
    fn has_the_documented_keys_in_their_order() {
        let mut report = sample::report(vec![sample::finding()]);
        report.deployments[0].checks = vec![
            CheckResult {
                id: "prefix-redirects",
                outcome: Outcome::Fail,
                reason: None,
                duration: Duration::from_micros(4_900),
            },
            sample::skipped("ui-page", "this build has no UI"),
        ];
        report.verdict = Verdict::Fail;
        insta::assert_snapshot!(rendered(&report), @r#"
        {
          "schema": "proxyproof/report/1",
          "verdict": "fail",
          "runtime": "docker",
          "programs": {
            "nginx": {
              "version": "1.26.3",
              "source": "debian:trixie"
            },
            "prometheus": {
              "version": "2.53.3",
              "source": "debian:trixie"
            }
          },
          "shard": null,
          "paths": {
            "given": 1,
            "checked": 1,
            "broken": 0
          },
          "deployments": [
            {
              "path": "nginx.conf",
              "public_url": "https://example.com/prometheus/",
              "verdict": "fail",
              "runtime": "docker",
              "programs": {
                "nginx": {
                  "version": "1.26.3",
                  "source": "debian:trixie"
                },
                "prometheus": {
                  "version": "2.53.3",
                  "source": "debian:trixie"
                }
              },
              "duration_ms": 912,
              "timings": null,
              "substitutions": [
                {
                  "kind": "certificate",
                  "what": "/root/certs/example.com/example.com.crt",
                  "by": "made for example.com",
                  "location": {
                    "file": "nginx.conf",
                    "line": 5,
                    "column": 25
                  }
                },
                {
                  "kind": "prometheus-flags",
                  "what": "--web.external-url, --web.route-prefix",
                  "by": "derived from nginx.conf",
                  "location": null
                }
              ],
              "checks": [
                {
                  "id": "prefix-redirects",
                  "outcome": "fail",
                  "reason": null,
                  "duration_ms": 4
                },
                {
                  "id": "ui-page",
                  "outcome": "skip",
                  "reason": "this build has no UI",
                  "duration_ms": 4
                }
              ],
              "findings": [
                {
                  "check": "prefix-redirects",
                  "level": "error",
                  "message": "`/prometheus/graph` redirects out of the prefix",
                  "expected": "a redirect to a URL below https://example.com/prometheus/",
                  "actual": "301 to https://example.com/graph/",
                  "location": {
                    "file": "nginx.conf",
                    "line": 9,
                    "column": 13
                  },
                  "fix": "add `proxy_redirect / /prometheus/;` beside this line",
                  "edits": [],
                  "reproduce": "curl --cacert ca.crt --resolve example.com:443:172.18.0.2 -i https://example.com/prometheus/graph"
                }
              ]
            }
          ],
          "broken": []
        }
        "#);
        let mut gathered = Gathered::of(1, None).unwrap();
        gathered.add(0, &report).unwrap();
        let mut same = Vec::new();
        render_gathered(&gathered, &mut same).unwrap();
        assert_eq!(String::from_utf8(same).unwrap(), rendered(&report));
    }

    #[test]
    fn a_finding_without_a_place_says_null() {
        let mut finding = sample::finding();
        finding.location = None;
        finding.reproduce = None;
        let json = rendered(&sample::report(vec![finding]));
        assert!(json.contains("\"location\": null"), "{json}");
        assert!(json.contains("\"reproduce\": null"), "{json}");
        assert!(json.ends_with("}\n"), "{json}");
    }

    fn rendered(report: &Report) -> String {
        let mut out = Vec::new();
        render(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}
