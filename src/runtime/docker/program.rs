//! One program of a Pod in its container: created with its files, attached to, started.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, StreamExt};
use rustix::process::Signal;
use testcontainers::bollard::Docker;
use testcontainers::bollard::body_full;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use testcontainers::bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, KillContainerOptionsBuilder, StartContainerOptions,
    TopOptionsBuilder, UploadToContainerOptionsBuilder,
};

use super::container::body;
use super::engine::{Engine, is_busy, is_gone, refused};
use super::sweep;
use crate::runtime::ProgramPlan;
use crate::runtime::archive::archive;
use crate::runtime::error::RuntimeError;
use crate::runtime::program::{Role, is_worker};
use crate::runtime::run::Run;
use crate::world::PodFile;

/// What joins a program to its Pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership<'a> {
    pub(super) run: &'a Run,
    pub(super) lifeline: &'a str,
    pub(super) sockets: Sockets<'a>,
    /// How many programs were started again before: the engine may still be about to remove the one of the same name.
    pub(super) again: usize,
}

/// The directories that two programs share for their sockets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sockets<'a> {
    /// None.
    None,
    /// These, which go with the last container that has them.
    Own(&'a [String]),
    /// Those of this container.
    Of(&'a str),
}

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, BollardError>> + Send>>;

/// A program whose container is complete, with its files in it.
pub(super) struct Prepared {
    role: Role,
    image: String,
    id: String,
    output: Output,
}

/// A started program, and what it has written so far.
#[derive(Clone, Debug)]
pub(in crate::runtime) struct Program {
    engine: Engine,
    role: Role,
    id: String,
    log: Arc<Mutex<String>>,
    ended: tokio::sync::watch::Receiver<bool>,
}

impl Prepared {
    /// The container's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Makes the container, which the Pod's first one need not run for, and puts the files into it in one piece.
    pub(super) async fn prepare(
        engine: &Engine,
        role: Role,
        plan: &ProgramPlan,
        membership: Membership<'_>,
    ) -> Result<Self, RuntimeError> {
        let docker = &engine.docker;
        // With the limit of its own it is another container: the engine may still be about to remove the first.
        let limited = if plan.open_files.is_some() { "-limited" } else { "" };
        let again = if membership.again > 0 { format!("-again-{}", membership.again) } else { String::new() };
        let name = membership.run.id().name(&format!("{}{again}{limited}", container_of(role)));
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let create = docker.create_container(Some(options), body(role, plan, membership));
        let created = membership.run.creating(&name, create).await?;
        let id = created.map_err(|error| not_started(role, &plan.image, error))?.id;
        if !plan.files.is_empty() {
            put(engine, role, &id, &plan.files, 0).await?;
        }
        // From before it runs, so that no word of a program that ends at once is lost.
        let attach = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        let attached = docker.attach_container(&id, Some(attach)).await;
        let output = attached.map_err(refused(format!("attach to {}", role.name())))?.output;
        Ok(Self { role, image: plan.image.clone(), id, output })
    }

    /// Starts it. The Pod's first container runs by now.
    pub(super) async fn start(self, engine: &Engine) -> Result<Program, RuntimeError> {
        let started = engine.docker.start_container(&self.id, None::<StartContainerOptions>).await;
        started.map_err(|error| not_started(self.role, &self.image, error))?;
        let (log, ended) = follow(self.output);
        Ok(Program { engine: engine.clone(), role: self.role, id: self.id, log, ended })
    }

    /// Starts it with as many open files as the plan wants, or as the engine itself has if it may not give more.
    pub(super) async fn start_within_limits(
        self,
        engine: &Engine,
        plan: &ProgramPlan,
        membership: Membership<'_>,
    ) -> Result<Program, RuntimeError> {
        let role = self.role;
        match self.start(engine).await {
            Err(RuntimeError::NoProgram { reason, .. }) if reason.contains("rlimit") => {
                let plan = ProgramPlan { open_files: None, ..plan.clone() };
                Self::prepare(engine, role, &plan, membership).await?.start(engine).await
            }
            started => started,
        }
    }
}

/// Puts files into a container, changed at a time in seconds.
pub(super) async fn put(
    engine: &Engine,
    role: Role,
    id: &str,
    files: &[PodFile],
    changed: u64,
) -> Result<(), RuntimeError> {
    let doing = || format!("put the files of {} into its container", role.name());
    let files =
        archive(files, changed).map_err(|error| RuntimeError::Engine { doing: doing(), reason: error.to_string() })?;
    let to_root = UploadToContainerOptionsBuilder::new().path("/").build();
    let put = engine.docker.upload_to_container(id, Some(to_root), body_full(files.into()));
    put.await.map_err(refused(doing()))
}

/// What a container says when it is asked with these words, its standard output and error as one.
pub(super) async fn exec(docker: &Docker, id: &str, words: &[&str], env: &[String]) -> Option<String> {
    let asked = CreateExecOptions {
        cmd: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        env: Some(env.to_vec()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = docker.create_exec(id, asked).await.ok()?;
    let started = docker.start_exec(&exec.id, None::<StartExecOptions>).await.ok()?;
    let StartExecResults::Attached { mut output, .. } = started else { return None };
    let mut said = String::new();
    while let Some(Ok(piece)) = output.next().await {
        said.push_str(&piece.to_string());
    }
    Some(said)
}

/// Collects what a program writes, until it ends.
fn follow(mut output: Output) -> (Arc<Mutex<String>>, tokio::sync::watch::Receiver<bool>) {
    let log = Arc::new(Mutex::new(String::new()));
    let (has_ended, ended) = tokio::sync::watch::channel(false);
    let sink = Arc::clone(&log);
    tokio::spawn(async move {
        while let Some(Ok(piece)) = output.next().await {
            sink.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece.to_string());
        }
        let _ = has_ended.send(true);
    });
    (log, ended)
}

impl Program {
    /// The container's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What it has written so far, its standard output and error as one.
    pub(in crate::runtime) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it says when it is asked with these words, its standard output and error as one.
    pub(in crate::runtime) async fn exec(&self, words: &[&str]) -> Option<String> {
        exec(&self.engine.docker, &self.id, words, &[]).await
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

    /// Sends it a signal; one that has ended needs none.
    pub(in crate::runtime) async fn signal(&self, signal: Signal, doing: &str) -> Result<(), RuntimeError> {
        let options = KillContainerOptionsBuilder::new().signal(&signal.as_raw().to_string()).build();
        match self.engine.docker.kill_container(&self.id, Some(options)).await {
            Err(error) if is_gone(&error) || is_busy(&error) => Ok(()),
            told => told.map_err(refused(doing)),
        }
    }

    /// The ids of nginx's workers that take connections.
    pub(in crate::runtime) async fn workers(&self) -> BTreeSet<String> {
        let options = TopOptionsBuilder::new().ps_args("-eo pid,args").build();
        let top = self.engine.docker.top_processes(&self.id, Some(options)).await;
        let lines = top.ok().and_then(|top| top.processes).unwrap_or_default();
        let workers = lines.into_iter().filter(|line| is_worker(&line.join(" ")));
        workers.filter_map(|line| line.into_iter().next()).collect()
    }

    /// Puts files into its container, changed at a time in seconds.
    pub(in crate::runtime) async fn put(&self, files: &[PodFile], changed: u64) -> Result<(), RuntimeError> {
        put(&self.engine, self.role, &self.id, files, changed).await
    }

    /// Removes its container, and returns when it is gone.
    pub(in crate::runtime) async fn remove(&self) -> Result<(), RuntimeError> {
        sweep::remove_container(&self.engine, &self.id).await
    }
}

/// The name of a program's container within its run.
fn container_of(role: Role) -> String {
    match role {
        Role::Prometheus(number) if number > 0 => format!("{}-{}", role.name(), number + 1),
        _ => role.name().to_owned(),
    }
}

/// Why a container did not come to run anything: what it was to run is not in its image, or the engine's own reason.
fn not_started(role: Role, image: &str, error: BollardError) -> RuntimeError {
    let program = role.name();
    let refusal = refused(format!("start {program}"))(error);
    // As runc says it, whichever engine passes it on.
    if let RuntimeError::Engine { reason, .. } = &refusal
        && let Some((_, missing)) = reason.split_once("unable to start container process: ")
    {
        let reason = missing.trim_end_matches(": unknown").to_owned();
        return RuntimeError::NoProgram { program, image: image.to_owned(), reason };
    }
    refusal
}
