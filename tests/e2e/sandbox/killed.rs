//! Nothing is left of a run in the sandbox that is killed, at whatever moment.

use std::thread;
use std::time::Instant;

use super::{IN_SANDBOX, left_by};
use crate::cleanup::GUIDE;
use crate::kills::GONE_WITHIN;
use crate::moments::Moments;
use crate::stage::{Stage, nothing_within};
use crate::support::has_sandbox;

/// A deployment with all that a Pod can have.
const LARGE: &str = "fixtures/world/several-prometheus/nginx.conf";

#[test]
fn killed_runs_leave_nothing() {
    if !has_sandbox() {
        return;
    }
    kill(10, GUIDE[1], 40);
    kill(5, LARGE, 41);
}

#[test]
#[ignore = "takes minutes: ci/kill-runs"]
fn two_hundred_killed_runs_leave_nothing() {
    kill(150, GUIDE[1], std::process::id().into());
    kill(50, LARGE, std::process::id().into());
}

/// Kills runs, each at a moment within the time that a whole run takes. One that was quicker does not count.
fn kill(number: usize, path: &str, seed: u64) {
    let call = || ["check", path].into_iter().chain(IN_SANDBOX);
    let begun = Instant::now();
    assert!(Stage::new().start(call()).end().code() <= 1);
    let whole = begun.elapsed();
    let mut moments = Moments(seed);
    let mut watching = Vec::new();
    while watching.len() < number {
        let stage = Stage::new();
        let moment = moments.next_within(whole);
        let mut running = stage.start(call());
        running.let_run(moment);
        let ended = running.kill();
        if ended.code() >= 0 {
            continue;
        }
        watching.push(thread::spawn(move || {
            let killed = Instant::now();
            let left = nothing_within(GONE_WITHIN, || left_by(&stage, ended.run));
            println!("killed after {moment:?}, gone after {:?}", killed.elapsed());
            (!left.is_empty()).then(|| format!("killed after {moment:?}: {left:?}"))
        }));
    }
    let left: Vec<String> = watching.into_iter().filter_map(|watching| watching.join().expect("watched")).collect();
    assert_eq!(left, Vec::<String>::new());
}
