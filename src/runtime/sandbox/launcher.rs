//! The launcher of one program: builds its file system, starts it, and does to it what the harness asks for.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, set_parent_process_death_signal, umask};
use rustix::thread::UnshareFlags;

use super::confine::Walls;
use super::keeper::unshare;
use super::messages::{Answer, Failed, Launch, Task, doing};
use super::tree;
use super::wire::{Received, Wire};
use crate::runtime::program::is_worker;

pub(super) fn run(wire: &Wire) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    umask(rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH);
    let Received { message: Task::Begin(launch), bytes, .. } = wire.receive::<Task>()? else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    match Running::begin(&launch, &bytes) {
        Ok(running) => {
            wire.send(&Answer::Done, &[], &[])?;
            running.serve(wire)
        }
        Err(failed) => wire.send(&Answer::from(failed), &[], &[]),
    }
}

struct Running {
    walls: Arc<Walls>,
    program: Child,
    beside: Vec<Child>,
}

impl Running {
    fn begin(launch: &Launch, archive: &[u8]) -> Result<Self, Failed> {
        let walls = Arc::new(Walls::of(launch).map_err(doing("prepare a program's walls"))?);
        unshare(UnshareFlags::NEWNS | UnshareFlags::NEWPID).map_err(doing("make namespaces for a program"))?;
        let old = tree::build(launch)?;
        tree::unpack(archive)?;
        let started = doing(format!("start {}", launch.words.first().map_or("nothing", String::as_str)));
        let command = walls.command(&launch.words, Some(old));
        let spawned = command.and_then(|mut command| command.current_dir(&launch.directory).spawn());
        let program = spawned.map_err(started)?;
        // What it writes ends with it.
        let silent = fs::OpenOptions::new().write(true).open("/dev/null").map_err(doing("open /dev/null"))?;
        rustix::stdio::dup2_stdout(&silent).map_err(doing("fall silent"))?;
        rustix::stdio::dup2_stderr(&silent).map_err(doing("fall silent"))?;
        Ok(Self { walls, program, beside: Vec::new() })
    }

    /// Until the program or the harness has ended.
    fn serve(mut self, wire: &Wire) -> io::Result<()> {
        let end = pidfd_open(self.pid(), PidfdFlags::empty())?;
        loop {
            let mut ready = [PollFd::new(wire, PollFlags::IN), PollFd::new(&end, PollFlags::IN)];
            rustix::io::retry_on_intr(|| poll(&mut ready, None))?;
            if !ready[1].revents().is_empty() {
                return self.program.wait().map(|_| ());
            }
            let Ok(task) = wire.receive::<Task>() else {
                self.program.kill()?;
                return self.program.wait().map(|_| ());
            };
            let answer = self.follow(task).unwrap_or_else(Answer::from);
            wire.send(&answer, &[], &[])?;
            self.beside.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        }
    }

    fn follow(&mut self, task: Received<Task>) -> Result<Answer, Failed> {
        match task.message {
            Task::Begin(_) => {}
            Task::Put => tree::unpack(&task.bytes)?,
            Task::Exec(words) => self.exec(&words, task.files).map_err(doing(format!("run {}", words.join(" "))))?,
            Task::Signal(number) => {
                let signal = Signal::from_named_raw(number).ok_or(io::Error::from(io::ErrorKind::InvalidInput));
                signal.and_then(|signal| Ok(kill_process(self.pid(), signal)?)).map_err(doing("send a signal"))?;
            }
            Task::Workers => return Ok(Answer::Workers(workers())),
        }
        Ok(Answer::Done)
    }

    fn exec(&mut self, words: &[String], files: Vec<OwnedFd>) -> io::Result<()> {
        let output = files.into_iter().next().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = self.walls.command(words, None)?;
        command.stdout(Stdio::from(output.as_fd().try_clone_to_owned()?)).stderr(Stdio::from(output));
        self.beside.push(command.spawn()?);
        Ok(())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.program)
    }
}

/// The ids of nginx's workers that take connections, as the program's own namespace has them.
fn workers() -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().into_string().ok());
    ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|id| {
            let title = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            is_worker(&String::from_utf8_lossy(&title))
        })
        .collect()
}
