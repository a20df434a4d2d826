//! The loading as a whole: what the guide's file comes to, which route is taken, what is refused.

use super::testing::Files;
use super::*;

/// The guide's configuration, as printed.
const GUIDE: &str = "http {
    server {
        listen              443 ssl;
        server_name         example.com;
        ssl_certificate     /root/certs/example.com/example.com.crt;
        ssl_certificate_key /root/certs/example.com/example.com.key;

        location /prometheus/ {
            proxy_pass http://localhost:9090/;
        }
    }
}

events {}
";

fn route(conf: &str, options: &Options) -> Result<Route, DeploymentError> {
    Files::of(&[("nginx.conf", conf)]).load_with(options).map(|deployment| deployment.routes[0].clone())
}

fn args(location: &str) -> Vec<String> {
    let conf = format!("http {{ server {{ listen 8443 ssl; server_name a.b; {location} }} }}");
    let deployment = Files::of(&[("nginx.conf", &conf)]).load().unwrap();
    deployment.prometheus[0].flags.iter().map(|flag| flag.text.clone()).collect()
}

#[test]
fn the_guide_is_understood() {
    let files = Files::of(&[("nginx.conf", GUIDE)]);
    let deployment = files.load().unwrap();
    let route = deployment.route();
    assert_eq!(route.public_url(), "https://example.com/prometheus/");
    assert_eq!(route.upstream.to_string(), "localhost:9090");
    assert!(route.strips_prefix());
    assert_eq!((route.location.line, route.proxy_pass.line), (8, 9));
    assert_eq!(route.why, "its port is 9090");
    assert_eq!(deployment.facts(0).server().certificates[0].key.path, "/root/certs/example.com/example.com.key");
    let prometheus = &deployment.prometheus[0];
    let flags: Vec<_> = prometheus.flags.iter().map(|flag| flag.text.as_str()).collect();
    assert_eq!(flags, ["--web.external-url=https://example.com/prometheus", "--web.route-prefix=/"]);
    assert!(prometheus.config.contains("metrics_path: /metrics\n"));
    assert_eq!(prometheus.config_location, None);
}

#[test]
fn flags_fit_the_path_that_prometheus_gets() {
    for (location, expected) in [
        ("/p/ { proxy_pass http://prom:9090; }", vec!["--web.external-url=https://a.b:8443/p"]),
        ("/ { proxy_pass http://prom:9090; }", vec!["--web.external-url=https://a.b:8443/"]),
        (
            "/ { proxy_pass http://prom:9090/x/; }",
            vec!["--web.external-url=https://a.b:8443/", "--web.route-prefix=/x"],
        ),
        (
            "/push { proxy_pass http://prom:9090/api/v1/write; }",
            vec!["--web.external-url=https://a.b:8443/push", "--web.route-prefix=/"],
        ),
    ] {
        assert_eq!(args(&format!("location {location}")), expected);
    }
}

#[test]
fn of_several_routes_the_surest_is_taken() {
    let tls = "listen 443 ssl; server_name t;";
    for (servers, expected) in [
        // TLS over plain, and the name over the port.
        (
            format!(
                "server {{ location / {{ proxy_pass http://prom:1; }} }} server {{ {tls} location /p/ {{ proxy_pass http://prom:2; }} }}"
            ),
            "prom:2",
        ),
        (
            format!(
                "server {{ {tls} location / {{ proxy_pass http://a:9090; }} location /p/ {{ proxy_pass http://prometheus; }} }}"
            ),
            "prometheus:80",
        ),
        // All of Prometheus over one of its endpoints.
        (
            format!(
                "server {{ {tls} location = /a {{ proxy_pass http://prom:1; }} location /metrics {{ proxy_pass http://prom:2; }} location /b/ {{ proxy_pass http://prom:3/; }} }}"
            ),
            "prom:3",
        ),
        (
            "upstream prom { server 10.0.0.1:1; server 10.0.0.2:2; } server { location / { proxy_pass http://prom; } }"
                .to_owned(),
            "10.0.0.1:1",
        ),
        ("server { set $up prometheus; location / { proxy_pass http://$up:9090; } }".to_owned(), "prometheus:9090"),
        ("server { location /prometheus/ { proxy_pass http://10.0.0.1:80/; } }".to_owned(), "10.0.0.1:80"),
        (
            "server { location / { proxy_pass http://10.0.0.1:1; if ($x) { proxy_pass http://b:9090; } } }".to_owned(),
            "b:9090",
        ),
    ] {
        let found = route(&format!("http {{ {servers} }}"), &Options::default()).unwrap();
        assert_eq!(found.upstream.to_string(), expected, "{servers}");
    }
}

