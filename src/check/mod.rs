//! The catalogue: one question a file, asked of a Lab through [`crate::observe`] alone.
//!
//! A check is a file in a folder by subject, a line in the catalogue below, a folder in `fixtures/checks/` and a
//! snapshot.

mod obstacle;
mod run;
mod selection;

use std::future::Future;
use std::pin::Pin;

use crate::finding::{Finding, Fix, Level};
use crate::location::Location;
use crate::observe::Observer;

pub(crate) use boot::deprecations::instead_of;
pub(crate) use run::{Asked, in_order, known_id, milliseconds, run, run_after, run_alone};
pub use run::{CheckId, CheckResult, Outcome};
pub use selection::{Selection, UnknownCheck};

/// Declares the modules of the catalogue and the catalogue itself, so that one line adds a check.
///
/// `cargo fmt` does not see modules that a macro declares (rust-lang/rustfmt#3253); `ci/test` names the files.
macro_rules! catalogue {
    ($($subject:ident { $($check:ident,)+ } $(with $($helper:ident),+)?;)+) => {
        $(mod $subject {
            $($(pub(super) mod $helper;)+)?
            $(pub(super) mod $check;)+
        })+
        /// Every check there is, in the order of the reports.
        pub static CATALOGUE: &[&Check] = &[$($(&$subject::$check::CHECK,)+)+];
    };
}

catalogue! {
    boot {
        nginx_starts,
        nginx_log_clean,
        deprecated_directive,
        upstream_answers,
        upstream_keepalive,
    } with deprecations, refusal, resolving;
    tls {
        tls_enforced,
        tls_reachable,
        plaintext_port,
        tls_versions,
        tls_ciphers,
        certificate_trusted,
        certificate_name,
        certificate_dates,
        certificate_chain,
        certificate_key,
        certificate_webpki,
        insecure_still_encrypted,
        unknown_name,
        client_certificate,
        hsts,
        session_resumption,
        alpn,
        ocsp_stapling,
        upstream_tls_verified,
    } with in_force, plain, served;
    prefix {
        prefix_root,
        prefix_bare,
        prefix_redirects,
        prefix_stripped_once,
        prefix_arguments,
        prefix_sibling,
        prefix_encoding,
        external_url,
    } with way, leaving;
    ui {
        ui_page,
        ui_assets,
    } with page, policy;
    api {
        metrics_exposition,
        metrics_compression,
        api_query,
        api_query_post,
        api_long_query,
        api_large_body,
        api_errors,
        api_slow_query,
        api_stream,
        api_federate,
        api_cors,
        api_cache,
        page_load,
        scrape_target_up,
    } with exposition, query, duration;
    exposure {
        authentication,
        address_rules,
        lifecycle_endpoints,
        admin_endpoints,
        debug_endpoints,
        backend_port,
        path_traversal,
        status_pages,
        host_header,
        forwarded_headers,
    } with believed, content, endpoint, realm, site;
    headers {
        header_inheritance,
        server_tokens,
        content_type,
    };
    lifecycle {
        reload_keeps_serving,
        certificate_rotation,
        upstream_restart,
        name_change,
    } with away, changing;
}

/// What is known of a check without running it: the words of `proxyproof explain`.
#[derive(Debug)]
pub struct Check {
    /// Its id: a contract, used by `--only`, `--skip` and the reports.
    pub id: &'static str,
    /// The level of its worst finding.
    pub level: Level,
    /// The question that it asks, in one sentence.
    pub what: &'static str,
    /// What goes wrong for users or operators when the answer is no.
    pub why: &'static str,
    /// What to write in the configuration, with an example.
    pub fix: &'static str,
    /// Where the rule comes from: RFC, nginx or Prometheus documentation, issue number.
    pub source: &'static str,
    /// What it reads decides when it can be asked.
    pub(crate) turn: Turn,
    /// From where it can be asked.
    pub view: View,
    pub(crate) ask: for<'a> fn(&'a Observer) -> Asking<'a>,
}

/// From where a check can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// From outside too, by a client that has nothing but the URL: `proxyproof probe`.
    Outside,
    /// In a Lab alone, for this reason: it reads the configuration or a log, or asks what nobody should ask of a
    /// deployment that others use.
    Inside(&'static str),
}

/// Why most checks need a Lab.
pub(crate) const NEEDS_CONFIGURATION: &str = "it needs the configuration: proxyproof check";

/// When a check is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Before all others and beside none: it asks as much at once as a deployment may limit.
    Alone,
    /// Even where nginx did not start.
    Always,
    /// With all the others.
    Together,
    /// When the others are through: it reads what they left in the logs.
    Last,
    /// After all others of all routes and beside none, where that is wanted: it reloads, stops and starts the programs.
    After,
}

/// A check under way.
pub(crate) type Asking<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// What a check answers: its findings, none being a pass, or why it could not be asked.
pub(crate) type Answer = Result<Vec<Finding>, Skip>;

/// Why a check could not be asked. Never a pass.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl Check {
    /// The beginning of a finding of this check.
    fn finding(&self, message: impl Into<String>) -> Finding {
        Finding {
            check: self.id,
            level: self.level,
            message: message.into(),
            expected: String::new(),
            actual: String::new(),
            location: None,
            fix: String::new(),
            edits: Vec::new(),
            reproduce: None,
        }
    }
}

impl Finding {
    pub(crate) fn at_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    pub(crate) fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    pub(crate) fn actual(self, actual: impl Into<String>) -> Self {
        Self { actual: actual.into(), ..self }
    }

    pub(crate) fn at(self, location: impl Into<Option<Location>>) -> Self {
        Self { location: location.into(), ..self }
    }

    pub(crate) fn fix(self, fix: impl Into<Fix>) -> Self {
        let Fix { text, edits } = fix.into();
        Self { fix: text, edits, ..self }
    }

    pub(crate) fn shown_by(self, command: String) -> Self {
        Self { reproduce: Some(command), ..self }
    }
}
