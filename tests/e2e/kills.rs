//! Nothing is left behind by a run that is killed, at whatever moment.

use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use crate::cleanup::GUIDE;
use crate::engine::{images_without_a_tag, remove_images};
use crate::moments::Moments;
use crate::running::Ended;
use crate::stage::{Stage, nothing_within};
use crate::support::has_docker;

/// After this nothing of a killed run may be left.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(10);

/// A deployment with all that a Pod can have.
const LARGE: [&str; 2] = ["check", "fixtures/world/several-prometheus/nginx.conf"];

/// How a run ends that is killed.
const KILLED: i32 = -9;

/// The same moments in each run of the tests; another number gives others.
const SEED: u64 = 20;

#[test]
fn killed_runs_leave_nothing() {
    if !has_docker() {
        return;
    }
    let mut moments = Moments(SEED);
    kill(10, GUIDE, whole_run(Stage::new(), GUIDE), &mut moments, Stage::new);
}

/// With stubs, a directory that two containers share, DNS, and several Prometheus servers.
#[test]
fn killed_runs_of_a_large_pod_leave_nothing() {
    if !has_docker() {
        return;
    }
    let mut moments = Moments(SEED + 2);
    kill(6, LARGE, whole_run(Stage::new(), LARGE), &mut moments, Stage::new);
}

#[test]
fn runs_that_are_killed_while_building_leave_nothing() {
    if !has_docker() {
        return;
    }
    let mut moments = Moments(SEED + 1);
    kill(3, GUIDE, Duration::from_secs(6), &mut moments, Stage::with_fresh_cache);
}

#[test]
#[ignore = "takes minutes: ci/kill-runs"]
fn fifty_killed_runs_leave_nothing() {
    let seed = number("KILL_SEED").unwrap_or_else(|| std::process::id().into());
    let kills = number("KILLS").unwrap_or(50);
    println!("KILL_SEED={seed} KILLS={kills}");
    let mut moments = Moments(seed);
    let few = kills / 10;
    kill(kills - 4 * few, GUIDE, whole_run(Stage::new(), GUIDE), &mut moments, Stage::new);
    kill(few, LARGE, whole_run(Stage::new(), LARGE), &mut moments, Stage::new);
    kill(2 * few, GUIDE, whole_run(Stage::with_fresh_cache(), GUIDE), &mut moments, Stage::with_fresh_cache);
    kill_while_loading(few, &mut moments);
}

fn number<T: FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Of a release that other runs seldom use: its images are removed.
fn kill_while_loading(number: usize, moments: &mut Moments) {
    const RELEASE: &str = "debian:bullseye";
    for _ in 0..number {
        remove_images(":debian-bullseye-");
        let stage = Stage::new();
        let mut running = stage.start(["check", GUIDE[1], "--nginx", RELEASE, "--prometheus", RELEASE]);
        running.wait_for("loading");
        let moment = moments.next_within(Duration::from_secs(1));
        running.let_run(moment);
        let left = watch(&stage, moment, &running.kill());
        assert_eq!(left, None);
        assert_eq!(images_without_a_tag(), Vec::<String>::new());
    }
}

/// How long a run takes that nobody kills.
pub(crate) fn whole_run(stage: Stage, call: [&str; 2]) -> Duration {
    let begun = Instant::now();
    let ended = stage.start(call).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    begun.elapsed()
}

/// Kills runs, each at a moment within the time that a whole run takes. One that was quicker does not count.
fn kill(number: usize, call: [&str; 2], mut whole: Duration, moments: &mut Moments, stage: impl Fn() -> Stage) {
    let mut watching = Vec::new();
    while watching.len() < number {
        let stage = stage();
        let moment = moments.next_within(whole);
        let begun = Instant::now();
        let mut running = stage.start(call);
        running.let_run(moment);
        let took = begun.elapsed();
        let ended = running.kill();
        if ended.code() != KILLED {
            whole = took;
            continue;
        }
        watching.push(thread::spawn(move || {
            let left = watch(&stage, moment, &ended);
            (stage, ended, left)
        }));
    }
    let watched: Vec<_> = watching.into_iter().map(|watching| watching.join().expect("watched")).collect();
    let mut left: Vec<String> = watched.iter().filter_map(|(_, _, left)| left.clone()).collect();
    // Nothing comes late either.
    left.extend(watched.iter().flat_map(|(stage, ended, _)| stage.left_by(ended.run)));
    left.extend(images_without_a_tag());
    assert!(left.is_empty(), "left behind after {} s:\n{}", GONE_WITHIN.as_secs(), left.join("\n"));
}

/// What is left of a killed run when its time is over.
fn watch(stage: &Stage, moment: Duration, ended: &Ended) -> Option<String> {
    let killed = Instant::now();
    let left = nothing_within(GONE_WITHIN, || stage.left_by(ended.run));
    let step = ended.stderr.lines().last().unwrap_or("nothing said");
    println!("killed after {moment:?} ({step}), gone after {:?}", killed.elapsed());
    (!left.is_empty()).then(|| format!("killed after {moment:?} ({step}): {}", left.join(", ")))
}