#[test]
fn options_win() {
    let conf = "http { server { server_name x y; location /a/ { proxy_pass http://prom:9090; }
        location /b/ { proxy_pass http://[::1]:80/; } } }";
    let options = Options { upstream: Some("[::1]:80".parse().unwrap()), ..Options::default() };
    let found = route(conf, &options).unwrap();
    assert_eq!((found.prefix.as_str(), found.why.as_str()), ("/b", "`--upstream` names it"));
    let options = Options { server_name: Some("y".to_owned()), prefix: Some("c/".to_owned()), ..Options::default() };
    let found = route(conf, &options).unwrap();
    assert_eq!(found.public_url(), "http://y/c/");
    assert_eq!(found.url_of("/c/x?a=b").as_str(), "http://y/c/x?a=b");
    let options = Options { server_name: Some("y:8443/c".to_owned()), ..Options::default() };
    let message = route(conf, &options).unwrap_err().to_string();
    assert!(message.contains("without scheme, port or path"), "{message}");
}

#[test]
fn the_public_name_is_one_that_a_client_can_ask_for() {
    for (names, expected) in [
        ("_", "localhost"),
        ("\"\" _ b.c", "b.c"),
        ("*.example.com", "prometheus.example.com"),
        (".example.com", "example.com"),
        ("~^www\\..+$ ${domain} 999.1.1.1", "localhost"),
    ] {
        let conf = format!("http {{ server {{ server_name {names}; location / {{ proxy_pass http://prom; }} }} }}");
        assert_eq!(route(&conf, &Options::default()).unwrap().server_name, expected);
    }
}

#[test]
fn without_a_route_the_upstreams_are_listed() {
    let conf =
        "http { server { location / { proxy_pass http://grafana:3000; }\nlocation /b { proxy_pass http://$x; } } }";
    let message = route(conf, &Options::default()).unwrap_err().to_string();
    assert!(message.contains("grafana:3000 ("), "{message}");
    assert!(message.contains("nginx.conf:1:30"), "{message}");
    assert!(message.contains("`http://$x`"), "{message}");
    assert!(message.contains("--upstream HOST:PORT"), "{message}");
    let options = Options { upstream: Some("a:1".parse().unwrap()), ..Options::default() };
    assert!(route(conf, &options).unwrap_err().to_string().contains("leads to `a:1`"));
}

#[test]
fn the_prometheus_yml_of_the_tree_is_used_unless_another_is_given() {
    let files = Files::of(&[("nginx.conf", GUIDE), ("prometheus.yml", "x"), ("other.yml", "y")]);
    assert_eq!(files.load().unwrap().prometheus[0].config, "x");
    let options = Options { prometheus_config: Some(files.path("other.yml")), ..Options::default() };
    let prometheus = files.load_with(&options).unwrap().prometheus.remove(0);
    assert_eq!(prometheus.config, "y");
    assert!(prometheus.config_location.unwrap().ends_with("other.yml"));
}

#[test]
fn what_is_no_configuration_is_refused_with_the_cure() {
    let files = Files::of(&[("empty.conf", "\n# only this\n"), ("dir/x.txt", GUIDE)]);
    for (name, expected) in [
        ("none.conf", "does not exist"),
        ("empty.conf", "empty or has only comments"),
        ("dir", "without an nginx.conf"),
    ] {
        let message = Deployment::load(files.path(name)).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_ca_must_be_one() {
    let files = Files::of(&[("nginx.conf", GUIDE), ("ca.pem", "nothing")]);
    let options = Options { cacert: Some(files.path("ca.pem")), ..Options::default() };
    let message = files.load_with(&options).unwrap_err().to_string();
    assert!(message.contains("no certificate in PEM form"), "{message}");
}
