//! An upgrade that ends in the middle, with several Labs and what they share, leaves nothing.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::GUIDE;
use crate::kills::GONE_WITHIN;
use crate::moments::Moments;
use crate::running::Ended;
use crate::stage::{Stage, nothing_within};
use crate::support::{has_docker, has_sandbox};

#[test]
fn an_upgrade_that_ends_at_any_moment_leaves_nothing_in_the_sandbox() {
    if has_sandbox() {
        ends("sandbox", 12, Moments(6));
    }
}

#[test]
fn an_upgrade_that_ends_at_any_moment_leaves_nothing_in_containers() {
    if has_docker() {
        ends("docker", 4, Moments(7));
    }
}

/// By turns it is interrupted and killed.
fn ends(runtime: &str, times: usize, mut moments: Moments) {
    let call = ["upgrade", GUIDE, "--runtime", runtime, "--from", "debian:bookworm", "--to", "debian:trixie"];
    let begun = Instant::now();
    let whole = Stage::new().start(call).end();
    assert_eq!(whole.code(), 0, "{whole:#?}");
    let whole = begun.elapsed();
    for number in 0..times {
        let stage = Stage::new();
        let moment = moments.next_within(whole);
        let mut running = stage.start(call);
        running.let_run(moment);
        let is_killed = number % 2 == 1;
        let ended = if is_killed {
            running.kill()
        } else {
            running.signal(Signal::INT);
            running.end()
        };
        assert!(!ended.stderr.contains("panicked"), "after {moment:?}: {ended:#?}");
        // Who is killed leaves it to the kernel and the janitor, who need a moment.
        let is_orderly = [0, 130].contains(&ended.code());
        assert!(is_killed || is_orderly || ended.code() == -2, "after {moment:?}: {ended:#?}");
        let patience = if is_orderly { Duration::ZERO } else { GONE_WITHIN };
        let left = nothing_within(patience, || left_by(runtime, &stage, &ended));
        assert_eq!(left, Vec::<String>::new(), "after {moment:?} by {ended:#?}");
    }
}

fn left_by(runtime: &str, stage: &Stage, ended: &Ended) -> Vec<String> {
    if runtime == "docker" { stage.left_by(ended.run) } else { stage.left_on_this_machine(ended.run) }
}
