//! What stands in the Pod for everything beside nginx and Prometheus: stubs of the other upstreams, which answer and
//! write down what they received, a DNS server, and relays.
//!
//! All of it runs in one container, which starts only if there is anything for it to do.

mod add;
mod nginx;
mod stub;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::{PodFile, Relay};
pub(crate) use stub::{Listener, Speaks, Stub};

/// Where the stubs' files are in their container.
const HOME: &str = "/proxyproof";
/// The directory of the sockets that stand for those of the deployment. nginx's container has it too.
pub(super) const SOCKETS: &str = "/proxyproof/sockets";

/// What the stubs' program says when all of them can be asked.
pub(crate) const READY: &str = "the stubs are ready";

/// The stubs of a World.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stubs {
    /// What stands for upstreams.
    pub(super) stubs: Vec<Stub>,
    /// Where DNS is answered.
    pub(super) resolvers: Vec<SocketAddr>,
    /// A certificate and its key for those that speak TLS, PEM.
    pub(super) certificate: Option<(String, String)>,
    /// How many sockets stand for those of the deployment.
    pub(super) sockets: usize,
    /// Directories of sockets on which nginx listens, for relays to them.
    pub(super) nginx_sockets: Vec<String>,
}

impl Stubs {
    /// Some that stand for these and listen nowhere.
    #[cfg(test)]
    pub(crate) fn of_names(names: &[&str]) -> Self {
        let stub =
            |name: &&str| Stub { name: (*name).to_owned(), speaks: Speaks::Http, at: Vec::new(), metrics: Vec::new() };
        Self { stubs: names.iter().map(stub).collect(), ..Self::default() }
    }

    /// Whether there is anything to do for the container.
    pub(crate) fn are_needed(&self, relays: &[Relay]) -> bool {
        !self.stubs.is_empty() || !self.resolvers.is_empty() || !relays.is_empty()
    }

    /// How the container is started.
    pub(crate) fn arguments() -> Vec<String> {
        ["perl", "/proxyproof/stubs.pl"].map(str::to_owned).to_vec()
    }

    /// The same program, asked to write a mark into the log behind all that was received before.
    pub(crate) fn mark(text: &str) -> [&str; 4] {
        ["perl", "/proxyproof/stubs.pl", "mark", text]
    }

    /// What a stub stands for, by the number that it writes into its lines.
    pub(crate) fn upstream(&self, number: usize) -> Option<&str> {
        self.stubs.get(number).map(|stub| stub.name.as_str())
    }

    /// The directories that the stubs' container shares with nginx's.
    pub(crate) fn shared_directories(&self) -> Vec<String> {
        let own = (self.sockets > 0).then(|| SOCKETS.to_owned());
        own.into_iter().chain(self.nginx_sockets.iter().cloned()).collect()
    }

    /// The files of the container.
    pub(crate) fn files(&self, relays: &[Relay]) -> Vec<PodFile> {
        let mut files = vec![
            PodFile::directory(format!("{HOME}/inner"), 0o755),
            PodFile::file(format!("{HOME}/stubs.pl"), include_str!("stubs.pl"), 0o644),
            PodFile::file(format!("{HOME}/nginx.conf"), nginx::config(&self.stubs, relays), 0o644),
            PodFile::file(format!("{HOME}/plain"), self.plain(), 0o644),
            PodFile::file(format!("{HOME}/resolvers"), self.dns(), 0o644),
        ];
        if let Some((certificate, key)) = &self.certificate {
            files.push(PodFile::file(nginx::CERTIFICATE, certificate.as_bytes(), 0o644));
            files.push(PodFile::file(nginx::KEY, key.as_bytes(), 0o600));
        }
        files
    }

    /// What does not speak HTTP, a line for each listener, for the program beside nginx.
    fn plain(&self) -> String {
        let numbered = self.stubs.iter().enumerate();
        let lines = numbered.filter_map(|(number, stub)| Some((number, stub, stub.speaks.plain()?)));
        lines
            .flat_map(|(number, stub, speaks)| stub.at.iter().map(move |at| plain_line(number, speaks, at, &stub.name)))
            .collect()
    }

    /// A line for each port: its addresses.
    fn dns(&self) -> String {
        let mut ports: BTreeMap<u16, Vec<IpAddr>> = BTreeMap::new();
        for resolver in &self.resolvers {
            ports.entry(resolver.port()).or_default().push(resolver.ip());
        }
        let lines = ports.into_iter().map(|(port, addresses)| {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("dns\tdns\tip\t{}\t{port}\tDNS\n", addresses.join(" "))
        });
        lines.collect()
    }
}

fn plain_line(number: usize, speaks: &str, at: &Listener, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    match at {
        Listener::Tcp(at) => format!("{number}\t{speaks}\tip\t{}\t{}\t{name}\n", at.ip(), at.port()),
        Listener::Unix(path) => format!("{number}\t{speaks}\tunix\t{path}\t0\t{name}\n"),
    }
}
