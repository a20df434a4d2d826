//! Prometheus's own files and its whole command line.

use super::placement::Place;
use super::{PodFile, Substitution, SubstitutionKind, World};
use crate::deployment::Deployment;

/// Where the official image has its configuration.
const CONFIG: &str = "/etc/prometheus/prometheus.yml";
/// Where its data goes: a directory of the Pod's own, in memory.
pub(crate) const DATA: &str = "/prometheus-data";

/// What a Prometheus is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started {
    /// What goes into its container.
    pub(crate) files: Vec<PodFile>,
    /// Its whole command line.
    pub(crate) arguments: Vec<String>,
}

impl World {
    /// Puts each Prometheus's configuration in place and completes its flags by what only the Pod knows: where its files
    /// are, and where it listens if the deployment does not say that or somebody else needs its port too.
    pub(super) fn add_prometheus(&mut self, deployment: &Deployment, places: &[Place]) {
        for (number, prometheus) in deployment.prometheus.iter().enumerate() {
            let mut started = Started {
                files: vec![PodFile::file(CONFIG, prometheus.config.as_bytes(), 0o644)],
                arguments: prometheus.args.clone(),
            };
            for (flag, value) in [("config.file", CONFIG), ("storage.tsdb.path", DATA)] {
                self.replace_flag(&mut started.arguments, flag, value);
            }
            let place = &places[number];
            match (place.alone, prometheus.flag("web.listen-address")) {
                (false, Some(_)) => {}
                (false, None) => started.arguments.push(format!("--web.listen-address=:{}", place.at.port())),
                (true, _) => self.replace_flag(&mut started.arguments, "web.listen-address", &place.at.to_string()),
            }
            self.prometheus.push(started);
            self.say_what_was_made(deployment, number);
        }
    }

    fn say_what_was_made(&mut self, deployment: &Deployment, number: usize) {
        let prometheus = &deployment.prometheus[number];
        let route = deployment.routes.iter().find(|route| route.prometheus == number);
        if !prometheus.args_given {
            self.substitutions.push(Substitution {
                kind: SubstitutionKind::PrometheusFlags,
                what: "Prometheus's flags".to_owned(),
                by: prometheus.args.join(" "),
                location: route.map(|route| route.proxy_pass.clone()),
            });
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
    fn replace_flag(&mut self, arguments: &mut Vec<String>, flag: &str, value: &str) {
        let name = format!("--{flag}");
        let own = format!("{name}={value}");
        while let Some(given) = take_flag(arguments, &name) {
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
        arguments.push(own);
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
