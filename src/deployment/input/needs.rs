//! What a fragment needs of the `http` block around it, and nobody defines.

use std::collections::HashSet;

use super::super::Directive;
use super::super::made::{Made, MadeKind};
use super::{elsewhere, variables};
use crate::location::Location;

/// Something to define in `http`.
#[derive(Clone, Debug)]
pub(super) struct Need {
    /// The directive.
    pub(super) text: String,
    pub(super) made: Made,
}

/// What the need of a certificate is called.
pub(super) const CERTIFICATE_NAME: &str = "ssl_certificate";

/// A certificate, which is made where no file is.
pub(super) const CERTIFICATE: &str =
    "ssl_certificate /etc/nginx/made/certificate.pem;\nssl_certificate_key /etc/nginx/made/key.pem;";

/// The official image has this format in its nginx.conf, and its name is what people write.
const MAIN_FORMAT: &str = "'$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
                           \"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\"'";

/// No configuration needs more, and each is a line of the report.
const MOST: usize = 1000;

/// What is needed by directives whose outermost ones hold `http`.
pub(super) fn of(directives: &[Directive]) -> Vec<Need> {
    let mut all = Vec::new();
    flatten(directives, &mut all);
    let mut needs = Vec::new();
    needs.extend(zones(&all));
    needs.extend(formats(&all));
    needs.extend(certificate(directives));
    needs.extend(elsewhere::of(directives.iter().find(|directive| directive.is("http")), &all));
    needs.extend(unknown_variables(directives));
    needs.truncate(MOST);
    needs
}

fn flatten<'a>(directives: &'a [Directive], all: &mut Vec<&'a Directive>) {
    for directive in directives {
        all.push(directive);
        flatten(directive.children(), all);
    }
}

/// A directive to write, with what is said of it.
pub(super) fn need(what: &str, text: String, location: &Location) -> Need {
    let made = Made {
        kind: MadeKind::Configuration,
        what: what.to_owned(),
        by: text.replace('\n', " "),
        location: Some(location.clone()),
    };
    Need { text, made }
}

/// A kind of zone: the directives that use one, the one that defines it, and how its name is written in both.
struct Zone {
    users: &'static [&'static str],
    definition: &'static str,
    name_of: fn(&Directive) -> Option<&str>,
    defined: &'static str,
    text: fn(&str) -> String,
}

const ZONES: [Zone; 3] = [
    Zone {
        users: &["limit_req"],
        definition: "limit_req_zone",
        name_of: |directive| option(directive, "zone="),
        defined: "zone=",
        // The rate is not known, so it is one that no check meets.
        text: |name| format!("limit_req_zone $binary_remote_addr zone={name}:1m rate=1000r/s;"),
    },
    Zone {
        users: &["limit_conn"],
        definition: "limit_conn_zone",
        name_of: |directive| directive.arg(0),
        defined: "zone=",
        text: |name| format!("limit_conn_zone $binary_remote_addr zone={name}:1m;"),
    },
    Zone {
        users: &["proxy_cache", "fastcgi_cache", "uwsgi_cache", "scgi_cache"],
        definition: "_cache_path",
        name_of: |directive| directive.arg(0).filter(|name| *name != "off"),
        defined: "keys_zone=",
        text: |name| format!("proxy_cache_path /tmp/cache-{name} keys_zone={name}:1m;"),
    },
];

fn zones(all: &[&Directive]) -> Vec<Need> {
    let mut needs = Vec::new();
    for Zone { users, definition, name_of, defined, text } in &ZONES {
        let definitions = all.iter().filter(|directive| directive.name.ends_with(definition));
        let mut known: HashSet<&str> = definitions.filter_map(|directive| option(directive, defined)).collect();
        for directive in all.iter().filter(|directive| users.contains(&directive.name.as_str())) {
            let Some(name) = name_of(directive).filter(|name| writable(name)) else { continue };
            if known.insert(name) {
                needs.push(need(&format!("{} {name}", directive.name), text(name), &directive.location));
            }
        }
    }
    needs
}

/// The value of an argument such as `zone=api:10m`, up to the colon.
fn option<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    let value = directive.args.iter().find_map(|arg| arg.text.strip_prefix(name))?;
    value.split(':').next().filter(|value| !value.is_empty())
}

