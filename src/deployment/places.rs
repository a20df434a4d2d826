//! The lines of a configuration that decide about the route: what findings point to.

use super::{Deployment, Server};
use crate::location::Location;

impl Deployment {
    /// The user's place of a line that nginx names by its own path.
    pub fn locate(&self, path_in_pod: &str, line: usize) -> Option<Location> {
        self.nginx.locate(path_in_pod, line)
    }

    /// The `listen` line of the port that clients use; the server where there is none.
    pub fn listen_place(&self) -> Location {
        let mut listens = self.server().listens.iter();
        let listen = listens.find(|listen| listen.port == self.route.port);
        listen.map_or_else(|| self.server().location.clone(), |listen| listen.location.clone())
    }

    /// The `ssl_certificate` line that is in force for the route.
    pub fn certificate_place(&self) -> Option<Location> {
        self.server().certificates.first().map(|pair| pair.certificate.location.clone())
    }

    /// The `listen` line that opens port 80, of a server with the public name if one of those does.
    pub fn plain_listen_place(&self) -> Option<Location> {
        let public = |server: &&Server| server.names.iter().any(|name| name.text == self.route.server_name);
        let servers = self.servers.iter().filter(public).chain(&self.servers);
        let mut listens = servers.flat_map(|server| &server.listens);
        listens.find(|listen| listen.port == 80).map(|listen| listen.location.clone())
    }

    /// The last `server_name` of a port that is written so: of equal ones nginx takes the first.
    pub(crate) fn last_name_place(&self, name: &str, port: u16) -> Option<Location> {
        let of_port = |server: &&Server| server.listens.iter().any(|listen| listen.port == port);
        let mut names = self.servers.iter().filter(of_port).flat_map(|server| &server.names);
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
        let directive = self.nginx.lookup(&location.file, location.line);
        let written = directive.filter(|directive| directive.is("proxy_pass")).and_then(|directive| directive.arg(0));
        let plain = written.filter(|url| !url.contains('$')).and_then(|url| url.split_once("://"));
        match plain {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()),
            None => format!("http://{}", self.route.upstream),
        }
    }

    /// The line of Prometheus's own configuration that names a scrape target.
    pub(crate) fn target_place(&self, host_port: &str) -> Option<Location> {
        let lines = self.prometheus.config.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
        let mut hits = lines.filter_map(|(index, line)| Some((index + 1, line.split_once(host_port)?.0)));
        let (line, before) = hits.next()?;
        self.prometheus.config_place(line, before.chars().count() + 1)
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
        assert_eq!(line(deployment.plain_listen_place()), Some((3, 10)));
        assert_eq!(line(deployment.last_name_place("a.b", 80)), Some((4, 13)));
        assert_eq!(line(deployment.target_place("localhost:9090")), Some((3, 16)));
        assert_eq!(deployment.pass_without_path(), "http://prom:9090");
    }
}
