//! Modules of nginx: installed, loaded, at work; and named with their line where a build lacks them.

use proxyproof::{BootOptions, Deployment, Lab};
use serde_json::Value;

use crate::fixture::with_short_location;
use crate::support::{block_on, debian, has_docker, project, proxyproof};

/// Boots a fixture with the nginx of a release. A module that is missing is an error here.
async fn boot(fixture: &str, nginx: &str) -> proxyproof::Result<Lab> {
    let options = BootOptions { nginx: debian(nginx), prometheus: debian("trixie"), ..BootOptions::default() };
    Deployment::load(project(&format!("fixtures/world/{fixture}/nginx.conf")))?.boot_with(&options).await
}

async fn body(answer: reqwest::Response) -> String {
    answer.text().await.expect("a body")
}

#[test]
fn headers_are_set_and_cleared_on_the_oldest_and_the_newest_release() {
    if !has_docker() {
        return;
    }
    for release in ["bullseye", "forky"] {
        block_on(async {
            let lab = boot("headers-more", release).await?;
            let answer = lab.get("/prometheus/-/ready").await?;
            assert_eq!((answer.status().as_u16(), &answer.headers()["x-served-by"]), (200, &"edge".parse().unwrap()));
            assert!(!answer.headers().contains_key("server"), "{answer:?}");
            lab.close().await
        });
    }
}

#[test]
fn lua_answers_refuses_and_adds_headers() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("lua", "trixie").await?;
        let answer: Value = serde_json::from_str(&body(lab.get("/whoami").await?).await).expect("JSON of lua-cjson");
        assert_eq!(answer, serde_json::json!({"words": 3, "uri": "/whoami"}));
        let ready = lab.get("/prometheus/-/ready").await?;
        assert_eq!(
            (ready.status().as_u16(), ready.headers()["x-seen"].to_str().unwrap().chars().next()),
            (200, Some('{'))
        );
        assert_eq!(lab.get("/prometheus/-/ready?forbidden=}").await?.status(), 403);
        lab.close().await
    });
}

#[test]
fn a_module_that_is_loaded_and_one_that_is_only_used_work_together() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("brotli", "trixie").await?;
        let request = lab.client().get(lab.url("/prometheus/api/v1/labels")).header("accept-encoding", "br");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.headers()["content-encoding"], "br");
        lab.close().await
    });
}

#[test]
fn a_module_is_found_where_another_system_keeps_it() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("echo", "trixie").await?;
        // The checksum of `/healthz`, by a module that is loaded on the command line.
        assert_eq!(body(lab.get("/healthz").await?).await, "ok 53fcc16a82ab9ddf85f01376a15e1bf8\n");
        lab.close().await
    });
}

#[test]
fn a_stream_in_front_is_a_module_too() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("stream-in-front", "trixie").await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.close().await
    });
}

/// The findings of a check, and its exit code.
fn findings(config: &str, nginx: &str) -> (i32, Vec<Value>) {
    let arguments = ["check", "--format", "json", "--prometheus", "debian:trixie", "--nginx", nginx, config];
    let output = proxyproof().args(arguments).output().expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let findings = report["deployments"][0]["findings"].as_array().expect("findings");
    (output.status.code().expect("an exit code"), findings.iter().map(with_short_location).collect())
}

#[test]
fn a_module_that_a_release_lacks_is_named_with_its_line_and_with_one_that_has_it() {
    if !has_docker() {
        return;
    }
    let config = "fixtures/world/echo/nginx.conf";
    let (code, findings) = findings(config, "debian:bullseye");
    assert_eq!((code, findings.len()), (1, 1), "{findings:?}");
    assert_eq!(findings[0]["location"], format!("{config}:15:13"));
    let fix = findings[0]["fix"].as_str().expect("a fix");
    assert!(fix.contains("libnginx-mod-http-set-misc") && fix.ends_with("--nginx debian:trixie"), "{fix}");
}

#[test]
fn a_directive_of_a_newer_nginx_is_said_to_be_one() {
    if !has_docker() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("nginx.conf");
    let server = "server { listen 443 ssl; server_name example.com; ssl_certificate a.crt; ssl_certificate_key a.key;";
    let location = "location /prometheus/ { proxy_pass http://localhost:9090/; }";
    std::fs::write(&config, format!("events {{}}\nhttp {{\n{server}\nhttp2 on;\n{location} }} }}\n")).expect("written");
    let (code, findings) = findings(&config.to_string_lossy(), "debian:bookworm");
    assert_eq!(code, 1, "{findings:?}");
    assert_eq!(findings[0]["message"], "nginx does not start: nginx knows `http2` since 1.25.1, and this one does not");
    assert!(findings[0]["location"].as_str().expect("a place").ends_with("nginx.conf:4:1"), "{findings:?}");
}
