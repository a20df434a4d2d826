//! A run of the program with directories of its own, and what is left of it afterwards.
//!
//! Other runs go on beside it, of this test binary and of other people. What is its own is told apart by the process id
//! with which the names of its containers and networks begin, by its `TMPDIR`, and by a mark in the environment that
//! all its processes inherit.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListNetworksOptionsBuilder, RemoveImageOptions,
};

/// In the environment of every process of a stage.
const MARK: &str = "PROXYPROOF_TEST_STAGE";

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The directories of a run.
pub(crate) struct Stage {
    directory: TempDir,
    /// Instead of the user's.
    cache: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Stage {
    /// With the user's cache.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), cache: None, environment: Vec::new() }
    }

    /// With an empty cache, so that everything is built.
    pub(crate) fn with_fresh_cache() -> Self {
        let stage = Self::new();
        Self { cache: Some(stage.path("cache")), ..stage }
    }

    /// With this in the environment of its runs.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// A place in its directory, which goes with it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The run's `TMPDIR`.
    fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    /// Starts the program in the project's directory.
    pub(crate) fn start<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Running {
        fs::create_dir_all(self.temporary()).expect("a directory");
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("proxyproof"));
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("TMPDIR", self.temporary()).env(MARK, self.directory.path()).env("NO_COLOR", "1");
        command.env_remove("PROXYPROOF_REFRESH").envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(cache) = &self.cache {
            command.env("PROXYPROOF_CACHE", cache);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        // Ends with the program, because nothing that outlives it holds its standard error.
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let stdout = read_to_end(child.stdout.take().expect("its stdout"));
        Running { child, lines, said: String::new(), stdout: Some(stdout) }
    }

    /// Runs `doctor` where it sees what the stage's runs left behind, and gives what it says.
    pub(crate) fn doctor(&self, arguments: &[&str]) -> String {
        let ended = self.start(["doctor"].iter().chain(arguments).copied()).end();
        assert_eq!(ended.code(), 0, "{ended:#?}");
        ended.stdout
    }

    /// What is left of a run, each by its name.
    pub(crate) fn left_by(&self, run: Run) -> Vec<String> {
        let mut left = in_the_engine(&run.name());
        left.extend(self.left_on_this_machine(run));
        left
    }

    /// The same, where no engine is to be asked.
    pub(crate) fn left_on_this_machine(&self, run: Run) -> Vec<String> {
        let mut left = files_below(&self.temporary());
        let building = format!("building-{}-", run.0);
        let cache = self.cache.clone().unwrap_or_else(users_cache);
        left.extend(files_below(&cache.join("v1")).into_iter().filter(|path| path.contains(&building)));
        left.extend(self.processes().into_values());
        left
    }

    /// The processes of its runs, by their ids.
    pub(crate) fn processes(&self) -> HashMap<u32, String> {
        let mark = format!("{MARK}={}", self.directory.path().display());
        let ids = fs::read_dir("/proc").expect("/proc").flatten();
        ids.filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // That of a process that has ended is empty.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            environment.split(|byte| *byte == 0).find(|variable| *variable == mark.as_bytes())?;
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            Some((pid, format!("process {pid} {}", String::from_utf8_lossy(&command).replace('\0', " "))))
        })
        .collect()
    }
}

/// A run by the id of its process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run(u32);

impl Run {
    /// How the names of its containers and networks begin.
    pub(crate) fn name(self) -> String {
        format!("proxyproof-{:x}-", self.0)
    }
}

