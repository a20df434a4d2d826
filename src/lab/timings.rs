//! What the time of a Lab goes into.

use std::sync::PoisonError;
use std::time::Duration;

use super::Lab;
use crate::report::timings::{BootTimings, ClientTimings, Timings};
use crate::runtime::Pod;

impl Lab {
    /// What the time went into so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        let timings = self.timings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let clients = ClientTimings {
            connects: self.meter.connects().total().into(),
            handshakes: self.meter.handshakes().total().into(),
            requests: self.meter.requests().total().into(),
        };
        Timings { clients, ..timings }
    }

    /// The checks were asked once more.
    pub(super) fn add_checks(&self, took: Duration) {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner).checks += milliseconds(took);
    }
}

pub(super) fn boot_timings(pod: &Pod, total: Duration) -> BootTimings {
    let took = pod.took();
    BootTimings {
        total: milliseconds(total),
        pod: milliseconds(took.pod),
        nginx: milliseconds(took.nginx),
        prometheus: milliseconds(took.prometheus),
        prometheus_shared: pod.is_sharing(),
    }
}

/// To the microsecond: more is noise.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
