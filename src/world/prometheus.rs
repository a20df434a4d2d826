//! Prometheus's own files and its whole command line.

mod files;
mod web;

use super::pki::Authority;
use super::{Substitution, SubstitutionKind, World, WorldError};
use crate::deployment::{Deployment, Prometheus, Route, WEB_CONFIG};
use crate::location::Location;
use files::Files;

/// Where its data goes: a directory of the Pod's own, in memory.
pub(crate) const DATA: &str = "/prometheus-data";

const LISTEN: &str = "web.listen-address";

impl World {
    /// Puts Prometheus's configuration in place and completes its flags by what only the Pod knows. Where its files are is
    /// the Pod's to say; where it listens is the deployment's, if that says it.
    pub(super) fn add_prometheus(&mut self, deployment: &Deployment, authority: &Authority) -> Result<(), WorldError> {
        let prometheus = &deployment.prometheus[0];
        let route = deployment.route();
        self.prometheus_arguments = prometheus.flags.iter().map(|flag| flag.text.clone()).collect();
        self.replace_flag(prometheus, "config.file", &prometheus.config_path);
        let storage = if prometheus.is_agent() { "storage.agent.path" } else { "storage.tsdb.path" };
        self.replace_flag(prometheus, storage, DATA);
        if let Some(web) = &prometheus.web {
            self.replace_flag(prometheus, WEB_CONFIG, &web.path);
        }
        self.listen(prometheus, route);
        self.add_prometheus_files(prometheus, route, authority)?;
        self.say_how_it_starts(prometheus, route);
        Ok(())
    }

    /// Where nginx looks for it. A port that compose or a Service gives it elsewhere is its own here.
    fn listen(&mut self, prometheus: &Prometheus, route: &Route) {
        let port = route.upstream.port();
        let given = prometheus.flag(LISTEN).is_some();
        if !given {
            self.prometheus_arguments.push(format!("--{LISTEN}=:{port}"));
        } else if prometheus.published_as(port).is_some() && prometheus.listen_port() != Some(port) {
            self.replace_flag(prometheus, LISTEN, &format!(":{port}"));
        }
    }

    fn add_prometheus_files(
        &mut self,
        prometheus: &Prometheus,
        route: &Route,
        authority: &Authority,
    ) -> Result<(), WorldError> {
        let credentials = self.credentials.clone();
        let mut names = vec![route.upstream.name().to_owned(), "localhost".to_owned()];
        names.dedup();
        names.retain(|name| !name.contains('/'));
        let (files, substitutions) = (Vec::new(), Vec::new());
        let credentials = credentials.as_ref();
        let mut files = Files { prometheus, authority, names, credentials, files, substitutions };
        files.add_all()?;
        self.prometheus_files.extend(files.files);
        self.substitutions.extend(files.substitutions);
        Ok(())
    }

    fn say_how_it_starts(&mut self, prometheus: &Prometheus, route: &Route) {
        let mut say = |kind, what: &str, by: String, location: Option<&Location>| {
            let (what, location) = (what.to_owned(), location.cloned());
            self.substitutions.push(Substitution { kind, what, by, location });
        };
        if !prometheus.flags_given {
            let by = prometheus.command_line();
            say(SubstitutionKind::PrometheusFlags, "Prometheus's flags", by, Some(&route.proxy_pass));
        }
        let made = "a minimal one that scrapes Prometheus itself";
        match (&prometheus.config_missing, &prometheus.config_location) {
            (Some((path, location)), _) => {
                let by = format!("{made}: the file is not beside what names it");
                say(SubstitutionKind::PrometheusConfig, path, by, Some(location));
            }
            (None, None) => say(SubstitutionKind::PrometheusConfig, "prometheus.yml", made.to_owned(), None),
            (None, Some(_)) => {}
        }
        for unanswered in &prometheus.unanswered {
            let what = format!("{} of {}", unanswered.key, unanswered.job);
            let by = "nothing: what would tell its targets is not in the Pod".to_owned();
            say(SubstitutionKind::Target, &what, by, Some(&unanswered.location));
        }
    }

    /// Gives a flag a value of the Pod's. What the deployment gives it is listed as replaced.
    fn replace_flag(&mut self, prometheus: &Prometheus, flag: &str, value: &str) {
        let name = format!("--{flag}");
        let own = format!("{name}={value}");
        while let Some(given) = take_flag(&mut self.prometheus_arguments, &name) {
            if given != own {
                self.substitutions.push(Substitution {
                    kind: SubstitutionKind::PrometheusFlags,
                    what: given,
                    by: own.clone(),
                    location: prometheus.flag_place(flag).cloned(),
                });
            }
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
