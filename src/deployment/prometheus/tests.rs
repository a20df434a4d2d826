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

#[test]
fn a_compose_service_is_found_by_its_image_and_read_with_its_variables() {
    let compose = "services:\n  web:\n    image: nginx\n  prom:\n    image: \"prom/prometheus:${V:-v3}\"\n    \
        container_name: prometheus\n    entrypoint: /bin/sh -c\n    command:\n      - exec /bin/prometheus --a=${A} --b=$$B\n    \
        environment: [B=2]\n    ports:\n      - 8080:9090\n      - target: 9090\n        published: 9091\n        host_ip: 127.0.0.1\n      - \"9090\"\n";
    let found = prometheus("compose.yml", compose, &[(".env", "A=1")]);
    assert_eq!(flags(&found), ["--a=1 9:9", "--b=2 9:9"]);
    let ports: Vec<_> =
        found.ports.iter().map(|port| (port.port, port.container_port, port.address.as_deref())).collect();
    assert_eq!(ports, [(8080, 9090, None), (9091, 9090, Some("127.0.0.1")), (0, 9090, None)]);
    assert_eq!(found.ports.iter().map(|port| port.public).collect::<Vec<_>>(), [true, false, true]);
    assert!(found.contained);
    let text =
        "services:\n  prometheus:\n    image: prom/prometheus\n    command: >-\n      --a='1 2'\n      --web.b\n";
    assert_eq!(flags(&prometheus("c.yml", text, &[])), ["--a=1 2 5:7", "--web.b 6:7"]);
    let no_command = prometheus("c.yml", "services: {p: {image: prom/prometheus}}", &[]);
    assert!(no_command.flags_given && no_command.flags.is_empty());
}

#[test]
fn compose_mounts_only_what_is_beside_it() {
    let compose = "services:\n  prometheus:\n    image: prom/prometheus\n    volumes:\n      - ./conf:/etc/prometheus\n      \
        - ../secret.yml:/etc/prometheus/prometheus.yml\n      - /etc/hostname:/etc/prometheus/host.yml\n";
    let own = "rule_files: [host.yml, '*.rules']\n";
    let others =
        [("d/compose.yml", compose), ("d/conf/prometheus.yml", own), ("d/conf/a.rules", "r"), ("secret.yml", "s")];
    let files = Files::of(&[&[("nginx.conf", NGINX)], &others[..]].concat());
    let found = load(&files, "d/compose.yml").unwrap().prometheus.remove(0);
    assert_eq!(found.config, own);
    let paths: Vec<_> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/etc/prometheus/a.rules"]);
    let alone = compose.replace("./conf:/etc/prometheus\n", "data:/x\n");
    let found = prometheus("compose.yml", &alone, &[]);
    assert!(found.config_location.is_none());
    assert!(found.config_missing.unwrap().0.ends_with("secret.yml"));
}

#[test]
fn of_several_the_one_that_the_route_names_is_taken() {
    let two = "services:\n  a: {image: prom/prometheus, command: --x}\n  b: {image: prom/prometheus, hostname: NAME, command: --y}\n";
    assert_eq!(flags(&prometheus("c.yml", &two.replace("NAME", "prometheus"), &[])), ["--y 3:62"]);
    let message = refusal("c.yml", &two.replace("NAME", "other"));
    assert!(message.contains("it starts several: the service a (") && message.contains("c.yml:3:3)"), "{message}");
    assert!(message.contains("called `prometheus` as the upstream"), "{message}");
}

#[test]
fn the_command_line_wins_over_the_file() {
    let files = Files::of(&[("nginx.conf", NGINX), ("u.service", "[Service]\nExecStart=prometheus --a=1 --b=1")]);
    let from = Some(files.path("u.service"));
    let options =
        Options { prometheus_from: from, prometheus_args: vec!["--a".into(), "2".into()], ..Options::default() };
    let found = files.load_with(&options).unwrap().prometheus.remove(0);
    assert_eq!(flags(&found), ["--b=1 2:28", "--a=2"]);
}

