//! The lifeline: the first container of a Pod, whose end is the end of all of it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Mutex;

use futures_util::StreamExt;
use testcontainers::bollard::container::AttachContainerResults;
use testcontainers::bollard::models::{ContainerCreateBody, HostConfig, PortBinding, PortMap};
use testcontainers::bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, InspectContainerOptions, StartContainerOptions,
};
use tokio::io::AsyncWrite;

use super::engine::{Engine, WayIn, refused};
use super::program::exec;
use crate::runtime::error::RuntimeError;
use crate::runtime::run::Run;
use crate::runtime::wait::Deadline;

/// Takes the default route away (a client on another machine keeps a way back), gives the Pod the addresses and names
/// that the deployment speaks of, says where the Pod is, and lives until its input closes.
///
/// `/etc/resolv.conf` and `/etc/hosts` are the engine's files, shared by all containers of the network namespace.
const SCRIPT: &str = r#"
set -eu
if [ -n "$POD_CLIENT" ]; then
    set -- $(ip route show default)
    ip route add "$POD_CLIENT" via "$3"
fi
ip route flush exact default
for address in $POD_ADDRESSES; do
    # A kernel without IPv6 can't have them all.
    ip address add "$address" dev lo || case "$address" in *:*) ;; *) exit 1 ;; esac
done
# The engine leads what is asked of 127.0.0.11 to its own resolver, which knows nothing here.
for kind in $POD_TABLES; do "xtables-$kind-multi" iptables -t nat -F OUTPUT 2>/dev/null || true; done
for redirect in $POD_REDIRECTS; do
    from="${redirect%%,*}" to="${redirect#*,}"
    case "$to" in \[*) tables=ip6tables ;; *) tables=iptables ;; esac
    set -- $tables -t nat -A OUTPUT -p tcp -d "${from%/*}" --dport "${from#*/}" -j DNAT --to-destination "$to"
    xtables-nft-multi "$@" || xtables-legacy-multi "$@"
done
printf 'nameserver 127.0.0.1\n' > /etc/resolv.conf
"#;

/// Writes the Pod's names down, in place: the file is the engine's.
const NAMES: &str = r#"
case "$(ip -6 -o address show dev lo)" in *" ::1/"*) POD_HOSTS="${POD_HOSTS}::1 localhost
" ;; esac
printf '127.0.0.1 localhost\n%s' "$POD_HOSTS" > /etc/hosts
"#;

/// Says where the Pod is, and lives on.
const LIVE: &str = r#"
ip -4 -o addr show dev eth0
exec setpriv --bounding-set=-all --inh-caps=-all cat
"#;

/// Where the engine's own resolver forwards to (RFC 5737 TEST-NET-1, which no route leads to): an engine before 23.0.11
/// forwards the questions of an internal network to the host's resolvers otherwise (CVE-2024-29018).
const NO_RESOLVER: &str = "192.0.2.1";

/// Off in a container whose network has no IPv6, though `localhost` means `::1` too on a deployment's own machine.
const IPV6_SWITCH: &str = "net.ipv6.conf.all.disable_ipv6";

/// A lifeline that is made and does not run yet: programs can be joined to it.
pub(super) struct Tied {
    /// The container's id.
    pub(super) id: String,
    streams: AttachContainerResults,
}

/// A running lifeline. Dropping it ends the Pod.
pub(super) struct Lifeline {
    /// The container's id.
    pub(super) id: String,
    address: IpAddr,
    published: HashMap<u16, SocketAddr>,
    _input: Mutex<Pin<Box<dyn AsyncWrite + Send>>>,
}

impl std::fmt::Debug for Lifeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifeline").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a lifeline is started with.
pub(super) struct LifelinePlan<'a> {
    pub(super) run: &'a Run,
    pub(super) image: &'a str,
    pub(super) network: &'a str,
    pub(super) hosts: &'a [(String, IpAddr)],
    pub(super) addresses: &'a [IpAddr],
    pub(super) redirects: &'a [(SocketAddr, SocketAddr)],
    /// Whether DNS is answered in the Pod.
    pub(super) own_dns: bool,
    pub(super) ports: &'a [u16],
}

impl Tied {
    /// Makes it, and holds its input from before it runs.
    pub(super) async fn prepare(engine: &Engine, plan: &LifelinePlan<'_>) -> Result<Self, RuntimeError> {
        let docker = &engine.docker;
        let name = plan.run.id().name("lifeline");
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let created = plan
            .run
            .creating(&name, docker.create_container(Some(options), body(engine, plan)))
            .await?
            .map_err(refused("create the Pod's first container"))?;
        let attached = AttachContainerOptionsBuilder::new().stream(true).stdin(true).stdout(true).stderr(true);
        let streams = docker
            .attach_container(&created.id, Some(attached.build()))
            .await
            .map_err(refused("attach to the Pod's first container"))?;
        Ok(Self { id: created.id, streams })
    }
}

impl Lifeline {
    /// Starts it, and waits until the Pod has its network.
    pub(super) async fn start(engine: &Engine, tied: Tied, deadline: Deadline) -> Result<Self, RuntimeError> {
        engine
            .docker
            .start_container(&tied.id, None::<StartContainerOptions>)
            .await
            .map_err(refused("start the Pod's first container"))?;
        let AttachContainerResults { output, input } = tied.streams;
        let address = deadline.wait_for("the Pod's network", address_from(output)).await?;
        let published = published_ports(engine, &tied.id).await?;
        Ok(Self { id: tied.id, address, published, _input: Mutex::new(input) })
    }

