//! Nothing is left behind by a run that ends: in order, refused, or asked to end.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::kills::{GONE_WITHIN, whole_run};
use crate::moments::Moments;
use crate::running::{Ended, send};
use crate::stage::{Stage, nothing_within};
use crate::support::{has_docker, project};

/// The deployment that all these runs check.
pub(crate) const GUIDE: [&str; 2] = ["check", "fixtures/guide/nginx.conf"];

/// When a run returns, all of it is gone: nobody has to wait.
#[track_caller]
fn assert_nothing_left(stage: &Stage, ended: &Ended) {
    assert_eq!(stage.left_by(ended.run), Vec::<String>::new(), "left behind by:\n{ended:#?}");
}

#[test]
fn a_run_that_passes_leaves_nothing() {
    if !has_docker() {
        return;
    }
    let stage = Stage::new();
    let ended = stage.start(GUIDE).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    assert_nothing_left(&stage, &ended);
}

#[test]
fn a_run_whose_nginx_refuses_leaves_nothing() {
    if !has_docker() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let nginx_conf = directory.path().join("nginx.conf");
    let guide = fs::read_to_string(project("fixtures/guide/nginx.conf")).expect("the guide");
    fs::write(&nginx_conf, guide.replace("http {", "http {\n    no_such_directive on;")).expect("written");
    let stage = Stage::new();
    let ended = stage.start(["check", &nginx_conf.to_string_lossy()]).end();
    assert_eq!(ended.code(), 1, "{ended:#?}");
    assert!(ended.stdout.contains("unknown directive \"no_such_directive\""), "{}", ended.stdout);
    assert_nothing_left(&stage, &ended);
}

#[test]
fn a_run_whose_prometheus_refuses_leaves_nothing() {
    if !has_docker() {
        return;
    }
    let stage = Stage::new();
    let ended = stage.start([GUIDE[0], GUIDE[1], "--prometheus-arg=--no-such-flag"]).end();
    assert_eq!(ended.code(), 2, "{ended:#?}");
    assert_nothing_left(&stage, &ended);
}

#[test]
fn a_run_that_is_asked_to_end_while_booting_leaves_nothing() {
    if !has_docker() {
        return;
    }
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let stage = Stage::new();
        let mut running = stage.start(GUIDE);
        running.wait_for("booting");
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code(), code, "{signal:?}: {ended:#?}");
        assert!(ended.stderr.contains("everything that was started has been removed"), "{ended:#?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
        assert_nothing_left(&stage, &ended);
    }
}

#[test]
fn a_run_that_is_interrupted_at_any_moment_leaves_nothing() {
    if !has_docker() {
        return;
    }
    let whole = whole_run(Stage::new(), GUIDE);
    let mut moments = Moments(3);
    for _ in 0..8 {
        let stage = Stage::new();
        let moment = moments.next_within(whole);
        let mut running = stage.start(GUIDE);
        running.let_run(moment);
        running.signal(Signal::INT);
        let ended = running.end();
        // Before its first step it has no handler yet, and after its last one it is about to end anyway.
        assert!([130, 0, -2].contains(&ended.code()), "after {moment:?}: {ended:#?}");
        assert!(!ended.stderr.contains("panicked"), "after {moment:?}: {ended:#?}");
        let patience = if ended.code() == -2 { GONE_WITHIN } else { Duration::ZERO };
        let left = nothing_within(patience, || stage.left_by(ended.run));
        assert_eq!(left, Vec::<String>::new(), "after {moment:?} by {ended:#?}");
    }
}

#[test]
fn a_run_that_is_asked_to_end_while_building_leaves_nothing() {
    if !has_docker() {
        return;
    }
    for (signal, code, step) in [(Signal::INT, 130, "Downloading"), (Signal::TERM, 143, "Unpacking")] {
        let stage = Stage::with_fresh_cache();
        let mut running = stage.start(GUIDE);
        running.wait_for(step);
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code(), code, "{signal:?}: {ended:#?}");
        assert_nothing_left(&stage, &ended);
    }
}

/// Whoever reads the output of a run is not kept waiting by what outlives it.
#[test]
fn the_janitor_holds_none_of_the_runs_streams() {
    if !has_docker() {
        return;
    }
    let stage = Stage::new();
    let mut running = stage.start(GUIDE);
    running.wait_for("booting");
    let janitors: Vec<u32> = stage.processes().into_keys().filter(|pid| *pid != running.pid()).collect();
    assert_eq!(janitors.len(), 1, "{:?}", stage.processes());
    let pipe =
        |stream: &Path| fs::read_link(stream).ok().filter(|target| target.to_string_lossy().starts_with("pipe:"));
    let own = [0, 1, 2].map(|stream| pipe(Path::new(&format!("/proc/{}/fd/{stream}", running.pid()))).expect("a pipe"));
    let held = fs::read_dir(format!("/proc/{}/fd", janitors[0])).expect("its streams").flatten();
    let held: Vec<_> = held.filter_map(|stream| pipe(&stream.path())).collect();
    assert!(!held.is_empty(), "it reads what tells it of the run's end");
    assert!(!held.iter().any(|stream| own.contains(stream)), "{held:?} of {own:?}");
    running.end();
}

#[test]
fn runs_at_once_do_not_disturb_each_other() {
    if !has_docker() {
        return;
    }
    at_once(6);
}

#[test]
#[ignore = "takes the machine for itself: ci/kill-runs"]
fn twenty_runs_at_once_do_not_disturb_each_other() {
    at_once(20);
}

fn at_once(number: usize) {
    let stages: Vec<Stage> = (0..number).map(|_| Stage::new()).collect();
    let running: Vec<_> = stages.iter().map(|stage| stage.start(GUIDE)).collect();
    let ended: Vec<Ended> = running.into_iter().map(|running| running.end()).collect();
    for (stage, ended) in stages.iter().zip(&ended) {
        assert_eq!(ended.code(), 0, "{ended:#?}");
        assert_nothing_left(stage, ended);
    }
}

/// A janitor that somebody killed is no reason to leave anything: the run itself does its work.
#[test]
fn a_run_without_its_janitor_leaves_nothing() {
    if !has_docker() {
        return;
    }
    let stage = Stage::new();
    let mut running = stage.start(["up", GUIDE[1]]);
    running.wait_for("booting");
    send(running.janitor(&stage), Signal::KILL);
    running.signal(Signal::INT);
    let ended = running.end();
    assert_nothing_left(&stage, &ended);
}
