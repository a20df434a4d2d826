//! Container images in the sandbox: their layers, from an engine or from a file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use proxyproof::source::image::{Archive, image_tag};
use proxyproof::source::{Arch, Cache, Distribution, Program, Recipe, Release, Root, packages};
use serde_json::Value;

use super::same::{differences, without_what_differs};
use super::{IN_SANDBOX, left_by};
use crate::cleanup::GUIDE;
use crate::stage::Stage;
use crate::support::{has_docker, has_sandbox};

const NO_ENGINE: (&str, &str) = ("DOCKER_HOST", "tcp://127.0.0.1:1");
pub(super) const PROGRAMS: [(Program, Recipe); 2] =
    [(Program::Nginx, Recipe::Nginx), (Program::Prometheus, Recipe::Prometheus)];

/// The packages of the same release as [`GUIDE`], of which the images are made here: there may be no registry.
pub(super) fn root(program: Program) -> Root {
    let (arch, cache) = (Arch::host().expect("a processor"), Cache::from_env().expect("a cache"));
    let release = Release::new(Distribution::Debian, "trixie").expect("a release");
    packages::build(&release, &program.into(), arch, &cache, &()).expect("a root")
}

/// As `docker save` writes it.
pub(super) fn saved(root: &Root, file: &Path) {
    Archive::new(root).write_to(File::create(file).expect("a file")).expect("written");
}

/// As `docker export` writes it.
fn exported(root: &Root, file: &Path) {
    let mut builder = tar::Builder::new(File::create(file).expect("a file"));
    builder.follow_symlinks(false);
    builder.append_dir_all("", root.path()).expect("appended");
    builder.finish().expect("written");
}

/// What is found in the guide, with these sources.
fn report(stage: &Stage, runtime: &str, [nginx, prometheus]: [&str; 2]) -> Value {
    let call = ["check", GUIDE[1], "--format", "json", "--runtime", runtime];
    let ended = stage.start(call.into_iter().chain(["--nginx", nginx, "--prometheus", prometheus])).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    assert_eq!(left_by(stage, ended.run), Vec::<String>::new());
    let report = serde_json::from_str(&ended.stdout).expect("a report");
    let mut report = without_what_differs(report);
    for (program, source) in [("nginx", nginx), ("prometheus", prometheus)] {
        let said = report["programs"][program].take();
        assert_eq!(report["deployments"][0]["programs"][program].take(), said);
        assert_eq!(said["source"], source);
        // Packages count Debian's changes in it, of which the program itself says more.
        assert!(said["version"].as_str().is_some_and(|version| version.starts_with(&version_of(program))), "{said}");
    }
    report
}

fn version_of(program: &str) -> String {
    let program = PROGRAMS.into_iter().find(|(known, _)| known.name() == program).expect("a program").0;
    root(program).manifest().version.clone()
}

fn of_packages(stage: &Stage) -> Value {
    report(stage, "sandbox", ["debian:trixie"; 2])
}

#[test]
fn an_image_in_a_file_gives_the_same_report_as_what_is_in_it() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new().with(NO_ENGINE.0, NO_ENGINE.1);
    let directory = tempfile::tempdir().expect("a directory");
    let [nginx, prometheus] = PROGRAMS.map(|(program, _)| directory.path().join(format!("{}.tar", program.name())));
    saved(&root(Program::Nginx), &nginx);
    exported(&root(Program::Prometheus), &prometheus);
    let sources = [nginx, prometheus].map(|file| format!("docker:{}", file.display()));
    let of_images = report(&stage, "sandbox", sources.each_ref().map(String::as_str));
    assert_eq!(differences(&of_images, &of_packages(&stage)), Vec::<String>::new());
}

