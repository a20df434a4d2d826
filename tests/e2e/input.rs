//! Wrong input: the exit code tells it from a poor environment, the message names the cure, nothing is left.

use std::fs::{self, File};

use insta::assert_snapshot;

use crate::support::proxyproof;

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
    assert_snapshot!(refused(&["fixtures/invalid/directory-of-nothing"]), @"2: error: `fixtures/invalid/directory-of-nothing` is a directory without an nginx.conf, and no *.conf in it says anything. Pass the file or directory that nginx reads");
    assert_snapshot!(refused(&["fixtures/invalid/empty/nginx.conf"]), @"2: error: `fixtures/invalid/empty/nginx.conf` holds no directive: it is empty or has only comments. Pass the nginx.conf that the deployment runs with");
    assert_snapshot!(refused(&["fixtures/invalid/comments-only/nginx.conf"]), @"2: error: `fixtures/invalid/comments-only/nginx.conf` holds no directive: it is empty or has only comments. Pass the nginx.conf that the deployment runs with");
}

#[test]
fn a_syntax_error_is_shown_at_its_line_and_column() {
    assert_snapshot!(refused(&["fixtures/invalid/unclosed-block/nginx.conf"]), @"2: error: fixtures/invalid/unclosed-block/nginx.conf:8:9: the block that is opened here is never closed (`location /prometheus/ {`). Add the `}` that closes it");
    assert_snapshot!(refused(&["fixtures/invalid/missing-semicolon/nginx.conf"]), @"2: error: fixtures/invalid/missing-semicolon/nginx.conf:5:9: this directive does not end with `;` before `server_name` (`listen 443 ssl`). Add the `;`");
}

#[test]
fn a_template_says_what_renders_it() {
    assert_snapshot!(refused(&["fixtures/invalid/placeholders-without-values/nginx.conf"]), @"2: error: fixtures/invalid/placeholders-without-values/nginx.conf:3:17: this is a template, and nothing gives a value for `${DOMAIN}` and `${PROMETHEUS_HOST}`. Give each one: --env DOMAIN=VALUE --env PROMETHEUS_HOST=VALUE");
    assert_snapshot!(refused(&["fixtures/invalid/shell-default/nginx.conf"]), @"2: error: fixtures/invalid/shell-default/nginx.conf:2:12: `${PORT:-80}` is a default value as shells have it, which envsubst does not know and nginx can't read. Write `${PORT}`, and give the value: --env PORT=VALUE");
    assert_snapshot!(refused(&["fixtures/invalid/jinja-template/nginx.conf"]), @"2: error: fixtures/invalid/jinja-template/nginx.conf:4:1: `{%` is a placeholder: this is a Jinja template, which nginx can't read. Render it first (with `ansible`, or whatever deploys it), and pass the result");
    assert_snapshot!(refused(&["fixtures/invalid/configmap/nginx.yaml"]), @"2: error: fixtures/invalid/configmap/nginx.yaml:6:3: this is a YAML file, not an nginx configuration. Render it if it is a template, and pass the nginx.conf that is embedded in it as a file of its own");
}

#[test]
fn a_configuration_that_lacks_a_part_is_refused_at_its_line() {
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
    2: error: invalid value 'nginx' for '--nginx <SRC>': `nginx` names no source: it has none of the forms. Write docker:IMAGE (docker:nginx:1.29), debian:RELEASE (debian:trixie), ubuntu:RELEASE (ubuntu:noble), path:FILE (path:/usr/sbin/nginx) or auto.

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&[GUIDE, "--upstream", "localhost:1234"]), @"2: error: `fixtures/guide/nginx.conf` has no route that leads to `localhost:1234`. It leads to localhost:9090 (fixtures/guide/nginx.conf:9:13). Name the one that is Prometheus: `--upstream HOST:PORT`");
    assert_snapshot!(refused(&[GUIDE, "--skip", "ui-page"]), @"
    2: error: invalid value 'ui-page' for '--skip <ID=REASON>': a skip needs its reason, as in --skip 'ui-page=our build has no UI'

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&[GUIDE, "--skip", "ui-pages=no UI"]), @"2: error: there is no check `ui-pages`, did you mean `ui-page`?; `proxyproof checks` lists all");
    assert_snapshot!(refused(&[GUIDE, "--output", "no/such/report"]), @"2: error: could not write no/such/report: No such file or directory (os error 2); name a file in a directory that exists");
    assert_snapshot!(refused(&[GUIDE, "--nginx", "path:/no/such/nginx"]), @"2: error: The program /no/such/nginx can't be used: there is no such file. Name an executable file of this machine, such as path:/usr/sbin/nginx.");
    assert_snapshot!(refused(&[GUIDE, "--cacert", GUIDE]), @"2: error: `fixtures/guide/nginx.conf` holds no certificate in PEM form. Pass the CA's certificate, which has a line `-----BEGIN CERTIFICATE-----`");
    assert_snapshot!(refused(&[GUIDE, "--client-cert", GUIDE, "--client-key", GUIDE]), @"2: error: `fixtures/guide/nginx.conf` holds no certificate in PEM form. Pass a file that has a line `-----BEGIN CERTIFICATE-----`");
    assert_snapshot!(refused(&[GUIDE, "--basic-auth", "admin"]), @"
    2: error: invalid value 'admin' for '--basic-auth <USER:PASS>': a user and a password have a colon between them, as in admin:secret

    For more information, try '--help'.
    ");
}
