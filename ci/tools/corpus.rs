//! `ci/corpus DIR`: checks every configuration of a directory, and says what came of each.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for a terminal")]

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// The share that has to be understood.
const WANTED: f64 = 0.95;

/// What came of one configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Reached,
    Booted,
    Refused,
    NotUnderstood,
    Broken,
}

struct Row {
    name: String,
    class: Class,
    /// The public URLs, or why there are none.
    what: String,
    seconds: f64,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reached => "reached",
            Self::Booted => "booted",
            Self::Refused => "refused",
            Self::NotUnderstood => "not understood",
            Self::Broken => "BROKEN",
        })
    }
}

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: ci/corpus DIR");
        return ExitCode::from(2);
    };
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&directory) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => {
            eprintln!("{}: {error}", directory.display());
            return ExitCode::from(2);
        }
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    let begun = Instant::now();
    let rows = look_at_all(&files);
    for row in &rows {
        println!("{:28} {:14} {:5.1} s  {}", row.name, row.class, row.seconds, row.what);
    }
    total(&rows, begun.elapsed())
}

fn total(rows: &[Row], elapsed: Duration) -> ExitCode {
    let count = |class| rows.iter().filter(|row| row.class == class).count();
    let (reached, booted, refused) = (count(Class::Reached), count(Class::Booted), count(Class::Refused));
    let (not_understood, broken) = (count(Class::NotUnderstood), count(Class::Broken));
    println!(
        "\n{} configurations in {:.0} s: {} booted as they are ({reached} with Prometheus reached through them), {refused} \
         refused by nginx for a fault of their own, {not_understood} not understood, {broken} broken",
        rows.len(),
        elapsed.as_secs_f64(),
        reached + booted,
    );
    let share = (reached + booted + refused) as f64 / rows.len().max(1) as f64;
    println!("{:.1} % are one of the first three; {:.0} % are wanted", share * 100.0, WANTED * 100.0);
    if share >= WANTED && broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn look_at_all(files: &[PathBuf]) -> Vec<Row> {
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let next = Mutex::new(files.iter().enumerate());
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((index, file)) = { next.lock().unwrap_or_else(PoisonError::into_inner).next() } {
                    let row = look_at(file);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).push((index, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn look_at(file: &Path) -> Row {
    let begun = Instant::now();
    let mut environment: Vec<String> = Vec::new();
    let mut ended = check(file, &environment);
    // A template for envsubst: its placeholders get values as somebody would give them.
    while let Some(names) = ended.as_ref().and_then(missing_names).filter(|_| environment.is_empty()) {
        environment = names.iter().map(|name| format!("{name}={}", value_for(name))).collect();
        ended = check(file, &environment);
    }
    let (class, mut what) = match ended {
        None => (Class::Broken, format!("no end within {} s", PATIENCE.as_secs())),
        Some(ended) => classify(file, &ended),
    };
    if !environment.is_empty() {
        what = format!("{what} (with {})", environment.join(" "));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Row { name, class, what, seconds: begun.elapsed().as_secs_f64() }
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn message(&self) -> String {
        let said = self.stderr.lines().filter(|line| !line.trim().is_empty());
        said.collect::<Vec<_>>().join(" ").chars().take(400).collect()
    }
}

/// Runs `proxyproof check`; none if it does not end.
fn check(file: &Path, environment: &[String]) -> Option<Ended> {
    let program = std::env::current_exe().ok()?.parent()?.parent()?.join("proxyproof");
    let mut command = Command::new(program);
    command.args(["check", "--format", "json"]).arg(file).stdin(Stdio::null());
    command.args(environment.iter().flat_map(|value| ["--env", value]));
    run(command)
}

fn run(mut command: Command) -> Option<Ended> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let mut streams = (child.stdout.take()?, child.stderr.take()?);
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let errors = std::thread::spawn(move || streams.1.read_to_end(&mut stderr).map(|_| stderr));
        let read = streams.0.read_to_end(&mut stdout);
        let stderr = errors.join().ok().and_then(Result::ok).unwrap_or_default();
        // Nobody waits any more if it took too long.
        let _ = sender.send(read.is_ok().then_some((stdout, stderr)));
    });
    let Ok(Some((stdout, stderr))) = ended.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some(Ended { code: child.wait().ok()?.code(), stdout: text(stdout), stderr: text(stderr) })
}

fn classify(file: &Path, ended: &Ended) -> (Class, String) {
    match ended.code {
        Some(0 | 1) => match serde_json::from_str::<Value>(&ended.stdout) {
            Ok(report) => from_report(&report),
            Err(error) => (Class::Broken, format!("no report: {error}; {}", ended.message())),
        },
        Some(2) => match nginx_refuses(file) {
            Some(words) => (Class::Refused, format!("nginx: {words} | {}", ended.message())),
            None => (Class::NotUnderstood, ended.message()),
        },
        code => (Class::Broken, format!("exit code {code:?}: {}", ended.message())),
    }
}

fn from_report(report: &Value) -> (Class, String) {
    let deployments = report["deployments"].as_array().cloned().unwrap_or_default();
    let all = |key: &str| {
        deployments
            .iter()
            .flat_map(|deployment| deployment[key].as_array().cloned().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    let refused = all("findings").into_iter().find(|finding| finding["check"] == "nginx-starts");
    if let Some(finding) = refused {
        let place = &finding["location"];
        let place = format!("{}:{}", place["file"].as_str().unwrap_or("?"), place["line"]);
        return (Class::Refused, format!("{} at {place}", finding["actual"].as_str().unwrap_or_default()));
    }
    let reached = all("checks").iter().any(|check| check["id"] == "upstream-answers" && check["outcome"] == "pass");
    let urls: Vec<&str> = deployments.iter().filter_map(|deployment| deployment["public_url"].as_str()).collect();
    (if reached { Class::Reached } else { Class::Booted }, urls.join(" "))
}

/// The placeholders that a template lacks values for, as the message names them.
fn missing_names(ended: &Ended) -> Option<Vec<String>> {
    let cure = ended.stderr.contains("--env").then_some(&ended.stderr)?;
    let quoted = cure.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.strip_prefix("${")?.strip_suffix('}'));
    let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut names: Vec<String> = quoted.filter(is_name).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

fn value_for(name: &str) -> String {
    match name {
        _ if name.contains("PORT") => "9090".to_owned(),
        _ if name.contains("CIDR") => "allow 10.0.0.0/8;".to_owned(),
        _ if name.contains("DOMAIN") => "example.com".to_owned(),
        _ if name.contains("CONNECTIONS") => "1024".to_owned(),
        _ => name.to_ascii_lowercase().replace('_', "-"),
    }
}

/// nginx's own words if it refuses the file as it is for a fault of its own, asked in a container of the image that the
/// checks use. What it only misses here (hosts, files) it is given, one after the other.
fn nginx_refuses(file: &Path) -> Option<String> {
    /// More than any configuration names.
    const MOST_MISSED: usize = 40;
    let mut list = Command::new("docker");
    list.args(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "proxyproof/nginx"]);
    let image = run_to_end(&mut list)?.stdout.lines().next()?.to_owned();
    let file = file.canonicalize().ok()?;
    let around = Around::of(&std::fs::read_to_string(&file).ok()?)?;
    let mut given: Vec<String> = Vec::new();
    for _ in 0..MOST_MISSED {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--network", "none"]).args(&given).args(around.mounts(&file)).arg(&image);
        command.args(["nginx", "-t"]);
        let said = run(command)?;
        let words = said.stderr.lines().find_map(|line| Some(line.split_once("[emerg] ")?.1))?;
        let words =
            words.split_once(": ").filter(|(process, _)| process.ends_with("#1")).map_or(words, |(_, words)| words);
        match missed(words) {
            Some(arguments) if !given.contains(&arguments[1]) => given.extend(arguments),
            Some(_) => return None,
            // Keys can't be made here; what comes behind them is not seen.
            None => return Some(words.to_owned()).filter(|words| !words.starts_with("cannot load certificate")),
        }
    }
    None
}

/// What docker is told so that nginx finds what it misses.
fn missed(words: &str) -> Option<[String; 2]> {
    let quoted = words.split('"').nth(1)?;
    if words.starts_with("host not found in") {
        let host = quoted.split('/').next()?.split(':').next()?;
        return Some(["--add-host".to_owned(), format!("{host}:127.0.0.1")]);
    }
    let is_missing = words.starts_with("open() ") && words.contains("(2: No such file");
    is_missing.then(|| ["-v".to_owned(), format!("/dev/null:{quoted}:ro")])
}

/// What has to be around a file so that nginx reads it.
struct Around {
    wrapper: Option<tempfile::NamedTempFile>,
}

impl Around {
    fn of(text: &str) -> Option<Self> {
        let first = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
        let text = if first("events") || first("http {") || first("apiVersion") {
            return Some(Self { wrapper: None });
        } else if first("server ") || first("server{") || first("upstream") {
            "events {}\nhttp {\n include /site.conf;\n}\n"
        } else {
            "events {}\nhttp {\n server {\n include /site.conf;\n }\n}\n"
        };
        let wrapper = tempfile::NamedTempFile::new().ok()?;
        std::fs::write(wrapper.path(), text).ok()?;
        Some(Self { wrapper: Some(wrapper) })
    }

    fn mounts(&self, file: &Path) -> Vec<String> {
        let mount = |from: &Path, to: &str| ["-v".to_owned(), format!("{}:{to}:ro", from.display())];
        match &self.wrapper {
            None => mount(file, "/etc/nginx/nginx.conf").to_vec(),
            Some(wrapper) => [mount(wrapper.path(), "/etc/nginx/nginx.conf"), mount(file, "/site.conf")].concat(),
        }
    }
}

fn run_to_end(command: &mut Command) -> Option<Ended> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}
