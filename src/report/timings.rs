//! What the time of a Lab went into, as data.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What the time of a Lab went into. All times are milliseconds; parts that ran beside each other do not add up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timings {
    /// Getting the programs.
    pub sources: f64,
    /// Making up what the deployment lacks.
    pub world: f64,
    /// Booting the Pod, until nginx and Prometheus serve.
    pub boot: BootTimings,
    /// Asking the checks, all times that they were asked.
    pub checks: f64,
    /// What clients did meanwhile. Many did it at once: the times are of all of them together.
    pub clients: ClientTimings,
    /// Taking everything away; none while the Lab runs.
    pub teardown: Option<f64>,
}

/// What the time of a boot went into.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BootTimings {
    /// From the first to the last.
    pub total: f64,
    /// Making the Pod: namespaces, or the network and the containers.
    pub pod: f64,
    /// nginx, until it listens or has refused to.
    pub nginx: f64,
    /// Prometheus, until it is ready.
    pub prometheus: f64,
    /// Whether it is one that other Labs use too, so that it may have been there.
    pub prometheus_shared: bool,
}

/// What clients did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClientTimings {
    /// TCP connections.
    pub connects: Tally,
    /// TLS handshakes, those that came to nothing too.
    pub handshakes: Tally,
    /// HTTP requests with their answers, and with the connections that they needed.
    pub requests: Tally,
}

/// How often something was done, and how long all of it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// How long, together.
    pub total: f64,
}

impl From<(u64, f64)> for Tally {
    fn from((count, total): (u64, f64)) -> Self {
        Self { count, total }
    }
}

/// What the time of many went into, together.
impl AddAssign<&Self> for Timings {
    fn add_assign(&mut self, other: &Self) {
        self.sources += other.sources;
        self.world += other.world;
        self.checks += other.checks;
        self.teardown = self.teardown.map_or(other.teardown, |own| Some(own + other.teardown.unwrap_or_default()));
        let (own, boot) = (&mut self.boot, &other.boot);
        own.total += boot.total;
        own.pod += boot.pod;
        own.nginx += boot.nginx;
        own.prometheus += boot.prometheus;
        own.prometheus_shared |= boot.prometheus_shared;
        let (own, clients) = (&mut self.clients, &other.clients);
        for (own, other) in [
            (&mut own.connects, clients.connects),
            (&mut own.handshakes, clients.handshakes),
            (&mut own.requests, clients.requests),
        ] {
            own.count += other.count;
            own.total += other.total;
        }
    }
}
