//! Wrong input and a poor environment: the exit code tells which, the message names the cure, nothing is left.

use std::fs::{self, File};
use std::process::Command;

use insta::assert_snapshot;

use crate::support::{has_docker, proxyproof};

const GUIDE: &str = "fixtures/guide/nginx.conf";

/// Runs `check` with wrong arguments and gives its exit code and what it says. No file is left.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    refused_with(&[], arguments)
}

/// The same, in another environment.
#[track_caller]
fn refused_with(environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let temporary = tempfile::tempdir().expect("a directory");
    let mut command = proxyproof();
    command.arg("check").args(arguments).env("TMPDIR", temporary.path()).envs(environment.iter().copied());
    let ended = command.output().expect("the program runs");
    let left = fs::read_dir(temporary.path()).expect("the directory").count();
    assert_eq!(left, 0, "files are left behind by {arguments:?}");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    // What goes on before is not the message.
    let message = stderr.find("error: ").map_or("", |begin| &stderr[begin..]);
    format!("{}: {}", ended.status.code().unwrap_or(-1), message.trim_end())
}

#[test]
fn a_file_that_is_no_configuration_is_refused_with_the_cure() {
    assert_snapshot!(refused(&["no/such/nginx.conf"]), @"2: error: `no/such/nginx.conf` does not exist. Check the path; a relative one starts at the current directory");
    assert_snapshot!(refused(&["fixtures/guide"]), @"2: error: `fixtures/guide` is a directory. Pass the nginx.conf inside it: `fixtures/guide/nginx.conf`");
    assert_snapshot!(refused(&["fixtures/invalid/empty/nginx.conf"]), @"2: error: `fixtures/invalid/empty/nginx.conf` holds no directive: it is empty or has only comments. Pass the nginx.conf that the deployment runs with");
    assert_snapshot!(refused(&["fixtures/invalid/comments-only/nginx.conf"]), @"2: error: `fixtures/invalid/comments-only/nginx.conf` holds no directive: it is empty or has only comments. Pass the nginx.conf that the deployment runs with");
    assert_snapshot!(refused(&["fixtures/invalid/fragment/nginx.conf"]), @"2: error: `fixtures/invalid/fragment/nginx.conf` has no `http` block: it is a fragment, which is not supported yet. Pass the nginx.conf that includes it, or one that holds `events {} http { include nginx.conf; }`");
}

#[test]
fn a_syntax_error_is_shown_at_its_line_and_column() {
    assert_snapshot!(refused(&["fixtures/invalid/unclosed-block/nginx.conf"]), @"2: error: fixtures/invalid/unclosed-block/nginx.conf:8:9: the block that is opened here is never closed (`location /prometheus/ {`). Add the `}` that closes it");
    assert_snapshot!(refused(&["fixtures/invalid/missing-semicolon/nginx.conf"]), @"2: error: fixtures/invalid/missing-semicolon/nginx.conf:5:9: this directive does not end with `;` before `server_name` (`listen 443 ssl`). Add the `;`");
}

#[test]
fn a_configuration_that_lacks_a_part_is_refused_at_its_line() {
    assert_snapshot!(refused(&["fixtures/invalid/certificate-without-key/nginx.conf"]), @"2: error: fixtures/invalid/certificate-without-key/nginx.conf:7:25: the tree brings the certificate `example.com.crt` without its key `example.com.key`. Put the key into the tree, or take the certificate out so that a pair is made");
    assert_snapshot!(refused(&["fixtures/invalid/no-route/nginx.conf"]), @"2: error: `fixtures/invalid/no-route/nginx.conf` has no route that leads to Prometheus. It leads to grafana:3000 (fixtures/invalid/no-route/nginx.conf:9:13). Name the one that is Prometheus: `--upstream HOST:PORT`");
}

#[test]
fn a_binary_or_huge_file_is_refused_without_being_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let binary = directory.path().join("nginx.conf");
    fs::write(&binary, b"\x7fELF\0\0\0\xff").expect("written");
    let message = refused(&[&binary.to_string_lossy()]);
    assert!(message.starts_with("2: ") && message.contains("is not a text file"), "{message}");
    let huge = directory.path().join("huge.conf");
    File::create(&huge).and_then(|file| file.set_len(50 << 20)).expect("a sparse file");
    let message = refused(&[&huge.to_string_lossy()]);
    assert!(message.starts_with("2: ") && message.contains("larger than 10 MiB"), "{message}");
    let message = refused(&["/dev/zero"]);
    assert!(message.starts_with("2: "), "{message}");
}

