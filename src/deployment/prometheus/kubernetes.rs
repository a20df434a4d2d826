//! Kubernetes manifests: the container that is Prometheus, its ConfigMaps and Services, and the operator's `Prometheus`.

use std::rc::Rc;

use super::super::DeploymentError;
use super::flag::{self, PrometheusFlag};
use super::operator;
use super::shelf::{Mount, Source};
use super::start::{Input, MAX_STARTS, PublishedBy, PublishedPort, Start, is_public, says_prometheus};
use super::words::Variables;
use super::yaml::Node;

pub(super) fn is_manifest(document: &Node) -> bool {
    document.get("apiVersion").is_some() && document.get("kind").is_some()
}

pub(super) fn starts(input: &Input<'_>, documents: &[Rc<Node>]) -> Result<Vec<Start>, DeploymentError> {
    let objects: Vec<&Rc<Node>> = documents.iter().flat_map(objects).collect();
    let manifest = Manifest { input, objects: &objects };
    let mut starts = Vec::new();
    for object in &objects {
        match object.text_of("kind") {
            Some("Prometheus") => starts.push(operator::start(object)),
            Some("Pod") => manifest.add(object, object.get("metadata"), object.get("spec"), &mut starts)?,
            _ => manifest.add(
                object,
                object.at(&["spec", "template", "metadata"]),
                object.at(&["spec", "template", "spec"]),
                &mut starts,
            )?,
        }
    }
    if starts.is_empty() {
        let kinds: Vec<_> = objects.iter().filter_map(|object| object.text_of("kind")).take(20).collect();
        return Err(input.wrong(
            format!("none of its objects ({}) has a container whose name, image or command says Prometheus, and none is a `Prometheus` of the operator", kinds.join(", ")),
            "Pass the manifest with the one that does",
        ));
    }
    Ok(starts)
}

/// The objects of a document: itself, or the items of a `List`.
fn objects(document: &Rc<Node>) -> Vec<&Rc<Node>> {
    match document.text_of("kind") {
        Some("List") => document.items_of("items").iter().collect(),
        _ => vec![document],
    }
}

/// More of one ConfigMap are not looked at.
const MAX_FILES: usize = 500;

struct Manifest<'a> {
    input: &'a Input<'a>,
    objects: &'a [&'a Rc<Node>],
}

impl<'a> Manifest<'a> {
    /// Adds the Prometheus of a Pod, if there is one.
    fn add(
        &self,
        object: &Node,
        metadata: Option<&Rc<Node>>,
        spec: Option<&Rc<Node>>,
        starts: &mut Vec<Start>,
    ) -> Result<(), DeploymentError> {
        let Some(spec) = spec else { return Ok(()) };
        for container in spec.items_of("containers").iter().filter(|container| is_prometheus(container)) {
            if starts.len() >= MAX_STARTS {
                break;
            }
            let name = object.at(&["metadata", "name"]).and_then(|name| name.text()).unwrap_or("prometheus");
            let services = self.services(metadata.and_then(|metadata| metadata.get("labels")));
            let mut names = vec![name.to_owned()];
            names.extend(
                services.iter().filter_map(|service| Some(service.at(&["metadata", "name"])?.text()?.to_owned())),
            );
            let mut ports = container_ports(container);
            ports.extend(services.iter().flat_map(|service| service_ports(service, container)));
            let flags = flags(container)?;
            let hosts_network = spec.get("hostNetwork").filter(|_| spec.is_on("hostNetwork"));
            ports.extend(hosts_network.map(|said| PublishedPort::of_host_network(&flags, said.location.clone())));
            starts.push(Start {
                what: format!("the {} {name}", object.text_of("kind").unwrap_or("Pod")),
                names,
                flags,
                mounts: self.mounts(spec, container),
                ports,
                location: container.location.clone(),
                is_of_this_host: false,
            });
        }
        Ok(())
    }

    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'a Rc<Node>> {
        self.objects.iter().copied().filter(move |object| object.text_of("kind") == Some(kind))
    }

    /// The Services that select Pods with these labels.
    fn services(&self, labels: Option<&Rc<Node>>) -> Vec<&'a Rc<Node>> {
        let selects = |service: &&Rc<Node>| {
            let selector = service.at(&["spec", "selector"]).map_or(&[][..], |selector| selector.entries());
            let fits = |(key, value): &(Rc<Node>, Rc<Node>)| {
                let label = labels.and_then(|labels| labels.get(key.text()?)?.text());
                label.is_some() && label == value.text()
            };
            !selector.is_empty() && selector.iter().all(fits)
        };
        self.of_kind("Service").filter(selects).collect()
    }

    /// The ConfigMaps and Secrets of the same file that the container mounts.
    fn mounts(&self, spec: &Node, container: &Node) -> Vec<Mount> {
        let mounts = container.items_of("volumeMounts").iter();
        mounts.flat_map(|mount| self.mount(spec, mount).unwrap_or_default()).collect()
    }

    fn mount(&self, spec: &Node, mount: &Node) -> Option<Vec<Mount>> {
        let (name, path) = (mount.text_of("name")?, mount.text_of("mountPath")?);
        let volume = spec.items_of("volumes").iter().find(|volume| volume.text_of("name") == Some(name))?;
        let config_map = volume.get("configMap")?;
        let wanted = config_map.text_of("name")?;
        let named = |object: &&Rc<Node>| object.at(&["metadata", "name"]).and_then(|name| name.text()) == Some(wanted);
        let data = self.of_kind("ConfigMap").find(named)?.get("data")?;
        let files = data.entries().iter().take(MAX_FILES).filter_map(|(key, value)| {
            let at = place(key.text()?, config_map, mount.text_of("subPath"), path)?;
            let origin = value.origin_of_text(self.input.text);
            Some(Mount { at, source: Source::Text { text: value.text()?.into(), origin } })
        });
        Some(files.collect())
    }
}

