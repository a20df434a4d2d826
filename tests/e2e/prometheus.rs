//! Prometheus as the deployment starts it: by each kind of file that says so, with its own configuration and targets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proxyproof::deployment::Options;
use proxyproof::{BootOptions, Deployment, Lab, SubstitutionKind};
use serde_json::Value;

use crate::support::{block_on, debian, has_docker, project, proxyproof};

/// Prometheus scrapes for the first time five seconds after its start.
const PATIENCE: Duration = Duration::from_secs(40);

async fn boot(fixture: &str, from: Option<&str>) -> proxyproof::Result<Lab> {
    let folder = project("fixtures/prometheus").join(fixture);
    let options = Options { prometheus_from: from.map(|name| folder.join(name)), ..Options::default() };
    let programs = BootOptions { nginx: debian("trixie"), prometheus: debian("trixie"), ..BootOptions::default() };
    Deployment::load_with(folder.join("nginx.conf"), &options)?.boot_with(&programs).await
}

async fn api(lab: &Lab, path: &str) -> Value {
    let answer = lab.get(&format!("/prometheus/api/v1/{path}")).await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer.json::<Value>().await.expect("JSON")["data"].clone()
}

/// What the running Prometheus says of a flag.
async fn flag(lab: &Lab, name: &str) -> String {
    api(lab, "status/flags").await[name].as_str().unwrap_or_else(|| panic!("no flag {name}")).to_owned()
}

/// The health of each target once all were scraped, by the URL.
async fn targets(lab: &Lab) -> BTreeMap<String, String> {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        let found = api(lab, "targets?state=active").await;
        let shown = |target: &Value| {
            let text = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
            (text("scrapeUrl"), format!("{} {}", text("health"), text("lastError")).trim().to_owned())
        };
        let found: BTreeMap<_, _> = found["activeTargets"].as_array().expect("targets").iter().map(shown).collect();
        let settled = !found.is_empty() && found.values().all(|health| health != "unknown");
        if settled || begun.elapsed() > PATIENCE {
            return found;
        }
    }
}

/// What was made for a run, by what stands for it.
async fn made(lab: &Lab, kind: SubstitutionKind) -> Vec<String> {
    let report = lab.check().await.expect("a report");
    report.assert_passed();
    let all = report.deployments[0].substitutions.iter().filter(|substitution| substitution.kind == kind);
    all.map(|substitution| substitution.what.clone()).collect()
}

#[test]
fn a_unit_starts_prometheus() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("unit", Some("prometheus.service")).await?;
        assert_eq!(flag(&lab, "web.external-url").await, "https://example.com/prometheus/");
        // From the file of variables beside it.
        assert_eq!(flag(&lab, "web.enable-lifecycle").await, "true");
        assert_eq!(made(&lab, SubstitutionKind::PrometheusFlags).await, ["--storage.tsdb.path=/var/lib/prometheus"]);
        let place = lab.deployment().prometheus[0].flag_place("web.external-url").expect("a place");
        assert_eq!((place.line, place.column), (14, 5));
        lab.close().await
    });
}

#[test]
fn a_file_of_variables_starts_prometheus() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("default-file", Some("default")).await?;
        assert_eq!(flag(&lab, "web.external-url").await, "https://example.com/prometheus/");
        assert_eq!(flag(&lab, "web.route-prefix").await, "/");
        assert!(made(&lab, SubstitutionKind::PrometheusFlags).await.is_empty());
        lab.close().await
    });
}

#[test]
fn a_compose_file_starts_prometheus_with_its_volumes() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("compose", Some("docker-compose.yml")).await?;
        assert_eq!(flag(&lab, "web.external-url").await, "https://example.com/prometheus/");
        assert_eq!(api(&lab, "rules").await["groups"][0]["file"], "/etc/prometheus/rules/up.yml");
        assert!(made(&lab, SubstitutionKind::PrometheusConfig).await.is_empty());
        let ports = &lab.deployment().prometheus[0].ports;
        assert_eq!((ports[0].port, ports[0].address.as_deref(), ports[0].on_host), (9090, Some("127.0.0.1"), true));
        lab.close().await
    });
}

