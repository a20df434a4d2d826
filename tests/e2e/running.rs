//! The program while it runs, and how it ended.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::Stage;

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A run by the id of its process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run(u32);

impl Run {
    /// The id of its process.
    pub(crate) fn pid(self) -> u32 {
        self.0
    }

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
    /// Starts it, with its input open.
    pub(crate) fn begin(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        // Ends with the program, because nothing that outlives it holds its standard error.
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let stdout = read_to_end(child.stdout.take().expect("its stdout"));
        Self { child, lines, said: String::new(), stdout: Some(stdout) }
    }

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
