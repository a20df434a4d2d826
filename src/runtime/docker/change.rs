//! What is done to the programs of a Pod while it runs: reload, stop, start, other files, other names.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::query_parameters::{KillContainerOptionsBuilder, TopOptionsBuilder};

use super::engine::{Engine, is_busy, is_gone, refused};
use super::pod::{Pod, locked, start_nginx, start_prometheus, tail};
use super::program::{Membership, Prepared, Program, Role, Sockets, put};
use super::sweep;
use crate::runtime::error::RuntimeError;
use crate::runtime::wait::{Deadline, Look};
use crate::runtime::{BOOT_TIME, ProgramPlan, Refusal, Reload};
use crate::world::PodFile;

/// How long nginx may take to read its configuration again.
const RELOAD_TIME: Duration = Duration::from_secs(20);
/// How long a program may take to end when it is asked to.
const END_TIME: Duration = Duration::from_secs(10);
/// After so many looks in vain nginx is asked what it thinks of its configuration: its log may lead nowhere.
const IN_VAIN: u32 = 20;

/// Has dnsmasq read `/etc/hosts` again. It is the only one of this name in the Pod's own processes.
const READ_NAMES_AGAIN: &str = r#"for (glob "/proc/[0-9]*/comm") {
    open my $file, "<", $_ or next;
    kill HUP => m{(\d+)} if <$file> eq "dnsmasq\n";
}"#;

impl Pod {
    /// Puts files in the place of those that nginx has.
    pub(crate) async fn put(&self, files: &[PodFile]) -> Result<(), RuntimeError> {
        let nginx = self.running_nginx()?;
        // A time that no earlier file has: nginx goes by it when it asks itself what has changed.
        let changed = u64::try_from(self.next_change()).unwrap_or(u64::MAX);
        put(&self.engine, Role::Nginx, nginx.id(), files, changed).await
    }

    /// Tells nginx to read its configuration again, and returns when it works with it or has said that it won't.
    pub(crate) async fn reload_nginx(&self) -> Result<Reload, RuntimeError> {
        let nginx = self.running_nginx()?;
        let before = Before { workers: workers(&self.engine, &nginx).await, log: nginx.log().len() };
        signal(&self.engine, &nginx, "SIGHUP").await.map_err(refused("reload nginx"))?;
        let mut looks = 0_u32;
        let deadline = Deadline::after(RELOAD_TIME);
        deadline
            .until("nginx to reload", || {
                looks += 1;
                self.look_at_reload(&nginx, &before, looks)
            })
            .await
    }

    async fn look_at_reload(&self, nginx: &Program, before: &Before, looks: u32) -> Result<Look<Reload>, RuntimeError> {
        let log = nginx.log();
        let said = log.get(before.log..).unwrap_or_default();
        if nginx.has_ended() {
            return Err(RuntimeError::Ended { program: Role::Nginx.name(), log });
        }
        if said.contains("[emerg]") {
            return Ok(Look::Done(Reload::Refused { log: said.to_owned() }));
        }
        // For a moment the workers of before take connections beside the new ones.
        let workers = workers(&self.engine, nginx).await;
        if !workers.is_empty() && workers.is_disjoint(&before.workers) {
            return Ok(Look::Done(Reload::Done));
        }
        if looks.is_multiple_of(IN_VAIN) {
            let words: Vec<&str> = self.plan.nginx.arguments.iter().map(String::as_str).chain(["-t"]).collect();
            let opinion = nginx.exec(&words).await.unwrap_or_default();
            if opinion.contains("[emerg]") {
                return Ok(Look::Done(Reload::Refused { log: opinion }));
            }
        }
        Ok(Look::NotYet(tail(said)))
    }

    /// Stops nginx; what clients are being answered is finished.
    pub(crate) async fn stop_nginx(&self) -> Result<(), RuntimeError> {
        self.end(Role::Nginx, &self.running_nginx()?, "SIGQUIT").await
    }

    /// Starts an nginx that was stopped, as at boot: with the files of then.
    pub(crate) async fn start_nginx(&self) -> Result<Option<Refusal>, RuntimeError> {
        let sockets = match &self.stubs {
            Some(stubs) if !self.plan.shared_directories.is_empty() => Sockets::Of(stubs.id()),
            _ => Sockets::None,
        };
        let membership = self.membership(sockets);
        let plan = &self.plan.nginx;
        let prepared = Prepared::prepare(&self.engine, Role::Nginx, plan, membership).await?;
        let listens = self.lifeline.addresses(&self.plan.ports);
        let deadline = Deadline::after(BOOT_TIME);
        let started = start_nginx(&self.engine, prepared, plan, membership, &listens, deadline).await?;
        let refusal = started.as_ref().err().cloned();
        *locked(&self.nginx) = started;
        Ok(refusal)
    }

