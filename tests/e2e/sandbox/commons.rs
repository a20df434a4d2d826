//! One Prometheus that many Labs use: as few as are needed, nobody feels his neighbours, and an end of it is no finding.

use std::fs;
use std::path::Path;

use futures_util::future::try_join_all;
use proxyproof::deployment::Options;
use proxyproof::{BootOptions, Commons, Deployment, Lab, Report};
use rustix::process::Signal;
use tempfile::TempDir;

use super::options;
use crate::kills::GONE_WITHIN;
use crate::running::send;
use crate::stage::nothing_within;
use crate::support::{block_on, has_sandbox, project};

/// Deployments that differ in what nginx does, on which some checks fail.
const ALIKE: [&str; 5] = [
    "fixtures/guide/nginx.conf",
    "fixtures/layouts/basic-auth/nginx.conf",
    "fixtures/layouts/hardened/nginx.conf",
    "fixtures/checks/prefix-redirects/fail/nginx.conf",
    "fixtures/checks/page-load/fail/nginx.conf",
];

/// The guide's deployment under a name that no other test has, and Prometheus with it.
struct Guide {
    directory: TempDir,
    name: String,
}

impl Guide {
    fn of(test: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let name = format!("{test}-{}.example.com", std::process::id());
        let guide = fs::read_to_string(project("fixtures/guide/nginx.conf")).expect("the guide");
        let text = guide.replace("server_name         example.com;", &format!("server_name {name};"));
        assert!(text.contains(&name));
        fs::write(directory.path().join("nginx.conf"), text).expect("written");
        Self { directory, name }
    }

    async fn boot(&self, options: &BootOptions, flags: &[&str]) -> proxyproof::Result<Lab> {
        let prometheus_args = match flags {
            [] => Vec::new(),
            flags => {
                let own = format!("--web.external-url=https://{}/prometheus", self.name);
                [&own, "--web.route-prefix=/"].iter().chain(flags).map(|flag| (*flag).to_owned()).collect()
            }
        };
        let given = Options { prometheus_args, ..Options::default() };
        Deployment::load_with(self.directory.path().join("nginx.conf"), &given)?.boot_with(options).await
    }

    /// The ids of the Prometheus processes that run for it.
    fn prometheus(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
        ids.filter(|id| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.starts_with("/bin/prometheus") && line.contains(&self.name)
        })
        .collect()
    }
}

fn sharing(commons: &Commons) -> BootOptions {
    BootOptions { commons: Some(commons.clone()), ..options() }
}

#[test]
fn labs_that_need_the_same_at_once_use_one_which_goes_with_the_last_handle() {
    if !has_sandbox() {
        return;
    }
    let guide = Guide::of("together");
    block_on(async {
        let options = sharing(&Commons::new());
        let labs = try_join_all((0..6).map(|_| guide.boot(&options, &[]))).await?;
        for lab in &labs {
            assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
            assert_eq!(lab.prometheus().log(), labs[0].prometheus().log());
        }
        assert_eq!(guide.prometheus().len(), 1);
        try_join_all(labs.into_iter().map(Lab::close)).await?;
        assert_eq!(guide.prometheus().len(), 1, "it is kept for the next");
        let next = guide.boot(&options, &[]).await?;
        let statistics = options.commons.as_ref().expect("a handle").statistics();
        assert_eq!((statistics.started, statistics.used, statistics.running), (1, 7, 1));
        drop(options);
        assert_eq!(next.get("/prometheus/-/ready").await?.status(), 200);
        next.close().await
    });
    assert_eq!(guide.prometheus(), Vec::<u32>::new());
}

#[test]
fn the_same_is_found_with_a_shared_one() {
    if !has_sandbox() {
        return;
    }
    block_on(async {
        let commons = Commons::new();
        let paths = ALIKE.map(project);
        for path in paths.iter().filter(|path| path.exists()) {
            let [own, shared] = [found(path, &options()).await?, found(path, &sharing(&commons)).await?];
            assert_eq!(own, shared, "{}", path.display());
        }
        // Once more with one that was asked much, and has scraped itself.
        let [own, shared] = [found(&paths[0], &options()).await?, found(&paths[0], &sharing(&commons)).await?];
        assert_eq!(own, shared);
        assert!(commons.statistics().used > commons.statistics().started);
        Ok(())
    });
}

