//! Nothing is left behind by a run that is killed, at whatever moment.

use std::thread;
use std::time::{Duration, Instant};

use crate::cleanup::GUIDE;
use crate::moments::Moments;
use crate::stage::{Ended, Stage, images_without_a_tag, nothing_within};
use crate::support::has_docker;

/// After this nothing of a killed run may be left.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(10);

/// The same moments in each run of the tests; another number gives others.
const SEED: u64 = 20;

#[test]
fn killed_runs_leave_nothing() {
    if !has_docker() {
        return;
    }
    let mut moments = Moments(SEED);
    kill(10, whole_run(Stage::new()), &mut moments, Stage::new);
}

#[test]
fn runs_that_are_killed_while_building_leave_nothing() {
    if !has_docker() {
        return;
    }
    let mut moments = Moments(SEED + 1);
    kill(3, Duration::from_secs(6), &mut moments, Stage::with_fresh_cache);
}

#[test]
#[ignore = "takes minutes: ci/kill-runs"]
fn fifty_killed_runs_leave_nothing() {
    let number = |name, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let seed = number("KILL_SEED", u64::from(std::process::id()));
    let kills = number("KILLS", 50);
    println!("KILL_SEED={seed} KILLS={kills}");
    let mut moments = Moments(seed);
    let whole = whole_run(Stage::new());
    kill(kills - kills / 5, whole, &mut moments, Stage::new);
    let whole = whole_run(Stage::with_fresh_cache());
    kill(kills / 5, whole, &mut moments, Stage::with_fresh_cache);
}

/// How long a run takes that nobody kills.
pub(crate) fn whole_run(stage: Stage) -> Duration {
    let begun = Instant::now();
    let ended = stage.start(GUIDE).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    begun.elapsed()
}

/// Kills runs, each at a moment within the time that a whole run takes.
fn kill(number: u64, whole: Duration, moments: &mut Moments, stage: impl Fn() -> Stage) {
    let watching: Vec<_> = (0..number)
        .map(|_| {
            let stage = stage();
            let moment = moments.next_within(whole);
            let mut running = stage.start(GUIDE);
            running.let_run(moment);
            let ended = running.kill();
            thread::spawn(move || {
                let left = watch(&stage, moment, &ended);
                (stage, ended, left)
            })
        })
        .collect();
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
    println!("killed after {moment:?} ({}; {step}), gone after {:?}", ended.code(), killed.elapsed());
    (!left.is_empty()).then(|| format!("killed after {moment:?} ({step}): {}", left.join(", ")))
}