    /// Stops a Prometheus.
    pub(crate) async fn stop_prometheus(&self, number: usize) -> Result<(), RuntimeError> {
        let program = locked(&self.prometheus).get(number).cloned();
        match program {
            Some(program) => self.end(Role::Prometheus(number), &program, "SIGTERM").await,
            None => Ok(()),
        }
    }

    /// Starts a Prometheus that was stopped, as at boot or with other arguments, without the data that it had.
    pub(crate) async fn start_prometheus(
        &self,
        number: usize,
        arguments: Option<Vec<String>>,
    ) -> Result<(), RuntimeError> {
        let Some(plan) = self.plan.prometheus.get(number) else { return Ok(()) };
        let arguments = arguments.unwrap_or_else(|| plan.arguments.clone());
        let plan = ProgramPlan { arguments, ..plan.clone() };
        let membership = self.membership(Sockets::None);
        let prepared = Prepared::prepare(&self.engine, Role::Prometheus(number), &plan, membership).await?;
        let started = start_prometheus(&self.engine, prepared, Deadline::after(BOOT_TIME)).await?;
        locked(&self.prometheus)[number] = started;
        Ok(())
    }

    /// Lets a name mean another address, for all who look it up from now on.
    pub(crate) async fn point(&self, name: &str, address: IpAddr) -> Result<(), RuntimeError> {
        let hosts = {
            let mut hosts = locked(&self.hosts);
            hosts.iter_mut().filter(|(known, _)| known.eq_ignore_ascii_case(name)).for_each(|host| host.1 = address);
            hosts.clone()
        };
        self.lifeline.name(&self.engine, &hosts).await?;
        if let Some(stubs) = &self.stubs {
            stubs.exec(&["perl", "-e", READ_NAMES_AGAIN]).await;
        }
        Ok(())
    }

    fn running_nginx(&self) -> Result<Program, RuntimeError> {
        let ended = |log: String| RuntimeError::Ended { program: Role::Nginx.name(), log };
        match &*locked(&self.nginx) {
            Ok(program) if program.has_ended() => Err(ended(program.log())),
            Ok(program) => Ok(program.clone()),
            Err(refusal) => Err(ended(refusal.log.clone())),
        }
    }

    /// Ends a program, and returns when its container is gone.
    async fn end(&self, role: Role, program: &Program, by: &str) -> Result<(), RuntimeError> {
        match signal(&self.engine, program, by).await {
            // It has ended by itself.
            Err(error) if is_gone(&error) || is_busy(&error) => {}
            told => told.map_err(refused(format!("stop {}", role.name())))?,
        }
        let what = format!("{} to end", role.name());
        let ended = Deadline::after(END_TIME).until(&what, async || {
            Ok(if program.has_ended() { Look::Done(()) } else { Look::NotYet(tail(&program.log())) })
        });
        // What does not end by itself ends with its container.
        let _ = ended.await;
        sweep::remove_container(&self.engine, program.id()).await
    }

    fn membership<'a>(&'a self, sockets: Sockets<'a>) -> Membership<'a> {
        Membership { run: &self.run, lifeline: &self.lifeline.id, sockets, again: self.next_change() }
    }

    fn next_change(&self) -> usize {
        self.changes.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What there was before a reload.
struct Before {
    workers: BTreeSet<String>,
    log: usize,
}

async fn signal(engine: &Engine, program: &Program, name: &str) -> Result<(), BollardError> {
    let options = KillContainerOptionsBuilder::new().signal(name).build();
    engine.docker.kill_container(program.id(), Some(options)).await
}

/// The ids of nginx's workers that take connections.
pub(super) async fn workers(engine: &Engine, program: &Program) -> BTreeSet<String> {
    let options = TopOptionsBuilder::new().ps_args("-eo pid,args").build();
    let top = engine.docker.top_processes(program.id(), Some(options)).await;
    let lines = top.ok().and_then(|top| top.processes).unwrap_or_default();
    let is_worker = |line: &Vec<String>| {
        let title = line.join(" ");
        title.contains("nginx: worker process") && !title.contains("shutting down")
    };
    lines.into_iter().filter(is_worker).filter_map(|line| line.into_iter().next()).collect()
}
