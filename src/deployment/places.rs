//! The lines of a configuration that decide about the route: what findings point to.

use super::{Deployment, Directive, Prometheus, Route, Server, chosen_location};
use crate::location::Location;

/// A deployment seen from one of its routes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// All of it.
    pub(crate) deployment: &'a Deployment,
    /// The route that the question is about.
    pub(crate) route: &'a Route,
}

impl Deployment {
    /// The facts about one of the routes, by its index.
    pub(crate) fn facts(&self, route: usize) -> Facts<'_> {
        Facts { deployment: self, route: &self.routes[route] }
    }
}

impl<'a> Facts<'a> {
    /// The `server` block that the route goes through.
    pub(crate) fn server(&self) -> &'a Server {
        &self.deployment.servers[self.route.server]
    }

    /// The Prometheus that the route leads to.
    pub(crate) fn prometheus(&self) -> &'a Prometheus {
        &self.deployment.prometheus[self.route.prometheus]
    }

    /// The `location` of the route's server that nginx takes for a path of the public server.
    ///
    /// None where no location is for it, or where a regex is one that only PCRE understands.
    pub(crate) fn location_for(&self, path: &str) -> Option<&'a Directive> {
        chosen_location::of_server(&self.deployment.nginx, self.route.server, path)
    }

    /// The user's place of a line that nginx names by its own path.
    pub(crate) fn locate(&self, path_in_pod: &str, line: usize) -> Option<Location> {
        self.deployment.nginx.locate(path_in_pod, line)
    }

    /// The first directive that has this argument, such as the path of a file.
    pub(crate) fn directive_with(&self, arg: &str) -> Option<&'a Directive> {
        fn find<'a>(directives: &'a [Directive], arg: &str) -> Option<&'a Directive> {
            directives.iter().find_map(|directive| {
                let has_it = directive.args.iter().any(|own| own.text == arg);
                if has_it { Some(directive) } else { find(directive.children(), arg) }
            })
        }
        find(&self.deployment.nginx.directives, arg)
    }

    /// The `server` line of the `upstream` block through which the route reaches Prometheus; the `proxy_pass` where that
    /// names it itself.
    pub(crate) fn upstream_place(&self) -> Location {
        let nginx = &self.deployment.nginx;
        let upstream = self.deployment.upstreams.iter().find(|upstream| upstream.address == self.route.upstream);
        let of_block = upstream.filter(|upstream| nginx.at(&upstream.location).is_some_and(|line| line.is("server")));
        of_block.map_or(&self.route.proxy_pass, |upstream| &upstream.location).clone()
    }

    /// The `listen` line of the port that clients use; the server where there is none.
    pub(crate) fn listen_place(&self) -> Location {
        let mut listens = self.server().listens.iter();
        let listen = listens.find(|listen| listen.port == self.route.port);
        listen.map_or_else(|| self.server().location.clone(), |listen| listen.location.clone())
    }

    /// The `ssl_certificate` line that is in force for the route.
    pub(crate) fn certificate_place(&self) -> Option<Location> {
        self.server().certificates.first().map(|pair| pair.certificate.location.clone())
    }

    /// The `listen` line that opens port 80, of a server with the public name if one of those does.
    pub(crate) fn plain_listen_place(&self) -> Option<Location> {
        let public = |server: &&Server| server.names.iter().any(|name| name.text == self.route.server_name);
        let servers = self.deployment.servers.iter().filter(public).chain(&self.deployment.servers);
        let mut listens = servers.flat_map(|server| &server.listens);
        listens.find(|listen| listen.port == 80).map(|listen| listen.location.clone())
    }

    /// The last `server_name` of a port that is written so: of equal ones nginx takes the first.
    pub(crate) fn last_name_place(&self, name: &str, port: u16) -> Option<Location> {
        let of_port = |server: &&Server| server.listens.iter().any(|listen| listen.port == port);
        let mut names = self.deployment.servers.iter().filter(of_port).flat_map(|server| &server.names);
        names.rfind(|known| known.text == name).map(|known| known.location.clone())
    }

    /// The `location` that nginx takes for a path; the route's own if that can't be told.
    pub(crate) fn location_place(&self, path: &str) -> Location {
        self.location_for(path).map_or(&self.route.location, |location| &location.location).clone()
    }

    /// The line that decides what a path leads to: `proxy_pass` of the route, or the `location` that takes the path away.
    pub(crate) fn pass_place(&self, path: &str) -> Location {
        let place = self.location_place(path);
        if place == self.route.location { self.route.proxy_pass.clone() } else { place }
    }

    /// The route's `proxy_pass` as it is written, without a path.
    pub(crate) fn pass_without_path(&self) -> String {
        let location = &self.route.proxy_pass;
        let directive = self.deployment.nginx.lookup(&location.file, location.line);
        let written = directive.filter(|directive| directive.is("proxy_pass")).and_then(|directive| directive.arg(0));
        let plain = written.filter(|url| !url.contains('$')).and_then(|url| url.split_once("://"));
        match plain {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
            None => format!("http://{}", self.route.upstream),
        }
    }

    /// A directive as it is written, with its arguments, quoted where they have to be.
    pub(crate) fn written(&self, location: &Location) -> String {
        let nginx = &self.deployment.nginx;
        let directive = nginx.at(location).or_else(|| nginx.lookup(&location.file, location.line));
        directive.map_or_else(String::new, Directive::written)
    }

    /// The line of Prometheus's own configuration that names a scrape target.
    pub(crate) fn target_place(&self, host_port: &str) -> Option<Location> {
        let prometheus = self.prometheus();
        let lines = prometheus.config.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
        let mut hits = lines.filter_map(|(index, line)| Some((index + 1, line.split_once(host_port)?.0)));
        let (line, before) = hits.next()?;
        prometheus.config_place(line, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;

    const SERVER: &str = "server_name a.b; location / { proxy_pass http://prom:9090/x/; }";

    #[test]
    fn findings_point_to_the_lines_that_decide() {
        let main = format!("http {{\nserver {{ listen 80; }}\nserver {{ listen 80;\n{SERVER} }}\n}}\n");
        let yml = "# localhost:9090\nscrape_configs:\n  - targets: ['localhost:9090']\n";
        let deployment = Files::of(&[("nginx.conf", &main), ("prometheus.yml", yml)]).load().unwrap();
        let line = |place: Option<crate::Location>| place.map(|place| (place.line, place.column));
        let facts = deployment.facts(0);
        assert_eq!(line(facts.plain_listen_place()), Some((3, 10)));
        assert_eq!(line(facts.last_name_place("a.b", 80)), Some((4, 13)));
        assert_eq!(line(facts.target_place("localhost:9090")), Some((3, 16)));
        assert_eq!(facts.pass_without_path(), "http://prom:9090");
    }
}