    /// Where clients outside the Pod reach a TCP port of it.
    pub(super) fn address(&self, port: u16) -> SocketAddr {
        let own = SocketAddr::new(self.address, port);
        self.published.get(&port).copied().unwrap_or(own)
    }

    /// Lets names mean these addresses from now on, and no others any more.
    pub(super) async fn name(&self, engine: &Engine, hosts: &[(String, IpAddr)]) -> Result<(), RuntimeError> {
        let said = exec(&engine.docker, &self.id, &["sh", "-c", NAMES], &[hosts_variable(hosts)]).await;
        match said.as_deref() {
            Some("") => Ok(()),
            said => Err(RuntimeError::Engine {
                doing: "change the Pod's names".to_owned(),
                reason: said.unwrap_or("its first container does not answer").to_owned(),
            }),
        }
    }
}

fn body(engine: &Engine, plan: &LifelinePlan<'_>) -> ContainerCreateBody {
    let (exposed, bindings) = match engine.way_in {
        WayIn::Direct => (None, None),
        WayIn::Published(_) => {
            let (exposed, bindings) = publish(plan.ports);
            (Some(exposed), Some(bindings))
        }
    };
    ContainerCreateBody {
        image: Some(plan.image.to_owned()),
        labels: Some(plan.run.id().labels()),
        entrypoint: Some(vec!["sh".to_owned(), "-c".to_owned(), [SCRIPT, NAMES, LIVE].concat()]),
        env: Some(vec![
            hosts_variable(plan.hosts),
            format!("POD_ADDRESSES={}", addresses(plan.addresses)),
            format!("POD_TABLES={}", if plan.own_dns { "nft legacy" } else { "" }),
            format!("POD_REDIRECTS={}", redirects(plan.redirects)),
            format!("POD_CLIENT={}", engine.way_in.client().map(|client| client.to_string()).unwrap_or_default()),
        ]),
        hostname: Some("pod".to_owned()),
        open_stdin: Some(true),
        stdin_once: Some(true),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        exposed_ports: exposed,
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            network_mode: Some(plan.network.to_owned()),
            port_bindings: bindings,
            dns: Some(vec![NO_RESOLVER.to_owned()]),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(vec!["NET_ADMIN".to_owned(), "SETPCAP".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            memory: Some(64 << 20),
            pids_limit: Some(16),
            sysctls: has_ipv6().then(|| HashMap::from([(IPV6_SWITCH.to_owned(), "0".to_owned())])),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Any free port of the host for each port of the Pod, on loopback where the engine is at hand.
fn publish(ports: &[u16]) -> (Vec<String>, PortMap) {
    let names: Vec<String> = ports.iter().map(|port| format!("{port}/tcp")).collect();
    let binding =
        |name: &String| (name.clone(), Some(vec![PortBinding { host_ip: None, host_port: Some("0".into()) }]));
    let bindings = names.iter().map(binding).collect();
    (names, bindings)
}

fn hosts_variable(hosts: &[(String, IpAddr)]) -> String {
    let lines: String = hosts.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
    format!("POD_HOSTS={lines}")
}

fn addresses(addresses: &[IpAddr]) -> String {
    let whole = |address: &IpAddr| match address {
        IpAddr::V4(address) => format!("{address}/32"),
        IpAddr::V6(address) => format!("{address}/128"),
    };
    addresses.iter().map(whole).collect::<Vec<_>>().join(" ")
}

fn redirects(redirects: &[(SocketAddr, SocketAddr)]) -> String {
    let one = |(from, to): &(SocketAddr, SocketAddr)| format!("{}/{},{to}", from.ip(), from.port());
    redirects.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A kernel that was booted without IPv6 has no switch for it. A remote engine's is taken to have it.
fn has_ipv6() -> bool {
    !cfg!(target_os = "linux") || std::path::Path::new("/proc/sys/net/ipv6").exists()
}

/// Reads the Pod's address from the line that `ip addr` prints: `2: eth0    inet 172.18.0.2/16 brd …`.
async fn address_from(
    mut output: impl StreamExt<
        Item = Result<testcontainers::bollard::container::LogOutput, testcontainers::bollard::errors::Error>,
    > + Unpin,
) -> Result<IpAddr, RuntimeError> {
    let mut said = String::new();
    while let Some(Ok(line)) = output.next().await {
        let line = line.to_string();
        let address = line.split_once("inet ").and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
        if let Some(address) = address {
            return Ok(address);
        }
        said.push_str(&line);
    }
    Err(RuntimeError::Ended { program: "the Pod's first container", log: said })
}

async fn published_ports(engine: &Engine, id: &str) -> Result<HashMap<u16, SocketAddr>, RuntimeError> {
    let WayIn::Published(host) = engine.way_in else {
        return Ok(HashMap::new());
    };
    let inspected = engine
        .docker
        .inspect_container(id, None::<InspectContainerOptions>)
        .await
        .map_err(refused("inspect the Pod's first container"))?;
    let ports = inspected.network_settings.and_then(|settings| settings.ports).unwrap_or_default();
    Ok(ports
        .into_iter()
        .filter_map(|(name, bindings)| {
            let port = name.split('/').next()?.parse().ok()?;
            let published = bindings?.into_iter().find_map(|binding| binding.host_port?.parse().ok())?;
            Some((port, SocketAddr::new(host, published)))
        })
        .collect())
}
