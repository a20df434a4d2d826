//! Prometheus's own files and its whole command line.

use super::{PodFile, Substitution, SubstitutionKind, World};
use crate::deployment::Deployment;

/// Where the official image has its configuration.
const CONFIG: &str = "/etc/prometheus/prometheus.yml";
/// Where its data goes: a directory of the Pod's own, in memory.
pub(crate) const DATA: &str = "/prometheus-data";

impl World {
    /// Puts Prometheus's configuration in place and completes its flags by what only the Pod knows. Where its files are is
    /// the Pod's to say; where it listens is the deployment's, if that says it.
    pub(super) fn add_prometheus(&mut self, deployment: &Deployment) {
        let prometheus = &deployment.prometheus[0];
        let upstream = &deployment.route().upstream;
        self.prometheus_files.push(PodFile::file(CONFIG, prometheus.config.clone().into_bytes(), 0o644));
        self.prometheus_arguments = prometheus.flags.iter().map(|flag| flag.text.clone()).collect();
        for (flag, value) in [("config.file", CONFIG), ("storage.tsdb.path", DATA)] {
            self.replace_flag(flag, value);
        }
        if prometheus.flag("web.listen-address").is_none() {
            self.prometheus_arguments.push(format!("--web.listen-address=:{}", upstream.port()));
        }
        if !prometheus.flags_given {
            let derived = Substitution {
                kind: SubstitutionKind::PrometheusFlags,
                what: "Prometheus's flags".to_owned(),
                by: prometheus.command_line(),
                location: Some(deployment.route().proxy_pass.clone()),
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

    /// Gives a flag a value of the Pod's. What the deployment gives it is listed as replaced.
    fn replace_flag(&mut self, flag: &str, value: &str) {
        let name = format!("--{flag}");
        let own = format!("{name}={value}");
        while let Some(given) = take_flag(&mut self.prometheus_arguments, &name) {
            if given == own {
                continue;
            }
            self.substitutions.push(Substitution {
                kind: SubstitutionKind::PrometheusFlags,
                what: given,
                by: own.clone(),
                location: None,
            });
        }
        self.prometheus_arguments.push(own);
    }
}

/// Takes `--flag=value` or `--flag value` out of a command line.
fn take_flag(arguments: &mut Vec<String>, name: &str) -> Option<String> {
    let is_it =
        |argument: &String| argument.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    let index = arguments.iter().position(is_it)?;
    let words = if arguments[index] == name { 2 } else { 1 };
    let end = arguments.len().min(index + words);
    Some(arguments.drain(index..end).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::take_flag;

    #[test]
    fn a_flag_goes_with_its_value_and_no_other_goes() {
        let mut arguments: Vec<String> =
            ["--config.file", "/a", "--config.file-x=1", "--config.file=/b", "--c"].map(str::to_owned).to_vec();
        assert_eq!(take_flag(&mut arguments, "--config.file").as_deref(), Some("--config.file /a"));
        assert_eq!(take_flag(&mut arguments, "--config.file").as_deref(), Some("--config.file=/b"));
        assert_eq!(take_flag(&mut arguments, "--config.file"), None);
        assert_eq!(arguments, ["--config.file-x=1", "--c"]);
    }
}
