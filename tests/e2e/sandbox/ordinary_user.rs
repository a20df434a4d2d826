//! An ordinary user has the sandbox too, by a user namespace.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::IN_SANDBOX;
use super::images::{PROGRAMS, root, saved};
use crate::stage::users_cache;
use crate::support::{has_sandbox, project};

/// Root's tests run as root; those of an ordinary user do so anyway.
#[test]
fn an_ordinary_user_boots_the_guide() {
    boots_the_guide(|_| ["debian:trixie"; 2].map(str::to_owned));
}

#[test]
fn an_ordinary_user_boots_images_in_files() {
    boots_the_guide(|directory| {
        PROGRAMS.map(|(program, _)| {
            let file = directory.join(format!("{}.tar", program.name()));
            saved(&root(program), &file);
            format!("docker:{}", file.display())
        })
    });
}

/// With the sources of nginx and Prometheus that are put into the user's directory.
fn boots_the_guide(sources: impl FnOnce(&Path) -> [String; 2]) {
    if !has_sandbox() {
        return;
    }
    let program = assert_cmd::cargo::cargo_bin!("proxyproof");
    let Some(own) = OrdinaryUser::with_the_cache_of_this_one() else {
        println!("skipped: this is an ordinary user");
        return;
    };
    if !own.command("test").arg("-x").arg(program).status().is_ok_and(|status| status.success()) {
        println!("skipped: an ordinary user may not run {}", program.display());
        return;
    }
    let [nginx, prometheus] = sources(own.0.path());
    let call = ["check", "guide/nginx.conf", "--nginx", &nginx, "--prometheus", &prometheus];
    let output = own.command(program).args(call).args(IN_SANDBOX).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(" on sandbox: nginx "), "{said}");
}

/// A user who is not root, in a directory with the guide and the built roots.
struct OrdinaryUser(tempfile::TempDir);

impl OrdinaryUser {
    /// `nobody`, as most systems have it.
    const ID: u32 = 65534;

    fn with_the_cache_of_this_one() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let copy = |from: &Path, to: &str| {
            let copied = Command::new("cp").arg("-r").arg(from).arg(directory.path().join(to)).status();
            assert!(copied.is_ok_and(|status| status.success()), "{}", from.display());
        };
        copy(&project("fixtures/guide"), "guide");
        let cache = users_cache().join("v1");
        fs::create_dir_all(directory.path().join("cache/v1/roots")).expect("directories");
        copy(&cache.join("debian"), "cache/v1/debian");
        for root in fs::read_dir(cache.join("roots")).into_iter().flatten().flatten() {
            if root.file_name().to_string_lossy().contains("-trixie-") {
                copy(&root.path(), "cache/v1/roots/");
            }
        }
        let given = Command::new("chown").arg("-R").arg(format!("{0}:{0}", Self::ID)).arg(directory.path()).status();
        assert!(given.is_ok_and(|status| status.success()));
        Some(Self(directory))
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).uid(Self::ID).gid(Self::ID).env("HOME", self.0.path());
        command.env("TMPDIR", self.0.path()).env("PROXYPROOF_CACHE", self.0.path().join("cache"));
        command
    }
}
