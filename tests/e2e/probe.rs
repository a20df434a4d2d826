//! `proxyproof probe` against deployments that run: Labs, asked as anybody asks what others use.

use std::net::TcpListener;
use std::path::Path;

use insta::assert_snapshot;
use proxyproof::{BootOptions, CATALOGUE, Deployment, Lab, Level, Probe, ProbeOptions, View};
use serde_json::Value;

use crate::fixture::check_line;
use crate::support::{debian, has_docker, project, proxyproof};

const URL: &str = "https://example.com/prometheus/";

/// A Lab that is there for others to ask.
async fn lab(path: impl AsRef<Path>, prometheus: &str) -> proxyproof::Result<Lab> {
    let options =
        BootOptions { nginx: debian("trixie"), prometheus: debian(prometheus), keep: true, ..Default::default() };
    Deployment::load(path)?.boot_with(&options).await
}

/// The call that `proxyproof up` prints for a Lab, without the program's name.
fn call_of(lab: &Lab) -> Vec<String> {
    let call = lab.probes().swap_remove(0);
    call.split(' ').skip(1).map(str::to_owned).collect()
}

/// What the program says to a call, and its exit code.
fn run(call: &[impl AsRef<std::ffi::OsStr>]) -> (Value, i32) {
    let output = proxyproof().args(call).args(["--format", "json"]).output().expect("the program runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code().expect("an exit code"))
}

/// What a Lab's probe says, with further options, and its exit code.
fn probe(lab: &Lab, options: &[&str]) -> (Value, i32) {
    let mut call = call_of(lab);
    call.extend(options.iter().map(|option| (*option).to_owned()));
    run(&call)
}

/// `check level message` of each finding.
fn findings(report: &Value) -> Vec<String> {
    let all = report["deployments"][0]["findings"].as_array().expect("findings");
    let word = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    all.iter().map(|finding| ["check", "level", "message"].map(|key| word(finding, key)).join(" ")).collect()
}

/// The check's finding.
fn finding_of<'a>(report: &'a Value, check: &str) -> Option<&'a Value> {
    let all = report["deployments"][0]["findings"].as_array().expect("findings");
    all.iter().find(|finding| finding["check"] == check)
}

