//! systemd units: `ExecStart=` with the variables of `Environment=` and `EnvironmentFile=`.

use std::path::Path;

use super::super::source_text::SourceText;
use super::super::{DeploymentError, read};
use super::flag::{self, PrometheusFlag};
use super::start::{Input, Start};
use super::variables_file::unclosed;
use super::words::{self, Variables};
use super::{variables_file, words::variable};
use crate::location::Location;

/// Whether a text is a unit, or a drop-in for one.
pub(super) fn is_unit(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| line == "[Service]" || line.starts_with("ExecStart="))
}

/// A setting of `[Service]`, with its lines joined.
struct Setting {
    name: String,
    value: String,
    /// Where it begins and ends, in bytes.
    from: usize,
    to: usize,
}

pub(super) fn start(input: &Input<'_>) -> Result<Start, DeploymentError> {
    let source = SourceText::new(&input.file, input.text);
    let settings = settings(input.text);
    let Some(exec) = exec_start(&settings) else {
        return Err(input.wrong(
            "no `ExecStart=` of its `[Service]` starts Prometheus",
            "Pass the unit that does; `systemctl cat prometheus` shows it",
        ));
    };
    let location = source.location(exec.from);
    let environment = Environment::of(&settings, input)?;
    let words = words::systemd(command(&exec.value)).ok_or_else(|| unclosed(location.clone()))?;
    let mut expanded = Vec::new();
    for word in words {
        expanded.extend(environment.expanded(&word, &location)?);
    }
    let words = expanded.into_iter().map(|text| PrometheusFlag { text, location: Some(location.clone()) }).collect();
    let mut flags = flag::of_command(words, &environment.variables);
    for (from, to) in environment.places.iter().copied().chain([(exec.from, exec.to)]) {
        flag::located(&mut flags, input.text, from, to, |offset| source.location(offset));
    }
    let what = "the unit".to_owned();
    Ok(Start { what, names: Vec::new(), flags, mounts: Vec::new(), ports: Vec::new(), location, is_of_this_host: true })
}

/// The last `ExecStart=` that calls Prometheus; an empty one takes back those before it, as drop-ins do.
fn exec_start(settings: &[Setting]) -> Option<&Setting> {
    let mut commands: Vec<&Setting> = Vec::new();
    for setting in settings.iter().filter(|setting| setting.name == "ExecStart") {
        match setting.value.is_empty() {
            true => commands.clear(),
            false => commands.push(setting),
        }
    }
    commands.into_iter().rfind(|setting| setting.value.to_ascii_lowercase().contains("prometheus"))
}

/// The command behind systemd's prefixes. With `@` the word after the program is its name and no argument.
fn command(value: &str) -> &str {
    let command = value.trim_start_matches(['-', '@', ':', '+', '!', '|']);
    let prefixes = &value[..value.len() - command.len()];
    match command.split_once(char::is_whitespace) {
        Some((_, rest)) if prefixes.contains('@') => rest.trim_start(),
        _ => command,
    }
}

fn settings(text: &str) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let (mut section, mut goes_on, mut from) = (String::new(), false, 0);
    for line in text.split_inclusive('\n') {
        let (begin, end) = (from, from + line.len());
        from = end;
        let trimmed = line.trim();
        // Comments may stand between the lines of one value.
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && !goes_on) {
            continue;
        }
        let (part, continues) = match trimmed.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (trimmed, false),
        };
        match settings.last_mut().filter(|_| goes_on) {
            Some(setting) => {
                setting.value.push(' ');
                setting.value.push_str(part);
                setting.to = end;
            }
            None if trimmed.starts_with('[') => section = trimmed.to_owned(),
            None => {
                if let Some((name, value)) =
                    part.split_once('=').filter(|_| section == "[Service]" || section.is_empty())
                {
                    let (name, value) = (name.trim().to_owned(), value.trim_start().to_owned());
                    settings.push(Setting { name, value, from: begin, to: end });
                }
            }
        }
        goes_on = continues && !trimmed.starts_with('[');
    }
    settings.iter_mut().for_each(|setting| setting.value = setting.value.trim().to_owned());
    settings
}