/// How each check ended, and what it found.
async fn found(path: &Path, options: &BootOptions) -> proxyproof::Result<Vec<String>> {
    let lab = Lab::boot_for_checks(Deployment::load(path)?, options).await?;
    let report: Report = lab.check().await?;
    lab.close().await?;
    let each = report.deployments.into_iter().flat_map(|deployment| {
        let checks =
            deployment.checks.into_iter().map(|check| format!("{} {:?} {:?}", check.id, check.outcome, check.reason));
        checks.chain(deployment.findings.into_iter().map(|finding| format!("{finding:?}"))).collect::<Vec<_>>()
    });
    Ok(each.collect())
}

#[test]
fn the_end_of_a_shared_one_is_no_finding_and_the_next_gets_another() {
    if !has_sandbox() {
        return;
    }
    let guide = Guide::of("killed");
    block_on(async {
        let options = sharing(&Commons::new());
        let lab = guide.boot(&options, &[]).await?;
        guide.prometheus().into_iter().for_each(|pid| send(pid, Signal::KILL));
        let error = lab.check().await.expect_err("nothing can be said of it");
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("the Prometheus that several deployments share has ended"), "{error}");
        lab.close().await?;
        let next = guide.boot(&options, &[]).await?;
        assert_eq!(next.get("/prometheus/-/ready").await?.status(), 200);
        next.close().await?;
        assert_eq!(options.commons.as_ref().map(|commons| commons.statistics().started), Some(2));
        Ok(())
    });
    assert_eq!(guide.prometheus(), Vec::<u32>::new());
}

#[test]
fn nobody_stops_his_neighbours_and_other_flags_are_others() {
    if !has_sandbox() {
        return;
    }
    let guide = Guide::of("flags");
    block_on(async {
        let commons = Commons::new();
        let options = sharing(&commons);
        let lab = guide.boot(&options, &[]).await?;
        let neighbour = guide.boot(&options, &[]).await?;
        for refused in [lab.prometheus().stop().await, lab.prometheus().start().await] {
            let error = refused.expect_err("it is shared");
            assert!(error.to_string().contains("without commons"), "{error}");
        }
        assert_eq!(neighbour.get("/prometheus/-/ready").await?.status(), 200);
        let titled = guide.boot(&options, &["--web.page-title=Another"]).await?;
        assert_eq!((commons.statistics().started, commons.statistics().used), (2, 3));
        let own = guide.boot(&options, &["--web.enable-lifecycle"]).await?;
        assert_eq!(commons.statistics().used, 3, "whoever can change it has it alone");
        own.prometheus().restart().await?;
        assert_eq!(guide.prometheus().len(), 3);
        try_join_all([lab, neighbour, titled, own].map(Lab::close)).await.map(|_| ())
    });
    let left = || guide.prometheus().iter().map(u32::to_string).collect();
    assert_eq!(nothing_within(GONE_WITHIN, left), Vec::<String>::new());
}

#[test]
fn one_pod_reaches_no_other_by_what_they_share() {
    if !has_sandbox() {
        return;
    }
    let guide = Guide::of("apart");
    let other = Guide::of("apart");
    let text = fs::read_to_string(other.directory.path().join("nginx.conf")).expect("its configuration");
    let open = text.replacen("server {", "server { listen 7777; return 200; }\n    server {", 1);
    fs::write(other.directory.path().join("nginx.conf"), open).expect("written");
    block_on(async {
        let commons = Commons::new();
        let lab = guide.boot(&sharing(&commons), &[]).await?;
        let neighbour = other.boot(&sharing(&commons), &[]).await?;
        assert_eq!(commons.statistics().started, 1);
        let curl = async |lab: &Lab, url: &str| {
            let words = ["curl", "-s", "-o", "/dev/null", "-m", "5", url].map(Into::into);
            lab.run(&words).await.map(|ended| ended.code())
        };
        assert_eq!(curl(&lab, "http://127.0.0.1:9090/-/ready").await?, Some(0));
        for host in ["127.0.0.1", "172.18.0.2", "172.18.0.1"] {
            assert_eq!(curl(&neighbour, &format!("http://{host}:7777/")).await?, Some(0), "{host}");
            // curl's own code for a connection that failed.
            assert_eq!(curl(&lab, &format!("http://{host}:7777/")).await?, Some(7), "{host}");
        }
        lab.close().await?;
        neighbour.close().await
    });
}
