//! The TLS side of an observer: clients with and without certificates, and one probe for all checks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::try_join_all;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::OnceCell;

use super::certificate::{self, Certificate};
use super::tls_probe::{self, Suite, TlsProbe, Version};
use super::visit::{self, Visit, Visited};
use super::{BUILD, Client, CurlVerifier, Failure, Observer, client_config, handshake};

/// Clients that believe every certificate, by what they show of themselves, and what the others trust.
#[derive(Debug)]
pub(super) struct TlsClients {
    /// Shows what the deployment asks for.
    pub(super) known: ClientConfig,
    /// Shows nothing.
    anonymous: ClientConfig,
    /// Shows a certificate of an authority that the deployment does not know.
    stranger: Option<ClientConfig>,
    /// What the clients that verify trust.
    trusted: Vec<CertificateDer<'static>>,
}

/// What was asked of the encryption already: who asks the same shares one handshake.
#[derive(Debug, Default)]
pub(super) struct TlsAnswers {
    probe: Once<TlsProbe>,
    /// By what a client offers.
    protocols: Mutex<HashMap<String, Arc<Once<Option<String>>>>>,
    http2: Once<bool>,
    resumes: Once<bool>,
    staples: Once<bool>,
}

/// What is asked once.
type Once<T> = OnceCell<Result<T, Failure>>;

/// Who a client is for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// It has no certificate.
    Anonymous,
    /// It has one that nobody here signed.
    Stranger,
}

impl TlsClients {
    pub(super) fn of(known: &Client) -> Result<Self, Failure> {
        let client = |identity| -> Result<ClientConfig, Failure> {
            Ok(client_config(CurlVerifier::trusting(&known.trust)?.insecure(), identity)?)
        };
        Ok(Self {
            known: client(known.identity.as_ref())?,
            anonymous: client(None)?,
            stranger: known.stranger.as_ref().map(|stranger| client(Some(stranger))).transpose()?,
            trusted: known.trust.clone(),
        })
    }

    /// Shows what the deployment asks for.
    pub(super) fn config_of_known(&self) -> &ClientConfig {
        &self.known
    }

    /// Shows nothing.
    pub(super) fn config_of_nobody(&self) -> &ClientConfig {
        &self.anonymous
    }

    fn config(&self, who: Who) -> Option<&ClientConfig> {
        match who {
            Who::Anonymous => Some(&self.anonymous),
            Who::Stranger => self.stranger.as_ref(),
        }
    }
}

impl Observer {
    /// The versions and suites that the server takes, asked for once for all who ask.
    pub(crate) async fn tls_probe(&self) -> Result<&TlsProbe, Failure> {
        let probe = self.tls_answers.probe.get_or_init(|| TlsProbe::of(&self.door, self.sni()));
        probe.await.as_ref().map_err(Clone::clone)
    }

    /// The certificates that the server shows for the public name.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        let sent = self.unverified().as_ref().map(|handshake| handshake.certificates.as_slice());
        certificate::read(sent.unwrap_or_default(), &self.tls.trusted)
    }

    /// The certificates that the server shows for another name.
    pub(crate) async fn certificates_for(&self, name: &str) -> Result<Vec<Certificate>, Failure> {
        let shaken = handshake(&self.door, name, &self.tls.known).await?;
        Ok(certificate::read(&shaken.certificates, &self.tls.trusted))
    }

    /// The certificates that so many clients at once, without a session of before, are shown for themselves now;
    /// [`Observer::certificates`] are those of then.
    pub(crate) async fn certificates_shown(&self, count: usize) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let all = (0..count).map(|_| async {
            let config = visit::with_sessions_of_its_own(&self.tls.known);
            let shaken = handshake(&self.address(), &self.route().server_name, &config).await?;
            shaken.certificates.into_iter().next().ok_or_else(|| Failure::timeout("no certificate was shown"))
        });
        try_join_all(all).await
    }

    /// The name in the handshake; none for an address.
    pub(crate) fn sni(&self) -> Option<&str> {
        let name = self.route().server_name.as_str();
        Some(name).filter(|name| name.parse::<std::net::IpAddr>().is_err())
    }

    /// Visits the route's port as a client that believes every certificate.
    pub(crate) async fn visit(&self, who: Who, what: Visit<'_>) -> Result<Visited, Failure> {
        let config = self.tls.config(who).ok_or_else(|| Failure::timeout("no such client here"))?;
        visit::visit(&self.door, config, what).await
    }

    /// Visits as anybody on the net may: without a certificate, and from an address that is refused if some are.
    pub(crate) async fn visit_from_anywhere(&self, what: Visit<'_>) -> Result<Visited, Failure> {
        let port = self.way.refused.map_or(self.way.port, |(_, port)| port);
        visit::visit(&self.door_at(port), &self.tls.anonymous, what).await
    }

    /// Visits twice, going on with the session of the first visit whatever the names are.
    pub(crate) async fn visit_again(&self, first: Visit<'_>, second: Visit<'_>) -> Result<Visited, Failure> {
        let config = visit::with_one_session_for_all(&self.tls.anonymous);
        visit::visit(&self.door, &config, first).await?;
        visit::visit(&self.door, &config, second).await
    }

    /// Whether the session of a client goes on when it comes back.
    pub(crate) async fn resumes(&self) -> Result<bool, Failure> {
        let asking = || async {
            let url = self.url(BUILD);
            let what = Visit { sni: self.sni(), host: &self.route().server_name, path: url.path() };
            let config = visit::with_sessions_of_its_own(&self.tls.known);
            visit::visit(&self.door, &config, what).await?;
            Ok(visit::visit(&self.door, &config, what).await?.resumed)
        };
        self.tls_answers.resumes.get_or_init(asking).await.clone()
    }

    /// The protocol that the server chooses of these.
    pub(crate) async fn protocol(&self, offered: &[&str]) -> Result<Option<String>, Failure> {
        let cell = {
            let mut protocols = self.tls_answers.protocols.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(protocols.entry(offered.join(" ")).or_default())
        };
        cell.get_or_init(|| visit::protocol(&self.door, self.sni(), &self.tls.known, offered)).await.clone()
    }

    /// Whether HTTP/2 is spoken where it is chosen.
    pub(crate) async fn speaks_http2(&self) -> Result<bool, Failure> {
        let asking = || visit::speaks_http2(&self.door, self.sni(), &self.tls.known);
        self.tls_answers.http2.get_or_init(asking).await.clone()
    }

    /// Whether an OCSP answer is stapled to the handshake.
    pub(crate) async fn staples(&self) -> Result<bool, Failure> {
        let asking = || visit::staples(&self.door, self.sni(), &self.tls.known);
        self.tls_answers.staples.get_or_init(asking).await.clone()
    }

    /// What a client that has these suites would get.
    pub(crate) async fn choice(
        &self,
        version: Version,
        suites: &[&str],
        protocols: &[&str],
    ) -> Result<Option<(Suite, Option<String>)>, Failure> {
        tls_probe::choice(&self.door, self.sni(), version, suites, protocols).await
    }
}
