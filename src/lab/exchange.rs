//! Two Labs of one deployment exchange their Prometheus: four combinations of programs from two boots.

use tokio::sync::OnceCell;

use super::Lab;
use crate::deployment::Directive;
use crate::observe::Observer;

/// The directives by which nginx remembers what was answered or who asked: one that has stood in front of another
/// Prometheus does not answer as a new one.
const REMEMBERING: [&str; 7] =
    ["fastcgi_cache", "limit_conn", "limit_req", "proxy_cache", "proxy_store", "scgi_cache", "uwsgi_cache"];
/// How those begin that run programs, which may remember anything.
const PROGRAMS: [&str; 3] = ["js_", "lua_", "perl"];

impl Lab {
    /// Puts the nginx of each of two Labs in front of the Prometheus of the other, where both may be exchanged. What was
    /// answered before is forgotten. False, and nothing done, where they may not.
    pub(crate) async fn exchange(&mut self, other: &mut Self) -> bool {
        let is_done = self.may_be_exchanged() && other.may_be_exchanged() && self.pod.exchange(&other.pod).await;
        if is_done {
            std::mem::swap(&mut self.programs.prometheus, &mut other.programs.prometheus);
            let observers = self.observers.iter_mut().chain(&mut other.observers);
            observers.filter_map(OnceCell::get_mut).for_each(Observer::forget_answers);
        }
        is_done
    }

    /// Whether its Prometheus is a shared one ([`Commons`](crate::Commons)), and its nginx remembers nothing.
    pub(crate) fn may_be_exchanged(&self) -> bool {
        self.pod.is_sharing() && !self.deployment.nginx.directives.iter().any(remembers)
    }
}

fn remembers(directive: &Directive) -> bool {
    let name = directive.name.as_str();
    let is_one = REMEMBERING.contains(&name) || PROGRAMS.iter().any(|program| name.starts_with(program));
    let is_one = is_one || name.contains("_by_lua");
    (is_one && directive.arg(0) != Some("off")) || directive.children().iter().any(remembers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Deployment;

    #[test]
    fn an_nginx_that_remembers_is_told_from_one_that_does_not() {
        let does = |path: &str| {
            let deployment = Deployment::load(format!("fixtures/{path}/nginx.conf")).expect("a deployment");
            deployment.nginx.directives.iter().any(remembers)
        };
        assert!(does("checks/api-cache/fail") && does("checks/page-load/pass") && does("world/lua"));
        assert!(!does("guide") && !does("layouts/hardened"));
    }
}
