//! What is done to the programs of a Pod while it runs: reload, stop, start, other files, other names.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::timeout;

use super::backend::Backend;
use super::error::RuntimeError;
use super::pod::{Pod, locked, tail};
use super::program::{Program, Role};
use super::wait::{Deadline, Look};
use super::{BOOT_TIME, ProgramPlan, Refusal, Reload, serving};
use crate::world::PodFile;

/// How long nginx may take to read its configuration again.
const RELOAD_TIME: Duration = Duration::from_secs(20);
/// How long a program may take to end when it is asked to.
const END_TIME: Duration = Duration::from_secs(10);
/// After so many looks in vain nginx is asked what it thinks of its configuration: its log may lead nowhere.
const IN_VAIN: u32 = 50;

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
        nginx.put(files, changed).await
    }

    /// Tells nginx to read its configuration again, and returns when it works with it or has said that it won't.
    pub(crate) async fn reload_nginx(&self) -> Result<Reload, RuntimeError> {
        let nginx = self.running_nginx()?;
        let before = Before { workers: nginx.workers().await, log: nginx.log().len() };
        nginx.signal(Signal::HUP, "reload nginx").await?;
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
        let workers = nginx.workers().await;
        if !workers.is_empty() && workers.is_disjoint(&before.workers) {
            return Ok(Look::Done(Reload::Done));
        }
        if looks.is_multiple_of(IN_VAIN) {
            let arguments = locked(&self.nginx_plan).arguments.clone();
            let words: Vec<&str> = arguments.iter().map(String::as_str).chain(["-t"]).collect();
            let opinion = nginx.exec(&words).await.unwrap_or_default();
            if opinion.contains("[emerg]") {
                return Ok(Look::Done(Reload::Refused { log: opinion }));
            }
        }
        Ok(Look::NotYet(tail(said)))
    }

    /// Stops nginx; what clients are being answered is finished.
    pub(crate) async fn stop_nginx(&self) -> Result<(), RuntimeError> {
        self.end(Role::Nginx, &self.running_nginx()?, Signal::QUIT).await
    }

    /// Starts an nginx that was stopped, as at boot: with the files of then.
    pub(crate) async fn start_nginx(&self) -> Result<Option<Refusal>, RuntimeError> {
        let stubs = self.stubs.as_ref().filter(|_| !self.plan.shared_directories.is_empty());
        let plan = locked(&self.nginx_plan).clone();
        let program = self.host.start(Role::Nginx, &plan, &self.run, stubs, self.next_change()).await?;
        let listens = self.host.telling(&self.plan.telling);
        let started = serving::nginx(program, &listens, Deadline::after(BOOT_TIME)).await?;
        let refusal = started.as_ref().err().cloned();
        *locked(&self.nginx) = started;
        Ok(refusal)
    }

    /// Ends nginx, and starts it as this plan says. None of its files is the other's; what was asked is not answered.
    pub(crate) async fn replace_nginx(&self, plan: ProgramPlan) -> Result<Option<Refusal>, RuntimeError> {
        let running = locked(&self.nginx).as_ref().ok().cloned();
        match running {
            Some(program) if self.plan.shared_directories.is_empty() => program.remove().await?,
            // Its sockets there go only if it takes them away itself.
            Some(program) => self.end(Role::Nginx, &program, Signal::TERM).await?,
            None => {}
        }
        *locked(&self.nginx_plan) = plan;
        self.start_nginx().await
    }

    /// Stops a Prometheus.
    pub(crate) async fn stop_prometheus(&self, number: usize) -> Result<(), RuntimeError> {
        let program = locked(&self.prometheus).get(number).map(|backend| backend.own().cloned()).transpose();
        match program? {
            Some(program) => self.end(Role::Prometheus(number), &program, Signal::TERM).await,
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
        locked(&self.prometheus).get(number).map(|backend| backend.own().map(|_| ())).transpose()?;
        let arguments = arguments.unwrap_or_else(|| plan.arguments.clone());
        let plan = ProgramPlan { arguments, ..plan.clone() };
        let program = self.host.start(Role::Prometheus(number), &plan, &self.run, None, self.next_change()).await?;
        let started = serving::prometheus(program, Deadline::after(BOOT_TIME)).await?;
        locked(&self.prometheus)[number] = Backend::Own(started);
        Ok(())
    }

    /// Lets a name mean another address, for all who look it up from now on.
    pub(crate) async fn point(&self, name: &str, address: IpAddr) -> Result<(), RuntimeError> {
        let hosts = {
            let mut hosts = locked(&self.hosts);
            hosts.iter_mut().filter(|(known, _)| known.eq_ignore_ascii_case(name)).for_each(|host| host.1 = address);
            hosts.clone()
        };
        self.host.name_all(&hosts).await?;
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

    /// Ends a program, and returns when it is gone.
    async fn end(&self, role: Role, program: &Program, by: Signal) -> Result<(), RuntimeError> {
        program.signal(by, &format!("stop {}", role.name())).await?;
        // What does not end by itself is ended.
        let _ = timeout(END_TIME, program.until_ended()).await;
        program.remove().await
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
