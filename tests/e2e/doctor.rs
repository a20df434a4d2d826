//! `doctor` finds what dead runs left behind, `doctor --clean` removes it, and neither touches a run that lives.

use std::collections::HashMap;
use std::fs::File;

use rustix::process::Signal;
use testcontainers::bollard::models::ContainerCreateBody;
use testcontainers::bollard::query_parameters::{CreateContainerOptionsBuilder, InspectNetworkOptions};

use crate::cleanup::GUIDE;
use crate::engine::{ask_engine, in_the_engine};
use crate::running::{PATIENCE, Run, send};
use crate::stage::{Stage, nothing_within, users_cache};
use crate::support::has_docker;

/// A run of `up` that holds its Lab, with its directory.
const UP: [&str; 2] = ["up", GUIDE[1]];

#[test]
fn what_a_dead_run_left_is_listed_and_removed() {
    if !has_docker() {
        return;
    }
    let _alone = alone();
    let stage = Stage::new();
    let run = leave_everything_behind(&stage);
    let left = stage.left_by(run);
    let kinds = ["container ", "network ", "file "];
    assert!(kinds.iter().all(|kind| left.iter().any(|left| left.starts_with(kind))), "{left:?}");

    // It calls a directory what the stage calls a file.
    let words: Vec<String> = left.iter().map(|left| left.replace("file ", "directory ")).collect();
    let listed = stage.doctor(&[]);
    assert!(words.iter().all(|left| listed.contains(left)), "{words:?} in:\n{listed}");
    assert!(listed.contains("`proxyproof doctor --clean` removes it."), "{listed}");
    assert_eq!(stage.left_by(run), left, "listing removes nothing");

    let removed = stage.doctor(&["--clean"]);
    assert!(words.iter().all(|left| removed.contains(left)), "{words:?} in:\n{removed}");
    assert_eq!(stage.left_by(run), Vec::<String>::new());
    let listed = stage.doctor(&[]);
    assert!(!listed.contains(&run.name()), "{listed}");
}

#[test]
fn what_a_live_run_holds_is_neither_listed_nor_removed() {
    if !has_docker() {
        return;
    }
    let _alone = alone();
    let stage = Stage::new();
    let mut running = stage.start(UP);
    running.wait_for("booting");
    let run = running.run();
    // A container of each program, the first one, the network, and the directory.
    let all = || if held(&stage, run) == 5 { Vec::new() } else { stage.left_by(run) };
    assert_eq!(nothing_within(PATIENCE, all), Vec::<String>::new(), "the Lab is not complete");

    for arguments in [&[][..], &["--clean"]] {
        let said = stage.doctor(arguments);
        assert!(!said.contains(&run.name()), "{said}");
        assert_eq!(held(&stage, run), 5, "{said}");
    }
    let ended = running.end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    assert_eq!(stage.left_by(run), Vec::<String>::new());
}

/// Lets no other test here or in another checkout clean meanwhile: `doctor --clean` is for the whole machine.
fn alone() -> File {
    let cache = File::open(users_cache()).expect("a cache");
    cache.lock().expect("locked");
    cache
}

fn held(stage: &Stage, run: Run) -> usize {
    stage.left_by(run).iter().filter(|left| !left.starts_with("process ")).count()
}

/// Kills a run together with its janitor, and leaves a container that it had created and not yet started.
fn leave_everything_behind(stage: &Stage) -> Run {
    let mut running = stage.start(UP);
    running.wait_for("booting");
    let run = running.run();
    let all = || if held(stage, run) == 5 { Vec::new() } else { stage.left_by(run) };
    assert_eq!(nothing_within(PATIENCE, all), Vec::<String>::new(), "the Lab is not complete");
    create_container_of(run);
    send(running.janitor(stage), Signal::KILL);
    running.kill();
    // Those that ran the kernel ends, and the engine removes them.
    let rest = || if held(stage, run) == 3 { Vec::new() } else { stage.left_by(run) };
    assert_eq!(nothing_within(PATIENCE, rest), Vec::<String>::new(), "what ran is still there");
    run
}

/// Creates a container with the labels that the run's network has.
fn create_container_of(run: Run) {
    let network =
        in_the_engine(&run.name()).into_iter().find_map(|thing| Some(thing.strip_prefix("network ")?.to_owned()));
    let network = network.expect("a network");
    ask_engine(async |docker| {
        let inspected = docker.inspect_network(&network, None::<InspectNetworkOptions>).await.expect("a network");
        let lifeline = docker.inspect_container(&network.replace("network", "lifeline"), None).await;
        let body = ContainerCreateBody {
            image: lifeline.expect("a container").image,
            labels: inspected.labels.map(HashMap::from_iter),
            ..ContainerCreateBody::default()
        };
        let name = network.replace("network", "nginx-kept");
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        docker.create_container(Some(options), body).await.expect("created");
    });
}
