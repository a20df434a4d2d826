//! The levels at which directives of one name stand: those of a deeper level replace all of a level outside of it.

use super::location_path::{Pattern, pattern};
use super::{Directive, Facts};

/// More locations than anybody writes; a hostile file can have a million.
const MOST: usize = 32;

/// The directives called `name` in these blocks, each of which stands in the one before it: the innermost first, blocks
/// without any left out. The first are in force, and would be the second were they not there.
pub(crate) fn levels<'a>(blocks: &[&'a Directive], name: &str) -> Vec<Vec<&'a Directive>> {
    let named = |block: &&'a Directive| block.children().iter().filter(|child| child.is(name)).collect::<Vec<_>>();
    blocks.iter().rev().map(named).filter(|level| !level.is_empty()).collect()
}

impl Facts<'_> {
    /// The paths that locations of the route's server are written for which have a directive called `name` of their own.
    pub(crate) fn paths_with_own(&self, name: &str) -> Vec<String> {
        let mut paths = Vec::new();
        if let Some(server) = self.server_blocks(self.route.server).last() {
            collect(server, name, &mut paths);
        }
        paths
    }
}

fn collect(block: &Directive, name: &str, paths: &mut Vec<String>) {
    for location in block.children_named("location") {
        let path = match pattern(location) {
            Pattern::Exact(path) | Pattern::Prefix { path, .. } => Some(path),
            Pattern::Regex { .. } | Pattern::Named => None,
        };
        let has_own = location.children_named(name).next().is_some();
        paths.extend(path.filter(|path| has_own && paths.len() < MOST && path.starts_with('/')));
        collect(location, name, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::testing::Files;

    const CONF: &str = "http { add_header A 1; server { listen 443 ssl; add_header B 2;
        location /p/ { proxy_pass http://prom:9090/; location = /p/x { add_header C 3; add_header D 4; } }
        location ~ y { add_header E 5; } } }";

    #[test]
    fn each_level_is_told_from_the_inside_out() {
        let deployment = Files::of(&[("nginx.conf", CONF)]).load().unwrap();
        let facts = deployment.facts(0);
        let names = |path: &str| -> Vec<Vec<&str>> {
            let found = levels(&facts.blocks_for(path), "add_header");
            found.iter().map(|level| level.iter().filter_map(|found| found.arg(0)).collect()).collect()
        };
        assert_eq!(names("/p/x"), [vec!["C", "D"], vec!["B"], vec!["A"]]);
        assert_eq!(names("/p/"), [["B"], ["A"]]);
        assert_eq!(facts.paths_with_own("add_header"), ["/p/x"]);
        assert_eq!(levels(&facts.blocks_at_pass(), "add_header").len(), 2);
    }
}
