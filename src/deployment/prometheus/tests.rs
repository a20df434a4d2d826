//! How Prometheus is started, by each kind of file that says it.

use super::super::testing::Files;
use super::super::{Deployment, Options};
use super::*;

const NGINX: &str = "http { server { listen 443 ssl; server_name a.b;
    location /prometheus/ { proxy_pass http://prometheus:9090/; } } }";

fn load(files: &Files, from: &str) -> Result<Deployment, DeploymentError> {
    files.load_with(&Options { prometheus_from: Some(files.path(from)), ..Options::default() })
}

fn prometheus(name: &str, text: &str, others: &[(&str, &str)]) -> Prometheus {
    let files = Files::of(&[&[("nginx.conf", NGINX), (name, text)], others].concat());
    load(&files, name).unwrap().prometheus.remove(0)
}

fn refusal(name: &str, text: &str) -> String {
    let files = Files::of(&[("nginx.conf", NGINX), (name, text)]);
    load(&files, name).unwrap_err().to_string()
}

fn flags(prometheus: &Prometheus) -> Vec<String> {
    let shown = |flag: &PrometheusFlag| {
        let place = flag.location.as_ref().map(|place| format!(" {}:{}", place.line, place.column));
        format!("{}{}", flag.text, place.unwrap_or_default())
    };
    prometheus.flags.iter().map(shown).collect()
}

fn flag_of(text: &str) -> PrometheusFlag {
    PrometheusFlag { text: text.to_owned(), location: None }
}

#[test]
fn the_route_prefix_is_what_prometheus_makes_of_its_flags() {
    let prefix_of = |args: &[&str]| route_prefix(&flag::joined(args.iter().map(|arg| flag_of(arg))));
    assert_eq!(prefix_of(&[]), "");
    assert_eq!(prefix_of(&["--web.external-url=https://a.b/prom/"]), "/prom");
    assert_eq!(prefix_of(&["--web.external-url", "https://a.b"]), "");
    assert_eq!(prefix_of(&["--web.external-url=/prom/"]), "/prom");
    assert_eq!(prefix_of(&["--web.external-url=https://a.b/prom", "--web.route-prefix=/"]), "");
    assert_eq!(prefix_of(&["--web.route-prefix", "x/y/"]), "/x/y");
}

#[test]
fn a_flag_is_not_taken_for_one_with_a_longer_name() {
    let mut prometheus = prometheus("prometheus.service", "[Service]\nExecStart=/usr/bin/prometheus", &[]);
    let texts =
        ["--web.external-url-x=1", "--web.enable-lifecycle", "--web.enable-admin-api", "--no-web.enable-admin-api"];
    prometheus.flags = texts.map(flag_of).to_vec();
    assert_eq!(prometheus.external_url(), None);
    assert!(prometheus.has_flag("web.enable-lifecycle"));
    assert!(!prometheus.has_flag("web.enable-admin-api"));
}

#[test]
fn a_unit_is_read_with_its_variables() {
    let unit = "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/false\nExecStart=\n\
        Environment=PREFIX=/p \"FLAGS=--web.enable-lifecycle --a='b c'\"\nEnvironmentFile=-/etc/default/prometheus\n\
        # a comment\nExecStart=-/usr/bin/prometheus $FLAGS \\\n  --web.external-url=https://a.b${PREFIX} \\\n# another\n  \
        -log.level debug $ARGS $$ --x=%%\n[Install]\nExecStart=/usr/bin/prometheus --no\n";
    let found = prometheus("prometheus.service", unit, &[("prometheus", "ARGS=\"--from.file=1 \\\n --b\"\n")]);
    let expected = [
        "--web.enable-lifecycle 6:30",
        "--a=b c 6:53",
        "--web.external-url=https://a.b/p 10:3",
        "--log.level=debug 12:3",
        "--from.file=1 9:1",
        "--b=$ 9:1",
        "--x=% 12:29",
    ];
    assert_eq!(flags(&found), expected);
}

#[test]
fn an_environment_file_alone_is_enough() {
    let text = "# Set the command-line arguments to pass to the server.\nOTHER=1\nARGS=\"--web.external-url=https://a.b/p \\\n --web.enable-lifecycle\"\n";
    let found = prometheus("default", text, &[]);
    assert_eq!(flags(&found), ["--web.external-url=https://a.b/p 3:7", "--web.enable-lifecycle 4:2"]);
    assert!(found.flags_given);
    assert_eq!(flags(&prometheus("default", "ARGS=\"\"\n", &[])), [""; 0]);
    assert!(refusal("default", "A=\"--x\"\nB=\"--y\"\n").contains("several of its variables hold flags: A, B"));
    assert!(refusal("default", "A=1\n").contains("none of its variables holds flags"));
    assert!(refusal("default", "ARGS=\"--x 'y\"\n").contains("default:1:1: a quote in this command line"));
}
