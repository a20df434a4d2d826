//! Packages of Ubuntu, on a machine of any distribution that has apt.

use crate::cleanup::GUIDE;
use crate::mirror::Mirror;
use crate::running::Ended;
use crate::stage::Stage;
use crate::support::has_sandbox;

/// A stage whose packages of Ubuntu come from this mirror, and from nowhere else before.
fn stage(mirror: &Mirror, keyring: &std::path::Path) -> Stage {
    Stage::with_fresh_cache()
        .with("PROXYPROOF_UBUNTU_MIRROR", &mirror.url())
        .with("PROXYPROOF_UBUNTU_KEYRING", &keyring.to_string_lossy())
}

/// The guide, checked in the sandbox with both programs of a release of Ubuntu.
fn check(stage: &Stage, release: &str) -> Ended {
    let source = format!("ubuntu:{release}");
    let programs = ["--nginx", &source, "--prometheus", &source];
    let further = ["--runtime", "sandbox", "--format", "json"];
    let ended = stage.start(GUIDE.into_iter().chain(programs).chain(further)).end();
    assert_eq!(stage.left_on_this_machine(ended.run), Vec::<String>::new(), "left behind by:\n{ended:#?}");
    ended
}

#[track_caller]
fn assert_refused(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code(), ended.stdout.as_str()), (3, ""), "{ended:#?}");
    assert!(words.iter().all(|word| ended.stderr.contains(word)), "not all of {words:?} in:\n{}", ended.stderr);
}

#[test]
fn a_release_is_what_its_users_run_with_updates_and_security_fixes() {
    if !has_sandbox() {
        return;
    }
    let Some(mirror) = Mirror::full() else { return };
    let ended = check(&stage(&mirror, &mirror.keyring()), "noble");
    assert_eq!(ended.code(), 0, "{ended:#?}");
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("a report");
    for (program, version) in ["nginx", "prometheus"].into_iter().zip(&mirror.versions) {
        let expected = serde_json::json!({"version": version, "source": "ubuntu:noble"});
        assert_eq!(report["programs"][program], expected);
    }
}

#[test]
fn an_index_that_somebody_else_signed_is_refused() {
    if !has_sandbox() {
        return;
    }
    let Some(mirror) = Mirror::empty() else { return };
    let ended = check(&stage(&mirror, &mirror.other_keyring()), "noble");
    let keyring = mirror.other_keyring();
    let words = ["The package index of ubuntu:noble on", "is not signed by a key of", "PROXYPROOF_UBUNTU_KEYRING"];
    assert_refused(&ended, &[&words[..], &[&keyring.to_string_lossy()]].concat());
}

#[test]
fn what_ubuntu_has_not_is_told_with_what_it_has() {
    if !has_sandbox() {
        return;
    }
    let Some(mirror) = Mirror::empty() else { return };
    let stage = stage(&mirror, &mirror.keyring());
    let release = format!("Ubuntu's mirror {} has no release `nosuch`. It has noble. Name one", mirror.url());
    assert_refused(&check(&stage, "nosuch"), &[&release]);
    assert_refused(&check(&stage, "noble"), &["Ubuntu noble has no package `", "Name another release"]);
}

#[test]
fn without_its_keys_the_message_says_how_to_have_them() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::with_fresh_cache()
        .with("PROXYPROOF_UBUNTU_MIRROR", "http://mirror.test/ubuntu")
        .with("PROXYPROOF_UBUNTU_KEYRING", "/nonexistent/keys.gpg");
    let words = ["there is no /nonexistent/keys.gpg", "the package ubuntu-keyring", "PROXYPROOF_UBUNTU_KEYRING"];
    assert_refused(&check(&stage, "noble"), &words);
}
