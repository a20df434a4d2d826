//! Nothing is left of a run in the sandbox that is killed, at whatever moment.

use std::thread;
use std::time::{Duration, Instant};

use super::{IN_SANDBOX, left_by};
use crate::cleanup::GUIDE;
use crate::kills::GONE_WITHIN;
use crate::moments::Moments;
use crate::stage::{Stage, nothing_within};
use crate::support::has_sandbox;

/// A deployment with all that a Pod can have.
const LARGE: &str = "fixtures/world/several-prometheus/nginx.conf";
/// Many at once, some of which have a Prometheus in common.
const MANY: &str = "fixtures/layouts";

#[test]
fn killed_runs_leave_nothing() {
    if !has_sandbox() {
        return;
    }
    kill(10, 2, &[GUIDE[1]], 40);
    kill(4, 2, &[LARGE], 41);
    kill(6, 2, &[MANY, "--jobs", "4"], 42);
}

#[test]
#[ignore = "takes minutes: ci/kill-runs"]
fn two_hundred_killed_runs_leave_nothing() {
    let seed = std::process::id().into();
    kill(100, 20, &[GUIDE[1]], seed);
    kill(40, 20, &[LARGE], seed + 100);
    kill(60, 20, &[MANY, "--jobs", "4"], seed + 200);
}

/// Kills so many runs, some of them at once, each at a moment within the time that a whole run takes. One that was quicker
/// does not count.
fn kill(number: usize, at_once: usize, arguments: &[&str], seed: u64) {
    let begun = Instant::now();
    assert!(Stage::new().start(call(arguments)).end().code() <= 2);
    let whole = begun.elapsed();
    let lanes = (0..at_once).map(|lane| (number / at_once, seed + lane as u64));
    let left: Vec<String> = thread::scope(|scope| {
        let lanes: Vec<_> =
            lanes.map(|(number, seed)| scope.spawn(move || kill_in_turn(number, arguments, seed, whole))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("killed")).collect()
    });
    assert_eq!(left, Vec::<String>::new());
}

fn call<'a>(arguments: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    ["check"].into_iter().chain(arguments.iter().copied()).chain(IN_SANDBOX)
}

/// What is left of runs that are killed one after the other.
fn kill_in_turn(number: usize, arguments: &[&str], seed: u64, whole: Duration) -> Vec<String> {
    let mut moments = Moments(seed);
    let mut left = Vec::new();
    for _ in 0..number {
        let (stage, moment, ended) = loop {
            let stage = Stage::new();
            let moment = moments.next_within(whole);
            let mut running = stage.start(call(arguments));
            running.let_run(moment);
            let ended = running.kill();
            if ended.code() < 0 {
                break (stage, moment, ended);
            }
        };
        let killed = Instant::now();
        let there = nothing_within(GONE_WITHIN, || left_by(&stage, ended.run));
        println!("killed after {moment:?}, gone after {:?}", killed.elapsed());
        left.extend((!there.is_empty()).then(|| format!("killed after {moment:?}: {there:?}")));
    }
    left
}
