//! Prometheus's own files and its whole command line.

mod files;
mod targets;
mod web;

use std::net::SocketAddr;

use super::pki::Authority;
use super::placement::{Place, ways_to};
use super::{PodFile, Substitution, SubstitutionKind, World, WorldError};
use crate::deployment::{Deployment, Prometheus, Route, WEB_CONFIG};
use crate::location::Location;
use files::Files;
pub(super) use targets::targets;

/// Where its data goes: a directory of the Pod's own, in memory.
pub(crate) const DATA: &str = "/prometheus-data";

/// What a Prometheus is started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Started {
    /// What goes into its container.
    pub(crate) files: Vec<PodFile>,
    /// Its whole command line.
    pub(crate) arguments: Vec<String>,
    /// Whether it asks for a name and a password itself.
    pub(crate) asks_for_a_password: bool,
}

const LISTEN: &str = "web.listen-address";

/// Where Prometheus listens that is not told where.
const PORT: u16 = 9090;

impl Started {
    /// The ports that it listens at.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let name = format!("--{LISTEN}");
        let mut arguments = self.arguments.clone();
        let given = std::iter::from_fn(|| take_flag(&mut arguments, &name));
        let mut ports: Vec<u16> = given.filter_map(|address| address.rsplit_once(':')?.1.parse().ok()).collect();
        if ports.is_empty() {
            ports.push(PORT);
        }
        ports
    }

    /// Its command line with which it listens at one address alone.
    pub(crate) fn listening_at(&self, at: SocketAddr) -> Vec<String> {
        let name = format!("--{LISTEN}");
        let mut arguments = self.arguments.clone();
        while take_flag(&mut arguments, &name).is_some() {}
        arguments.push(format!("{name}={at}"));
        arguments
    }
}

impl World {
    /// Puts each Prometheus's configuration in place and completes its flags by what only the Pod knows: where its files
    /// are, and where it listens if the deployment does not say that or somebody else needs its port too.
    pub(super) fn add_prometheus(
        &mut self,
        deployment: &Deployment,
        places: &[Place],
        authority: &Authority,
    ) -> Result<(), WorldError> {
        for (number, prometheus) in deployment.prometheus.iter().enumerate() {
            let Some(route) = deployment.routes.iter().find(|route| route.prometheus == number) else { continue };
            let arguments = self.arguments(prometheus, &places[number]);
            let names = names(deployment, number);
            let credentials = self.credentials.clone();
            let (credentials, files, substitutions) = (credentials.as_ref(), Vec::new(), Vec::new());
            let mut files = Files { prometheus, route, authority, names, credentials, files, substitutions };
            files.add_all()?;
            self.substitutions.extend(files.substitutions);
            let asks_for_a_password = prometheus.asks_for_a_password();
            self.prometheus.push(Started { files: files.files, arguments, asks_for_a_password });
            self.say_how_it_starts(prometheus, route);
        }
        Ok(())
    }

    fn arguments(&mut self, prometheus: &Prometheus, place: &Place) -> Vec<String> {
        let mut arguments = prometheus.flags.iter().map(|flag| flag.text.clone()).collect();
        let storage = if prometheus.is_agent() { "storage.agent.path" } else { "storage.tsdb.path" };
        let mut replace = |flag, value: &str| self.replace_flag(prometheus, &mut arguments, flag, value);
        replace("config.file", &prometheus.config_path);
        replace(storage, DATA);
        // That it serves is a line of level info in its log.
        if prometheus.flag("log.level").is_some_and(|level| !matches!(level, "info" | "debug")) {
            replace("log.level", "info");
        }
        if let Some(web) = &prometheus.web {
            replace(WEB_CONFIG, &web.path);
        }
        match (place.alone, prometheus.flag(LISTEN)) {
            (false, Some(_)) => {}
            (false, None) => arguments.push(format!("--{LISTEN}=:{}", place.at.port())),
            (true, _) => replace(LISTEN, &place.at.to_string()),
        }
        arguments
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
            let by = "nothing: no stub stands for them in the Pod".to_owned();
            say(SubstitutionKind::Target, &what, by, Some(&unanswered.location));
        }
    }

    /// Gives a flag a value of the Pod's. What the deployment gives it is listed as replaced.
    fn replace_flag(&mut self, prometheus: &Prometheus, arguments: &mut Vec<String>, flag: &str, value: &str) {
        let name = format!("--{flag}");
        let own = format!("{name}={value}");
        while let Some(given) = take_flag(arguments, &name) {
            if given != own {
                self.substitutions.push(Substitution {
                    kind: SubstitutionKind::PrometheusFlags,
                    what: given,
                    by: own.clone(),
                    location: prometheus.flag_place(flag).cloned(),
                });
            }
        }
        arguments.push(own);
    }
}

/// The names by which nginx reaches a Prometheus, and by which it reaches itself.
fn names(deployment: &Deployment, number: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let hosts = ways_to(deployment, number).into_iter().filter_map(|address| Some(address.host_port()?.host.clone()));
    let asked = deployment.routes.iter().enumerate().filter(|(_, route)| route.prometheus == number);
    let asked = asked.flat_map(|(index, _)| deployment.facts(index).in_force_at_pass("proxy_ssl_name"));
    let asked = asked.filter_map(|line| line.arg(0)).filter(|name| !name.contains('$')).map(str::to_owned);
    for name in hosts.chain(asked).chain(["localhost".to_owned()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
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
    fn it_can_be_told_to_listen_at_one_address() {
        let arguments = ["--a=1", "--web.listen-address=:9090", "--web.listen-address", "0.0.0.0:1"];
        let started = super::Started { arguments: arguments.map(str::to_owned).to_vec(), ..super::Started::default() };
        assert_eq!(
            started.listening_at(([127, 2, 0, 1], 9090).into()),
            ["--a=1", "--web.listen-address=127.2.0.1:9090"]
        );
        assert_eq!(started.ports(), [9090, 1]);
        assert_eq!(super::Started::default().ports(), [9090]);
    }

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
