//! Both runtimes say the same of an upgrade of both programs, mixtures and all.

use super::GUIDE;
use crate::support::{has_docker, has_sandbox, proxyproof};

/// Its nginx listens on a socket in a directory that it shares, which the one that takes its place finds again.
const SOCKET: &str = "fixtures/world/listen-socket/nginx.conf";

#[test]
fn an_upgrade_is_the_same_in_containers() {
    if !has_docker() || !has_sandbox() {
        return;
    }
    for path in [GUIDE, SOCKET] {
        let [docker, sandbox] = ["docker", "sandbox"].map(|runtime| report(path, runtime));
        assert!(sandbox.contains("\"by\": \"nginx\"") && sandbox.contains("\"by\": \"prometheus\""), "{sandbox}");
        assert_eq!(docker, sandbox, "{path}");
    }
}

fn report(path: &str, runtime: &str) -> String {
    let sides = ["--from", "debian:bookworm", "--to", "debian:trixie"];
    let mut command = proxyproof();
    command.args(["upgrade", path, "--runtime", runtime, "--format", "json"]).args(sides);
    let output = command.output().expect("the program runs");
    String::from_utf8(output.stdout).expect("a report")
}
