//! The sandbox: the same Pod without a daemon, with the same findings and the same walls, and gone with its run.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use proxyproof::{BootOptions, Deployment, Lab, Runtime};
use serde_json::Value;

use crate::cleanup::GUIDE;
use crate::fixture::Fixture;
use crate::kills::GONE_WITHIN;
use crate::moments::Moments;
use crate::running::Run;
use crate::stage::{Stage, nothing_within, users_cache};
use crate::support::{block_on, debian, has_docker, has_sandbox, project};

const IN_SANDBOX: [&str; 2] = ["--runtime", "sandbox"];
/// A deployment with all that a Pod can have.
const LARGE: &str = "fixtures/world/several-prometheus/nginx.conf";

/// Fixtures that lean on all that a Pod has: names, addresses, sockets, redirects, DNS, certificates, refused clients.
const VARIED: [&str; 14] = [
    "fixtures/guide",
    "fixtures/layouts/allow-list",
    "fixtures/layouts/basic-auth",
    "fixtures/layouts/behind-other-name",
    "fixtures/layouts/directory",
    "fixtures/layouts/hardened",
    "fixtures/layouts/two-servers",
    "fixtures/world/resolver",
    "fixtures/world/same-ports",
    "fixtures/world/several-prometheus",
    "fixtures/checks/address-rules/fail",
    "fixtures/checks/client-certificate/fail",
    "fixtures/checks/nginx-starts/fail",
    "fixtures/checks/status-pages/fail",
];

async fn boot(path: impl AsRef<Path>) -> proxyproof::Result<Lab> {
    Deployment::load(path.as_ref())?.boot_with(&options()).await
}

fn options() -> BootOptions {
    BootOptions {
        runtime: Runtime::Sandbox,
        nginx: debian("trixie"),
        prometheus: debian("trixie"),
        ..BootOptions::default()
    }
}

#[test]
fn the_guide_passes_without_an_engine() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new().with("DOCKER_HOST", "tcp://127.0.0.1:1");
    let ended = stage.start(GUIDE).end();
    assert_eq!(ended.code(), 0, "{ended:#?}");
    assert!(ended.stdout.contains(" on sandbox: nginx "), "{}", ended.stdout);
    assert_eq!(left_by(&stage, ended.run), Vec::<String>::new());
}

