//! The configuration of the nginx that stands for upstreams and relays.

use std::fmt::Write;

use super::{Listener, Speaks, Stub};
use crate::world::Relay;

/// Where the certificate of those stubs is that speak TLS.
pub(super) const CERTIFICATE: &str = "/proxyproof/stubs.crt";
/// Its key.
pub(super) const KEY: &str = "/proxyproof/stubs.key";

/// The header fields that are written down: what a reverse proxy may set, and what it must not lose.
const HEADERS: [&str; 42] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "forwarded",
    "grpc-timeout",
    "host",
    "origin",
    "referer",
    "remote-user",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
    "x-auth-request-email",
    "x-auth-request-user",
    "x-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-request-id",
    "x-scheme",
    "x-scope-orgid",
    "x-webauth-user",
];

/// One worker, so that its lines stand in the order of the requests.
const HEAD: &str = "\
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
worker_processes 1;
pid /proxyproof/inner/pid;
error_log stderr error;
events { worker_connections 4096; }
";

/// The whole configuration.
pub(super) fn config(stubs: &[Stub], relays: &[Relay]) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("http {\n");
    http(&mut text, stubs);
    text.push_str("}\nstream {\nproxy_timeout 1h;\nproxy_connect_timeout 5s;\n");
    for (number, stub) in stubs.iter().enumerate() {
        forward(&mut text, number, stub);
    }
    relays.iter().for_each(|relay| pass_on(&mut text, relay));
    text.push_str("}\n");
    text
}

fn http(text: &mut String, stubs: &[Stub]) {
    let header = |name: &&str| format!("\"{name}\":\"$http_{}\"", name.replace('-', "_"));
    let headers: Vec<String> = HEADERS.iter().map(header).collect();
    text.push_str("log_format received escape=json '{\"stub\":$stub,\"protocol\":\"$server_protocol\",");
    text.push_str("\"method\":\"$request_method\",\"uri\":\"$request_uri\",\"tls_name\":\"$ssl_server_name\",");
    let _ = writeln!(text, "\"headers\":{{{}}}}}';", headers.join(","));
    text.push_str("access_log /dev/stdout received;\n");
    // The temporary paths must be made, though hardly anything goes there.
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "{kind}_temp_path /proxyproof/inner/{kind};");
    }
    text.push_str("client_max_body_size 0;\nlarge_client_header_buffers 8 64k;\nserver_tokens off;\n");
    text.push_str("server { listen unix:/proxyproof/inner/mark; set $stub -1; return 204; }\n");
    for (number, stub) in stubs.iter().enumerate() {
        server(text, number, stub);
    }
}

/// The server of a stub. Every one has a socket of its own too: without any `listen` it would take port 80.
fn server(text: &mut String, number: usize, stub: &Stub) {
    let (own, tls, http2, kind) = match stub.speaks {
        Speaks::Http => (true, false, false, "application/json"),
        Speaks::Https => (true, true, false, "application/json"),
        Speaks::Grpc => (true, false, true, "application/grpc"),
        Speaks::Grpcs => (true, true, true, "application/grpc"),
        Speaks::Tcp => (false, false, false, "application/json"),
        _ => return,
    };
    let parameters = format!("{}{}", if tls { " ssl" } else { "" }, if http2 { " http2" } else { "" });
    text.push_str("server {\n");
    let _ = writeln!(text, "    listen unix:/proxyproof/inner/{number};");
    if stub.speaks == Speaks::Tcp {
        let _ = writeln!(text, "    listen unix:/proxyproof/inner/{number}.tls ssl;");
    }
    for at in stub.at.iter().filter(|_| own) {
        let _ = writeln!(text, "    listen {at}{parameters};");
    }
    if stub.speaks.needs_certificate() {
        let _ = writeln!(text, "    ssl_certificate {CERTIFICATE};\n    ssl_certificate_key {KEY};");
    }
    let _ = writeln!(text, "    set $stub {number};\n    default_type {kind};");
    stub.metrics.iter().filter(|_| !http2).for_each(|path| metrics(text, path));
    match http2 {
        // A whole answer in its head alone: the call went well, and nothing came of it.
        true => text.push_str("    add_header grpc-status 0;\n    return 200;\n}\n"),
        false => {
            let name = written(&stub.name);
            let _ = writeln!(text, "    location / {{ return 200 '{{\"stub\":\"{name}\"}}\\n'; }}\n}}");
        }
    }
}

