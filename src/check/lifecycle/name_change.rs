//! Prometheus moves to another address, and nginx follows its name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::super::api::duration;
use super::super::obstacle::{PROBE, need_answers};
use super::super::{Answer, Check, NEEDS_CONFIGURATION, Skip, Turn, View};
use super::changing::{parameter, round, served_within};
use crate::deployment::{Address, Directive, HostPort};
use crate::finding::{Finding, Fix, Level};
use crate::observe::{Observer, Reloaded, Request};

/// How long this check waits for nginx to look a name up again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nginx may take to see that what it knew is too old.
const MARGIN: Duration = Duration::from_secs(3);
/// What nobody waits for any more when a container was made anew.
const LONG: Duration = Duration::from_secs(300);

pub(crate) static CHECK: Check = Check {
    id: "name-change",
    level: Level::Warning,
    what: "When the name of Prometheus comes to mean another address, as that of a container does which is made anew, nginx \
           asks Prometheus there, without a reload.",
    why: "A name that is written into proxy_pass or into an upstream block is looked up once, when nginx starts. Afterwards \
          nginx goes on asking the old address: clients get 502, or what another container answers that has it now.",
    fix: "A variable and a resolver, which is asked again and again: resolver 127.0.0.11 valid=10s; set $prometheus \
          prometheus; proxy_pass http://$prometheus:9090; or, since nginx 1.27.3, zone and server … resolve; in the \
          upstream block.",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass; \
             https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver; langgenius/dify#40808",
    turn: Turn::After,
    view: View::Inside(NEEDS_CONFIGURATION),
    ask: |observer| Box::pin(ask(observer)),
};

async fn ask(observer: &Observer) -> Answer {
    let looked_up = LookedUp::of(observer)?;
    let patience = looked_up.patience()?;
    need_answers(observer).await?;
    let moving = Move::of(observer)?;
    let request = observer.request(PROBE);
    let moved = follow(observer, &moving, &request, patience).await;
    moving.back(observer).await?;
    match moved? {
        Moved::Followed => Ok(Vec::new()),
        Moved::FollowedAfterAReload => Ok(vec![looked_up.finding(observer)]),
        Moved::NotFollowed => {
            Err(Skip("Prometheus could not be moved: nginx does not find it after a reload either".to_owned()))
        }
    }
}

