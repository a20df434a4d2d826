//! Prometheus's own files and its whole command line.

use super::{PodFile, Substitution, SubstitutionKind, World};
use crate::deployment::Deployment;

/// Where the official image has its configuration.
const CONFIG: &str = "/etc/prometheus/prometheus.yml";
/// Where its data goes: a directory of the Pod's own, in memory.
pub(crate) const DATA: &str = "/prometheus-data";

impl World {
    /// Puts Prometheus's configuration in place and completes its flags by what only the Pod knows.
    pub(super) fn add_prometheus(&mut self, deployment: &Deployment) {
        let prometheus = &deployment.prometheus;
        let upstream = &deployment.route.upstream;
        self.prometheus_files.push(PodFile {
            path: CONFIG.to_owned(),
            content: prometheus.config.clone().into_bytes(),
            mode: 0o644,
        });
        self.prometheus_arguments = prometheus.args.clone();
        let own = [
            ("config.file", CONFIG.to_owned()),
            ("storage.tsdb.path", DATA.to_owned()),
            ("web.listen-address", format!(":{}", upstream.port)),
        ];
        for (flag, value) in own {
            if !prometheus.has_flag(flag) {
                self.prometheus_arguments.push(format!("--{flag}={value}"));
            }
        }
        if !prometheus.args_given {
            let derived = Substitution {
                kind: SubstitutionKind::PrometheusFlags,
                what: "Prometheus's flags".to_owned(),
                by: prometheus.args.join(" "),
                location: Some(deployment.route.proxy_pass.clone()),
            };
            self.substitutions.push(derived);
        }
        if prometheus.config_location.is_none() {
            self.substitutions.push(Substitution {
                kind: SubstitutionKind::PrometheusConfig,
                what: "prometheus.yml".to_owned(),
                by: "a minimal one that scrapes Prometheus itself".to_owned(),
                location: None,
            });
        }
    }
}
