//! The `Prometheus` resource of the Prometheus operator: the flags that the operator makes of it.

use std::rc::Rc;

use super::flag::{self, PrometheusFlag};
use super::start::Start;
use super::yaml::Node;

/// Fields that are a flag with a value.
const VALUES: [(&[&str], &str); 4] = [
    (&["externalUrl"], "web.external-url"),
    (&["web", "pageTitle"], "web.page-title"),
    (&["web", "maxConnections"], "web.max-connections"),
    (&["logLevel"], "log.level"),
];

/// Fields that turn a flag on.
const SWITCHES: [(&str, &str); 2] =
    [("enableAdminAPI", "web.enable-admin-api"), ("enableRemoteWriteReceiver", "web.enable-remote-write-receiver")];

/// What the operator starts for a `Prometheus` resource.
pub(super) fn start(object: &Rc<Node>) -> Start {
    let name = object.at(&["metadata", "name"]).and_then(|name| name.text()).unwrap_or("prometheus");
    let spec = object.get("spec").unwrap_or(object);
    Start {
        what: format!("the Prometheus {name}"),
        names: vec!["prometheus-operated".to_owned(), format!("prometheus-{name}"), name.to_owned()],
        flags: flags(spec),
        mounts: Vec::new(),
        ports: Vec::new(),
        location: object.at(&["metadata", "name"]).map_or(&object.location, |name| &name.location).clone(),
        is_of_this_host: false,
    }
}

fn flags(spec: &Node) -> Vec<PrometheusFlag> {
    let mut flags: Vec<PrometheusFlag> = Vec::new();
    for (keys, name) in VALUES {
        if let Some(node) = spec.at(keys)
            && let Some(value) = node.text().filter(|value| !value.is_empty())
        {
            flags.push(flag::word(format!("--{name}={value}"), &node.location));
        }
    }
    // The operator always passes it, `/` where the resource says nothing.
    let prefix = spec.get("routePrefix").filter(|prefix| prefix.text().is_some_and(|text| !text.is_empty()));
    let (value, location) =
        prefix.map_or(("/", &spec.location), |prefix| (prefix.text().unwrap_or("/"), &prefix.location));
    flags.push(flag::word(format!("--web.route-prefix={value}"), location));
    for (key, name) in SWITCHES {
        if let Some(node) = spec.get(key).filter(|_| spec.is_on(key)) {
            flags.push(flag::word(format!("--{name}"), &node.location));
        }
    }
    // Its sidecar reloads over HTTP unless it is told to send a signal.
    if spec.text_of("reloadStrategy") != Some("ProcessSignal") {
        flags.push(flag::word("--web.enable-lifecycle", &spec.location));
    }
    if spec.is_on("listenLocal") {
        let location = spec.get("listenLocal").map_or(&spec.location, |node| &node.location);
        flags.push(flag::word("--web.listen-address=127.0.0.1:9090", location));
    }
    let features = spec.items_of("enableFeatures");
    let named: Vec<_> = features.iter().filter_map(|feature| feature.text()).collect();
    if let Some(first) = features.first().filter(|_| !named.is_empty()) {
        flags.push(flag::word(format!("--enable-feature={}", named.join(",")), &first.location));
    }
    flag::overridden(flags, additional(spec))
}

/// `additionalArgs`, which the operator passes as they are.
fn additional(spec: &Node) -> Vec<PrometheusFlag> {
    let arguments = spec.items_of("additionalArgs").iter().filter_map(|argument| {
        let name = argument.text_of("name")?;
        let text = match argument.text_of("value") {
            Some(value) => format!("--{name}={value}"),
            None => format!("--{name}"),
        };
        Some(flag::word(text, &argument.location))
    });
    arguments.collect()
}