/// How nginx knows the address of Prometheus.
enum LookedUp<'a> {
    /// By a name that it looked up when it started, in this directive.
    AtStart(&'a Directive),
    /// By a name that it looks up again, from this directive, after that time; else after as long as DNS says.
    Again { resolver: &'a Directive, valid: Option<Duration> },
}

impl<'a> LookedUp<'a> {
    fn of(observer: &'a Observer) -> Result<Self, Skip> {
        let facts = observer.facts();
        let Some(name) = name(&observer.route().upstream) else {
            return Err(Skip(format!(
                "nginx asks Prometheus at {}, which means the same for ever",
                observer.route().upstream
            )));
        };
        let unknown = || Skip("which line leads to Prometheus can't be told".to_owned());
        let path = observer.request(PROBE).url().path().to_owned();
        let pass = facts.pass_for(&path).ok_or_else(unknown)?;
        if !facts.may_be_its_own(pass) {
            return Err(Skip("the API goes another way than this one to Prometheus".to_owned()));
        }
        let (directive, again, resolvers) = match facts.upstream_blocks(pass) {
            Some([http, block]) => {
                let is_its =
                    |server: &&Directive| server.arg(0).is_some_and(|at| host_of(at).eq_ignore_ascii_case(name));
                let server = block.children_named("server").find(is_its).ok_or_else(unknown)?;
                let own: Vec<&Directive> = block.children_named("resolver").collect();
                let resolvers = if own.is_empty() { http.children_named("resolver").collect() } else { own };
                (server, server.args.iter().any(|arg| arg.text == "resolve"), resolvers)
            }
            None => {
                let again = pass.arg(0).is_some_and(|to| to.contains('$'));
                (pass, again, facts.in_force(&path, "resolver"))
            }
        };
        match resolvers.first() {
            Some(resolver) if again => {
                Ok(Self::Again { resolver, valid: parameter(resolver, "valid").and_then(duration::read) })
            }
            _ => Ok(Self::AtStart(directive)),
        }
    }

    /// How long it is waited for nginx to follow.
    fn patience(&self) -> Result<Duration, Skip> {
        match self {
            Self::Again { valid: Some(valid), .. } if *valid > PATIENCE && *valid <= LONG => {
                let seconds = valid.as_secs();
                Err(Skip(format!("nginx looks the name up every {seconds} s: longer than this check waits")))
            }
            Self::Again { valid: Some(valid), .. } if *valid <= PATIENCE => Ok(*valid + MARGIN),
            Self::Again { valid: None, .. } => Ok(PATIENCE),
            // Once is enough where nginx does not look again.
            _ => Ok(Duration::ZERO),
        }
    }

    fn finding(&self, observer: &Observer) -> Finding {
        let name = name(&observer.route().upstream).unwrap_or_default();
        let finding = CHECK
            .finding(format!("when {name} moves to another address, nginx goes on asking the old one"))
            .expected("Prometheus is found at its new address")
            .shown_by(observer.shell().curl_raw(&observer.request(PROBE)));
        match self {
            Self::AtStart(directive) => finding
                .at_level(level_at_start(observer, name))
                .actual("502 until nginx is reloaded: it looked the name up when it started")
                .at(directive.location.clone())
                .fix(fix_at_start(observer, directive, name)),
            Self::Again { resolver, .. } => {
                let written = parameter(resolver, "valid");
                let change = |_: usize, text: &str| match text.starts_with("valid=") {
                    true => "valid=10s".to_owned(),
                    false => text.to_owned(),
                };
                let fix = Fix::replace(resolver.location.clone(), resolver.written_with(change));
                finding
                    .actual(format!("502 for {}: nginx believes as long what DNS said", written.unwrap_or("a while")))
                    .at(resolver.location.clone())
                    .fix(if written.is_some() { fix } else { Fix::default() })
            }
        }
    }
}

/// Where Prometheus moves to, and where it was.
struct Move {
    number: usize,
    port: u16,
    names: Vec<(String, IpAddr)>,
    to: Ipv4Addr,
}

enum Moved {
    Followed,
    FollowedAfterAReload,
    NotFollowed,
}

impl Move {
    fn of(observer: &Observer) -> Result<Self, Skip> {
        let route = observer.route();
        let all = std::iter::once(&route.upstream).chain(&route.peers).filter_map(name);
        let names: Vec<(String, IpAddr)> =
            all.filter_map(|name| Some((name.to_owned(), observer.world().ok()?.host(name)?))).collect();
        match names.first() {
            // Of 127.0.0.0/8 every address is the Pod's own, and the names have theirs in 127.1.0.0/16.
            Some((_, IpAddr::V4(from))) => {
                let [_, _, high, low] = from.octets();
                let to = Ipv4Addr::new(127, 2, high, low);
                Ok(Self { number: route.prometheus, port: route.upstream.port(), names, to })
            }
            _ => Err(Skip("Prometheus has no other address to move to here".to_owned())),
        }
    }

    async fn there(&self, observer: &Observer) -> Result<(), Skip> {
        let control = observer.control()?;
        control.stop(self.number).await?;
        for (name, _) in &self.names {
            control.point(name, self.to.into()).await?;
        }
        control.start(self.number, Some(SocketAddr::new(self.to.into(), self.port))).await?;
        Ok(())
    }

    /// nginx has to forget the address that it may have followed to.
    async fn back(&self, observer: &Observer) -> Result<(), Skip> {
        let control = observer.control()?;
        control.stop(self.number).await?;
        for (name, from) in &self.names {
            control.point(name, *from).await?;
        }
        control.start(self.number, None).await?;
        control.reload().await?;
        Ok(())
    }
}

async fn follow(observer: &Observer, moving: &Move, request: &Request, patience: Duration) -> Result<Moved, Skip> {
    // Every worker knows the address of before then.
    round(observer, request).await;
    moving.there(observer).await?;
    if served_within(observer, request, patience).await.is_some() {
        return Ok(Moved::Followed);
    }
    let reloaded = observer.control()?.reload().await?;
    match reloaded == Reloaded::Done && served_within(observer, request, MARGIN).await.is_some() {
        true => Ok(Moved::FollowedAfterAReload),
        false => Ok(Moved::NotFollowed),
    }
}

/// The host name of an address, if it is one that can come to mean another.
fn name(address: &Address) -> Option<&str> {
    let HostPort { host, .. } = address.host_port()?;
    // Engines write the machine itself into a container's /etc/hosts, under such names.
    let is_machine = |host: &str| {
        host == "localhost" || host.ends_with(".docker.internal") || host.ends_with(".containers.internal")
    };
    let is_name = host.parse::<IpAddr>().is_err() && !is_machine(&host.to_ascii_lowercase());
    is_name.then_some(host)
}

fn host_of(at: &str) -> &str {
    at.split(':').next().unwrap_or(at)
}

/// A container gets another address whenever it is made anew, and has a name of one word or is started by a compose file. A
/// machine with a name in DNS has its address for years, and so has a Service of Kubernetes as long as there is one.
fn level_at_start(observer: &Observer, name: &str) -> Level {
    let facts = observer.facts();
    level_of(name, facts.prometheus().sources.iter().map(|(_, text)| &**text))
}

fn level_of<'a>(name: &str, sources: impl Iterator<Item = &'a str> + Clone) -> Level {
    let says = |word: &str| sources.clone().any(|text| text.lines().any(|line| line.starts_with(word)));
    let is_service = says("apiVersion:") || name.ends_with(".svc") || name.contains(".svc.");
    match !is_service && (says("services:") || !name.contains('.')) {
        true => Level::Warning,
        false => Level::Note,
    }
}