/// Root's tests run as root; those of an ordinary user do so anyway.
#[test]
fn an_ordinary_user_boots_the_guide() {
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
    let call = ["check", "guide/nginx.conf", "--nginx", "debian:trixie", "--prometheus", "debian:trixie"];
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

#[test]
fn both_runtimes_find_the_same() {
    if !has_sandbox() || !has_docker() {
        return;
    }
    for fixture in VARIED.map(Fixture::at).into_iter().filter(Fixture::exists) {
        let [sandbox, docker] = ["sandbox", "docker"].map(|runtime| {
            let (report, code) = fixture.report(&["--runtime", runtime]);
            assert_eq!(report["runtime"], runtime);
            (without_what_differs(report), code)
        });
        assert_eq!(sandbox, docker, "{}", fixture.path);
    }
}

/// A report without the runtime, the times that things took, and the day of what a log says.
fn without_what_differs(report: Value) -> Value {
    match report {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| key != "runtime" && key != "duration_ms");
            Value::Object(kept.map(|(key, value)| (key, without_what_differs(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_what_differs).collect()),
        // `2026/11/26 10:00:00 [emerg] 7#7: …`
        Value::String(text) => match text.split_once("[emerg] ") {
            Some((_, said)) => Value::String(said.split_once(": ").map_or(said, |(_, said)| said).to_owned()),
            None => Value::String(text),
        },
        other => other,
    }
}

#[test]
fn a_container_image_is_refused_with_what_to_use_instead() {
    if !has_sandbox() {
        return;
    }
    let ended = Stage::new().start(GUIDE.into_iter().chain(IN_SANDBOX).chain(["--nginx", "docker:nginx:1.29"])).end();
    assert_eq!(ended.code(), 3, "{ended:#?}");
    assert!(ended.stderr.contains("can't run the container image nginx:1.29"), "{}", ended.stderr);
    assert!(ended.stderr.contains("debian:stable"), "{}", ended.stderr);
}

#[test]
fn programs_are_reloaded_stopped_started_and_asked_what_they_received() {
    if !has_sandbox() {
        return;
    }
    block_on(async {
        let lab = boot(project("fixtures/guide/nginx.conf")).await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.nginx().reload().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.prometheus().stop().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 502);
        lab.prometheus().start().await?;
        lab.nginx().restart().await?;
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.close().await
    });
}

#[test]
fn a_program_that_is_let_in_sees_the_public_name() {
    if !has_sandbox() {
        return;
    }
    let up = |url| {
        let words = ["up", GUIDE[1], "--", "curl", "-sS", "-m", "5", url];
        Stage::new().start(words).end()
    };
    let inside = up("https://example.com/prometheus/-/ready");
    assert_eq!(inside.code(), 0, "{inside:#?}");
    assert!(inside.stdout.contains("Ready"), "{inside:#?}");
    // curl's own code for a connection that failed.
    assert_eq!(up("http://198.51.100.7/").code(), 7);
    let missing = Stage::new().start(["up", GUIDE[1], "--", "/no/such/program"]).end();
    assert_eq!(missing.code(), 127, "{missing:#?}");
}

/// Serves all of its own file system, sends requests anywhere, and takes bodies of any size.
const HOSTILE: &str = r#"
worker_processes 4000;
events {}
http {
    server {
        listen 443 ssl;
        server_name example.com;
        ssl_certificate /etc/ssl/example.com.crt;
        ssl_certificate_key /etc/ssl/example.com.key;
        client_max_body_size 0;
        location / { root /; autoindex on; }
        location /to/ { proxy_pass http://$arg_to; }
        location /prometheus/ { proxy_pass http://localhost:9090/; }
    }
}
"#;

#[test]
fn a_hostile_configuration_finds_neither_the_hosts_files_nor_its_network() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let secret = directory.path().join("secret");
    fs::write(&secret, "the host's own").expect("written");
    let config = directory.path().join("nginx.conf");
    fs::write(&config, HOSTILE.replace("4000", "1")).expect("written");
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("set");
    block_on(async {
        let lab = boot(&config).await?;
        assert_eq!(lab.get("/etc/hosts").await?.status(), 200, "it does serve its own files");
        for path in
            [secret.display().to_string(), project("Cargo.toml").display().to_string(), "/proc/1/root/root/".into()]
        {
            assert_ne!(lab.get(&path).await?.status(), 200, "{path}");
        }
        // Of those that it sees it is the first.
        let processes = lab.get("/proc/").await?.text().await.expect("a list");
        assert!(processes.contains("<a href=\"1/\">"), "{processes}");
        let own = processes
            .lines()
            .filter(|line| line.trim_start_matches("<a href=\"").starts_with(|c: char| c.is_ascii_digit()));
        assert!(own.count() <= 3, "{processes}");
        for host in ["127.0.0.1", "172.17.0.1", "198.51.100.7"] {
            assert_eq!(lab.get(&format!("/to/?to={host}:{port}")).await?.status(), 502, "{host}");
        }
        lab.close().await
    });
    assert!(listener.accept().is_err(), "somebody came to the host's own port");
}

#[test]
fn a_hostile_configuration_changes_no_setting_of_the_machine() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("nginx.conf");
    // A setting of the Pod's own, so that no harm is done should nginx write there.
    let log = "error_log /proc/sys/kernel/domainname;\nworker_processes 1;";
    fs::write(&config, HOSTILE.replace("worker_processes 4000;", log)).expect("written");
    block_on(async {
        match boot(&config).await {
            Err(proxyproof::Error::NginxRefused { log }) => {
                assert!(log.contains("Read-only file system") || log.contains("Permission denied"), "{log}");
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => panic!("nginx writes to the settings of the machine"),
        }
    });
}

#[test]
fn a_hostile_configuration_fills_neither_the_disk_nor_the_table_of_processes() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("nginx.conf");
    fs::write(&config, HOSTILE).expect("written");
    block_on(async {
        let lab = boot(&config).await?;
        let most = 1100;
        assert!(workers() < most, "{} workers", workers());
        let body = vec![0_u8; 300 << 20];
        let url = lab.url("/prometheus/api/v1/query");
        let answer = lab.client().post(url).timeout(Duration::from_secs(60)).body(body).send().await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 500), "it kept what is too much");
        lab.close().await
    });
}

