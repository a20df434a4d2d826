//! The harness's side of one program: what it has written, and the connection to its launcher.

use std::collections::BTreeSet;
use std::io::{self, PipeReader};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::timeout;

use super::host::{blocking, failed, understood};
use super::messages::{Answer, Task};
use super::wire::Wire;
use crate::runtime::archive::archive;
use crate::runtime::error::RuntimeError;
use crate::runtime::pod::locked;
use crate::world::PodFile;

/// How long the kernel may take to end a program.
const END_TIME: Duration = Duration::from_secs(10);

/// A started program, and what it has written so far.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Program {
    launcher: Arc<Mutex<Wire>>,
    log: Arc<Mutex<String>>,
    ended: watch::Receiver<bool>,
}

impl Program {
    pub(super) fn of(launcher: Wire, output: PipeReader) -> io::Result<Self> {
        let (log, ended) = follow(output)?;
        Ok(Self { launcher: Arc::new(Mutex::new(launcher)), log, ended })
    }

    /// What it has written so far, its standard output and error as one.
    pub(in crate::runtime) fn log(&self) -> String {
        locked(&self.log).clone()
    }

    /// Whether it has ended. All that it wrote is in its log then.
    pub(in crate::runtime) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Returns when it has ended.
    pub(in crate::runtime) async fn until_ended(&self) {
        // Who would tell is gone: so is the program.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// What another program says that is run beside it with these words, its standard output and error as one.
    pub(in crate::runtime) async fn exec(&self, words: &[&str]) -> Option<String> {
        let (output, write) = io::pipe().ok()?;
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let launcher = Arc::clone(&self.launcher);
        blocking(move || ask(&launcher, &Task::Exec(words), &[], &[write.as_fd()], "run a program")).await.ok()?;
        let mut said = Vec::new();
        pipe::Receiver::from_owned_fd(output.into()).ok()?.read_to_end(&mut said).await.ok()?;
        Some(String::from_utf8_lossy(&said).into_owned())
    }

    /// Sends it a signal; one that has ended needs none.
    pub(in crate::runtime) async fn signal(&self, signal: Signal, doing: &str) -> Result<(), RuntimeError> {
        match self.ask(Task::Signal(signal.as_raw()), Vec::new(), doing).await {
            Err(_) if self.has_ended() => Ok(()),
            told => told.map(|_| ()),
        }
    }

    /// The ids of nginx's workers that take connections.
    pub(in crate::runtime) async fn workers(&self) -> BTreeSet<String> {
        match self.ask(Task::Workers, Vec::new(), "look for workers").await {
            Ok(Answer::Workers(ids)) => ids.into_iter().collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Puts files into its file system, changed at a time in seconds.
    pub(in crate::runtime) async fn put(&self, files: &[PodFile], changed: u64) -> Result<(), RuntimeError> {
        let doing = "put the files of a program";
        let files = archive(files, changed).map_err(failed(doing))?;
        self.ask(Task::Put, files, doing).await.map(|_| ())
    }

    /// Ends it if it runs, and returns when nothing is left of it.
    pub(in crate::runtime) async fn remove(&self) -> Result<(), RuntimeError> {
        locked(&self.launcher).close();
        // If not in time, it ends with the Pod.
        let _ = timeout(END_TIME, self.until_ended()).await;
        Ok(())
    }

    async fn ask(&self, task: Task, bytes: Vec<u8>, doing: &str) -> Result<Answer, RuntimeError> {
        let (launcher, doing) = (Arc::clone(&self.launcher), doing.to_owned());
        blocking(move || ask(&launcher, &task, &bytes, &[], &doing)).await
    }
}

fn ask(
    launcher: &Mutex<Wire>,
    task: &Task,
    bytes: &[u8],
    files: &[BorrowedFd<'_>],
    doing: &str,
) -> Result<Answer, RuntimeError> {
    let wire = locked(launcher);
    let said = wire.send(task, bytes, files).and_then(|()| wire.receive::<Answer>()).map(|said| said.message);
    match said {
        Ok(answer @ (Answer::Done | Answer::Workers(_))) => Ok(answer),
        other => understood(other, doing).map(|()| Answer::Done),
    }
}

/// Collects what a program writes, until nothing of it is left that could write.
fn follow(output: PipeReader) -> io::Result<(Arc<Mutex<String>>, watch::Receiver<bool>)> {
    let mut output = pipe::Receiver::from_owned_fd(output.into())?;
    let log = Arc::new(Mutex::new(String::new()));
    let (has_ended, ended) = watch::channel(false);
    let sink = Arc::clone(&log);
    tokio::spawn(async move {
        let mut piece = vec![0; 64 << 10];
        while let Ok(length @ 1..) = output.read(&mut piece).await {
            locked(&sink).push_str(&String::from_utf8_lossy(&piece[..length]));
        }
        let _ = has_ended.send(true);
    });
    Ok((log, ended))
}
