//! A snapshot of what is seen, in a test of a deployment: a redirect that changes is a line that changes.

use std::fs;

use proxyproof::observation::Observation;
use proxyproof::{BootOptions, Deployment, Runtime};

use super::GUIDE;
use crate::support::{debian, has_sandbox, project};

async fn observed(path: &std::path::Path) -> proxyproof::Result<Observation> {
    let (nginx, prometheus) = (debian("trixie"), debian("trixie"));
    let options = BootOptions { runtime: Runtime::Sandbox, nginx, prometheus, ..BootOptions::default() };
    let lab = Deployment::load(path)?.boot_with(&options).await?;
    let observation = lab.observe().await?;
    lab.close().await?;
    Ok(observation)
}

/// The lines that one has and the other has not, as a snapshot's review shows them.
fn difference(before: &Observation, after: &Observation) -> String {
    let lines = |seen| {
        serde_json::to_string_pretty(seen).expect("JSON").lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("-{line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+{line}"));
    gone.chain(new).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_changed_redirect_is_a_line_of_the_snapshot() -> proxyproof::Result<()> {
    if !has_sandbox() {
        return Ok(());
    }
    let guide = project(GUIDE);
    let before = observed(&guide).await?;
    let route = &before.routes["https://example.com/prometheus/"];
    insta::assert_json_snapshot!(route.answers["GET /"], @r#"
    {
      "way": [
        "302 to /prometheus/classic/graph",
        "200"
      ],
      "content_type": "text/html; charset=utf-8",
      "says": "the page \"Prometheus Time Series Collection and Processing Server\"",
      "headers": {
        "server": "nginx/<version>"
      }
    }
    "#);

    let directory = tempfile::tempdir().expect("a directory");
    let changed = directory.path().join("nginx.conf");
    let text = fs::read_to_string(&guide).expect("the guide's configuration");
    let redirect = "proxy_redirect /prometheus/classic/graph /prometheus/classic/targets;";
    let text =
        text.replace("proxy_pass http://localhost:9090/;", &format!("proxy_pass http://localhost:9090/; {redirect}"));
    fs::write(&changed, text).expect("a file");
    // Of the prefix and of the prefix without its slash.
    insta::assert_snapshot!(difference(&before, &observed(&changed).await?), @r#"
    -"302 to /prometheus/classic/graph",
    -"302 to /prometheus/classic/graph",
    +"302 to https://example.com/prometheus/classic/targets",
    +"302 to https://example.com/prometheus/classic/targets",
    "#);
    Ok(())
}
