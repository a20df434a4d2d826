//! The servers of a deployment that clients from outside come to, and how.

use reqwest::Url;

use crate::observe::{Failure, Http, Observer, Request, Seen};

/// More servers than one deployment has; a hostile file can have thousands.
const MOST: usize = 32;

/// A server, and a client that comes to it.
pub(super) struct Site {
    /// Its index among the deployment's.
    pub(super) server: usize,
    origin: Url,
    client: Http,
}

impl Site {
    /// The servers that are asked along with the route: its own first, then those without a route of their own.
    ///
    /// The route's own is asked by `own`, the others by a client that shows nothing.
    pub(super) fn all(observer: &Observer, own: Http) -> Vec<Self> {
        let facts = observer.facts();
        let (route, deployment) = (observer.route(), facts.deployment);
        let own = Self { server: route.server, origin: observer.url_at_root("/"), client: own };
        let has_route = |index: usize| deployment.routes.iter().any(|route| route.server == index);
        let others = (0..deployment.servers.len()).filter(|index| !has_route(*index));
        let others = others.filter_map(|index| Self::other(observer, index)).take(MOST);
        std::iter::once(own).chain(others).collect()
    }

    /// None where no client from outside comes to it by IPv4 and by its name.
    fn other(observer: &Observer, index: usize) -> Option<Self> {
        let facts = observer.facts();
        let server = &facts.deployment.servers[index];
        let listens = server.listens.iter();
        let mut open =
            listens.filter(|listen| !listen.quic && !listen.proxy_protocol && listen.interface.takes_any_ipv4());
        let listen = open.next()?;
        let literal = |name: &&str| name.contains('.') && !name.starts_with(['.', '~']) && !name.contains('*');
        let mut names = server.names.iter().map(|name| name.text.as_str()).filter(literal);
        let name = names.next().unwrap_or(&observer.route().server_name);
        if facts.server_for(listen.port, name)?.index != index {
            return None;
        }
        let scheme = if listen.ssl { "https" } else { "http" };
        let origin = Url::parse(&format!("{scheme}://{name}:{}/", listen.port)).ok()?;
        Some(Self { server: index, origin, client: observer.stranger_at(listen.port) })
    }

    /// A GET of a path, as it is written.
    pub(super) fn request(&self, target: &str) -> Request {
        Request::get(&self.origin, target)
    }

    /// Whether nginx answers a path from its own disk, and does not pass it on.
    pub(super) fn is_from_disk(&self, observer: &Observer, path: &str) -> bool {
        let blocks = observer.facts().blocks_of(self.server, path);
        let answers = blocks.last().map_or(&[][..], |block| block.children());
        !answers.iter().any(|child| child.name.ends_with("_pass") || child.is("return"))
    }

    /// Sends a GET of a path, as it is written.
    pub(super) async fn ask(&self, target: &str) -> Result<Seen, Failure> {
        self.client.send(&self.request(target)).await
    }
}

/// Whether a text starts as a password file does: a user, a colon, a hash.
pub(super) fn is_password_file(text: &str) -> bool {
    let first = text.lines().find(|line| !line.starts_with('#')).and_then(|line| line.split_once(':'));
    let is_user =
        |user: &str| !user.is_empty() && !user.contains(|c: char| c.is_whitespace() || "{}[]\"'<>/".contains(c));
    first.is_some_and(|(user, hash)| is_user(user) && !hash.is_empty() && !hash.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::is_password_file;

    #[test]
    fn a_password_file_is_no_json_and_no_page() {
        assert!(is_password_file("# users\nada:$apr1$x$y\n"));
        for other in ["{\"path\":\"/.htpasswd\"}", "<p>a:b</p>", "Error: not found", "", "a:"] {
            assert!(!is_password_file(other), "{other}");
        }
    }
}