#[test]
fn an_image_of_an_engine_gives_the_same_report_as_what_is_in_it() {
    if !has_sandbox() || !has_docker() {
        return;
    }
    let stage = Stage::new();
    // The engine has the images of what it ran.
    let in_containers = report(&stage, "docker", ["debian:trixie"; 2]);
    let images = PROGRAMS.map(|(program, recipe)| format!("docker:{}", image_tag(&root(program), recipe)));
    let in_sandbox = report(&stage, "sandbox", images.each_ref().map(String::as_str));
    assert_eq!(differences(&in_sandbox, &in_containers), Vec::<String>::new());
}

#[test]
fn an_engine_loads_an_image_from_a_file_under_a_name_of_ours() {
    if !has_docker() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("nginx.tar");
    saved(&root(Program::Nginx), &file);
    let source = format!("docker:{}", file.display());
    let loaded = report(&Stage::new(), "docker", [&source, "debian:trixie"]);
    assert_eq!(loaded["verdict"], "pass");
    exported(&root(Program::Nginx), &file);
    let call = GUIDE.into_iter().chain(["--runtime", "docker", "--nginx", &source]);
    let ended = Stage::new().start(call).end();
    assert_eq!(ended.code(), 2, "{ended:#?}");
    assert!(ended.stderr.contains("use --runtime sandbox"), "{}", ended.stderr);
}

/// Each tries another way out; all are of the same size, so that no description is needed.
#[test]
fn an_image_that_reaches_for_the_outside_is_refused_and_writes_nothing() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let outside = directory.path().join("outside");
    fs::create_dir(&outside).expect("a directory");
    let target = outside.display().to_string();
    let up = format!("../../../../../../../../../../..{target}/evil");
    let through_a_link = [(tar::EntryType::Symlink, "x", target.as_str()), (tar::EntryType::Regular, "x/evil", "")];
    let hostile: [&[(tar::EntryType, &str, &str)]; 4] = [
        &[(tar::EntryType::Regular, &up, "")],
        &through_a_link,
        &[(tar::EntryType::Block, "evil", "")],
        &[(tar::EntryType::Regular, "usr/.wh...", "")],
    ];
    for items in hostile {
        let file = directory.path().join("hostile.tar");
        fs::write(&file, tar_of(items)).expect("written");
        let stage = Stage::with_fresh_cache().with(NO_ENGINE.0, NO_ENGINE.1);
        let source = format!("docker:{}", file.display());
        let call = ["check", GUIDE[1], "--nginx", &source, "--prometheus", &source];
        let ended = stage.start(call.into_iter().chain(IN_SANDBOX)).end();
        assert_eq!(ended.code(), 2, "{ended:#?}");
        assert!(ended.stderr.contains("can't be used"), "{}", ended.stderr);
        let written: Vec<PathBuf> = fs::read_dir(&outside).expect("a directory").flatten().map(|e| e.path()).collect();
        assert_eq!(written, Vec::<PathBuf>::new());
        assert_eq!(left_by(&stage, ended.run), Vec::<String>::new());
        assert!(!stage.path("cache/v1/images").exists());
    }
}

fn tar_of(items: &[(tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, path, target) in items {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(0);
        // The library's own functions refuse what a stranger would write.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, &[][..]).expect("appended");
    }
    builder.into_inner().expect("a tar")
}

#[test]
fn an_image_that_is_nowhere_says_how_to_bring_it() {
    if !has_sandbox() {
        return;
    }
    let ask =
        |stage: &Stage, source: &str| stage.start(GUIDE.into_iter().chain(IN_SANDBOX).chain(["--nginx", source])).end();
    let stage = Stage::new().with(NO_ENGINE.0, NO_ENGINE.1);
    let nowhere = ask(&stage, "docker:nginx:1.29");
    assert_eq!(nowhere.code(), 3, "{nowhere:#?}");
    assert!(nowhere.stderr.contains("docker save --output FILE.tar nginx:1.29"), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("debian:stable"), "{}", nowhere.stderr);
    let no_file = ask(&stage, "docker:./no-such-image.tar");
    assert_eq!(no_file.code(), 2, "{no_file:#?}");
    assert!(no_file.stderr.contains("there is no such file"), "{}", no_file.stderr);
}
