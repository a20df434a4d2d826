//! The crate, as a test of a deployment uses it.

use proxyproof::{BootOptions, Deployment, Error};

use crate::support::{debian, has_docker, project};

/// One release for all runs: `auto` is whatever is newest.
fn trixie() -> BootOptions {
    BootOptions { nginx: debian("trixie"), prometheus: debian("trixie"), ..BootOptions::default() }
}

#[tokio::test]
async fn prometheus_is_served_over_tls_below_its_prefix() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = Deployment::load(project("fixtures/guide/nginx.conf"))?.boot_with(&trixie()).await?;
    let metrics = lab.get("/prometheus/metrics").await?;
    assert_eq!(metrics.status(), 200);
    lab.check().await?.assert_passed();
    insta::assert_json_snapshot!(lab.observe().await?);
    lab.close().await
}

#[tokio::test]
async fn the_client_trusts_the_lab_and_knows_its_names() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = Deployment::load(project("fixtures/guide/nginx.conf"))?.boot_with(&trixie()).await?;
    let url = "https://example.com/prometheus/api/v1/query";
    let answer = lab.client().post(url).form(&[("query", "vector(1)")]).send().await.expect("an answer");
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(answer["data"]["result"][0]["value"][1], "1");
    // Redirects are shown, not followed.
    assert_eq!(lab.get("/prometheus").await?.headers()["location"], "https://example.com/prometheus/");
    lab.close().await
}

#[tokio::test]
async fn programs_are_reloaded_stopped_and_started() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = Deployment::load(project("fixtures/guide/nginx.conf"))?.boot_with(&trixie()).await?;
    let status = async || lab.get("/prometheus/-/ready").await.map(|answer| answer.status().as_u16());
    lab.prometheus().stop().await?;
    assert_eq!(status().await?, 502);
    lab.prometheus().start().await?;
    assert_eq!(status().await?, 200);
    assert!(lab.prometheus().log().contains("ready to receive"));
    lab.nginx().reload().await?;
    assert_eq!(status().await?, 200);
    lab.nginx().stop().await?;
    assert!(status().await.is_err());
    assert!(lab.nginx().reload().await.is_err());
    lab.nginx().start().await?;
    assert_eq!(status().await?, 200);
    lab.close().await
}

#[tokio::test]
async fn an_nginx_that_refuses_to_start_is_an_error_with_its_words() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let broken = Deployment::load(project("fixtures/checks/nginx-starts/fail/nginx.conf"))?;
    let error = broken.boot_with(&trixie()).await.expect_err("a directive is misspelt");
    assert_eq!(error.exit_code(), 1);
    match error {
        Error::NginxRefused { log } => assert!(log.contains("unknown directive \"proxy_read_timout\""), "{log}"),
        other => panic!("{other}"),
    }
    Ok(())
}
