//! What stands for the upstreams beside Prometheus: it answers, and says what it received.

use proxyproof::{BootOptions, Deployment, Lab, Level, Received, Result, Selection};

use crate::support::{block_on, debian, has_docker, project};

async fn boot(fixture: &str) -> Result<Lab> {
    let boot = BootOptions { nginx: debian("trixie"), prometheus: debian("trixie"), ..BootOptions::default() };
    Deployment::load(project(&format!("fixtures/world/{fixture}/nginx.conf")))?.boot_with(&boot).await
}

/// What an upstream received, which is one request.
#[track_caller]
fn only<'a>(received: &'a [Received], upstream: &str) -> &'a Received {
    let mut found = received.iter().filter(|received| received.upstream == upstream);
    let first = found.next().unwrap_or_else(|| panic!("{upstream} received nothing: {received:#?}"));
    assert!(found.next().is_none(), "{upstream} received more than one request: {received:#?}");
    first
}

async fn assert_answered(lab: &Lab, paths: &[&str]) -> Result<()> {
    for path in paths {
        let answer = lab.get(path).await?;
        let (status, body) = (answer.status(), answer.text().await.unwrap_or_default());
        assert_eq!(status, 200, "{path}: {body}\n{}", lab.nginx_log());
    }
    Ok(())
}

#[test]
fn every_protocol_of_an_upstream_is_answered_and_written_down() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("other-protocols").await?;
        let paths = ["/prometheus/-/ready", "/php/index.php", "/uwsgi/a?b=c", "/scgi/", "/memcached/key"];
        assert_answered(&lab, &paths).await?;
        assert_answered(&lab, &["/store.Service/List", "/stores.Service/List"]).await?;
        let received = lab.received().await?;

        let asked = only(&received, "http://sso.internal:4180");
        assert_eq!((asked.uri.as_str(), asked.headers["x-original-uri"].as_str()), ("/verify", "/prometheus/-/ready"));
        assert_eq!(only(&received, "http://shadow.internal:8080").uri, "/prometheus/-/ready");

        let php = only(&received, "fastcgi://php.internal:9000");
        assert_eq!(
            (php.protocol.as_str(), php.method.as_str(), php.uri.as_str()),
            ("fastcgi", "GET", "/php/index.php")
        );
        assert_eq!(php.parameters["SCRIPT_FILENAME"], "/var/www/php/index.php");
        assert_eq!(php.headers["host"], "metrics.example.com");
        assert_eq!(only(&received, "uwsgi://python.internal:3031").uri, "/uwsgi/a?b=c");
        assert_eq!(only(&received, "scgi://ruby.internal:4000").parameters["SCGI"], "1");
        assert_eq!(only(&received, "memcached://cache.internal:11211").uri, "/memcached/key");
        for upstream in ["grpc://store.internal:10901", "grpcs://stores.internal:10901"] {
            assert_eq!(only(&received, upstream).protocol, "HTTP/2.0");
        }
        lab.close().await
    });
}

#[test]
fn a_stub_says_what_nginx_made_of_the_request() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("upstream-names").await?;
        assert!(lab.received().await?.is_empty());
        let request = lab.client().get(lab.url("/grafana/d/1?from=now")).header("Cookie", "session=1");
        assert_eq!(request.send().await.expect("an answer").status(), 200);
        assert_answered(&lab, &["/-/ready", "/wiki/", "/host/x"]).await?;

        let received = lab.received().await?;
        assert_eq!(received.len(), 3, "{received:#?}");
        let grafana = only(&received, "http://Grafana:3000");
        assert_eq!((grafana.protocol.as_str(), grafana.uri.as_str()), ("HTTP/1.0", "/d/1?from=now"));
        for (name, value) in [("host", "metrics.example.com"), ("x-forwarded-proto", "https"), ("cookie", "session=1")]
        {
            assert_eq!(grafana.headers[name], value);
        }
        assert!(grafana.headers.contains_key("x-real-ip"));
        assert_eq!(only(&received, "https://wiki.internal:443").tls_name.as_deref(), Some("wiki.internal"));
        lab.close().await
    });
}

#[test]
fn sockets_and_addresses_of_a_deployment_are_in_its_pod() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("unix-socket").await?;
        assert_answered(&lab, &["/prometheus/-/ready", "/app/x", "/index.php"]).await?;
        let received = lab.received().await?;
        assert_eq!(only(&received, "http://unix:/var/run/app/app.sock").uri, "/x");
        assert_eq!(only(&received, "fastcgi://unix:/run/php/php-fpm.sock").uri, "/index.php");
        lab.close().await?;

        let lab = boot("ip-literals").await?;
        assert_answered(&lab, &["/prometheus/-/ready", "/grafana/", "/alertmanager/", "/thanos/", "/local/"]).await?;
        assert_eq!(lab.received().await?.len(), 4);
        lab.close().await
    });
}

#[test]
fn names_are_found_while_nginx_runs() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("resolver").await?;
        assert_answered(&lab, &["/-/ready", "/grafana/x"]).await?;
        only(&lab.received().await?, "http://grafana.monitoring.svc.cluster.local:3000");
        lab.close().await
    });
}

#[test]
fn two_prometheus_servers_have_the_same_port() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("several-prometheus").await?;
        for (place, prefix) in [("/eu", "eu"), ("/us", "us")] {
            let flags = lab.get(&format!("{place}/api/v1/status/flags")).await?.text().await.expect("a body");
            assert!(flags.contains(&format!("https://metrics.example.com/{prefix}")), "{flags}");
        }
        assert_answered(&lab, &["/grafana/", "/app/"]).await?;
        assert_eq!(lab.received().await?.len(), 2);
        lab.close().await
    });
}

/// Where nginx listens on Prometheus's port itself, Prometheus has it on another kind of address.
#[test]
fn nginx_and_prometheus_have_the_same_port() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("listen-9090-in-front").await?;
        assert_answered(&lab, &["/-/ready", "/metrics"]).await?;
        assert!(lab.received().await?.is_empty());
        lab.close().await
    });
}

/// What a name or an address has on a port that nginx has of every address is still found there.
#[test]
fn other_hosts_have_ports_of_nginx() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("same-ports").await?;
        assert_answered(&lab, &["/-/ready", "/grafana/", "/thanos/"]).await?;
        let received = lab.received().await?;
        only(&received, "http://10.20.30.40:80");
        only(&received, "http://[2001:db8::5]:80");
        lab.close().await
    });
}

/// Clients come by relays: with the PROXY protocol from an allowed address, to loopback, and to a unix socket.
#[test]
fn clients_get_in_where_the_plain_way_is_closed() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let lab = boot("proxy-protocol").await?;
        assert_answered(&lab, &["/-/ready", "/grafana/"]).await?;
        let received = lab.received().await?;
        let grafana = only(&received, "http://grafana:3000");
        for header in ["x-real-ip", "x-forwarded-for"] {
            assert!(grafana.headers[header].starts_with("192.0.2."), "{grafana:#?}");
        }
        lab.close().await?;
        for fixture in ["listen-loopback", "listen-socket"] {
            let lab = boot(fixture).await?;
            let asked = Selection::new(vec!["upstream-answers".to_owned()], Vec::new())?;
            lab.check_with(&asked, Level::Note).await?.assert_passed();
            lab.close().await?;
        }
        Ok(())
    });
}
