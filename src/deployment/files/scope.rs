//! What is in force inside a block: its own directives, and those that it inherits.

use std::rc::Rc;
use std::sync::Arc;

use super::table::UPSTREAM_MODULES;
use crate::deployment::directive::Directive;

/// The directives of one name in the innermost block that has any.
type InForce<'a> = Rc<[&'a Directive]>;

/// What a block's files depend on.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    /// `ssl_certificate` and `ssl_certificate_key`.
    pub(super) served: [InForce<'a>; 2],
    /// `proxy_ssl_certificate` and `…_key`, and the same of the other modules.
    pub(super) shown: [[InForce<'a>; 2]; UPSTREAM_MODULES.len()],
    pub(super) ciphers: Option<Arc<str>>,
    /// The arguments of `server_name`.
    pub(super) names: Arc<[String]>,
    /// The names that a client may ask for: what a variable in a path can be.
    pub(super) known_names: Rc<[String]>,
}

impl<'a> Scope<'a> {
    pub(super) fn outermost() -> Self {
        let none = || -> InForce<'a> { Rc::from([]) };
        let pair = || [none(), none()];
        Self {
            served: pair(),
            shown: [pair(), pair(), pair()],
            ciphers: None,
            names: Arc::from([]),
            known_names: Rc::from([]),
        }
    }

    /// What is in force inside a block of these directives.
    pub(super) fn inside(&self, children: &'a [Directive]) -> Self {
        let mut inner = self.clone();
        let tls: Vec<&Directive> = children.iter().filter(|child| is_about_tls(child)).collect();
        if tls.is_empty() {
            return inner;
        }
        let own = |name: &str| -> Vec<&'a Directive> { tls.iter().copied().filter(|child| child.is(name)).collect() };
        let replace = |pair: &mut [InForce<'a>; 2], prefix: &str| {
            for (slot, end) in pair.iter_mut().zip(["certificate", "certificate_key"]) {
                let named = own(&format!("{prefix}{end}"));
                if !named.is_empty() {
                    *slot = named.into();
                }
            }
        };
        replace(&mut inner.served, "ssl_");
        for (pair, prefix) in inner.shown.iter_mut().zip(UPSTREAM_MODULES) {
            replace(pair, prefix);
        }
        if let Some(ciphers) = own("ssl_ciphers").first().and_then(|ciphers| ciphers.arg(0)) {
            inner.ciphers = Some(ciphers.into());
        }
        let names = own("server_name").into_iter().flat_map(|names| &names.args);
        let names: Vec<String> = names.map(|name| name.text.clone()).collect();
        if !names.is_empty() {
            inner.names = names.into();
        }
        inner
    }
}

fn is_about_tls(directive: &Directive) -> bool {
    (directive.name.contains("ssl_c") || directive.is("server_name")) && !directive.args.is_empty()
}