#[test]
fn what_does_not_start_prometheus_is_refused_with_the_cure() {
    let missing = "[Service]\nEnvironmentFile=/etc/default/x\nExecStart=/usr/bin/prometheus $ARGS\n";
    for (name, text, expected) in [
        (
            "x.txt",
            "hello",
            "a systemd unit (or its environment file, such as /etc/default/prometheus), a docker-compose.yml or a Kubernetes manifest",
        ),
        ("prometheus.yml", "scrape_configs: []", "a prometheus.yml goes with --prometheus-config"),
        (
            "c.yml",
            "services:\n  web: {image: nginx}\n  e: {image: prom/node-exporter}",
            "none of its services (web, e)",
        ),
        ("k.yaml", "apiVersion: v1\nkind: Service\n", "none of its objects (Service)"),
        (
            "u.service",
            "[Service]\nExecStart=/usr/bin/node_exporter\n",
            "no `ExecStart=` of its `[Service]` starts Prometheus",
        ),
        ("u.service", missing, "u.service:3:1: `$ARGS` is set in `/etc/default/x`, which is not beside the unit"),
        (
            "u.service",
            "[Service]\nExecStart=/usr/bin/prometheus --a='b\n",
            "u.service:2:1: a quote in this command line is never closed",
        ),
        (
            "c.yml",
            "services:\n  p:\n    image: prom/prometheus\n    command:\n      - --a=${B}\n",
            "c.yml:5:9: the variable `B` is not set",
        ),
        ("c.yml", "services:\n  p: [\n", "c.yml:3:1: this is not YAML"),
        (
            "k.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: prom/prometheus\n      env: [{name: A, valueFrom: {}}]\n      args: [\"--a=$(A)\"]\n",
            "k.yaml:7:14: the value of `$(A)` is not in the manifest",
        ),
    ] {
        let message = refusal(name, text);
        assert!(message.contains(expected), "{message}");
    }
    let message = load(&Files::of(&[("nginx.conf", NGINX)]), "none").unwrap_err().to_string();
    assert!(message.contains("none` does not exist"), "{message}");
}

#[test]
fn a_web_configuration_and_secrets_are_files_of_their_own() {
    let unit = "[Service]\nExecStart=prometheus --web.config.file=web.yml\n";
    let web = "tls_server_config: {cert_file: a.crt, key_file: a.key}\nbasic_auth_users:\n  me: x\n";
    let yml = "scrape_configs:\n  - job_name: a\n    scheme: https\n    bearer_token_file: /run/token\n    tls_config: {ca_file: ca.crt}\n    \
        static_configs: [{targets: ['x', 'prometheus:9090']}]\n    consul_sd_configs: [{server: c}]\n";
    let found =
        prometheus("u.service", unit, &[("web.yml", web), ("prometheus.yml", yml), ("a.crt", "C"), ("a.key", "K")]);
    assert!(found.speaks_tls() && found.asks_for_a_password());
    let files: Vec<_> = found.files.iter().map(|file| (file.path.as_str(), file.content.is_some())).collect();
    let expected = [
        ("/etc/prometheus/a.crt", true),
        ("/etc/prometheus/a.key", true),
        ("/run/token", false),
        ("/etc/prometheus/ca.crt", false),
    ];
    let mut sorted = files.clone();
    sorted.sort_unstable();
    let mut wanted = expected;
    wanted.sort_unstable();
    assert_eq!(sorted, wanted);
    let targets: Vec<_> = found.targets.iter().map(|target| (target.address.to_string(), target.trust)).collect();
    assert_eq!(targets, [("x:443".to_owned(), TargetTrust::Given)]);
    assert_eq!(found.unanswered[0].key, "consul_sd_configs");
    assert!(!format!("{found:?}").contains("\"K\""));
}

#[test]
fn thousands_of_targets_are_not_too_many() {
    let targets: Vec<_> = (0..3000).map(|number| format!("n{number}:1")).collect();
    let yml = format!("scrape_configs: [{{job_name: a, static_configs: [{{targets: [{}]}}]}}]\n", targets.join(","));
    let found = prometheus("u.service", "[Service]\nExecStart=prometheus\n", &[("prometheus.yml", &yml)]);
    assert_eq!(found.targets.len(), 500);
    assert_eq!(found.unanswered[0].key, "targets after the first 500");
}

#[test]
fn a_container_in_the_host_s_network_is_open_where_it_listens() {
    let open = |command: &str| {
        let text = format!(
            "services:\n  prometheus:\n    image: prom/prometheus\n    network_mode: host\n    ports: ['9090:9090']\n    {command}\n"
        );
        let found = prometheus("c.yml", &text, &[]);
        let ports = found.ports.iter();
        ports.map(|port| (port.port, port.public, port.by, port.location.line)).collect::<Vec<_>>()
    };
    assert_eq!(open(""), [(9090, true, PublishedBy::HostNetwork, 4)]);
    assert_eq!(open("command: --web.listen-address=127.0.0.1:9191"), [(9191, false, PublishedBy::HostNetwork, 4)]);
}

#[test]
fn a_service_of_a_cluster_is_open_by_its_type() {
    let open = |kind: &str, port: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: prometheus\n  labels: {{a: b}}\nspec:\n  containers:\n    - image: prom/prometheus\n      \
             name: p\n---\napiVersion: v1\nkind: Service\nmetadata: {{name: prom}}\nspec:\n  {kind}\n  selector: {{a: b}}\n  ports:\n    - port: 9090\n{port}"
        );
        let found = prometheus("k.yml", &text, &[]);
        let ports = found.ports.iter().filter(|port| port.public);
        ports.map(|port| (port.port, port.on_host)).collect::<Vec<_>>()
    };
    assert_eq!(open("type: ClusterIP", ""), []);
    assert_eq!(open("type: LoadBalancer", ""), [(9090, false)]);
    assert_eq!(open("type: NodePort", "      nodePort: 30090\n"), [(30090, true)]);
}
