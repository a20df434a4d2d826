//! A deployment in `fixtures/`, and what `proxyproof check` says of it, without what changes from run to run.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use proxyproof::CATALOGUE;

use crate::catalogue::names_in;
use crate::support::{project, proxyproof};

/// How many Labs run at once. Most of a run is waiting for Prometheus's first scrape.
const AT_ONCE: usize = 8;

/// A folder with an `nginx.conf` (or a fragment `site.conf`, or a directory `nginx` that stands for `/etc/nginx`), and, where it needs them, a `prometheus.yml` beside it and a file `args`: one further
/// argument of the command line a line.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    /// From the project's folder.
    pub(crate) path: String,
}

/// What is said of a fixture.
#[derive(Debug, Serialize)]
pub(crate) struct Outcomes {
    pub(crate) exit_code: i32,
    public_url: Value,
    /// `id: outcome`, with the reason of a skip.
    checks: Vec<String>,
    pub(crate) findings: Vec<Value>,
}

impl Fixture {
    /// The fixture in a folder of the project.
    pub(crate) fn at(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }

    fn is_of_lifecycle(&self) -> bool {
        lifecycle().any(|id| self.path.contains(&format!("/{id}/")))
    }

    fn file(&self, name: &str) -> PathBuf {
        project(&self.path).join(name)
    }

    pub(crate) fn exists(&self) -> bool {
        self.input().is_some()
    }

    /// What is checked in the folder.
    fn input(&self) -> Option<&'static str> {
        ["nginx.conf", "site.conf", "nginx"].into_iter().find(|name| self.file(name).exists())
    }

    fn args(&self) -> Vec<String> {
        let given = std::fs::read_to_string(self.file("args")).unwrap_or_default();
        let mut args: Vec<String> = given.lines().map(str::to_owned).collect();
        // `auto` would be whatever the newest release of the day is.
        for program in ["--nginx", "--prometheus"] {
            if !args.iter().any(|arg| arg == program) {
                args.extend([program.to_owned(), "debian:trixie".to_owned()]);
            }
        }
        args
    }

    /// What `check` with these options says, and its exit code.
    pub(crate) fn report(&self, options: &[&str]) -> (Value, i32) {
        let config = format!("{}/{}", self.path, self.input().expect("a configuration"));
        let mut command = proxyproof();
        let output = command.args(["check", "--format", "json"]).args(options).args(self.args()).arg(&config).output();
        let output = output.expect("the program runs");
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{config}: {error}\n{}", String::from_utf8_lossy(&output.stderr)));
        (report, output.status.code().expect("an exit code"))
    }

    /// Asks the whole catalogue, what takes seconds included. The checks that restart programs are asked where they may have
    /// something to say of it: about their own fixtures and the layouts.
    fn check(&self) -> Outcomes {
        let left: Vec<String> = match self.path.contains("/checks/") && !self.is_of_lifecycle() {
            true => lifecycle().map(|id| format!("--skip={id}=asked of its own fixtures and of the layouts")).collect(),
            false => Vec::new(),
        };
        let options: Vec<&str> = left.iter().map(String::as_str).chain(["--slow"]).collect();
        let (report, exit_code) = self.report(&options);
        let deployment = &report["deployments"][0];
        let checks = deployment["checks"].as_array().expect("checks").iter().map(check_line).collect();
        let findings = deployment["findings"].as_array().expect("findings").iter().map(with_short_location).collect();
        Outcomes { exit_code, public_url: deployment["public_url"].clone(), checks, findings }
    }
}

/// The checks that reload, stop and start the programs.
pub(crate) fn lifecycle() -> impl Iterator<Item = String> {
    let files = names_in(&project("src/check/lifecycle")).into_iter();
    let ids: Vec<String> = files.map(|file| file.trim_end_matches(".rs").replace('_', "-")).collect();
    CATALOGUE.iter().map(|check| check.id.to_owned()).filter(move |id| ids.contains(id))
}

impl Outcomes {
    /// Whether a check ended like this.
    pub(crate) fn has(&self, check: &str, outcome: &str) -> bool {
        self.checks.contains(&format!("{check}: {outcome}"))
    }

    /// Whether a check has a finding of a level that points to a line.
    pub(crate) fn locates(&self, check: &str, level: &str) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding["check"] == check && finding["level"] == level && !finding["location"].is_null())
    }
}

/// Asks the catalogue about all of these.
pub(crate) fn check_all(fixtures: &[Fixture]) -> Vec<Outcomes> {
    ask_all(fixtures, Fixture::check)
}

/// Asks about all of these, a few at once; the answers are in the order of the fixtures.
pub(crate) fn ask_all<T: Send>(fixtures: &[Fixture], ask: impl Fn(&Fixture) -> T + Sync) -> Vec<T> {
    ask_at_once(AT_ONCE, fixtures, ask)
}

/// The same, so many at once.
pub(crate) fn ask_at_once<T: Send>(number: usize, fixtures: &[Fixture], ask: impl Fn(&Fixture) -> T + Sync) -> Vec<T> {
    let next = Mutex::new(fixtures.iter().enumerate());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..number {
            scope.spawn(|| {
                // The guard goes at the end of the first statement: the others take theirs meanwhile.
                while let Some((index, fixture)) = { next.lock().unwrap_or_else(PoisonError::into_inner).next() } {
                    let answer = ask(fixture);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}

pub(crate) fn check_line(check: &Value) -> String {
    let (id, outcome) = (text(&check["id"]), text(&check["outcome"]));
    match check["reason"].as_str() {
        Some(reason) => format!("{id}: {outcome}: {reason}"),
        None => format!("{id}: {outcome}"),
    }
}

pub(crate) fn with_short_location(finding: &Value) -> Value {
    let mut finding = finding.clone();
    if let Some(file) = finding["location"]["file"].as_str() {
        let (line, column) = (&finding["location"]["line"], &finding["location"]["column"]);
        finding["location"] = format!("{file}:{line}:{column}").into();
    }
    finding
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
