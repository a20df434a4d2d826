//! What a hostile configuration can't do: see the host's files or its network, or take more than its share.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{IN_SANDBOX, boot, left_by};
use crate::stage::Stage;
use crate::support::{block_on, has_sandbox, project};

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
fn a_hostile_configuration_finds_no_other_pod() {
    if !has_sandbox() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let [hostile, other] = ["hostile", "other"].map(|name| directory.path().join(format!("{name}.conf")));
    fs::write(&hostile, HOSTILE.replace("4000", "1")).expect("written");
    let private = "http { server { listen 8081; return 200 private; }";
    fs::write(&other, HOSTILE.replace("4000", "1").replacen("http {", private, 1)).expect("written");
    block_on(async {
        let (hostile, other) = (boot(&hostile).await?, boot(&other).await?);
        let private = |host: &str, port: u16| format!("/to/?to={host}:{port}");
        let answer = other.get(&private("127.0.0.1", 8081)).await?;
        assert_eq!(answer.text().await.expect("a text"), "private", "the other Pod has it");
        for host in ["127.0.0.1", "[::1]", "10.0.0.1", "172.17.0.2"] {
            assert_eq!(hostile.get(&private(host, 8081)).await?.status(), 502, "{host}");
        }
        // What it has itself is its own: it stops its Prometheus, and the other's runs on.
        hostile.prometheus().stop().await?;
        assert_eq!(hostile.get(&private("127.0.0.1", 9090)).await?.status(), 502);
        assert_eq!(other.get("/prometheus/-/ready").await?.status(), 200);
        hostile.close().await?;
        other.close().await
    });
}

/// It never comes to serve, and takes no time of a processor: it reads a pipe that it alone writes to.
const HANGING: &str = r#"
events {}
http {
    server {
        listen 443 ssl;
        server_name example.com;
        ssl_certificate /etc/ssl/example.com.crt;
        ssl_certificate_key /etc/ssl/example.com.key;
        ssl_conf_command DHParameters /dev/stdout;
        location /prometheus/ { proxy_pass http://localhost:9090/; }
    }
}
"#;

/// The deadline of a boot is a minute; the other tests run meanwhile.
#[test]
fn a_hostile_configuration_does_not_outlive_its_time() {
    if !has_sandbox() {
        return;
    }
    let stage = Stage::new();
    let config = stage.path("nginx.conf");
    fs::write(&config, HANGING).expect("written");
    let config = config.display().to_string();
    let call = ["check", &config, "--nginx", "debian:trixie", "--prometheus", "debian:trixie"];
    let ended = stage.start(call.into_iter().chain(IN_SANDBOX)).end();
    assert_eq!(ended.code(), 3, "{ended:#?}");
    assert!(ended.stderr.contains("in vain for"), "{}", ended.stderr);
    assert_eq!(left_by(&stage, ended.run), Vec::<String>::new());
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
