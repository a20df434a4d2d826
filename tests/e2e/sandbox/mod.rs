//! The sandbox: the same Pod without a daemon, with the same findings and the same walls, and gone with its run.

mod commons;
mod hostile;
mod images;
mod killed;
mod ordinary_user;
mod same;

use std::fs;
use std::path::Path;

use proxyproof::{BootOptions, Deployment, Lab, Runtime};

use crate::cleanup::GUIDE;
use crate::running::Run;
use crate::stage::Stage;
use crate::support::{block_on, debian, has_sandbox, project};

const IN_SANDBOX: [&str; 2] = ["--runtime", "sandbox"];

async fn boot(path: impl AsRef<Path>) -> proxyproof::Result<Lab> {
    Deployment::load(path.as_ref())?.boot_with(&options()).await
}

fn options() -> BootOptions {
    BootOptions {
        runtime: Runtime::Sandbox,
        nginx: debian("trixie"),
        prometheus: debian("trixie"),
        ..BootOptions::default()
    }
}

#[test]
fn the_guide_passes_without_an_engine() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new().with("DOCKER_HOST", "tcp://127.0.0.1:1");
    let ended = stage.start(GUIDE).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    assert!(ended.stdout.contains(" on sandbox: nginx "), "{}", ended.stdout);
    assert_eq!(left_by(&stage, ended.run), Vec::<String>::new());
}

#[test]
fn programs_are_reloaded_stopped_started_and_asked_what_they_received() {
    if !has_sandbox() {
        return;
    }
    block_on(async {
        let lab = boot(project("fixtures/guide/nginx.conf")).await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.nginx().reload().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.prometheus().stop().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 502);
        lab.prometheus().start().await?;
        lab.nginx().restart().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.close().await
    });
}

#[test]
fn a_program_that_is_let_in_sees_the_public_name() {
    if !has_sandbox() {
        return;
    }
    let up = |url| {
        let words = ["up", GUIDE[1], "--", "curl", "-sS", "-m", "5", url];
        Stage::new().start(words).end()
    };
    let inside = up("https://example.com/prometheus/-/ready");
    assert_eq!(inside.code(), 0, "{inside:#?}");
    assert!(inside.stdout.contains("Ready"), "{inside:#?}");
    // curl's own code for a connection that failed.
    assert_eq!(up("http://198.51.100.7/").code(), 7);
    let missing = Stage::new().start(["up", GUIDE[1], "--", "/no/such/program"]).end();
    assert_eq!(missing.code(), 127, "{missing:#?}");
}

/// What is left of a run: its processes, files, mounts and control groups.
fn left_by(stage: &Stage, run: Run) -> Vec<String> {
    let mut left = stage.left_on_this_machine(run);
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    left.extend(mounts.lines().filter(|mount| mount.contains(&run.name())).map(str::to_owned));
    left.extend(groups(Path::new("/sys/fs/cgroup"), &run.name()));
    left
}

/// The control groups whose names begin like this. A group goes when no process is in it, so it stands for those too.
fn groups(directory: &Path, name: &str) -> Vec<String> {
    let below = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories
        .flat_map(|entry| {
            let path = entry.path();
            let own = entry.file_name().to_string_lossy().starts_with(name);
            if own { vec![format!("control group {}", path.display())] } else { groups(&path, name) }
        })
        .collect()
}
