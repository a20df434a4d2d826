//! Boots a Pod in namespaces.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::try_join_all;
use rustix::thread::CapabilitySet;

use super::host::Host;
use super::messages::Launch;
use crate::runtime::backend::{Backend, Shared};
use crate::runtime::commons::Borrowed;
use crate::runtime::error::RuntimeError;
use crate::runtime::host::Host as AnyHost;
use crate::runtime::pod::{Pod, Started};
use crate::runtime::program::Role;
use crate::runtime::run::Run;
use crate::runtime::wait::{Deadline, Look, timed};
use crate::runtime::{BOOT_TIME, BootTimes, PodPlan, ProgramPlan, serving};

/// What nginx needs to bind low ports and hand its work to unprivileged workers.
const NGINX_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::DAC_OVERRIDE);
/// As its official image is started.
const PROMETHEUS: &str = "/bin/prometheus";
const PROMETHEUS_ARGUMENTS: [&str; 2] =
    ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"];
const NOBODY: u32 = 65534;

/// Leads connections elsewhere, and ends. Each of its words is `FROM/PORT,TO`.
const REDIRECT: &str = r#"
set -eu
for redirect in "$@"; do
    from="${redirect%%,*}" to="${redirect#*,}"
    case "$to" in \[*) tables=ip6tables ;; *) tables=iptables ;; esac
    set -- $tables -t nat -A OUTPUT -p tcp -d "${from%/*}" --dport "${from#*/}" -j DNAT --to-destination "$to"
    xtables-nft-multi "$@" || xtables-legacy-multi "$@"
done
echo "all is led"
"#;
const REDIRECTED: &str = "all is led";

/// Boots a Pod and waits until its programs serve, or nginx has refused to.
pub(crate) async fn boot(run: Arc<Run>, infrastructure: &str, plan: PodPlan) -> Result<Pod, RuntimeError> {
    let deadline = Deadline::after(BOOT_TIME);
    let host = Host::begin(&run, &plan.addresses, &plan.hosts, &plan.shared_directories);
    let ((host, pod), (borrowed, borrowing)) = tokio::join!(timed(host), timed(borrow(&plan)));
    let (host, borrowed) = (host?, borrowed?);
    if !plan.redirects.is_empty() {
        redirect(&host, infrastructure, &plan.redirects, deadline).await?;
    }
    let host = AnyHost::Sandbox(host);
    let listens = host.telling(&plan.telling);
    let start = |role, program| host.start(role, program, &run, None, 0);
    let (stubs, (nginx, nginx_took), (prometheus, prometheus_took)) = tokio::join!(
        async {
            let Some((stubs, ready)) = &plan.stubs else { return Ok(None) };
            let program = start(Role::Stubs, stubs).await?;
            serving::word(program, Role::Stubs, ready, deadline).await.map(Some)
        },
        timed(async { serving::nginx(start(Role::Nginx, &plan.nginx).await?, &listens, deadline).await }),
        timed(try_join_all(plan.prometheus.iter().zip(borrowed).enumerate().map(
            async |(number, (program, shared))| {
                if let Some(shared) = shared
                    && let Some(shared) = lead_to(&host, shared).await
                {
                    return Ok(Backend::Shared(shared));
                }
                serving::prometheus(start(Role::Prometheus(number), program).await?, deadline).await.map(Backend::Own)
            }
        ))),
    );
    // What is shared is got while the Pod comes up.
    let prometheus_took = prometheus_took + borrowing.saturating_sub(pod);
    let took = BootTimes { pod, nginx: nginx_took, prometheus: prometheus_took };
    let started = Started { stubs: stubs?, nginx: nginx?, prometheus: prometheus?, took };
    Ok(Pod::of(host, run, plan, started))
}

/// A Prometheus that other Pods use too, and where it has to listen.
type Lent = (Borrowed, SocketAddr);

/// Each Prometheus that may be shared, as one that other Pods use too.
async fn borrow(plan: &PodPlan) -> Result<Vec<Option<Lent>>, RuntimeError> {
    let each = plan.prometheus.iter().enumerate().map(async |(number, program)| {
        let Some((commons, shareable)) = &plan.commons else { return Ok(None) };
        let Some(Some(shareable)) = shareable.get(number) else { return Ok(None) };
        Ok(Some((commons.borrow(program, shareable).await?, shareable.at)))
    });
    try_join_all(each).await
}

/// Leads connections in the Pod to a shared Prometheus. Where nobody can listen there, the Pod's own says why it can't
/// either.
async fn lead_to(host: &AnyHost, (borrowed, at): Lent) -> Option<Shared> {
    let AnyHost::Sandbox(host) = host else { return None };
    let relay = host.relay(at, borrowed.reach()).await.ok()?;
    Some(Shared::of(borrowed, relay))
}

/// How a program is launched.
pub(super) fn launch(role: Role, plan: &ProgramPlan, place: PathBuf, shared: Vec<String>) -> Launch {
    let (words, user, directory, capabilities, memory) = match role {
        Role::Nginx => (plan.arguments.clone(), 0, "/", NGINX_CAPABILITIES, 1 << 30),
        // dnsmasq sets its group, though it is the one that it has.
        Role::Stubs => {
            (plan.arguments.clone(), 0, "/", CapabilitySet::NET_BIND_SERVICE | CapabilitySet::SETGID, 1 << 30)
        }
        Role::Prometheus(_) => (prometheus_words(plan), NOBODY, "/prometheus", CapabilitySet::empty(), 4 << 30),
    };
    Launch {
        place,
        root: PathBuf::from(&plan.image),
        words,
        environment: plan.environment.clone(),
        user,
        directory: directory.to_owned(),
        capabilities: capabilities.bits(),
        in_memory: plan.in_memory.clone(),
        shared,
        open_files: plan.open_files,
        memory,
    }
}

fn prometheus_words(plan: &ProgramPlan) -> Vec<String> {
    let own = PROMETHEUS_ARGUMENTS.map(str::to_owned);
    let arguments = if plan.arguments.is_empty() { &own[..] } else { &plan.arguments };
    [&[PROMETHEUS.to_owned()], arguments].concat()
}

/// Has the kernel lead connections elsewhere, by a program that alone may change the Pod's network.
async fn redirect(
    host: &Host,
    infrastructure: &str,
    redirects: &[(SocketAddr, SocketAddr)],
    deadline: Deadline,
) -> Result<(), RuntimeError> {
    let words = redirects.iter().map(|(from, to)| format!("{}/{},{to}", from.ip(), from.port()));
    let plan = ProgramPlan {
        image: infrastructure.to_owned(),
        arguments: ["sh", "-c", REDIRECT, "sh"].map(str::to_owned).into_iter().chain(words).collect(),
        environment: Vec::new(),
        in_memory: Vec::new(),
        files: Vec::new(),
        open_files: None,
    };
    let launch = Launch {
        capabilities: (CapabilitySet::NET_ADMIN | CapabilitySet::NET_RAW).bits(),
        ..host.plan(Role::Stubs, &plan)
    };
    let program = host.launch(launch, &plan, "iptables").await?;
    let log = deadline
        .until("the Pod's network to lead connections elsewhere", async || {
            Ok(if program.has_ended() { Look::Done(program.log()) } else { Look::NotYet(program.log()) })
        })
        .await?;
    if log.contains(REDIRECTED) {
        return Ok(());
    }
    Err(RuntimeError::Sandbox { doing: "lead connections elsewhere".to_owned(), reason: log.trim_end().to_owned() })
}
