//! docker-compose: the service that is Prometheus.

use std::path::Path;
use std::rc::Rc;

use super::super::directive::Argument;
use super::super::{DeploymentError, read};
use super::flag::{self, PrometheusFlag};
use super::interpolate::interpolate;
use super::shelf::{Mount, Source};
use super::start::{Input, MAX_STARTS, PublishedBy, PublishedPort, Start, is_public, says_prometheus};
use super::variables_file::{self, unclosed};
use super::words::{self, Variables};
use super::yaml::{Node, Value};
use crate::location::Location;

pub(super) fn is_compose(document: &Node) -> bool {
    document.get("services").is_some_and(|services| !services.entries().is_empty())
}

pub(super) fn starts(input: &Input<'_>, root: &Node) -> Result<Vec<Start>, DeploymentError> {
    let variables = variables(input)?;
    let compose = Compose { input, root, variables };
    let services = root.get("services").map_or(&[][..], |services| services.entries());
    let found: Vec<_> =
        services.iter().filter(|(name, service)| compose.is_prometheus(name, service)).take(MAX_STARTS).collect();
    if found.is_empty() {
        let names: Vec<_> = services.iter().filter_map(|(name, _)| name.text()).take(20).collect();
        return Err(input.wrong(
            format!("none of its services ({}) has an image or a command that says Prometheus", names.join(", ")),
            "Pass the file with the one that does",
        ));
    }
    found.into_iter().map(|(name, service)| compose.start(name, service)).collect()
}

/// What compose itself would know: `.env` beside the file, and what `--env` gives.
fn variables(input: &Input<'_>) -> Result<Variables, DeploymentError> {
    let mut variables = Variables::default();
    variables.set("PWD", ".");
    let env_file = input.beside(".env");
    if env_file.is_file() && super::systemd::lies_in(&env_file, input.dir()) {
        for assignment in variables_file::read(&read::text(&env_file)?) {
            variables.set(assignment.name, assignment.value);
        }
    }
    for (name, value) in input.env.iter() {
        variables.set(name.clone(), value.clone());
    }
    Ok(variables)
}

struct Compose<'a> {
    input: &'a Input<'a>,
    root: &'a Node,
    variables: Variables,
}