/// Where a key of a ConfigMap is in the container.
fn place(key: &str, config_map: &Node, sub_path: Option<&str>, path: &str) -> Option<String> {
    let items = config_map.items_of("items");
    let name = match items.iter().find(|item| item.text_of("key") == Some(key)) {
        Some(item) => item.text_of("path")?,
        None if items.is_empty() => key,
        None => return None,
    };
    let path = path.trim_end_matches('/');
    match sub_path {
        Some(sub_path) => (sub_path == name).then(|| path.to_owned()),
        None => Some(format!("{path}/{name}")),
    }
}

fn is_prometheus(container: &Node) -> bool {
    let says = |key: &str| container.text_of(key).is_some_and(says_prometheus);
    let mut words =
        ["command", "args"].into_iter().flat_map(|key| container.items_of(key)).filter_map(|item| item.text());
    // The name alone would take in a sidecar that reloads it.
    says("image")
        || words.any(flag::calls_prometheus)
        || (says("name") && container.text_of("image").is_none_or(|image| !is_of_another(image)))
}

/// Whether an image is that of something that goes around with Prometheus.
fn is_of_another(image: &str) -> bool {
    image.contains("prometheus") || image.contains("reload") || image.contains("busybox") || image.contains("thanos")
}

fn flags(container: &Node) -> Result<Vec<PrometheusFlag>, DeploymentError> {
    let environment = container.items_of("env");
    let mut words = Vec::new();
    for item in ["command", "args"].into_iter().flat_map(|key| container.items_of(key)) {
        let text = expanded(item.text().unwrap_or_default(), environment, item)?;
        words.push(flag::word(text, &item.location));
    }
    let variables = environment.iter().filter_map(|variable| {
        Some((variable.text_of("name")?.to_owned(), variable.text_of("value").unwrap_or_default().to_owned()))
    });
    Ok(flag::of_command(words, &Variables::of(variables)))
}

/// `$(NAME)` as Kubernetes fills it in: what the container's `env` does not name stays as it is.
fn expanded(text: &str, environment: &[Rc<Node>], item: &Node) -> Result<String, DeploymentError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("$(") {
        let (before, from) = rest.split_at(at);
        let Some(end) = from.find(')') else { break };
        let (name, whole) = (&from[2..end], &from[..=end]);
        let variable = environment.iter().find(|variable| variable.text_of("name") == Some(name));
        out.push_str(before);
        match variable.map(|variable| (variable.get("value").and_then(|value| value.text()), variable.get("valueFrom")))
        {
            Some((Some(value), _)) => out.push_str(value),
            Some((None, Some(_))) => return Err(elsewhere(name, item)),
            _ => out.push_str(whole),
        }
        rest = &from[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn elsewhere(name: &str, item: &Node) -> DeploymentError {
    DeploymentError::Syntax {
        location: item.location.clone(),
        problem: format!("the value of `$({name})` is not in the manifest but comes from another object (`valueFrom`)"),
        fix: "Give the flag itself: --prometheus-arg".to_owned(),
    }
}

fn container_ports(container: &Node) -> Vec<PublishedPort> {
    let ports = container.items_of("ports").iter().filter_map(|port| {
        Some(PublishedPort {
            port: number(port, "hostPort")?,
            container_port: number(port, "containerPort")?,
            address: port.text_of("hostIP").map(str::to_owned),
            on_host: true,
            public: is_public(port.text_of("hostIP")),
            by: PublishedBy::HostPort,
            location: port.location.clone(),
        })
    });
    ports.collect()
}

/// The ports of a Service: within the cluster, by `nodePort` on every host of it, and at the address of a load balancer.
fn service_ports(service: &Node, container: &Node) -> Vec<PublishedPort> {
    let Some(spec) = service.get("spec") else { return Vec::new() };
    let ports = spec.items_of("ports").iter().flat_map(|port| {
        let own = number(port, "port");
        let container_port = target(port, container).or(own);
        let published = |number: Option<u16>, on_host, public| {
            Some(PublishedPort {
                port: number?,
                container_port: container_port?,
                address: None,
                on_host,
                public,
                by: PublishedBy::Service,
                location: port.location.clone(),
            })
        };
        let node_port = number(port, "nodePort");
        // Either kind gets a `nodePort` of its own where none is named.
        let outside = matches!(spec.text_of("type"), Some("LoadBalancer" | "NodePort"));
        [published(own, false, outside && node_port.is_none()), published(node_port, true, true)]
    });
    ports.flatten().collect()
}

/// The port of the container that a Service leads to, by its number or its name.
fn target(port: &Node, container: &Node) -> Option<u16> {
    number(port, "targetPort").or_else(|| {
        let name = port.text_of("targetPort")?;
        let named = container.items_of("ports").iter().find(|port| port.text_of("name") == Some(name))?;
        number(named, "containerPort")
    })
}

fn number(node: &Node, key: &str) -> Option<u16> {
    node.text_of(key)?.parse().ok()
}