/// Whether a name can be written into a directive without quotes. One with a variable is not known before a request.
pub(super) fn writable(name: &str) -> bool {
    !name.is_empty() && name.len() < 200 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn formats(all: &[&Directive]) -> Vec<Need> {
    let defined = all.iter().filter(|directive| directive.is("log_format"));
    let mut known: HashSet<&str> = defined.filter_map(|directive| directive.arg(0)).chain(["combined"]).collect();
    let mut needs = Vec::new();
    for directive in all.iter().filter(|directive| directive.is("access_log")) {
        let Some(name) = directive.arg(1).filter(|name| writable(name)) else { continue };
        if known.insert(name) {
            let text = format!("log_format {name} {MAIN_FORMAT};");
            let mut need = need(&format!("log_format {name}"), text, &directive.location);
            need.made.by = "the format of nginx's own image".to_owned();
            needs.push(need);
        }
    }
    needs
}

/// A certificate for servers that speak TLS and have none.
fn certificate(directives: &[Directive]) -> Option<Need> {
    let http = directives.iter().find(|directive| directive.is("http"))?;
    if http.children_named(CERTIFICATE_NAME).next().is_some() {
        return None;
    }
    let listen = http.children_named("server").find_map(tls_without_certificate)?;
    let mut need = need(CERTIFICATE_NAME, CERTIFICATE.replace('\n', " "), &listen.location);
    need.made.by = "one that is made, for the servers that name none".to_owned();
    Some(need)
}

fn tls_without_certificate(server: &Directive) -> Option<&Directive> {
    let has = |name: &str, value: &str| server.children_named(name).any(|directive| directive.arg(0) == Some(value));
    if server.children_named(CERTIFICATE_NAME).next().is_some() || has("ssl_reject_handshake", "on") {
        return None;
    }
    let speaks_tls =
        |listen: &&Directive| listen.args.iter().skip(1).any(|arg| arg.text == "ssl" || arg.text == "quic");
    let on = server.children_named("ssl").find(|ssl| ssl.arg(0) == Some("on"));
    server.children_named("listen").find(speaks_tls).or(on)
}

fn unknown_variables(directives: &[Directive]) -> Vec<Need> {
    let unknown = variables::unknown(directives);
    let needs = unknown.into_iter().map(|(name, location)| {
        let text = match name.as_str() {
            "connection_upgrade" => format!("map $http_upgrade ${name} {{ default upgrade; '' close; }}"),
            _ => format!("map '' ${name} {{ default ''; }}"),
        };
        need(&format!("${name}"), text, &location)
    });
    needs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::directives;

    fn texts(http: &str) -> Vec<String> {
        of(&directives(&format!("http {{ {http} }}"))).into_iter().map(|need| need.text).collect()
    }

    #[test]
    fn what_is_defined_is_not_made() {
        let http = "limit_req_zone $host zone=z:1m rate=1r/s; proxy_cache_path /x keys_zone=c:1m; log_format f '';
            ssl_certificate a; map $http_x $b { } server { listen 443 ssl; limit_req zone=z burst=1; proxy_cache c;
            access_log /x f; access_log /y combined; access_log off; set $d 1; add_header X $b$d$1$arg_e$host; }";
        assert_eq!(texts(http), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_is_made_once() {
        let http = "server { listen 443 ssl; limit_req zone=z burst=1; limit_conn c 1; proxy_cache off; proxy_cache k;
            access_log /x main buffer=1k; location / { limit_req zone=z; access_log /y main; add_header X $who; } }
            server { listen 8443 ssl; ssl_certificate x; } server { proxy_set_header C $connection_upgrade; }";
        let texts = texts(http);
        let begins: Vec<_> = texts.iter().map(|text| text.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            begins,
            [
                "limit_req_zone $binary_remote_addr zone=z:1m",
                "limit_conn_zone $binary_remote_addr zone=c:1m;",
                "proxy_cache_path /tmp/cache-k keys_zone=k:1m;",
                "log_format main '$remote_addr",
                "ssl_certificate /etc/nginx/made/certificate.pem; ssl_certificate_key",
                "map '' $who",
                "map $http_upgrade $connection_upgrade",
            ]
        );
    }
}