impl Compose<'_> {
    fn is_prometheus(&self, name: &Node, service: &Node) -> bool {
        if let Some(image) = service.text_of("image") {
            let image = interpolate(image, &self.variables).unwrap_or_else(|_| image.to_owned());
            if says_prometheus(&image) {
                return true;
            }
        }
        let words = ["entrypoint", "command"].iter().filter_map(|key| service.get(key)).flat_map(|node| texts(node));
        let called =
            words.flat_map(|text| words::shell(text).unwrap_or_default()).any(|word| flag::calls_prometheus(&word));
        called || (service.get("build").is_some() && name.text().is_some_and(says_prometheus))
    }

    fn start(&self, name: &Node, service: &Node) -> Result<Start, DeploymentError> {
        let own = name.text().unwrap_or_default();
        let mut names = vec![own.to_owned()];
        for key in ["container_name", "hostname"] {
            names.extend(service.text_of(key).map(|text| self.loosely(text)));
        }
        for (_, network) in service.get("networks").map_or(&[][..], |networks| networks.entries()) {
            names.extend(network.items_of("aliases").iter().filter_map(|alias| alias.text().map(str::to_owned)));
        }
        let flags = self.flags(service)?;
        let hosts_network = service.get("network_mode").filter(|mode| mode.text() == Some("host"));
        let ports: Vec<PublishedPort> = match hosts_network {
            // Docker publishes nothing then.
            Some(said) => vec![PublishedPort::of_host_network(&flags, said.location.clone())],
            None => service.items_of("ports").iter().filter_map(|port| self.port(port)).collect(),
        };
        Ok(Start {
            what: format!("the service {own}"),
            names,
            flags,
            mounts: self.mounts(service),
            ports,
            location: name.location.clone(),
            is_of_this_host: false,
        })
    }

    fn flags(&self, service: &Node) -> Result<Vec<PrometheusFlag>, DeploymentError> {
        let mut words = Vec::new();
        for node in ["entrypoint", "command"].iter().filter_map(|key| service.get(key)) {
            match &node.value {
                Value::Scalar(text) => {
                    let text = if text == "null" || text == "~" { "" } else { text };
                    let text = self.filled_in(text, &node.location)?;
                    let split = words::shell(&text).ok_or_else(|| unclosed(node.location.clone()))?;
                    let mut split: Vec<_> = split.into_iter().map(|word| flag::word(word, &node.location)).collect();
                    self.locate(&mut split, node);
                    words.extend(split);
                }
                _ => {
                    for item in node.items() {
                        let text = self.filled_in(item.text().unwrap_or_default(), &item.location)?;
                        words.push(flag::word(text, &item.location));
                    }
                }
            }
        }
        Ok(flag::of_command(words, &self.environment(service)))
    }

    /// Points the words of a command of several lines to the lines that they stand on.
    fn locate(&self, words: &mut [PrometheusFlag], node: &Node) {
        let text = self.input.text;
        let source = super::super::source_text::SourceText::new(&self.input.file, text);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1));
        let Some(from) = line_starts.clone().nth(node.location.line - 1) else { return };
        flag::located(words, text, from, text.len(), |offset| source.location(offset));
    }

    fn environment(&self, service: &Node) -> Variables {
        let mut variables = Variables::default();
        let Some(environment) = service.get("environment") else { return variables };
        for (name, value) in environment.entries() {
            if let (Some(name), Some(value)) = (name.text(), value.text()) {
                variables.set(name, self.loosely(value));
            }
        }
        for (name, value) in environment.items().iter().filter_map(|item| item.text()?.split_once('=')) {
            variables.set(name, self.loosely(value));
        }
        variables
    }

    fn filled_in(&self, text: &str, location: &Location) -> Result<String, DeploymentError> {
        interpolate(text, &self.variables).map_err(|name| DeploymentError::Syntax {
            location: location.clone(),
            problem: format!("the variable `{name}` is not set, and Prometheus's flags need it"),
            fix: format!("Set `{name}=…` in a file `.env` beside the compose file, or pass --env {name}=VALUE"),
        })
    }

    /// As far as the variables are known: for what is no flag.
    fn loosely(&self, text: &str) -> String {
        interpolate(text, &self.variables).unwrap_or_else(|_| text.to_owned())
    }

    fn mounts(&self, service: &Node) -> Vec<Mount> {
        let volumes = service.items_of("volumes").iter().filter_map(|volume| self.volume(volume));
        let configs = ["configs", "secrets"]
            .into_iter()
            .flat_map(|kind| service.items_of(kind).iter().filter_map(move |config| self.config(kind, config)));
        volumes.chain(configs).collect()
    }

    /// `./prometheus.yml:/etc/prometheus/prometheus.yml:ro`, or the same as a mapping.
    fn volume(&self, volume: &Rc<Node>) -> Option<Mount> {
        let (source, target) = match volume.text() {
            Some(text) => {
                let text = self.loosely(text);
                let mut parts = text.split(':');
                (parts.next()?.to_owned(), parts.next()?.to_owned())
            }
            None => (self.loosely(volume.text_of("source")?), self.loosely(volume.text_of("target")?)),
        };
        let source = self.on_disk(&source, &volume.location)?;
        Some(Mount { at: target.trim_end_matches('/').to_owned(), source })
    }

    /// A path starts with a dot or a slash; anything else is a named volume.
    fn on_disk(&self, source: &str, location: &Location) -> Option<Source> {
        if source.starts_with('/') {
            return Some(Source::Absolute(Argument { text: source.to_owned(), location: location.clone() }));
        }
        let is_path = source.starts_with('.');
        is_path.then(|| self.beside(source))
    }

    fn beside(&self, path: &str) -> Source {
        let parts = Path::new(path).components().filter(|part| *part != std::path::Component::CurDir);
        let below: std::path::PathBuf = parts.collect();
        Source::Disk { path: self.input.beside(below), within: self.input.dir().to_owned() }
    }

    /// A `configs` or `secrets` entry of the service, with the one of that name at the top of the file.
    fn config(&self, kind: &str, config: &Rc<Node>) -> Option<Mount> {
        let name = config.text().or_else(|| config.text_of("source"))?;
        let target = match (config.text_of("target"), kind) {
            (Some(target), _) if target.starts_with('/') => target.to_owned(),
            (target, "secrets") => format!("/run/secrets/{}", target.unwrap_or(name)),
            (target, _) => format!("/{}", target.unwrap_or(name)),
        };
        let known = self.root.at(&[kind, name])?;
        let source = match (known.text_of("file"), known.get("content")) {
            (Some(file), _) => self.beside(&self.loosely(file)),
            (None, Some(content)) => Source::Text {
                text: self.loosely(content.text()?).into(),
                origin: content.origin_of_text(self.input.text),
            },
            _ => return None,
        };
        Some(Mount { at: target, source })
    }

    /// `9090:9090`, `127.0.0.1:8080:9090/tcp`, or the same as a mapping. A port alone gets a random one of the host.
    fn port(&self, port: &Rc<Node>) -> Option<PublishedPort> {
        let (address, number, container_port) = match port.text() {
            Some(text) => {
                let text = self.loosely(text);
                let text = text.strip_suffix("/tcp").unwrap_or(&text);
                let (rest, container) = text.rsplit_once(':').unwrap_or(("", text));
                let (address, public) = rest.rsplit_once(':').unwrap_or(("", rest));
                let number = if public.is_empty() { 0 } else { public.parse().ok()? };
                (Some(address.to_owned()).filter(|address| !address.is_empty()), number, container.parse().ok()?)
            }
            None => {
                let number = |key| self.loosely(port.text_of(key)?).parse::<u16>().ok();
                let address = port.text_of("host_ip").map(|address| self.loosely(address));
                (address, number("published").unwrap_or(0), number("target")?)
            }
        };
        let (public, location) = (is_public(address.as_deref()), port.location.clone());
        Some(PublishedPort {
            port: number,
            container_port,
            address,
            on_host: true,
            public,
            by: PublishedBy::Compose,
            location,
        })
    }
}

/// The texts of a scalar or of a list of them.
fn texts(node: &Node) -> Vec<&str> {
    node.text().into_iter().chain(node.items().iter().filter_map(|item| item.text())).collect()
}
