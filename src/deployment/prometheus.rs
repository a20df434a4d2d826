//! How Prometheus is started: as the deployment says, else so that it fits the route.

use super::route::Route;
use super::tree::Tree;
use super::{DeploymentError, Options, read};

/// The command line and configuration of Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prometheus {
    /// The flags that the deployment starts it with, or those derived from the route.
    pub args: Vec<String>,
    /// Whether the flags were given.
    pub args_given: bool,
    /// The text of its `prometheus.yml`.
    pub config: String,
    /// The file that the text is from, the way the user named it; none if the text was made.
    pub config_location: Option<String>,
}

const EXTERNAL_URL: &str = "web.external-url";
const ROUTE_PREFIX: &str = "web.route-prefix";

impl Prometheus {
    /// One for each server that the routes lead to. What the options give is about the first.
    pub(super) fn load_all(options: &Options, tree: &Tree, routes: &[Route]) -> Result<Vec<Self>, DeploymentError> {
        let servers = routes.iter().map(|route| route.prometheus + 1).max().unwrap_or(0);
        let first_of = |server| routes.iter().find(|route| route.prometheus == server);
        let others = Options::default();
        let each =
            (0..servers).filter_map(|server| Some((if server == 0 { options } else { &others }, first_of(server)?)));
        each.enumerate().map(|(index, (options, route))| Self::load(options, tree, route, index == 0)).collect()
    }

    fn load(options: &Options, tree: &Tree, route: &Route, is_first: bool) -> Result<Self, DeploymentError> {
        let args_given = !options.prometheus_args.is_empty();
        let args = if args_given { options.prometheus_args.clone() } else { derived_args(route) };
        let beside = Some(tree.dir().join("prometheus.yml")).filter(|path| is_first && path.is_file());
        let (config, config_location) = match options.prometheus_config.clone().or(beside) {
            Some(path) => (read::text(&path)?, Some(path.display().to_string())),
            None => (made_config(route, &route_prefix(&args)), None),
        };
        Ok(Self { args, args_given, config, config_location })
    }

    /// The value of a flag, named without its dashes: `--flag=value` or `--flag value`.
    pub fn flag(&self, name: &str) -> Option<&str> {
        flag(&self.args, name)
    }

    /// Whether a flag without a value is on, such as `web.enable-lifecycle`. `--no-FLAG` turns it off.
    pub fn has_flag(&self, name: &str) -> bool {
        let (on, off) = (format!("--{name}"), format!("--no-{name}"));
        self.args.iter().rfind(|arg| **arg == on || **arg == off).is_some_and(|arg| *arg == on)
    }

    /// The URL that it is told to be reached at.
    pub fn external_url(&self) -> Option<&str> {
        self.flag(EXTERNAL_URL)
    }

    /// The path below which it serves all of its own: `/prometheus`, or empty for the root.
    ///
    /// As Prometheus does it: `--web.route-prefix`, else the path of `--web.external-url`.
    pub fn route_prefix(&self) -> String {
        route_prefix(&self.args)
    }
}

fn flag<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().enumerate().find_map(|(index, arg)| {
        let rest = arg.strip_prefix("--")?.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            None if rest.is_empty() => args.get(index + 1).map(String::as_str),
            value => value,
        }
    })
}

fn route_prefix(args: &[String]) -> String {
    let path = match flag(args, ROUTE_PREFIX).filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => prefix,
        None => flag(args, EXTERNAL_URL).map_or("", url_path),
    };
    super::normal_prefix(path)
}

fn url_path(url: &str) -> &str {
    let after_host = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => url,
    };
    after_host.split(['?', '#']).next().unwrap_or_default()
}

/// The flags with which the route works: links start with the public URL, and the paths that arrive are served.
fn derived_args(route: &Route) -> Vec<String> {
    let path = if route.prefix.is_empty() { "/" } else { &route.prefix };
    let mut args = vec![format!("--{EXTERNAL_URL}={}{path}", route.origin())];
    let served_below = route.served_below();
    if served_below != route.prefix {
        let prefix = if served_below.is_empty() { "/" } else { served_below };
        args.push(format!("--{ROUTE_PREFIX}={prefix}"));
    }
    args
}

/// The least that gives `up` a value: Prometheus scrapes itself, often enough that nobody waits.
fn made_config(route: &Route, route_prefix: &str) -> String {
    let port = route.upstream.port();
    format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: prometheus\n    \
         metrics_path: {route_prefix}/metrics\n    static_configs:\n      - targets: [\"localhost:{port}\"]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix_of(args: &[&str]) -> String {
        route_prefix(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_route_prefix_is_what_prometheus_makes_of_its_flags() {
        assert_eq!(prefix_of(&[]), "");
        assert_eq!(prefix_of(&["--web.external-url=https://a.b/prom/"]), "/prom");
        assert_eq!(prefix_of(&["--web.external-url", "https://a.b"]), "");
        assert_eq!(prefix_of(&["--web.external-url=/prom/"]), "/prom");
        assert_eq!(prefix_of(&["--web.external-url=https://a.b/prom", "--web.route-prefix=/"]), "");
        assert_eq!(prefix_of(&["--web.route-prefix", "x/y/"]), "/x/y");
    }

    #[test]
    fn a_flag_is_not_taken_for_one_with_a_longer_name() {
        let prometheus = Prometheus {
            args: [
                "--web.external-url-x=1",
                "--web.enable-lifecycle",
                "--web.enable-admin-api",
                "--no-web.enable-admin-api",
            ]
            .map(str::to_owned)
            .to_vec(),
            args_given: true,
            config: String::new(),
            config_location: None,
        };
        assert_eq!(prometheus.external_url(), None);
        assert!(prometheus.has_flag("web.enable-lifecycle"));
        assert!(!prometheus.has_flag("web.enable-admin-api"));
    }
}
