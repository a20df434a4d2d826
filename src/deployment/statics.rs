//! What a server hands out from disk: its locations, the directories of `root` and `alias`, and ways out of these.

use super::location_path::{Pattern, literal_head, pattern};
use super::{Directive, Facts, FileKind};

/// A way out of the directory of an `alias`: nginx puts what follows `head` behind `dir`, a `..` too.
#[derive(Clone, Debug)]
pub(crate) struct Escape<'a> {
    /// The `location`.
    pub(crate) location: &'a Directive,
    /// The `alias`.
    pub(crate) alias: &'a Directive,
    /// What the location's paths start with, without a slash at its end: `/static`.
    pub(crate) head: String,
    /// The directory in the Pod, with a slash at its end.
    pub(crate) dir: String,
}

/// More locations than anybody writes; a hostile file can have a million.
const MOST: usize = 500;

impl<'a> Facts<'a> {
    /// Every `location` of a server, nested ones too, in their order.
    pub(crate) fn locations_of(&self, server: usize) -> Vec<&'a Directive> {
        let mut found = Vec::new();
        if let Some(server) = self.server_blocks(server).last() {
            add_locations(server, &mut found);
        }
        found
    }

    /// The ways out of the directories of `alias` in a server.
    pub(crate) fn escapes_of(&self, server: usize) -> Vec<Escape<'a>> {
        let aliases = self.locations_of(server).into_iter();
        aliases
            .filter_map(|location| {
                let alias = location.children_named("alias").next()?;
                let (head, dir) = escape(location, alias.arg(0)?)?;
                Some(Escape { location, alias, head, dir })
            })
            .collect()
    }

    /// A file that the tree brings below a directory of the Pod, by its path in there; `index.html` where it brings none:
    /// a directory that is made has that one.
    pub(crate) fn file_below(&self, dir: &str) -> &'a str {
        let sites = self.deployment.files.uses.iter().filter(|named| named.kind == FileKind::SiteFile);
        let mut files = sites.filter(|named| named.file.content.is_some());
        files.find_map(|named| named.file.path.strip_prefix(dir)).unwrap_or("index.html")
    }

    /// The directories of `root` in a server, each with what it takes of a path, and those of `alias`: the URL path
    /// `public` is the directory `dir`, both without a slash at their end.
    pub(crate) fn served_directories(&self, server: usize) -> Vec<(String, &'a str)> {
        let blocks = self.server_blocks(server).into_iter().chain(self.locations_of(server));
        let mut found = Vec::new();
        for block in blocks {
            let roots = block.children_named("root").filter_map(|root| Some((String::new(), root.arg(0)?)));
            let aliases = block.children_named("alias").filter_map(|alias| match pattern(block) {
                Pattern::Prefix { path, .. } => Some((path, alias.arg(0)?)),
                _ => None,
            });
            found.extend(roots.chain(aliases).filter(|(_, dir)| !dir.contains('$')));
        }
        let trimmed = found.into_iter().map(|(public, dir): (String, &'a str)| {
            (public.trim_end_matches('/').to_owned(), dir.trim_end_matches('/'))
        });
        trimmed.take(MOST).collect()
    }
}

impl Directive {
    /// A path that a `location` is for, as far as that is written literally.
    pub(crate) fn location_path(&self) -> Option<String> {
        match pattern(self) {
            Pattern::Exact(path) | Pattern::Prefix { path, .. } => Some(path),
            Pattern::Regex { .. } | Pattern::Named => None,
        }
    }

    /// Whether it is a `location` for every path that starts with its own.
    pub(crate) fn is_prefix_location(&self) -> bool {
        matches!(pattern(self), Pattern::Prefix { .. })
    }
}

fn add_locations<'a>(block: &'a Directive, found: &mut Vec<&'a Directive>) {
    for location in block.children_named("location") {
        if found.len() < MOST {
            found.push(location);
            add_locations(location, found);
        }
    }
}

/// What the paths of a location with this `alias` start with, and the directory that the rest is put behind, if the rest can
/// start with `..`.
fn escape(location: &Directive, alias: &str) -> Option<(String, String)> {
    let (head, dir) = match pattern(location) {
        Pattern::Prefix { path, .. } if !alias.contains('$') => (path, alias),
        // The rest is a capture that starts right behind what is literal.
        Pattern::Regex { regex, .. } => {
            let head = literal_head(&regex);
            regex.trim_start_matches('^').strip_prefix(&head)?.strip_prefix('(')?;
            (head, alias.split_once('$')?.0)
        }
        _ => return None,
    };
    (!head.ends_with('/') && head.starts_with('/') && dir.ends_with('/') && dir != "/").then(|| (head, dir.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::{Files, directives};

    fn escape(location: &str, alias: &str) -> Option<(String, String)> {
        super::escape(&directives(&format!("location {location} {{ alias {alias}; }}"))[0], alias)
    }

    #[test]
    fn a_slash_that_the_location_lacks_lets_out() {
        let out = |head: &str, dir: &str| Some((head.to_owned(), dir.to_owned()));
        assert_eq!(escape("/static", "/srv/static/"), out("/static", "/srv/static/"));
        assert_eq!(escape("^~ /static", "/srv/x/"), out("/static", "/srv/x/"));
        assert_eq!(escape("~ ^/files(.*)$", "/srv/files/$1"), out("/files", "/srv/files/"));
        for (location, alias) in [
            ("/static/", "/srv/static/"),
            ("/static", "/srv/static"),
            ("= /static", "/srv/static/"),
            ("~ ^/files/(.*)$", "/srv/files/$1"),
            ("~ ^/files(.*)$", "/srv/files$1"),
            ("~ ^/files[0-9](.*)$", "/srv/files/$1"),
            ("/", "/srv/"),
        ] {
            assert_eq!(escape(location, alias), None, "{location} {alias}");
        }
    }

    #[test]
    fn what_a_server_serves_is_listed() {
        let conf = "http { server { listen 443 ssl; root /srv/www; location / { proxy_pass http://prom:9090;
            location /a/ { alias /srv/a/; } location ~ x { alias /srv/$1; } } } }";
        let deployment = Files::of(&[("nginx.conf", conf)]).load().unwrap();
        let facts = deployment.facts(0);
        assert_eq!(facts.served_directories(0), [(String::new(), "/srv/www"), ("/a".to_owned(), "/srv/a")]);
        assert_eq!(facts.locations_of(0).len(), 3);
        assert_eq!(facts.file_below("/srv/a/"), "index.html");
    }
}
