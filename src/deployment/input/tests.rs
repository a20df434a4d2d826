//! Fragments, directories, several files and templates, read as a whole.

use std::os::unix::fs::symlink;

use super::super::testing::Files;
use super::super::{Deployment, Directive, MadeKind, Nginx, Options};

const SITE: &str = "upstream prom { server prometheus:9090; }
server {
    listen 443 ssl;
    server_name a.b;
    limit_req zone=api burst=5;
    location /p/ { proxy_pass http://prom/; proxy_set_header Connection $connection_upgrade; }
}
";

fn options() -> Options {
    Options::default()
}

/// The text of the nginx.conf that was made.
fn main_text(nginx: &Nginx) -> &str {
    &nginx.file("/etc/nginx/nginx.conf").expect("an nginx.conf").text
}

fn in_http<'a>(nginx: &'a Nginx, name: &'a str) -> Vec<&'a Directive> {
    let http = nginx.directives.iter().find(|directive| directive.is("http")).expect("http");
    http.children_named(name).collect()
}

fn paths_in_pod(nginx: &Nginx) -> Vec<&str> {
    let users = nginx.files.iter().filter(|file| !file.made);
    users.map(|file| file.path_in_pod.as_str()).collect()
}

#[test]
fn around_a_fragment_of_http_a_stock_nginx_conf_is_made() {
    let files = Files::of(&[("site.conf", SITE)]);
    let nginx = files.nginx_at("site.conf", &options()).unwrap();
    assert_eq!(paths_in_pod(&nginx), ["/etc/nginx/conf.d/site.conf"]);
    let text = main_text(&nginx);
    for line in ["events {}", "include /etc/nginx/mime.types;", "include \"/etc/nginx/conf.d/site.conf\";"] {
        assert!(text.contains(line), "{text}");
    }
    let made: Vec<_> =
        nginx.made.iter().map(|made| (made.what.as_str(), made.location.as_ref().map(|at| at.line))).collect();
    assert_eq!(
        made,
        [
            ("/etc/nginx/nginx.conf", None),
            ("limit_req api", Some(5)),
            ("ssl_certificate", Some(3)),
            ("$connection_upgrade", Some(6))
        ]
    );
    assert!(nginx.made.iter().all(|made| made.kind == MadeKind::Configuration));
    let deployment = Deployment::load(files.path("site.conf")).unwrap();
    assert_eq!(deployment.route().public_url(), "https://a.b/p/");
    assert_eq!(deployment.servers[0].certificates[0].certificate.path, "/etc/nginx/made/certificate.pem");
}

#[test]
fn findings_do_not_point_into_what_was_made() {
    let files = Files::of(&[("site.conf", SITE)]);
    let nginx = files.nginx_at("site.conf", &options()).unwrap();
    assert_eq!(nginx.locate("/etc/nginx/nginx.conf", 3), None);
    assert!(nginx.locate("/etc/nginx/conf.d/site.conf", 4).unwrap().to_string().ends_with("site.conf:4:5"));
    let certificate = &in_http(&nginx, "ssl_certificate")[0].location;
    assert_eq!(nginx.users_place(certificate), None);
}

#[test]
fn what_a_fragment_says_itself_is_not_said_twice() {
    let site = format!("include mime.types; default_type text/plain; types {{ a b; }}\n{SITE}");
    let nginx = Files::of(&[("x.conf", &site)]).nginx_at("x.conf", &options()).unwrap();
    assert_eq!(in_http(&nginx, "default_type").len(), 1);
    assert!(!main_text(&nginx).contains("mime.types"));
}

#[test]
fn around_locations_a_tls_server_is_made() {
    let locations = "set $up prometheus;\nlocation /p/ { proxy_pass http://$up:9090; }\n";
    let files =
        Files::of(&[("snippets/prom.conf", locations), ("own.conf", "listen 80; server_name x;\nlocation / { }")]);
    let given = Options { server_name: Some("m.example.com".to_owned()), ..options() };
    let nginx = files.nginx_at("snippets/prom.conf", &given).unwrap();
    let text = main_text(&nginx);
    for line in
        ["listen 443 ssl;", "server_name m.example.com;", "ssl_certificate_key ", "/etc/nginx/snippets/prom.conf"]
    {
        assert!(text.contains(line), "{text}");
    }
    let deployment = Deployment::load(files.path("snippets/prom.conf")).unwrap();
    assert_eq!(deployment.route().public_url(), "https://localhost/p/");
    let nginx = files.nginx_at("own.conf", &options()).unwrap();
    assert_eq!(in_http(&nginx, "server")[0].children_named("listen").count(), 1);
    assert!(!main_text(&nginx).contains("listen") && !main_text(&nginx).contains("ssl_certificate"));
}

#[test]
fn beside_a_fragment_the_directory_of_nginx_is_found() {
    let site = format!("{SITE} server {{ include snippets/ssl.conf; }}");
    let files = Files::of(&[("nginx/conf.d/site.conf", &site), ("nginx/snippets/ssl.conf", "ssl_certificate x;")]);
    let nginx = files.nginx_at("nginx/conf.d/site.conf", &options()).unwrap();
    assert_eq!(paths_in_pod(&nginx), ["/etc/nginx/conf.d/site.conf", "/etc/nginx/snippets/ssl.conf"]);
    assert_eq!(nginx.tree.dir(), files.path("nginx"));
}

#[test]
fn a_directory_is_what_its_nginx_conf_says() {
    let main = "events {} http { include /etc/nginx/sites-enabled/*; }";
    let files =
        Files::of(&[("d/nginx.conf", main), ("d/sites-available/a", SITE), ("d/sites-enabled/b", "server { }")]);
    symlink("/etc/nginx/sites-available/a", files.path("d/sites-enabled/absolute")).unwrap();
    symlink("../sites-available/a", files.path("d/sites-enabled/relative")).unwrap();
    let nginx = files.nginx_at("d", &options()).unwrap();
    let expected = ["nginx.conf", "sites-enabled/absolute", "sites-enabled/b", "sites-enabled/relative"];
    assert_eq!(paths_in_pod(&nginx), expected.map(|name| format!("/etc/nginx/{name}")));
    // What can be opened here is the file that the link leads to.
    assert!(nginx.files[1].file.ends_with("d/sites-available/a"));
    assert!(nginx.made.is_empty(), "{:?}", nginx.made);
    symlink("/etc/hostname", files.path("d/sites-enabled/out")).unwrap();
    let message = files.nginx_at("d", &options()).unwrap_err().to_string();
    assert!(message.contains("`/etc/hostname`"), "{message}");
}

#[test]
fn a_directory_of_fragments_is_read_as_nginx_would() {
    let files = Files::of(&[
        ("a/conf.d/x.conf", SITE),
        ("a/conf.d/y.txt", "broken {"),
        ("a/conf.d/locations.conf", "location / { }"),
        ("b/sites-enabled/site", SITE),
        ("c/one.conf", SITE),
        ("c/conf.d/two.conf", "server { listen 81; }"),
        ("d/default.conf", "location / { proxy_pass http://prom; }"),
        ("e/x.conf", "events {} http { include conf.d/*.conf; }"),
        ("e/conf.d/y.conf", SITE),
        ("f/.hidden.conf", SITE),
    ]);
    for (dir, expected) in [
        ("a/conf.d", vec!["conf.d/x.conf"]),
        ("b/sites-enabled", vec!["sites-enabled/site"]),
        ("b", vec!["sites-enabled/site"]),
        ("c", vec!["one.conf", "conf.d/two.conf"]),
        ("d", vec!["default.conf"]),
        ("e", vec!["nginx.conf", "conf.d/y.conf"]),
    ] {
        let nginx = files.nginx_at(dir, &options()).unwrap();
        let expected: Vec<_> = expected.iter().map(|name| format!("/etc/nginx/{name}")).collect();
        assert_eq!(paths_in_pod(&nginx), expected, "{dir}");
    }
    let message = files.nginx_at("f", &options()).unwrap_err().to_string();
    assert!(message.contains("without an nginx.conf"), "{message}");
}

#[test]
fn further_files_are_part_of_the_deployment() {
    let files = Files::of(&[
        ("site.conf", "server { location / { proxy_pass http://prom; } }"),
        ("up/site.conf", "upstream prom { server a:9090; }"),
        ("nginx.conf", "http { include conf.d/*.conf; }"),
        ("named.conf", "http { include /opt/site.conf; }"),
        ("none.conf", "http { }"),
    ]);
    let with = Options { with: vec![files.path("up/site.conf")], ..options() };
    let nginx = files.nginx_at("site.conf", &with).unwrap();
    assert_eq!(paths_in_pod(&nginx), ["/etc/nginx/conf.d/site.conf", "/etc/nginx/conf.d/with-site.conf"]);
    let nginx = files.nginx_at("nginx.conf", &with).unwrap();
    assert_eq!(paths_in_pod(&nginx), ["/etc/nginx/nginx.conf", "/etc/nginx/conf.d/site.conf"]);
    let nginx = files.nginx_at("named.conf", &with).unwrap();
    assert_eq!(paths_in_pod(&nginx), ["/etc/nginx/nginx.conf", "/opt/site.conf"]);
    let message = files.nginx_at("none.conf", &with).unwrap_err().to_string();
    assert!(message.contains("includes no `/etc/nginx/conf.d/site.conf`"), "{message}");
}

#[test]
fn a_root_mirrors_the_machine() {
    let files = Files::of(&[
        ("nginx.conf", "http { include /opt/site.conf; include conf.d/*.conf; }"),
        ("conf.d/a.conf", "a 1;"),
        ("root/opt/site.conf", SITE),
        ("root/etc/nginx/conf.d/a.conf", "a 2;"),
    ]);
    let given = Options { root: Some(files.path("root")), ..options() };
    let nginx = files.nginx_at("nginx.conf", &given).unwrap();
    assert!(nginx.made.is_empty());
    assert_eq!(in_http(&nginx, "a")[0].arg(0), Some("2"));
    let nginx = files.nginx_at("nginx.conf", &options()).unwrap();
    assert_eq!((nginx.made.len(), in_http(&nginx, "a")[0].arg(0)), (1, Some("1")));
}

#[test]
fn a_template_is_rendered_and_its_places_are_the_users() {
    let text = "server { server_name ${DOMAIN}; listen $PORT;\n  location /p/ { proxy_pass http://${UP}; } }\n";
    let files = Files::of(&[("site.conf.template", text)]);
    let env = [("DOMAIN", "a.b"), ("PORT", "8080"), ("UP", "prometheus:9090"), ("HTTP", "x")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let given = Options { env, ..options() };
    let deployment = Deployment::load_with(files.path("site.conf.template"), &given).unwrap();
    assert_eq!(deployment.route().public_url(), "http://a.b:8080/p/");
    assert_eq!((deployment.route().proxy_pass.line, deployment.route().proxy_pass.column), (2, 18));
    assert_eq!(deployment.servers[0].listens[0].location.column, 33);
    let file = &deployment.nginx.files[0];
    assert_eq!(&*file.text, text);
    assert!(file.text_in_pod().contains("server_name a.b; listen 8080;"));
    let rendered = deployment.nginx.made.iter().filter(|made| made.kind == MadeKind::Placeholder);
    assert_eq!(rendered.map(|made| made.what.as_str()).collect::<Vec<_>>(), ["${DOMAIN}", "${PORT}", "${UP}"]);
}

#[test]
fn lines_that_nginx_names_in_a_rendered_file_lead_back() {
    let text = "server {\n${LINES}\n listen 80;\n location / { proxy_pass http://prom; } }\n";
    let given = Options { env: vec![("LINES".to_owned(), "a 1;\nb 2;\nc 3;".to_owned())], ..options() };
    let nginx = Files::of(&[("site.conf", text)]).nginx_at("site.conf", &given).unwrap();
    let place = |line| nginx.locate("/etc/nginx/conf.d/site.conf", line).map(|at| (at.line, at.column));
    assert_eq!((place(2), place(4), place(5)), (Some((2, 1)), Some((2, 1)), Some((3, 2))));
}

#[test]
fn all_missing_values_are_named_at_once() {
    let text = "server {\n  server_name ${DOMAIN};\n  set $BACKEND ${UP};\n  location / { proxy_pass http://$BACKEND:$PORT; } \
                location /x { return 200 $DOMAIN; } }";
    let message = Files::of(&[("site.conf", text)]).nginx_at("site.conf", &options()).unwrap_err().to_string();
    assert!(message.contains("site.conf:2:15: "), "{message}");
    assert!(message.contains("for `${DOMAIN}`, `${UP}` and `${PORT}`. "), "{message}");
    assert!(message.ends_with("--env DOMAIN=VALUE --env UP=VALUE --env PORT=VALUE"), "{message}");
    // The placeholder holds a directive, so that without it the syntax is wrong.
    let text = "server {\n  ${EXTRA}\n  listen 80;\n}\n";
    let message = Files::of(&[("site.conf", text)]).nginx_at("site.conf", &options()).unwrap_err().to_string();
    assert!(message.contains("site.conf:2:3: ") && message.contains("--env EXTRA=VALUE"), "{message}");
    let text = "server {\n  server_name ${DOMAIN:-localhost};\n}\n";
    let message = Files::of(&[("site.conf", text)]).nginx_at("site.conf", &options()).unwrap_err().to_string();
    assert!(message.contains("`${DOMAIN:-localhost}` is a default value"), "{message}");
}

#[test]
fn a_full_nginx_conf_is_not_completed_but_for_files_that_are_missing() {
    let server = "server { listen 443 ssl; limit_req zone=z; location / { proxy_pass http://prom; } }";
    let full = format!("events {{}} http {{ {server} }}");
    let missing = format!("events {{}} http {{ include /opt/ssl.conf; {server} }}");
    let files = Files::of(&[("full.conf", &full), ("missing.conf", &missing)]);
    assert!(files.nginx_at("full.conf", &options()).unwrap().made.is_empty());
    let nginx = files.nginx_at("missing.conf", &options()).unwrap();
    let what: Vec<_> = nginx.made.iter().map(|made| made.what.as_str()).collect();
    assert_eq!(what, ["/opt/ssl.conf", "limit_req z", "ssl_certificate", "upstream prom"]);
    assert_eq!(in_http(&nginx, "limit_req_zone").len(), 1);
    let server =
        "events {} http { server { listen 443 ssl; include ssl.conf; location / { proxy_pass http://prom; } } }";
    let files = Files::of(&[("nginx.conf", server)]);
    assert_eq!(files.load().unwrap().servers[0].certificates.len(), 1);
}
