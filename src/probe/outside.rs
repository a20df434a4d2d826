//! What can be said of a deployment of which no file is known: neither a line nor what stands in it.

use tokio::time::Instant;

use super::place::Place;
use crate::check::CATALOGUE;
use crate::deployment::Route;
use crate::finding::Finding;
use crate::observe::Sight;
use crate::runtime::Reach;

/// What is seen from outside: where it is.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) place: Place,
    pub(super) end: Instant,
}

impl Sight for Outside {
    fn reach(&self, port: u16) -> Reach {
        Reach::at(self.place.at(port))
    }

    fn nginx_log(&self) -> String {
        String::new()
    }

    fn refusal(&self) -> Option<String> {
        None
    }

    fn sees_inside(&self) -> bool {
        false
    }

    fn end(&self) -> Option<Instant> {
        Some(self.end)
    }
}

/// The finding without what only a configuration can tell. Its fix is what the check says in general, in the route's names.
pub(super) fn as_seen(finding: Finding, route: &Route) -> Finding {
    let general = CATALOGUE.iter().find(|check| check.id == finding.check).map_or("", |check| check.fix);
    Finding { location: None, edits: Vec::new(), fix: named(general, route), ..finding }
}

fn named(fix: &str, route: &Route) -> String {
    let own = route.origin();
    let authority = own.strip_prefix("https://").unwrap_or(&own);
    fix.replace("https://NAME", &own)
        .replace("/PREFIX", &route.prefix)
        .replace("www.example.com", &format!("www.{}", route.server_name))
        .replace("example.com", &route.server_name)
        .replace("https://$host", &format!("https://{}", authority.replacen(&route.server_name, "$host", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::{Deployment, Options};

    #[test]
    fn a_fix_is_in_the_deployment_s_names() {
        let fix = |port, prefix, text| {
            let deployment =
                Deployment::seen_from_outside("u", ("a.b", port, prefix), &Options::default()).expect("a deployment");
            named(text, deployment.route())
        };
        assert_eq!(fix(443, "/p", "--web.external-url=https://NAME/PREFIX"), "--web.external-url=https://a.b/p");
        assert_eq!(fix(443, "", "location /PREFIX/ {"), "location / {");
        assert_eq!(
            fix(8443, "", "server_name example.com; return 301 https://$host$request_uri;"),
            "server_name a.b; return 301 https://$host:8443$request_uri;"
        );
    }
}