/// `id: outcome`, with the reason of a skip.
fn outcomes(report: &Value) -> Vec<String> {
    report["deployments"][0]["checks"].as_array().expect("checks").iter().map(check_line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_finds_what_a_check_finds_from_outside() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = lab(project("fixtures/guide/nginx.conf"), "trixie").await?;
    let (report, code) = probe(&lab, &[]);
    assert_eq!((code, &report["runtime"]), (0, &"probe".into()));
    assert_eq!(report["deployments"][0]["public_url"], URL);
    assert!(report["programs"]["nginx"]["version"].as_str().is_some_and(|version| version.starts_with("1.26")));
    let is_outside = |id: &str| CATALOGUE.iter().any(|check| check.id == id && check.view == View::Outside);
    let inside = lab.check().await?;
    let of_the_lab = inside.deployments[0].findings.iter().filter(|finding| is_outside(finding.check));
    let expected: Vec<String> =
        of_the_lab.map(|finding| format!("{} {} {}", finding.check, finding.level.name(), finding.message)).collect();
    assert_eq!(findings(&report), expected);
    for finding in report["deployments"][0]["findings"].as_array().expect("findings") {
        assert!(finding["location"].is_null() && finding["edits"] == Value::Array(Vec::new()), "{finding:#}");
        assert!(!finding["fix"].as_str().expect("a fix").contains("PREFIX"), "{finding:#}");
    }
    insta::assert_json_snapshot!(outcomes(&report));
    lab.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_found_from_outside() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    for (check, prometheus, code) in
        [("tls-versions", "trixie", 0), ("hsts", "trixie", 0), ("prefix-redirects", "bookworm", 1)]
    {
        let lab = lab(project(&format!("fixtures/checks/{check}/fail/nginx.conf")), prometheus).await?;
        let (report, ended) = probe(&lab, &["--only", check]);
        let found = finding_of(&report, check).unwrap_or_else(|| panic!("{check} is not found: {report:#}"));
        assert_eq!(
            (ended, &found["level"]),
            (code, &(if code == 1 { "error" } else { "warning" }).into()),
            "{report:#}"
        );
        lab.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_password_sees_what_is_behind_it() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = lab(project("fixtures/layouts/basic-auth/nginx.conf"), "trixie").await?;
    let only = ["--only", "api-query", "--only", "authentication"];
    assert_eq!(outcomes(&probe(&lab, &only).0), ["api-query: pass", "authentication: pass"]);
    let mut call = call_of(&lab);
    let at = call.iter().position(|word| word == "--basic-auth").expect("a password");
    call[at + 1] = "somebody:else".to_owned();
    let call: Vec<&str> = call.iter().map(String::as_str).chain(only).collect();
    let (report, code) = run(&call);
    assert_eq!(
        (code, findings(&report)),
        (1, vec!["authentication error the right password is not let in".to_owned()])
    );
    // The password is nobody's who reads the report.
    assert!(!report.to_string().contains("somebody:else"));
    // Nor is it told to a server that can't be told from a stranger.
    let cacert = call.iter().position(|word| *word == "--cacert").expect("a CA");
    let others: Vec<&str> = [&call[..cacert], &call[cacert + 2..]].concat();
    let skipped = "api-query: skip: nginx asks for credentials that this client does not have (401)";
    assert_eq!(outcomes(&run(&others).0)[0], skipped);
    lab.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_certificate_is_let_in_and_nobody_else() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let only = ["--only", "api-query", "--only", "client-certificate"];
    for (fixture, certificate) in [("pass", "pass"), ("fail", "fail")] {
        let lab = lab(project(&format!("fixtures/checks/client-certificate/{fixture}/nginx.conf")), "trixie").await?;
        let (report, _) = probe(&lab, &only);
        assert_eq!(outcomes(&report), [&format!("client-certificate: {certificate}"), "api-query: pass"]);
        lab.close().await?;
    }
    Ok(())
}

/// What the Lab of a deployment that writes down each request received of a probe.
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_polite() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let directory = tempfile::tempdir().expect("a directory");
    let guide = std::fs::read_to_string(project("fixtures/guide/nginx.conf")).expect("the guide");
    let logged = "http { log_format asked '@ $msec $request_method $request_uri $request_length $http_user_agent'; \
                  access_log /dev/stdout asked;";
    let path = directory.path().join("nginx.conf");
    std::fs::write(&path, guide.replacen("http {", logged, 1)).expect("written");
    let lab = lab(&path, "trixie").await?;
    let before = lab.nginx_log().len();
    probe(&lab, &[]);
    let log = lab.nginx_log();
    let asked: Vec<Vec<&str>> =
        log[before..].lines().filter_map(|line| Some(line.strip_prefix("@ ")?.split(' ').collect())).collect();
    assert!(asked.len() > 50, "{log}");
    let mut times: Vec<f64> = asked.iter().map(|words| words[0].parse().expect("a time")).collect();
    times.sort_by(f64::total_cmp);
    // Eleven in a second, if the first of them came late.
    assert!(times.windows(13).all(|window| window[12] - window[0] > 0.95), "{log}");
    for words in &asked {
        let [_, method, uri, length, agent] = words[..] else { panic!("{words:?}") };
        // A connection without a request, such as one that asks which protocols are spoken.
        if method == "-" {
            continue;
        }
        assert!(method == "GET" || (method, uri) == ("POST", "/prometheus/api/v1/query"), "{words:?}");
        assert!(!["/-/quit", "/-/reload", "/admin/", "/write"].iter().any(|part| uri.contains(part)), "{words:?}");
        assert!(length.parse::<u32>().is_ok_and(|length| length < 16_000), "{words:?}");
        assert!(agent.starts_with("proxyproof/"), "{words:?}");
    }
    lab.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_probes_too() -> proxyproof::Result<()> {
    if !has_docker() {
        return Ok(());
    }
    let lab = lab(project("fixtures/guide/nginx.conf"), "trixie").await?;
    let call = call_of(&lab);
    let value = |option: &str| &call[call.iter().position(|word| word == option).expect("an option") + 1];
    let options = ProbeOptions {
        cacert: Some(value("--cacert").into()),
        resolve: vec![value("--resolve").parse()?],
        ..ProbeOptions::default()
    };
    let only = proxyproof::Selection::new(vec!["certificate-trusted".to_owned(), "hsts".to_owned()], Vec::new())?;
    let report = Probe::with(URL, options)?.check_with(&only, Level::Error).await?;
    report.assert_passed();
    assert_eq!(report.deployments[0].findings.len(), 1);
    lab.close().await
}

/// The exit code and the message of a call that is refused.
fn refused(arguments: &[&str]) -> String {
    let output = proxyproof().arg("probe").args(arguments).output().expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    // What goes on before is not the message.
    let message = stderr.find("error: ").map_or("", |begin| &stderr[begin..]);
    format!("{}: {}", output.status.code().unwrap_or(-1), message.trim_end())
}

#[test]
fn a_wrong_call_says_what_to_write() {
    assert_snapshot!(refused(&["http://example.com/prometheus/"]), @"2: error: `http://example.com/prometheus/` can't be probed: it is not encrypted, and a probe is about TLS. Write the URL that people open, such as https://example.com/prometheus/; what port 80 does is asked too");
    assert_snapshot!(refused(&["example.com/prometheus/"]), @"2: error: `example.com/prometheus/` can't be probed: it does not begin with https://. Write https://example.com/prometheus/");
    assert_snapshot!(refused(&["/prometheus/"]), @"2: error: `/prometheus/` can't be probed: it does not begin with https://. Write https://NAME/prometheus/");
    assert_snapshot!(refused(&["https:///prometheus/"]), @"2: error: `https:///prometheus/` can't be probed: it has no name. Write https://NAME/prometheus/");
    assert_snapshot!(refused(&["ftp://example.com/"]), @"2: error: `ftp://example.com/` can't be probed: ftp is not https. Write https://NAME/PREFIX/");
    assert_snapshot!(refused(&["https://a:b@example.com/"]), @"2: error: `https://a:b@example.com/` can't be probed: reports show URLs. Give name and password beside it: --basic-auth USER:PASS");
    assert_snapshot!(refused(&["https://example.com/graph?g0.expr=up"]), @"2: error: `https://example.com/graph?g0.expr=up` can't be probed: a `?` or `#` is of one page. Write the URL below which all of Prometheus is, such as https://example.com/graph");
    assert_snapshot!(refused(&[URL, "--resolve", "example.com:443"]), @"
    2: error: invalid value 'example.com:443' for '--resolve <HOST:PORT:ADDRESS>': `example.com:443` is not HOST:PORT:ADDRESS, as in example.com:443:192.0.2.1 or example.com:443:[::1]

    For more information, try '--help'.
    ");
    assert_snapshot!(refused(&[URL, "--cacert", "README.md"]), @"2: error: `README.md` holds no certificate in PEM form. Pass the CA's certificate, which has a line `-----BEGIN CERTIFICATE-----`");
    assert_snapshot!(refused(&[URL, "--client-cert", "README.md"]), @"
    2: error: the following required arguments were not provided:
      --client-key <FILE>

    Usage: proxyproof probe --client-cert <FILE> --client-key <FILE> <URL>

    For more information, try '--help'.
    ");
}

#[test]
fn where_nothing_answers_it_is_not_the_deployment_s_fault() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let url = format!("https://example.com:{port}/prometheus/");
    let resolve = ["127.0.0.1", "[::1]"].map(|address| format!("example.com:{port}:{address}"));
    let message = refused(&[&url, "--resolve", &resolve[0], "--resolve", &resolve[1], "--cacert", CA]);
    assert_snapshot!(message.replace(&port.to_string(), "PORT"), @"3: error: nothing to probe: nothing answers for example.com. Tried 127.0.0.1:PORT (Connection refused (os error 111)), [::1]:PORT (Connection refused (os error 111)). Check that it runs, and that this machine may connect to it");
    // RFC 6761: nobody has such a name.
    let message = refused(&["https://prometheus.invalid/", "--cacert", CA]);
    assert!(message.starts_with("3: error: nothing to probe: prometheus.invalid has no address"), "{message}");
}

#[test]
fn where_nobody_speaks_it_is_not_the_deployment_s_fault_either() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("https://example.com:{port}/");
    let message = refused(&[&url, "--resolve", &format!("example.com:{port}:127.0.0.1"), "--cacert", CA]);
    let said = ["3: error: nothing to probe: nothing answers for example.com", "no handshake in time"];
    assert!(said.iter().all(|words| message.contains(words)), "{message}");
}

#[test]
fn who_trusts_nobody_is_told_so() {
    let mut command = proxyproof();
    command.args(["probe", URL, "--resolve", "example.com:443:127.0.0.1"]).env("SSL_CERT_FILE", "/dev/null");
    let output = command.env_remove("SSL_CERT_DIR").output().expect("the program runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && stderr.contains("--cacert FILE"), "{stderr}");
}

/// As a public authority's certificate that the tree brings is trusted by this machine.
#[test]
fn a_certificate_in_the_tree_may_be_of_an_authority_that_this_machine_trusts() {
    if !has_docker() {
        return;
    }
    let mut command = proxyproof();
    command.args(["check", "fixtures/checks/certificate-trusted/pass/nginx.conf", "--format", "json"]);
    command.args(["--only", "certificate-trusted", "--nginx", "debian:trixie", "--prometheus", "debian:trixie"]);
    let output = command.env("SSL_CERT_FILE", project(CA)).output().expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(outcomes(&report), ["certificate-trusted: pass"]);
}

const CA: &str = "fixtures/checks/certificate-trusted/pass/certs/root.pem";
