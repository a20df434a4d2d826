//! A Pod is closed: nothing that runs in it sends a packet to the world, whatever the configuration names.

use proxyproof::{BootOptions, Deployment};

use crate::support::{block_on, debian, has_docker, project};

#[test]
fn nginx_finds_no_way_to_a_public_address() {
    if !has_docker() {
        return;
    }
    block_on(async {
        let boot = BootOptions { nginx: debian("trixie"), prometheus: debian("trixie"), ..BootOptions::default() };
        let lab = Deployment::load(project("fixtures/isolation/nginx.conf"))?.boot_with(&boot).await?;
        // Addresses that are documentation's own (RFC 5737, RFC 3849). A packet that left would be lost, and the answer
        // a timeout; without a route the kernel refuses at once.
        for address in ["198.51.100.7", "203.0.113.9", "[2001:db8::1]"] {
            let answer = lab.get(&format!("/out?to={address}")).await?;
            assert_eq!(answer.status(), 502, "{address}");
        }
        assert_eq!(lab.get("/prometheus/-/ready").await?.status(), 200);
        lab.close().await
    });
}