#[test]
fn a_hostile_configuration_fills_no_memory() {
    if !has_sandbox() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root may make control groups for sure");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("nginx.conf");
    let greedy = HOSTILE.replace("4000", "16").replace("events {}", "events { worker_connections 1000000; }");
    fs::write(&config, greedy).expect("written");
    block_on(async {
        // The kernel ends what takes too much, and it may be all of it: an error is a fine answer.
        let lab = boot(&config).await;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(1) {
            let megabytes = memory_of_workers() >> 20;
            assert!(megabytes < 2500, "{megabytes} MB");
        }
        match lab {
            Ok(lab) => lab.close().await,
            Err(_) => Ok(()),
        }
    });
}

/// The memory that nginx workers of this machine have for themselves.
fn memory_of_workers() -> usize {
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|process| process.path());
    let workers = processes
        .filter(|process| fs::read(process.join("cmdline")).is_ok_and(|title| title.starts_with(b"nginx: worker")));
    let kilobytes = workers.filter_map(|worker| {
        let status = fs::read_to_string(worker.join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.split_whitespace().next()?.parse::<usize>().ok())
    });
    kilobytes.sum::<usize>() << 10
}

/// The nginx workers of this machine.
fn workers() -> usize {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let titles = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    titles.filter(|title| title.starts_with(b"nginx: worker")).count()
}

#[test]
fn killed_runs_leave_nothing() {
    if !has_sandbox() {
        return;
    }
    kill(10, GUIDE[1], 40);
    kill(5, LARGE, 41);
}

#[test]
#[ignore = "takes minutes: ci/kill-runs"]
fn two_hundred_killed_runs_leave_nothing() {
    kill(150, GUIDE[1], std::process::id().into());
    kill(50, LARGE, std::process::id().into());
}

/// Kills runs, each at a moment within the time that a whole run takes. One that was quicker does not count.
fn kill(number: usize, path: &str, seed: u64) {
    let call = || ["check", path].into_iter().chain(IN_SANDBOX);
    let begun = Instant::now();
    assert!(Stage::new().start(call()).end().code() <= 1);
    let whole = begun.elapsed();
    let mut moments = Moments(seed);
    let mut watching = Vec::new();
    while watching.len() < number {
        let stage = Stage::new();
        let moment = moments.next_within(whole);
        let mut running = stage.start(call());
        running.let_run(moment);
        let ended = running.kill();
        if ended.code() >= 0 {
            continue;
        }
        watching.push(thread::spawn(move || {
            let killed = Instant::now();
            let left = nothing_within(GONE_WITHIN, || left_by(&stage, ended.run));
            println!("killed after {moment:?}, gone after {:?}", killed.elapsed());
            (!left.is_empty()).then(|| format!("killed after {moment:?}: {left:?}"))
        }));
    }
    let left: Vec<String> = watching.into_iter().filter_map(|watching| watching.join().expect("watched")).collect();
    assert_eq!(left, Vec::<String>::new());
}

/// What is left of a run: its processes, files, mounts and control groups.
fn left_by(stage: &Stage, run: Run) -> Vec<String> {
    let mut left = stage.left_on_this_machine(run);
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    left.extend(mounts.lines().filter(|mount| mount.contains(&run.name())).map(str::to_owned));
    left.extend(groups(Path::new("/sys/fs/cgroup"), &run.name()));
    left
}

/// The control groups whose names begin like this. A group goes when no process is in it, so it stands for those too.
fn groups(directory: &Path, name: &str) -> Vec<String> {
    let below = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories
        .flat_map(|entry| {
            let path = entry.path();
            let own = entry.file_name().to_string_lossy().starts_with(name);
            if own { vec![format!("control group {}", path.display())] } else { groups(&path, name) }
        })
        .collect()
}
