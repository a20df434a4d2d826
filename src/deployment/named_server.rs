//! The server that nginx takes for a name: <https://nginx.org/en/docs/http/server_names.html>.

use std::cmp::Reverse;

use regex::RegexBuilder;

use super::{DefaultServer, Facts, Listen};

/// How a name of a server fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    /// `*.example.com`, the longest first.
    Leading(Reverse<usize>),
    /// `www.*`, the longest first.
    Trailing(Reverse<usize>),
    /// The first that fits.
    Regex,
}

impl<'a> Facts<'a> {
    /// The server that a request for `host` comes to on a TCP port that is open on every IPv4 address.
    ///
    /// None where nothing listens there, or where a name is a regex that only PCRE understands.
    pub(crate) fn server_for(&self, port: u16, host: &str) -> Option<DefaultServer<'a>> {
        let here = |listen: &&Listen| listen.port == port && !listen.quic && listen.interface.takes_any_ipv4();
        let servers = self.deployment.servers.iter().enumerate();
        let servers: Vec<DefaultServer<'a>> = servers
            .filter_map(|(index, server)| {
                Some(DefaultServer { index, server, listen: server.listens.iter().find(here)? })
            })
            .collect();
        let mut best: Option<(Fit, DefaultServer<'a>)> = None;
        for found in &servers {
            for name in &found.server.names {
                let fit = fit(&name.text, host).ok()?;
                if let Some(fit) = fit.filter(|fit| best.is_none_or(|(known, _)| *fit < known)) {
                    best = Some((fit, *found));
                }
            }
        }
        let said = || servers.iter().find(|server| server.listen.default_server).or(servers.first()).copied();
        best.map(|(_, found)| found).or_else(said)
    }
}

fn fit(name: &str, host: &str) -> Result<Option<Fit>, regex::Error> {
    let host = host.to_ascii_lowercase();
    if let Some(regex) = name.strip_prefix('~') {
        let regex = RegexBuilder::new(regex).case_insensitive(true).build()?;
        return Ok(regex.is_match(&host).then_some(Fit::Regex));
    }
    let name = name.to_ascii_lowercase();
    let leading = |suffix: &str| host.len() > suffix.len() && host.ends_with(suffix);
    Ok(if name == host || name.strip_prefix('.') == Some(&host) {
        Some(Fit::Exact)
    } else if let Some(suffix) = name.strip_prefix('*').or(Some(&*name).filter(|name| name.starts_with('.'))) {
        leading(suffix).then_some(Fit::Leading(Reverse(suffix.len())))
    } else if let Some(prefix) = name.strip_suffix('*') {
        host.starts_with(prefix).then_some(Fit::Trailing(Reverse(prefix.len())))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    const CONF: &str = "http {
        server { listen 443 ssl; server_name prom.a.b; location / { proxy_pass http://prom:9090; } }
        server { listen 80; server_name _; }
        server { listen 80; server_name ~^x\\d+\\.a\\.b$; }
        server { listen 80; server_name *.b www.*; }
        server { listen 80; server_name .a.b; }
        server { listen 80; server_name prom.a.b; }
        server { listen 127.0.0.1:80; server_name local.b; }
    }";

    fn server_for(conf: &str, host: &str) -> Option<usize> {
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        deployment.facts(0).server_for(80, host).map(|found| found.index)
    }

    #[test]
    fn the_best_name_decides() {
        for (host, index) in
            [("Prom.a.b", 5), ("a.b", 4), ("x1.a.b", 4), ("x.b", 3), ("www.c", 3), ("local.b", 3), ("c.d", 1)]
        {
            assert_eq!(server_for(CONF, host), Some(index), "{host}");
        }
        let only_regex = CONF.replace("server_name .a.b", "server_name other").replace("*.b www.*", "_");
        assert_eq!(server_for(&only_regex, "x1.a.b"), Some(2));
    }

    #[test]
    fn the_default_takes_the_rest() {
        let said = CONF.replace("listen 80; server_name *.b", "listen 80 default_server; server_name *.b");
        assert_eq!(server_for(&said, "c.d"), Some(3));
        assert_eq!(server_for(&CONF.replace(r"^x\d+", "(?!x)"), "c.d"), None, "only PCRE knows");
    }
}