#[test]
fn a_manifest_starts_prometheus_with_its_config_map_behind_its_service() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("k8s-deployment", Some("prometheus.yaml")).await?;
        assert_eq!(flag(&lab, "web.external-url").await, "https://example.com/prometheus/");
        assert_eq!(flag(&lab, "config.file").await, "/etc/config/prometheus.yml");
        assert_eq!(made(&lab, SubstitutionKind::Target).await, ["kubernetes_sd_configs of pods"]);
        let expected = [("http://localhost:9090/prometheus/metrics".to_owned(), "up".to_owned())];
        assert_eq!(targets(&lab).await, BTreeMap::from(expected));
        lab.close().await
    });
}

#[test]
fn the_operator_s_prometheus_has_the_operator_s_flags() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("operator", Some("prometheus.yaml")).await?;
        for (name, value) in [
            ("web.external-url", "https://example.com/prometheus/"),
            ("web.route-prefix", "/prometheus"),
            ("web.enable-admin-api", "true"),
            ("web.enable-lifecycle", "true"),
            ("web.page-title", "Main"),
            ("enable-feature", "exemplar-storage"),
        ] {
            assert_eq!(flag(&lab, name).await, value, "{name}");
        }
        lab.close().await
    });
}

#[test]
fn rules_target_lists_and_alerts_work_as_they_are() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("alerting-and-remote-write", None).await?;
        let up = |url: &str| (url.to_owned(), "up".to_owned());
        let expected = BTreeMap::from([
            up("http://localhost:9090/prometheus/metrics"),
            up("http://10.20.30.40:9100/metrics"),
            up("http://node.example.net:9100/metrics"),
            up("http://blackbox:9115/probe?target=https%3A%2F%2Fexample.com%2F"),
        ]);
        assert_eq!(targets(&lab).await, expected);
        let managers = api(&lab, "alertmanagers").await;
        assert_eq!(managers["activeAlertmanagers"][0]["url"], "http://alertmanager:9093/alertmanager/api/v2/alerts");
        assert_eq!(api(&lab, "rules").await["groups"][0]["rules"][0]["name"], "Always");
        assert_eq!(made(&lab, SubstitutionKind::Target).await.len(), 5);
        lab.close().await
    });
}

#[test]
fn targets_over_tls_are_up_and_verified() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("tls-target", None).await?;
        let up = |url: &str| (url.to_owned(), "up".to_owned());
        let expected = BTreeMap::from([
            up("http://localhost:9090/prometheus/metrics"),
            up("https://10.20.30.40:9100/metrics"),
            up("https://metrics.example.net/metrics"),
        ]);
        let found: BTreeMap<_, _> =
            targets(&lab).await.into_iter().map(|(url, health)| (url.replace(":443/", "/"), health)).collect();
        assert_eq!(found, expected);
        assert_eq!(
            made(&lab, SubstitutionKind::Ca).await,
            ["/etc/prometheus/tls/ca.crt", "/etc/ssl/certs/ca-certificates.crt"]
        );
        lab.close().await
    });
}

#[test]
fn prometheus_speaks_tls_where_nginx_does() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("https-upstream", None).await?;
        assert_eq!(made(&lab, SubstitutionKind::File).await, ["/etc/prometheus/proxyproof-web.yml"]);
        assert_eq!(
            targets(&lab).await,
            BTreeMap::from([("https://localhost:9090/metrics".to_owned(), "up".to_owned())])
        );
        lab.close().await
    });
}

#[test]
fn prometheus_s_own_certificate_and_passwords_are_made_and_known() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("web-config", Some("prometheus.service")).await?;
        assert_eq!(made(&lab, SubstitutionKind::File).await, ["/etc/prometheus/web.yml"]);
        assert_eq!(
            made(&lab, SubstitutionKind::Certificate).await.last().map(String::as_str),
            Some("/etc/prometheus/tls/prometheus.crt")
        );
        let expected = [("https://localhost:9090/prometheus/metrics".to_owned(), "up".to_owned())];
        assert_eq!(targets(&lab).await, BTreeMap::from(expected));
        lab.close().await
    });
}

#[test]
fn the_command_line_that_the_deployment_needs_is_shown() {
    if !has_docker() {
        return;
    }
    let sources = ["--nginx", "debian:trixie", "--prometheus", "debian:trixie"];
    let mut command = proxyproof();
    let output = command.args(["check", "fixtures/guide/nginx.conf"]).args(sources).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = "prometheus --web.external-url=https://example.com/prometheus --web.route-prefix=/";
    assert!(text.contains(line), "{text}");
}
