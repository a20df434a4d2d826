//! Every folder of `fixtures/upgrade` is an upgrade that has broken somebody's deployment, and what is said of it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{changes, upgrade};
use crate::catalogue::names_in;
use crate::support::{has_sandbox, project};

/// So many cases run at once, each with as many Labs as there are processors.
const AT_ONCE: usize = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    from: String,
    to: String,
    /// Further options; one that names a file of the folder means that file.
    #[serde(default)]
    options: Vec<String>,
    exit_code: i32,
    expected: Vec<Expected>,
}

/// A change that has to be reported: parts of its texts, and the rest as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    what: String,
    before: Option<String>,
    after: Option<String>,
    level: String,
    by: String,
    line: Option<u64>,
    source: Option<String>,
}

impl Expected {
    fn is(&self, change: &Value) -> bool {
        let holds = |key: &str, part: Option<&String>| {
            part.is_none_or(|part| change[key].as_str().is_some_and(|text| text.contains(part)))
        };
        holds("what", Some(&self.what))
            && holds("before", self.before.as_ref())
            && holds("after", self.after.as_ref())
            && holds("source", self.source.as_ref())
            && change["level"] == *self.level
            && change["by"] == *self.by
            && self.line.is_none_or(|line| change["location"]["line"] == line)
    }
}

#[test]
fn what_an_upgrade_broke_is_reported() {
    if !has_sandbox() {
        return;
    }
    let names = names_in(&project("fixtures/upgrade"));
    let names: Vec<String> = names.into_iter().collect();
    assert!(names.len() >= 7, "{names:?}");
    let wrong: Vec<String> = names
        .chunks(AT_ONCE)
        .flat_map(|names| {
            std::thread::scope(|scope| {
                let running: Vec<_> = names.iter().map(|name| scope.spawn(|| what_is_wrong(name))).collect();
                running.into_iter().flat_map(|case| case.join().expect("a case")).collect::<Vec<_>>()
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn what_is_wrong(name: &str) -> Vec<String> {
    let folder = format!("fixtures/upgrade/{name}");
    let text = fs::read_to_string(project(&folder).join("case.toml")).expect("case.toml");
    let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let config = format!("{folder}/nginx.conf");
    let mut arguments = vec![config.clone(), "--from".to_owned(), case.from, "--to".to_owned(), case.to];
    let is_file = |option: &String| Path::new(&project(&folder)).join(option).is_file();
    arguments.extend(case.options.into_iter().map(|option| match is_file(&option) {
        true => format!("{folder}/{option}"),
        false => option,
    }));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (report, code, error) = upgrade(&arguments);
    if code != case.exit_code {
        return vec![format!("{name}: the exit code is {code}: {error}\n{report:#}")];
    }
    let missing = case.expected.iter().filter(|expected| !changes(&report).iter().any(|change| expected.is(change)));
    missing.map(|expected| format!("{name}: nothing is reported like {expected:?}: {report:#}")).collect()
}
