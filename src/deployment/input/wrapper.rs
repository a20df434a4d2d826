//! The nginx.conf that is made around fragments: a stock one, with what they need and don't define.

use std::collections::HashSet;

use super::super::made::{Made, MadeKind};
use super::super::{Directive, Options};
use super::kind::Kind;
use super::needs::{CERTIFICATE, Need};
use super::{Fragment, MAIN};

/// Only what reads the fragments, to see what they need.
pub(super) fn includes_alone(fragments: &[Fragment]) -> String {
    format!("http {{\n{}server {{\n{}}}\n}}\n", includes(fragments, Kind::Http), includes(fragments, Kind::Server))
}

/// The whole of it. `alone` is what [`includes_alone`] was read as.
pub(super) fn text(fragments: &[Fragment], alone: &[Directive], needs: &[Need], options: &Options) -> String {
    let http = alone.first().map(Directive::children).unwrap_or_default();
    let own: HashSet<&str> = http.iter().map(|directive| directive.name.as_str()).collect();
    let mut text = String::from("# Made around the fragments: the deployment brings no nginx.conf.\n");
    text.push_str("include /etc/nginx/modules-enabled/*.conf;\nevents {}\nhttp {\n");
    if !own.contains("types") {
        text.push_str("    include /etc/nginx/mime.types;\n");
    }
    if !own.contains("default_type") {
        text.push_str("    default_type application/octet-stream;\n");
    }
    for need in needs {
        text.push_str(&format!("    {}\n", need.text));
    }
    text.push_str(&includes(fragments, Kind::Http));
    if fragments.iter().any(|fragment| fragment.kind == Kind::Server) {
        text.push_str(&server(fragments, http, options));
    }
    text.push_str("}\n");
    text
}

/// The server around locations.
fn server(fragments: &[Fragment], http: &[Directive], options: &Options) -> String {
    let around = http.iter().rfind(|directive| directive.is("server") && directive.location.file.as_ref() == MAIN);
    let own = |name: &str| around.is_some_and(|server| server.children_named(name).next().is_some());
    let mut text = String::from("    server {\n");
    if !own("listen") {
        text.push_str("        listen 443 ssl;\n");
        if !own("ssl_certificate") {
            text.push_str(&format!("        {}\n", CERTIFICATE.replace('\n', "\n        ")));
        }
    }
    if !own("server_name") {
        // A name that can't be one is refused later, with its cure.
        let name = options.server_name.as_deref().unwrap_or("localhost");
        let writable = |c: char| c.is_alphanumeric() || ".-*".contains(c);
        let name = if name.chars().all(writable) && !name.is_empty() { name } else { "localhost" };
        text.push_str(&format!("        server_name {name};\n"));
    }
    text.push_str(&includes(fragments, Kind::Server));
    text.push_str("    }\n");
    text
}

fn includes(fragments: &[Fragment], kind: Kind) -> String {
    let of_kind = fragments.iter().filter(|fragment| (fragment.kind == Kind::Server) == (kind == Kind::Server));
    of_kind.map(|fragment| format!("    include \"{}\";\n", fragment.path_in_pod)).collect()
}

/// What is said of it.
pub(super) fn note(fragments: &[Fragment]) -> Made {
    let paths: Vec<&str> = fragments.iter().map(|fragment| fragment.path_in_pod.as_str()).collect();
    let around = match fragments.iter().any(|fragment| fragment.kind == Kind::Server) {
        true => "a stock one with a TLS server around",
        false => "a stock one around",
    };
    Made {
        kind: MadeKind::Configuration,
        what: MAIN.to_owned(),
        by: format!("{around} {}", paths.join(", ")),
        location: None,
    }
}
