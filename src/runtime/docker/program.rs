//! One program of a Pod in its container, started by testcontainers.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use testcontainers::bollard::models::{HostConfig, HostConfigLogConfig, Mount, MountTmpfsOptions, MountType};
use testcontainers::bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};
use testcontainers::core::ExecCommand;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, CopyTargetOptions, GenericImage, ImageExt};

use super::engine::Engine;
use super::sweep;
use crate::runtime::ProgramPlan;
use crate::runtime::error::RuntimeError;
use crate::runtime::run::{Run, RunId};
use crate::world::PodFile;

/// What nginx needs to bind low ports and hand its work to unprivileged workers; all else is dropped.
const NGINX_CAPABILITIES: [&str; 5] = ["CHOWN", "SETUID", "SETGID", "NET_BIND_SERVICE", "DAC_OVERRIDE"];
/// For worker processes and threads.
const PROCESSES: i64 = 512;

/// The two programs of a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The reverse proxy.
    Nginx,
    /// What it stands in front of.
    Prometheus,
}

impl Role {
    /// Its name, in messages and in container names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Prometheus => "prometheus",
        }
    }

    fn capabilities(self) -> Vec<String> {
        match self {
            Self::Nginx => NGINX_CAPABILITIES.map(str::to_owned).to_vec(),
            Self::Prometheus => Vec::new(),
        }
    }

    fn memory(self) -> i64 {
        match self {
            Self::Nginx => 256 << 20,
            Self::Prometheus => 1 << 30,
        }
    }
}

/// What joins a program to its Pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership<'a> {
    pub(super) run: &'a Run,
    pub(super) lifeline: &'a str,
}

/// A started program, and what it has written so far.
#[derive(Debug)]
pub(super) struct Program {
    role: Role,
    /// Never dropped: testcontainers would remove it, for which it needs a runtime that still runs and blocks it. The
    /// Pod and the run's janitor remove it.
    container: ManuallyDrop<ContainerAsync<GenericImage>>,
    log: Arc<Mutex<String>>,
    ended: tokio::sync::watch::Receiver<bool>,
}

impl Program {
    /// Starts it. Its output is followed from its first line on.
    pub(super) async fn start(
        engine: &Engine,
        role: Role,
        plan: &ProgramPlan,
        membership: Membership<'_>,
    ) -> Result<Self, RuntimeError> {
        let name = container_name(role, membership.run.id(), true);
        match membership.run.creating(&name, request(role, plan, membership, true).start()).await? {
            Ok(container) => Ok(Self::follow(engine, role, container)),
            // A program that ends at once may be gone before testcontainers has looked at it: once more, and kept.
            Err(error) => {
                let log = last_words(engine, role, plan, membership).await?;
                Err(match log {
                    Some(log) => RuntimeError::Ended { program: role.name(), log },
                    None => not_started(role, &plan.image, &error.to_string()),
                })
            }
        }
    }

    fn follow(engine: &Engine, role: Role, container: ContainerAsync<GenericImage>) -> Self {
        let log = Arc::new(Mutex::new(String::new()));
        let (has_ended, ended) = tokio::sync::watch::channel(false);
        let (docker, id, sink) = (engine.docker.clone(), container.id().to_owned(), Arc::clone(&log));
        tokio::spawn(async move {
            let mut lines = docker.logs(&id, Some(log_options(true)));
            while let Some(Ok(line)) = lines.next().await {
                sink.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line.to_string());
            }
            let _ = has_ended.send(true);
        });
        Self { role, container: ManuallyDrop::new(container), log, ended }
    }

    /// The container's id.
    pub(super) fn id(&self) -> &str {
        self.container.id()
    }

    /// What it has written so far, its standard output and error as one.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it says when it is asked with these words, its standard output and error as one.
    pub(super) async fn exec(&self, words: &[&str]) -> Option<String> {
        let mut asked = self.container.exec(ExecCommand::new(words.iter().copied())).await.ok()?;
        let mut said = asked.stdout_to_vec().await.ok()?;
        said.extend(asked.stderr_to_vec().await.ok()?);
        Some(String::from_utf8_lossy(&said).into_owned())
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// All that it wrote before it ended. If the engine was quicker to remove it, it is started once more to say it.
    pub(super) async fn into_last_words(
        self,
        engine: &Engine,
        plan: &ProgramPlan,
        membership: Membership<'_>,
    ) -> Result<String, RuntimeError> {
        let log = self.log();
        if !log.trim().is_empty() {
            return Ok(log);
        }
        let said = last_words(engine, self.role, plan, membership).await?;
        Ok(said.unwrap_or_default())
    }
}