/// The variables of a unit, and the files of variables that were not to be had.
struct Environment {
    variables: Variables,
    missing: Vec<String>,
    /// Where the unit's own variables are set, in bytes.
    places: Vec<(usize, usize)>,
}

impl Environment {
    /// systemd reads the files after the unit's own variables.
    fn of(settings: &[Setting], input: &Input<'_>) -> Result<Self, DeploymentError> {
        let mut environment = Self { variables: Variables::default(), missing: Vec::new(), places: Vec::new() };
        let mut files: Vec<&str> = Vec::new();
        for setting in settings {
            match setting.name.as_str() {
                "Environment" if setting.value.is_empty() => environment.variables = Variables::default(),
                "Environment" => environment.add(setting),
                "EnvironmentFile" if setting.value.is_empty() => files.clear(),
                "EnvironmentFile" => files.push(setting.value.trim_start_matches('-')),
                _ => {}
            }
        }
        for file in files {
            environment.add_file(file, input)?;
        }
        for (name, value) in input.env.iter() {
            environment.variables.set(name.clone(), value.clone());
        }
        Ok(environment)
    }

    fn add(&mut self, setting: &Setting) {
        for word in words::systemd(&setting.value).unwrap_or_default() {
            if let Some((name, value)) = word.split_once('=') {
                self.variables.set(name, value);
            }
        }
        self.places.push((setting.from, setting.to));
    }

    /// A file of variables is looked for beside the unit, by its name and by its path: `etc/default/prometheus`.
    fn add_file(&mut self, file: &str, input: &Input<'_>) -> Result<(), DeploymentError> {
        let name = Path::new(file).file_name().unwrap_or_default();
        let is_safe = !file.split('/').any(|part| part == "..");
        let candidates = [input.beside(file.trim_start_matches('/')), input.beside(name)];
        let found = candidates.into_iter().find(|path| is_safe && path.is_file() && lies_in(path, input.dir()));
        let Some(path) = found else {
            self.missing.push(file.to_owned());
            return Ok(());
        };
        for assignment in variables_file::read(&read::text(&path)?) {
            self.variables.set(assignment.name, assignment.value);
        }
        Ok(())
    }

    /// The words that a word stands for: `$ARGS` alone is split, `${ARGS}` is not.
    fn expanded(&self, word: &str, location: &Location) -> Result<Vec<String>, DeploymentError> {
        if let Some((name, "")) = variable(word).filter(|_| !word.starts_with("${")) {
            let value = self.value(name, location)?;
            return words::systemd(value).ok_or_else(|| unclosed(location.clone()));
        }
        let mut out = String::new();
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("$$").or_else(|| rest.strip_prefix("%%")) {
                out.push(c);
                rest = after;
            } else if let Some((name, after)) = variable(rest).filter(|_| rest.starts_with("${")) {
                out.push_str(self.value(name, location)?);
                rest = after;
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        Ok(vec![out])
    }

    fn value(&self, name: &str, location: &Location) -> Result<&str, DeploymentError> {
        match (self.variables.get(name), self.missing.first()) {
            (Some(value), _) => Ok(value),
            // systemd takes an unset variable for nothing.
            (None, None) => Ok(""),
            (None, Some(file)) => Err(DeploymentError::Syntax {
                location: location.clone(),
                problem: format!("`${name}` is set in `{file}`, which is not beside the unit"),
                fix: "Put that file beside the unit, or pass it instead of the unit".to_owned(),
            }),
        }
    }
}

/// Whether a file is in a directory when all links are followed: none of the host's others is read.
pub(super) fn lies_in(path: &Path, dir: &Path) -> bool {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    match (path.canonicalize(), dir.canonicalize()) {
        (Ok(path), Ok(dir)) => path.starts_with(dir),
        _ => false,
    }
}
