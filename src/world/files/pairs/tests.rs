//! Which pairs are made, for what names and with what keys.

use crate::deployment::Deployment;
use crate::world::{PodContent, World};

const PROMETHEUS: &str = "location / { proxy_pass http://localhost:9090; }";

fn world(servers: &str, tree: &[(&str, &str)]) -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let conf = format!("http {{ {} }}", servers.replace("PROMETHEUS", PROMETHEUS));
    for (name, text) in [&[("nginx.conf", conf.as_str())], tree].concat() {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    (World::around(&Deployment::load(dir.path().join("nginx.conf")).unwrap()).unwrap(), dir)
}

fn listed(world: &World) -> Vec<String> {
    let made = world.substitutions.iter().filter(|made| made.what.starts_with('/'));
    made.map(|made| format!("{}: {}", made.what, made.by)).collect()
}

fn content<'a>(world: &'a World, path: &str) -> &'a str {
    let file = world.nginx_files.iter().find(|file| file.path == path).unwrap();
    match &file.content {
        PodContent::File(content) => std::str::from_utf8(content).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pair_of_several_servers_is_made_once_for_all_their_names() {
    let (world, _dir) = world(
        "ssl_certificate /c; ssl_certificate_key /k;
         server { listen 443 ssl; server_name a.b; PROMETHEUS }
         server { listen 443 ssl; server_name .c.d _; return 404; }",
        &[],
    );
    assert_eq!(listed(&world), ["/c: made for a.b, c.d, *.c.d", "/k: made with the certificate"]);
    assert_eq!(content(&world, "/c").matches("BEGIN CERTIFICATE").count(), 2);
}

#[test]
fn two_pairs_are_rsa_and_ecdsa_and_one_file_can_hold_both_halves() {
    let (world, _dir) = world(
        "server { listen 443 ssl; server_name a.b; PROMETHEUS
         ssl_certificate /rsa; ssl_certificate_key /rsa.key; ssl_certificate /pem; ssl_certificate_key /pem; }",
        &[],
    );
    let expected = ["/rsa: made for a.b, with an RSA key", "/rsa.key: made with the certificate", "/pem: made for a.b"];
    assert_eq!(listed(&world), expected);
    assert!(content(&world, "/pem").contains("PRIVATE KEY"));
}

#[test]
fn a_certificate_without_its_key_is_replaced_and_a_key_alone_is_used() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let (world, _dir) = world(
        "server { listen 443 ssl; server_name a.b; PROMETHEUS
         ssl_certificate c.pem; ssl_certificate_key /c.key; ssl_certificate /d.pem; ssl_certificate_key d.key; }",
        &[("c.pem", "C"), ("d.key", &key)],
    );
    let expected = [
        "/etc/nginx/c.pem: made for a.b, with an RSA key; it replaces the tree's, which lacks its key",
        "/c.key: made with the certificate",
        "/d.pem: made for a.b and the key that the tree brings",
    ];
    assert_eq!(listed(&world), expected);
    assert_eq!(content(&world, "/etc/nginx/d.key"), key);
}
