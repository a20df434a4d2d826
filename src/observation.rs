//! What can be seen of a Lab, as data: what [`Lab::observe`](crate::Lab::observe) gives and baselines hold.

pub use crate::observe::{
    Answer, CertificateSeen, CheckSeen, FindingSeen, MetricsSeen, NginxSeen, Observation, PrometheusSeen, RouteSeen,
    TlsSeen,
};