/// One metric, as a target of Prometheus shows it. Prometheus asks every second, so it is not written down.
fn metrics(text: &mut String, path: &str) {
    let is_plain = path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._~-+:@".contains(c));
    if is_plain {
        let _ = writeln!(text, "    location = {path} {{ access_log off; default_type 'text/plain; version=0.0.4'; ");
        let _ = writeln!(text, "        return 200 'proxyproof_stub 1\\n'; }}");
    }
}

/// A name within quotes: nginx has no way to write a dollar there.
fn written(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || ":/._-[]@".contains(c) { c } else { '_' }).collect()
}

/// A server that passes connections on to Prometheus.
fn forward(text: &mut String, number: usize, stub: &Stub) {
    let Speaks::Forward { to } = stub.speaks else { return };
    text.push_str("server {\n");
    let _ = writeln!(text, "    listen unix:/proxyproof/inner/{number};");
    for at in &stub.at {
        let _ = writeln!(text, "    listen {at};");
    }
    let _ = writeln!(text, "    proxy_pass {to};\n}}");
}

/// A relay. With the PROXY protocol it takes two steps: the first connects from the client's address, and the second writes
/// that address into the header and connects from the peer's.
fn pass_on(text: &mut String, relay: &Relay) {
    let Relay { port, to, client, proxy_protocol, peer } = relay;
    let bind = |address: &Option<std::net::IpAddr>| match address {
        Some(address) if !to.starts_with("unix:") => format!(" proxy_bind {address};"),
        _ => String::new(),
    };
    match (proxy_protocol, client) {
        (false, client) => {
            let _ = writeln!(text, "server {{ listen {port};{} proxy_pass {to}; }}", bind(client));
        }
        (true, None) => {
            let _ = writeln!(text, "server {{ listen {port}; proxy_protocol on;{} proxy_pass {to}; }}", bind(peer));
        }
        (true, Some(client)) => {
            // The same port at the client's own address would be taken by the socket for every address.
            let inner = Listener::Tcp((*client, port.wrapping_sub(1000)).into());
            let _ = writeln!(text, "server {{ listen {port}; proxy_bind {client}; proxy_pass {inner}; }}");
            let _ = writeln!(text, "server {{ listen {inner}; proxy_protocol on;{} proxy_pass {to}; }}", bind(peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(to: &str, proxy_protocol: bool, client: Option<&str>, peer: Option<&str>) -> String {
        let address = |text: Option<&str>| text.map(|text| text.parse().expect("an address"));
        let (client, peer) = (address(client), address(peer));
        let relay = Relay { port: 61001, to: to.to_owned(), client, proxy_protocol, peer };
        let mut text = String::new();
        pass_on(&mut text, &relay);
        text
    }

    #[test]
    fn a_relay_comes_from_the_client_or_names_it() {
        assert_eq!(relay("127.0.0.1:80", false, None, None), "server { listen 61001; proxy_pass 127.0.0.1:80; }\n");
        assert_eq!(
            relay("127.0.0.1:80", false, Some("10.0.0.7"), None),
            "server { listen 61001; proxy_bind 10.0.0.7; proxy_pass 127.0.0.1:80; }\n"
        );
        assert_eq!(
            relay("[::1]:443", true, Some("203.0.113.1"), Some("fd00::9")),
            "server { listen 61001; proxy_bind 203.0.113.1; proxy_pass 203.0.113.1:60001; }\n\
             server { listen 203.0.113.1:60001; proxy_protocol on; proxy_bind fd00::9; proxy_pass [::1]:443; }\n"
        );
        assert_eq!(
            relay("unix:/run/n.sock", true, None, Some("10.0.0.1")),
            "server { listen 61001; proxy_protocol on; proxy_pass unix:/run/n.sock; }\n"
        );
    }

    #[test]
    fn a_name_can_not_end_its_quotes() {
        assert_eq!(written("http://a'b$c:80"), "http://a_b_c:80");
    }
}
