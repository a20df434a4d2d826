//! What a configuration names, from its text.

use super::{FileKind, Files, ShownBy};
use crate::deployment::testing;

fn files(conf: &str, tree: &[(&str, &str)]) -> Files {
    testing::Files::of(&[&[("nginx.conf", conf)], tree].concat()).load().unwrap().files
}

fn uses(conf: &str, tree: &[(&str, &str)]) -> Vec<(FileKind, String, bool)> {
    let uses = files(conf, tree).uses.into_iter();
    uses.map(|found| (found.kind, found.file.path, found.file.content.is_some())).collect()
}

const PROMETHEUS: &str = "location / { proxy_pass http://localhost:9090; }";

#[test]
fn what_is_named_is_found_in_any_block_once() {
    let conf = format!(
        "pid /run/a/n.pid; user www w; error_log /var/log/x/e.log;
        http {{ ssl_dhparam dh.pem; map $a $b {{ root /no; }} proxy_cache_path /c/d keys_zone=x:1m;
        server {{ server_name a.b; ssl_client_certificate ca.pem; {PROMETHEUS}
        location /x {{ auth_basic_user_file users; access_log /l/$host.log; if ($y) {{ auth_basic_user_file users; }} }}
        location /y {{ proxy_store /s/$uri; root /srv/$host; }} }} }}
        stream {{ server {{ listen 1; ssl_crl /crl; proxy_pass x:1; }} }}"
    );
    let found = uses(&conf, &[("users", "u:h"), ("dh.pem", "D")]);
    let expected = [
        (FileKind::Directory, "/run/a", false),
        (FileKind::ErrorLog, "/var/log/x/e.log", false),
        (FileKind::Dhparam, "/etc/nginx/dh.pem", true),
        (FileKind::Directory, "/c/d", false),
        (FileKind::ClientCa, "/etc/nginx/ca.pem", false),
        (FileKind::Passwords, "/etc/nginx/users", true),
        (FileKind::Directory, "/l", false),
        (FileKind::Directory, "/s", false),
        (FileKind::Site, "/srv/a.b", false),
        (FileKind::Crl, "/crl", false),
    ];
    let expected: Vec<_> = expected.map(|(kind, path, brought)| (kind, path.to_owned(), brought)).into();
    assert_eq!(found, expected);
    let user = files(&conf, &[]).user.unwrap();
    assert_eq!((user.name.as_str(), user.group.as_str()), ("www", "w"));
}

#[test]
fn pairs_know_who_shows_them() {
    let conf = format!(
        "http {{ ssl_certificate /c; ssl_certificate_key /k; ssl_ciphers HIGH;
        proxy_ssl_certificate /pc; proxy_ssl_certificate_key /pk;
        server {{ listen 443 ssl; server_name a.b c.d; {PROMETHEUS} }}
        server {{ listen 443 ssl; server_name e.f; ssl_certificate /v/$ssl_server_name.crt; {PROMETHEUS} }} }}
        stream {{ server {{ listen 1 ssl; ssl_certificate /sc; ssl_certificate_key /sk; proxy_pass x:1; }} }}"
    );
    let found = files(&conf, &[]).pairs;
    let shown: Vec<_> =
        found.iter().map(|pair| (pair.pair.certificate.path.as_str(), pair.shown_by, pair.by_worker)).collect();
    let expected = [
        ("/pc", ShownBy::Client, false),
        ("/c", ShownBy::Server(0), false),
        ("/v/e.f.crt", ShownBy::Server(1), true),
        ("/sc", ShownBy::OtherServer, false),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        (&*found[1].names, found[1].ciphers.as_deref()),
        (&["a.b".to_owned(), "c.d".to_owned()][..], Some("HIGH"))
    );
}

#[test]
fn the_tree_s_site_goes_in_and_another_is_only_there() {
    let conf = format!("http {{ server {{ root html; {PROMETHEUS} location /x {{ root /var/www/x/; }} }} }}");
    let found = uses(&conf, &[("html/a/b.html", "b"), ("html/index.html", "i")]);
    let paths: Vec<_> = found.iter().filter(|(.., brought)| *brought).map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/etc/nginx/html/a/b.html", "/etc/nginx/html/index.html"]);
    assert!(found.contains(&(FileKind::Site, "/var/www/x".to_owned(), false)));
}
