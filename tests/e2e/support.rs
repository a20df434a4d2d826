//! What the tests share: the command, whether its runtime is there, and paths of the project.

use std::path::PathBuf;

use assert_cmd::Command;
use proxyproof::source::Source;

/// The program, as a user calls it in the project's folder, without what the environment would change.
pub(crate) fn proxyproof() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("proxyproof"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "PROXYPROOF_REFRESH"] {
        command.env_remove(name);
    }
    command
}

/// A file or folder of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether containers can run here. A test that needs them says so and returns; in CI their absence is a failure.
pub(crate) fn has_docker() -> bool {
    has("docker", "container engine")
}

/// The same of namespaces of this kernel.
pub(crate) fn has_sandbox() -> bool {
    has("sandbox", "sandbox")
}

fn has(runtime: &str, what: &str) -> bool {
    let doctor = proxyproof().arg("doctor").output().expect("the program runs");
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    if found.lines().any(|line| line.split_whitespace().take(2).eq([runtime, "works"])) {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "no {what} in CI:\n{found}");
    println!("skipped: no {what}\n{found}");
    false
}

/// The packages of a Debian release.
pub(crate) fn debian(release: &str) -> Source {
    format!("debian:{release}").parse().expect("a source")
}

/// Runs a test of the library as `#[tokio::test]` does.
pub(crate) fn block_on(test: impl Future<Output = proxyproof::Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if let Err(error) = runtime.block_on(test) {
        panic!("{error}");
    }
}