#[test]
fn a_wrong_option_is_refused_before_anything_boots() {
    assert_snapshot!(refused(&[GUIDE, "--nginx", "nginx"]), @"
    2: error: invalid value 'nginx' for '--nginx <SRC>': `nginx` names no source: it has none of the forms. Write docker:IMAGE (docker:nginx:1.29), debian:RELEASE (debian:trixie), path:FILE (path:/usr/sbin/nginx) or auto.

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&[GUIDE, "--upstream", "localhost:1234"]), @"2: error: `fixtures/guide/nginx.conf` has no route that leads to `localhost:1234`. It leads to localhost:9090 (fixtures/guide/nginx.conf:9:13). Name the one that is Prometheus: `--upstream HOST:PORT`");
    assert_snapshot!(refused(&[GUIDE, "--skip", "ui-page"]), @"
    2: error: invalid value 'ui-page' for '--skip <ID=REASON>': a skip needs its reason, as in --skip 'ui-page=our build has no UI'

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&[GUIDE, "--skip", "ui-pages=no UI"]), @"2: error: there is no check `ui-pages`, did you mean `ui-page`?; `proxyproof checks` lists all");
    assert_snapshot!(refused(&[GUIDE, "--output", "no/such/report"]), @"2: error: could not write no/such/report: No such file or directory (os error 2)");
    assert_snapshot!(refused(&[GUIDE, "--nginx", "path:/no/such/nginx"]), @"2: error: The program /no/such/nginx can't be used: there is no such file. Name an executable file of this machine, such as path:/usr/sbin/nginx.");
    assert_snapshot!(refused(&[GUIDE, "--cacert", GUIDE]), @"2: error: `fixtures/guide/nginx.conf` holds no certificate in PEM form. Pass the CA's certificate, which has a line `-----BEGIN CERTIFICATE-----`");
}

#[test]
fn a_release_or_an_image_that_is_not_there_is_refused() {
    if !has_docker() {
        return;
    }
    // The messages name the mirror and the registry of the machine.
    let release = refused(&[GUIDE, "--nginx", "debian:nosuch"]);
    assert!(release.starts_with("2: ") && release.contains("has no release `nosuch`"), "{release}");
    assert!(release.contains("debian:stable"), "{release}");
    let image = refused(&[GUIDE, "--nginx", "docker:nosuch:1"]);
    assert!(image.starts_with("3: ") && image.contains("the image nosuch:1 is not here"), "{image}");
    assert!(image.contains("check its name"), "{image}");
}

#[test]
fn an_image_without_the_program_is_the_environments_fault() {
    if !has_docker() {
        return;
    }
    const IMAGE: &str = "proxyproof-test/empty:1";
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("root.tar");
    // An empty archive: two blocks of zeros.
    fs::write(&root, [0_u8; 1024]).expect("written");
    let imported = Command::new("docker").arg("import").arg(&root).arg(IMAGE).output();
    let Ok(imported) = imported else {
        // An engine can be there without its client.
        return;
    };
    assert!(imported.status.success(), "{imported:?}");
    let message = refused(&[GUIDE, "--nginx", &format!("docker:{IMAGE}")]);
    let removed = Command::new("docker").args(["rmi", IMAGE]).output().expect("the docker client runs");
    assert!(removed.status.success(), "{removed:?}");
    assert!(message.starts_with("3: ") && message.contains("could not start nginx"), "{message}");
    assert!(message.contains("the image does not hold this program"), "{message}");
}

#[test]
fn flags_that_prometheus_refuses_are_the_deployments_fault() {
    if !has_docker() {
        return;
    }
    let arguments = [GUIDE, "--prometheus", "debian:trixie", "--prometheus-arg=--no-such-flag"];
    assert_snapshot!(refused(&arguments), @"
    2: error: prometheus ended before it was ready: check the flags (--prometheus-arg) and the prometheus.yml of the deployment; it said:
    Error parsing command line arguments: unknown long flag '--no-such-flag'
    prometheus: error: unknown long flag '--no-such-flag'
    ");
}

#[test]
fn without_an_engine_the_environment_is_blamed() {
    assert_snapshot!(refused_with(&[("DOCKER_HOST", "tcp://127.0.0.1:1")], &[GUIDE]), @"3: error: no Docker engine answers at tcp://127.0.0.1:1: Connection refused (os error 111); start Docker, or set DOCKER_HOST to where its engine listens");
}

#[test]
fn a_full_disk_is_told_with_its_directory() {
    if !has_docker() || !rustix::process::geteuid().is_root() {
        return;
    }
    let disk = tempfile::tempdir().expect("a directory");
    let mounted = Mounted::small_disk_at(disk.path());
    let cache = disk.path().to_string_lossy();
    let message = refused_with(
        &[("PROXYPROOF_CACHE", &cache)],
        &[GUIDE, "--nginx", "debian:trixie", "--prometheus", "debian:trixie"],
    );
    drop(mounted);
    assert!(message.starts_with("3: error: No space is left in"), "{message}");
    assert!(message.contains("set PROXYPROOF_CACHE"), "{message}");
}

/// A mounted file system, unmounted when this is dropped.
struct Mounted<'a>(&'a std::path::Path);

impl<'a> Mounted<'a> {
    fn small_disk_at(directory: &'a std::path::Path) -> Self {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(directory).status();
        assert!(mount.expect("mount runs").success());
        Self(directory)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}