fn fix_at_start(observer: &Observer, directive: &Directive, name: &str) -> Fix {
    let (facts, route) = (observer.facts(), observer.route());
    // Docker's own DNS, unless the deployment names one.
    let known = facts.deployment.resolvers.first().map(|resolver| resolver.address.host.clone());
    let dns = known.unwrap_or_else(|| "127.0.0.11".to_owned());
    let whose = "(127.0.0.11 is the DNS of Docker; elsewhere take the one of /etc/resolv.conf)";
    let place = directive.location.clone();
    if directive.is("server") {
        let server = format!("{} resolve;", facts.written(&place).trim_end_matches(';'));
        let text = format!("zone prometheus 64k; resolver {dns} valid=10s; {server}");
        let said = format!("{text} since nginx 1.27.3; before it, a variable in proxy_pass {whose}");
        return Fix::replace(place, text).said(said);
    }
    let strips = route.strips_prefix().then(|| format!("rewrite ^{}/(.*)$ /$1 break; ", route.prefix));
    let (scheme, port) = (&route.scheme, route.upstream.port());
    let text = format!(
        "resolver {dns} valid=10s; set $prometheus {name}; {}proxy_pass {scheme}://$prometheus:{port};",
        strips.unwrap_or_default()
    );
    let said = format!("{text} {whose}");
    // Another path than these is left to whoever wrote it.
    match route.strips_prefix() || route.upstream_path == format!("{}/", route.prefix) {
        true => Fix::replace(place, text).said(said),
        false => said.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_moves_and_a_machine_or_a_service_does_not() {
        let level = |name, sources: &[&'static str]| level_of(name, sources.iter().copied());
        assert_eq!(level("prometheus", &[]), Level::Warning);
        assert_eq!(level("prometheus.internal.example.org", &[]), Level::Note);
        assert_eq!(
            level("prometheus.internal.example.org", &["version: '3'\nservices:\n  prometheus:\n"]),
            Level::Warning
        );
        assert_eq!(level("prometheus", &["apiVersion: apps/v1\nkind: Deployment\n"]), Level::Note);
        assert_eq!(level("prometheus.monitoring.svc.cluster.local", &[]), Level::Note);
    }

    #[test]
    fn addresses_and_localhost_are_no_names() {
        let name = |text: &str| name(&Address::Tcp(text.parse().expect("an address"))).map(str::to_owned);
        assert_eq!(name("127.0.0.1:9090"), None);
        assert_eq!(name("localhost:9090"), None);
        assert_eq!(name("[::1]:9090"), None);
        assert_eq!(name("host.docker.internal:9090"), None);
        assert_eq!(name("prom:9090").as_deref(), Some("prom"));
        assert_eq!(self::name(&Address::Unix("/run/p.sock".to_owned())), None);
    }
}