/// Runs a program that ends at once without automatic removal, and reads what it said.
async fn last_words(
    engine: &Engine,
    role: Role,
    plan: &ProgramPlan,
    membership: Membership<'_>,
) -> Result<Option<String>, RuntimeError> {
    let name = container_name(role, membership.run.id(), false);
    let started = membership.run.creating(&name, request(role, plan, membership, false).start()).await?;
    let _left_to_us = started.map(ManuallyDrop::new);
    let mut log = String::new();
    let mut lines = engine.docker.logs(&name, Some(log_options(true)));
    let mut found = false;
    while let Some(Ok(line)) = lines.next().await {
        found = true;
        log.push_str(&line.to_string());
    }
    sweep::remove_container(engine, &name).await?;
    Ok(found.then_some(log))
}

/// Why a container did not come to run anything: what it was to run is not in its image, or the engine's own reason.
fn not_started(role: Role, image: &str, reason: &str) -> RuntimeError {
    let program = role.name();
    // As runc says it, whichever engine passes it on.
    match reason.split_once("unable to start container process: ") {
        Some((_, missing)) => RuntimeError::NoProgram {
            program,
            image: image.to_owned(),
            reason: missing.trim_end_matches(": unknown").to_owned(),
        },
        None => RuntimeError::Engine { doing: format!("start {program}"), reason: reason.to_owned() },
    }
}

fn container_name(role: Role, run: &RunId, auto_remove: bool) -> String {
    let suffix = if auto_remove { "" } else { "-kept" };
    run.name(&format!("{}{suffix}", role.name()))
}

fn log_options(follow: bool) -> LogsOptions {
    LogsOptionsBuilder::new().follow(follow).stdout(true).stderr(true).build()
}

fn request(
    role: Role,
    plan: &ProgramPlan,
    membership: Membership<'_>,
    auto_remove: bool,
) -> ContainerRequest<GenericImage> {
    let (name, tag) = split_reference(&plan.image);
    let in_memory = plan.in_memory.clone();
    let pod = format!("container:{}", membership.lifeline);
    let mut request = GenericImage::new(name, tag)
        .with_container_name(container_name(role, membership.run.id(), auto_remove))
        .with_labels(membership.run.id().labels())
        .with_cmd(plan.arguments.clone())
        .with_cap_drop("ALL")
        .with_security_opt("no-new-privileges")
        .with_host_config_modifier(move |host| limit(host, role, &in_memory, &pod, auto_remove));
    for capability in role.capabilities() {
        request = request.with_cap_add(capability);
    }
    for PodFile { path, content, mode } in &plan.files {
        let target = CopyTargetOptions::new(path).with_mode(*mode);
        request = request.with_copy_to(target, content.clone());
    }
    request
}

fn limit(host: &mut HostConfig, role: Role, in_memory: &[String], pod: &str, auto_remove: bool) {
    host.auto_remove = Some(auto_remove);
    // Not by `with_network`: testcontainers 0.28 creates a network of that name for each container beside it.
    host.network_mode = Some(pod.to_owned());
    host.publish_all_ports = None;
    host.port_bindings = None;
    host.pid_mode = Some(pod.to_owned());
    host.memory = Some(role.memory());
    host.pids_limit = Some(PROCESSES);
    // The default driver of an engine need not be one whose logs can be read.
    host.log_config = Some(HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some([("max-size".to_owned(), "16m".to_owned())].into()),
    });
    host.mounts = Some(in_memory.iter().map(|directory| memory_mount(directory)).collect());
}

/// A directory that anybody may write to, in memory and bounded. It must not be in the image: its owner there would be
/// replaced by root.
fn memory_mount(directory: &str) -> Mount {
    Mount {
        target: Some(directory.to_owned()),
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: Some(256 << 20),
            mode: Some(0o1777),
            ..MountTmpfsOptions::default()
        }),
        ..Mount::default()
    }
}

/// An image's name and its tag or digest, as testcontainers wants them.
fn split_reference(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_with_a_port_is_no_tag() {
        assert_eq!(split_reference("registry:5000/nginx"), ("registry:5000/nginx", "latest"));
        assert_eq!(split_reference("registry:5000/nginx:1.29"), ("registry:5000/nginx", "1.29"));
        assert_eq!(split_reference("prom/prometheus:v3.5.0"), ("prom/prometheus", "v3.5.0"));
    }
}