/// The program while it runs.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    said: String,
    stdout: Option<JoinHandle<String>>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) run: Run,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn run(&self) -> Run {
        Run(self.child.id())
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has written a line with these words to its standard error.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said.contains(words) {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.hear(&line),
                Err(error) => panic!("no `{words}` ({error}) in:\n{}", self.said),
            }
        }
    }

    /// Lets it run for this long, or to its end.
    pub(crate) fn let_run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.hear(&line);
        }
    }

    /// The id of its janitor.
    pub(crate) fn janitor(&self, stage: &Stage) -> u32 {
        let own = self.pid();
        stage.processes().into_keys().find(|pid| *pid != own).expect("a janitor")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("killed");
        self.end()
    }

    /// Closes its input, and waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.hear(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    panic!("it does not end; it said:\n{}", self.said);
                }
            }
        }
        let run = self.run();
        let status = self.child.wait().expect("it ends");
        let stdout = self.stdout.take().expect("its output is taken once").join().expect("its output is read");
        Ended { run, status, stdout, stderr: self.said.clone() }
    }

    fn hear(&mut self, line: &str) {
        self.said.push_str(line);
        self.said.push('\n');
    }
}

impl Drop for Running {
    /// A test that fails leaves no run behind.
    fn drop(&mut self) {
        if self.stdout.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// The exit code, or minus the signal.
    pub(crate) fn code(&self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        self.status.code().unwrap_or_else(|| -self.status.signal().unwrap_or_default())
    }
}

/// Sends a signal to a process that is there.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
    kill_process(pid, signal).expect("a process to send it to");
}

fn read_to_end(mut stdout: ChildStdout) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// Looks until there is nothing, or the time is over: then what there is.
pub(crate) fn nothing_within(time: Duration, mut look: impl FnMut() -> Vec<String>) -> Vec<String> {
    let end = Instant::now() + time;
    loop {
        let there = look();
        if there.is_empty() || Instant::now() > end {
            return there;
        }
        thread::park_timeout(Duration::from_millis(50));
    }
}

/// The engine, and a runtime to ask it with.
pub(crate) fn ask_engine<T>(question: impl AsyncFnOnce(Docker) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        question(testcontainers::core::client::docker_client_instance().await.expect("an engine")).await
    })
}

/// The containers and networks whose names begin like this.
pub(crate) fn in_the_engine(name: &str) -> Vec<String> {
    ask_engine(async |docker| {
        let filters = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let containers = docker.list_containers(Some(containers)).await.expect("containers");
        let networks = docker.list_networks(Some(networks)).await.expect("networks");
        let containers = containers.into_iter().flat_map(|container| container.names.unwrap_or_default());
        let networks = networks.into_iter().filter_map(|network| network.name);
        containers
            .map(|name| format!("container {}", name.trim_start_matches('/')))
            .chain(networks.map(|name| format!("network {name}")))
            .collect()
    })
}

/// The images without a tag that the program has made, in whichever run.
pub(crate) fn images_without_a_tag() -> Vec<String> {
    ask_engine(async |docker| {
        let filters = HashMap::from([("dangling".to_owned(), vec!["true".to_owned()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let mut ours = Vec::new();
        for image in docker.list_images(Some(options)).await.expect("images") {
            // One that somebody removes meanwhile is not ours: nobody removes those.
            let history = docker.image_history(&image.id).await.unwrap_or_default();
            if history.iter().any(|layer| layer.created_by.contains("proxyproof")) {
                ours.push(format!("image {}", image.id));
            }
        }
        ours
    })
}

/// Removes the program's images with these words in their names, but for those that are used.
pub(crate) fn remove_images(words: &str) {
    ask_engine(async |docker| {
        let images = docker.list_images(Some(ListImagesOptionsBuilder::new().build())).await.expect("images");
        let tags = images.into_iter().flat_map(|image| image.repo_tags);
        for tag in tags.filter(|tag| tag.starts_with("proxyproof/") && tag.contains(words)) {
            let _ = docker.remove_image(&tag, None::<RemoveImageOptions>, None).await;
        }
    });
}

fn files_below(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| format!("file {}", entry.path().display())).collect()
}

/// The cache of all runs that have none of their own.
pub(crate) fn users_cache() -> PathBuf {
    let directory = proxyproof::source::Cache::from_env().expect("a cache").directory().to_owned();
    fs::create_dir_all(&directory).expect("a cache");
    directory
}
