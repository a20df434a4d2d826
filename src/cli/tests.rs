use clap::{CommandFactory, Parser};

use super::{Cli, Command};

#[test]
fn is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_names_every_command() {
    insta::assert_snapshot!(refusal("--help"), @"
    Proves that a TLS reverse proxy in front of Prometheus does its job

    It boots real nginx and real Prometheus with your configuration as it is, asks them
    as a client would, and says what is wrong, in which line, and what would fix it.

    Usage: proxyproof <COMMAND>

    Commands:
      check        Boot the Lab, ask every check, print the report
      merge        Join the JSON reports of shards, or of several runs
      probe        Ask a deployment that already runs what can be asked from outside; boot nothing, change nothing
      upgrade      Say what an upgrade of nginx and Prometheus changes, whose doing it is, and what breaks
      record       Write down what is seen of a deployment, for a later upgrade --baseline
      matrix       Check a deployment with every nginx in front of every Prometheus, and say which of them go together
      up           Boot the Lab and stay, printing URLs, curl commands and where the CA is; Ctrl-C ends it
      explain      Say what a check asks, why, and how to fix what it finds
      checks       List the checks
      doctor       Say which runtimes and sources work here, and what dead runs left behind
      schema       Print the JSON Schema of proxyproof.toml, for editors
      completions  Print a completion script for a shell
      man          Print the manual page

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn help_of_check_has_its_options_and_exit_codes() {
    insta::assert_snapshot!(refusal("check --help"), @"
    Boot the Lab, ask every check, print the report

    Usage: proxyproof check [OPTIONS] <PATH>...

    Arguments:
      <PATH>...  An nginx.conf, a fragment (server blocks or locations alone), a directory such as /etc/nginx, or one that holds many of these; each is a deployment

    Options:
      -h, --help  Print help

    What runs:
          --runtime <auto|docker|sandbox>  What boots the programs; auto: docker where an engine answers, else sandbox [default: auto]
          --nginx <SRC>                    Which nginx: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto [default: auto]
          --prometheus <SRC>               Which Prometheus: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto [default: auto]

    The deployment, where the nginx.conf does not say it:
          --prometheus-from <FILE>    What starts Prometheus: a systemd unit, a docker-compose.yml or a Kubernetes manifest
          --prometheus-arg <ARG>      A flag that the deployment starts Prometheus with (repeatable); wins over --prometheus-from
          --prometheus-config <FILE>  The deployment's prometheus.yml
          --server-name <NAME>        The name in the public URL
          --prefix <PATH>             The public path below which Prometheus is
          --upstream <HOST:PORT>      Which upstream of the file is Prometheus
          --cacert <FILE>             What clients trust, for a certificate that the deployment brings
          --client-cert <FILE>        The certificate that clients show, where the deployment asks for one
          --client-key <FILE>         The key of the certificate that clients show
          --basic-auth <USER:PASS>    A user of the deployment's own password files; without it they are replaced
          --with <FILE>               A further file of the same deployment, such as the one that holds the upstreams (repeatable)
          --root <DIR>                A directory that mirrors /: absolute paths are looked up there first
          --env <NAME=VALUE>          The value of the placeholder ${NAME} in a template (repeatable)

    The report:
          --format <text|json>            How the report is written [default: text]
          --output <FILE>                 Where to, instead of standard output
          --fail-on <error|warning|note>  The lowest level of a finding that makes the exit code 1 [default: error]
          --only <ID>                     Ask this check alone (repeatable)
          --skip <ID=REASON>              Do not ask this check, and say why not in the report (repeatable)
          --slow                          Wait for what takes seconds too: Prometheus's first scrape
          --keep                          Hold the Lab after the report until Ctrl-C, so that the report's curl lines work
          --timings                       Say in the report what the time went into: boot, checks, connections, handshakes, requests, teardown

    Many deployments:
          --jobs <N>     How many run at once; by default as many as there are cores
          --shard <K/N>  Check the K-th of N parts alone, from 1/N to N/N; `merge` joins their JSON reports

    Exit codes (of many paths the highest of 3, 2 and 1):
      0    no finding at or above --fail-on
      1    findings
      2    the call or the input is wrong; the message says which file, line and column
      3    the environment can't run it: no runtime, no source of a program, no disk
      130  ended by Ctrl-C; 143: by SIGTERM
    ");
}

#[test]
fn help_of_up_has_the_lab_s_options() {
    insta::assert_snapshot!(refusal("up --help"), @"
    Boot the Lab and stay, printing URLs, curl commands and where the CA is; Ctrl-C ends it

    Usage: proxyproof up [OPTIONS] <PATH> [-- <COMMAND>...]

    Arguments:
      <PATH>  An nginx.conf, a fragment (server blocks or locations alone), or a directory such as /etc/nginx

    Options:
      -h, --help  Print help

    What runs:
          --runtime <auto|docker|sandbox>  What boots the programs; auto: docker where an engine answers, else sandbox [default: auto]
          --nginx <SRC>                    Which nginx: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto [default: auto]
          --prometheus <SRC>               Which Prometheus: docker:IMAGE, debian:RELEASE, ubuntu:RELEASE, path:FILE or auto [default: auto]

    The deployment, where the nginx.conf does not say it:
          --prometheus-from <FILE>    What starts Prometheus: a systemd unit, a docker-compose.yml or a Kubernetes manifest
          --prometheus-arg <ARG>      A flag that the deployment starts Prometheus with (repeatable); wins over --prometheus-from
          --prometheus-config <FILE>  The deployment's prometheus.yml
          --server-name <NAME>        The name in the public URL
          --prefix <PATH>             The public path below which Prometheus is
          --upstream <HOST:PORT>      Which upstream of the file is Prometheus
          --cacert <FILE>             What clients trust, for a certificate that the deployment brings
          --client-cert <FILE>        The certificate that clients show, where the deployment asks for one
          --client-key <FILE>         The key of the certificate that clients show
          --basic-auth <USER:PASS>    A user of the deployment's own password files; without it they are replaced
          --with <FILE>               A further file of the same deployment, such as the one that holds the upstreams (repeatable)
          --root <DIR>                A directory that mirrors /: absolute paths are looked up there first
          --env <NAME=VALUE>          The value of the placeholder ${NAME} in a template (repeatable)
      [COMMAND]...                    Run this inside the Lab's network (the sandbox's alone) and end with it, as in `-- curl https://example.com/`
    ");
}

#[test]
fn help_of_probe_says_how_it_asks() {
    insta::assert_snapshot!(refusal("probe --help"), @"
    Ask a deployment that already runs what can be asked from outside; boot nothing, change nothing

    Usage: proxyproof probe [OPTIONS] <URL>

    Arguments:
      <URL>  The public URL below which Prometheus is, such as https://example.com/prometheus/

    Options:
      -h, --help  Print help

    Who asks, and where:
          --cacert <FILE>                What clients trust, instead of the authorities that this machine trusts
          --basic-auth <USER:PASS>       The name and the password that clients give
          --client-cert <FILE>           The certificate that clients show
          --client-key <FILE>            The key of the certificate that clients show
          --resolve <HOST:PORT:ADDRESS>  Where the name is, instead of what the system says (repeatable)

    The report:
          --format <text|json>            How the report is written [default: text]
          --output <FILE>                 Where to, instead of standard output
          --fail-on <error|warning|note>  The lowest level of a finding that makes the exit code 1 [default: error]
          --only <ID>                     Ask this check alone (repeatable)
          --skip <ID=REASON>              Do not ask this check, and say why not in the report (repeatable)

    It asks at most ten times a second and four things at once, nothing that changes anything.
    What needs the configuration, or is not asked of what others use, is skipped with its reason.

    Exit codes:
      0    no finding at or above --fail-on
      1    findings
      2    the call is wrong
      3    nothing answers there, or this machine has no certificates of authorities
      130  ended by Ctrl-C; 143: by SIGTERM
    ");
}

#[test]
fn flags_of_prometheus_keep_their_hyphens() {
    let call = "check a.conf b.conf --prometheus-arg --web.route-prefix=/ --prometheus-arg --log.level=warn";
    let Command::Check(check) = parse(call).unwrap().command else {
        panic!("not a check");
    };
    assert_eq!(check.lab.deployment.prometheus_args, ["--web.route-prefix=/", "--log.level=warn"]);
    assert_eq!(check.paths.len(), 2);
}

#[test]
fn a_skip_keeps_its_whole_reason() {
    let call = ["proxyproof", "check", "a.conf", "--skip", "ui-page=no UI: a=b"];
    let Command::Check(check) = Cli::try_parse_from(call).unwrap().command else {
        panic!("not a check");
    };
    assert_eq!(check.report.skip, [("ui-page".to_owned(), "no UI: a=b".to_owned())]);
}

#[test]
fn wrong_values_are_answered_with_the_cure() {
    insta::assert_snapshot!(refusal("check a.conf --skip ui-page"), @"
    error: invalid value 'ui-page' for '--skip <ID=REASON>': a skip needs its reason, as in --skip 'ui-page=our build has no UI'

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal("check a.conf --skip ui-page="), @"
    error: invalid value 'ui-page=' for '--skip <ID=REASON>': a skip needs its reason, as in --skip 'ui-page=our build has no UI'

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal("check a.conf --prefix prometheus"), @"
    error: invalid value 'prometheus' for '--prefix <PATH>': a prefix begins with `/`, as in /prometheus; `/` alone is the root

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refusal("check"), @"
    error: the following required arguments were not provided:
      <PATH>...

    Usage: proxyproof check <PATH>...

    For more information, try '--help'.
    ");
}

#[test]
fn a_mistyped_check_is_answered_with_the_nearest() {
    let refusal = refusal("check a.conf --only prefix-redirect");
    assert!(refusal.contains("a similar value exists: 'prefix-redirects'"), "{refusal}");
}

#[test]
fn a_wrong_call_ends_with_exit_code_2() {
    assert_eq!(parse("check").unwrap_err().exit_code(), 2);
    assert_eq!(parse("check a.conf --fail-on all").unwrap_err().exit_code(), 2);
}

fn parse(call: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("proxyproof").chain(call.split(' ')))
}

/// What is printed instead of a run.
fn refusal(call: &str) -> String {
    parse(call).unwrap_err().to_string()
}
