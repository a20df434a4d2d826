//! An environment that can't run it, or programs that are not to be had: the message names the cure, and nothing is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::geteuid;

use crate::cleanup::GUIDE;
use crate::engine::{ask_engine, images_without_a_tag};
use crate::running::Ended;
use crate::stage::Stage;
use crate::support::has_docker;

/// The guide, checked with these further arguments.
fn check(stage: &Stage, arguments: &[&str]) -> Ended {
    let ended = stage.start(GUIDE.iter().chain(arguments).copied()).end();
    assert_eq!(stage.left_by(ended.run), Vec::<String>::new(), "left behind by:\n{ended:#?}");
    assert_eq!(images_without_a_tag(), Vec::<String>::new());
    ended
}

#[track_caller]
fn assert_refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code(), code, "{ended:#?}");
    let (_, message) = ended.stderr.split_once("error: ").expect("a message");
    assert!(words.iter().all(|word| message.contains(word)), "not all of {words:?} in:\n{message}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn without_an_engine_the_message_says_how_to_have_one() {
    let stage = Stage::new().with("DOCKER_HOST", "tcp://127.0.0.1:1");
    let ended = stage.start(GUIDE.into_iter().chain(["--runtime", "docker"])).end();
    assert_eq!(stage.left_on_this_machine(ended.run), Vec::<String>::new());
    assert_eq!(ended.code(), 3);
    insta::assert_snapshot!(ended.stderr);
}

#[test]
fn a_release_that_does_not_exist_is_told_with_those_that_do() {
    if !has_docker() {
        return;
    }
    let ended = check(&Stage::new(), &["--nginx", "debian:nosuch"]);
    let words =
        ["has no release `nosuch`. It has ", " (stable), ", "sid (unstable). Name one of them, such as debian:"];
    assert_refused(&ended, 3, &words);
}

#[test]
fn an_image_that_is_not_to_be_had_is_told_from_wrong_input() {
    if !has_docker() {
        return;
    }
    let image = EmptyImage::import();
    let (repository, _) = image.0.split_once(':').expect("a tag");
    let ended = check(&Stage::new(), &["--nginx", &format!("docker:{repository}:nosuch")]);
    let there = format!("check its name (the engine has {})", image.0);
    assert_refused(&ended, 3, &[&format!("the image {repository}:nosuch is not here"), &there]);
    let ended = check(&Stage::new(), &["--nginx", "docker:nosuch:1"]);
    let words = ["the image nosuch:1 is not here and can't be pulled", "check its name", "debian:stable"];
    assert_refused(&ended, 3, &words);
}

#[test]
fn flags_that_prometheus_refuses_are_wrong_input_in_its_own_words() {
    if !has_docker() {
        return;
    }
    let ended = check(&Stage::new(), &["--prometheus-arg=--no-such-flag"]);
    assert_refused(&ended, 2, &["--prometheus-arg", "unknown long flag '--no-such-flag'"]);
}

#[test]
fn an_image_without_the_program_is_named() {
    if !has_docker() {
        return;
    }
    let image = EmptyImage::import();
    let source = format!("docker:{}", image.0);
    for program in ["nginx", "prometheus"] {
        let ended = check(&Stage::new(), &[&format!("--{program}"), &source]);
        let words =
            [&*format!("the image {} can't run {program}: ", image.0), &*format!("--{program}"), "debian:stable"];
        assert_refused(&ended, 3, &words);
    }
}

#[test]
fn a_full_disk_is_named_and_half_a_cache_is_not_kept() {
    if !has_docker() {
        return;
    }
    // Too small for an index; too small for what the packages hold.
    for megabytes in [4, 100] {
        let stage = Stage::with_fresh_cache();
        let cache = stage.path("cache");
        let Some(_disk) = SmallDisk::mount(&cache, megabytes) else { return };
        let ended = check(&stage, &["--nginx", "debian:trixie", "--prometheus", "debian:trixie"]);
        let place = format!("No space is left in {}. Free at least ", cache.display());
        assert_refused(&ended, 3, &[&place, "or set PROXYPROOF_CACHE to a directory"]);
        let roots = fs::read_dir(cache.join("v1/roots")).into_iter().flatten().flatten();
        for root in roots {
            assert!(root.path().join("manifest.json").exists(), "{} is not finished", root.path().display());
        }
    }
}

/// An image with nothing in it.
struct EmptyImage(String);

impl EmptyImage {
    fn import() -> Self {
        use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("proxyproof-test-{}-{number}", std::process::id());
        let options = CreateImageOptionsBuilder::new().from_src("-").repo(&name).tag("empty").build();
        // The end of an archive: two empty blocks.
        let archive = testcontainers::bollard::body_full(vec![0_u8; 1024].into());
        ask_engine(async |docker| {
            let imported: Vec<_> =
                futures_util::StreamExt::collect(docker.create_image(Some(options), Some(archive), None)).await;
            imported.into_iter().collect::<Result<Vec<_>, _>>().expect("imported");
        });
        Self(format!("{name}:empty"))
    }
}

impl Drop for EmptyImage {
    fn drop(&mut self) {
        use testcontainers::bollard::query_parameters::RemoveImageOptions;
        ask_engine(async |docker| {
            docker.remove_image(&self.0, None::<RemoveImageOptions>, None).await.expect("removed");
        });
    }
}

/// A disk in memory that is soon full.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(place: &Path, megabytes: u32) -> Option<Self> {
        if !geteuid().is_root() {
            println!("skipped: only root can mount a small disk");
            return None;
        }
        fs::create_dir_all(place).expect("a directory");
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(place).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: root can't mount a small disk here");
            return None;
        }
        Some(Self(place.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: if something is still in it, the test has failed already.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
