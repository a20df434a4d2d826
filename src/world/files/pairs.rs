//! Certificates with their keys. A pair that several servers name is made once, for the names of all of them.

use std::collections::HashMap;
use std::sync::Arc;

use rcgen::KeyPair;

use super::{Placing, certificate_names};
use crate::deployment::{Deployment, PairUse, ShownBy};
use crate::world::pki::{Algorithm, need_rsa};
use crate::world::{SubstitutionKind, WorldError};

/// A certificate file, and all that name it.
struct Wanted<'a> {
    /// The first of those that name it.
    first: &'a PairUse,
    names: Vec<String>,
    algorithm: Algorithm,
    by_worker: bool,
}

impl Placing<'_> {
    /// Puts all pairs in place.
    pub(super) fn pairs(&mut self) -> Result<(), WorldError> {
        let wanted = wanted(self.deployment);
        // First those that are whole: their keys may be named beside a certificate that is not there.
        for wanted in &wanted {
            let pair = &wanted.first.pair;
            if pair.certificate.content.is_some() && (pair.key.content.is_some() || !pair.key.is_file()) {
                self.as_it_is(&pair.certificate, 0o644);
                self.as_it_is(&pair.key, key_mode(wanted.by_worker));
            }
        }
        let mut keys = HashMap::new();
        for wanted in wanted {
            self.pair(&wanted, &mut keys)?;
        }
        Ok(())
    }

    fn pair(&mut self, wanted: &Wanted<'_>, keys: &mut HashMap<String, Arc<KeyPair>>) -> Result<(), WorldError> {
        let (certificate, key) = (&wanted.first.pair.certificate, &wanted.first.pair.key);
        if !certificate.is_file() || self.has(&certificate.path) {
            return Ok(());
        }
        let brought = key.content.as_deref().and_then(|pem| KeyPair::from_pem(std::str::from_utf8(pem).ok()?).ok());
        let is_brought = brought.is_some();
        let pair = match (brought, keys.get(&key.path)) {
            (Some(brought), _) => Arc::new(brought),
            (None, Some(known)) => Arc::clone(known),
            (None, None) => Arc::new(wanted.algorithm.generate()?),
        };
        keys.insert(key.path.clone(), Arc::clone(&pair));
        let chain = self.certificate(wanted, &pair)?;
        let mode = key_mode(wanted.by_worker);
        let by = made_for(wanted, &pair, is_brought);
        if certificate.path == key.path {
            self.make(SubstitutionKind::Certificate, certificate, chain + &pair.serialize_pem(), mode, &by);
            return Ok(());
        }
        self.make(SubstitutionKind::Certificate, certificate, chain, 0o644, &by);
        match is_brought {
            true => self.as_it_is(key, mode),
            false => self.make(SubstitutionKind::Key, key, pair.serialize_pem(), mode, made_with(wanted)),
        }
        Ok(())
    }

    fn certificate(&self, wanted: &Wanted<'_>, key: &KeyPair) -> Result<String, WorldError> {
        match wanted.first.shown_by {
            ShownBy::Client => self.clients.certificate_for("nginx", key),
            _ => self.authority.chain(&wanted.names, key),
        }
    }
}

/// What nginx's workers read must be readable for whomever they run as.
fn key_mode(by_worker: bool) -> u32 {
    if by_worker { 0o644 } else { 0o600 }
}

fn made_for(wanted: &Wanted<'_>, key: &KeyPair, key_is_brought: bool) -> String {
    let names = match wanted.first.shown_by {
        ShownBy::Client => "nginx as a client".to_owned(),
        _ => wanted.names.join(", "),
    };
    let pair = &wanted.first.pair;
    let key = match (key_is_brought, Algorithm::of(key)) {
        (true, _) => " and the key that the tree brings",
        (false, Algorithm::Rsa) => ", with an RSA key",
        (false, Algorithm::Ecdsa) => "",
    };
    let replaced = match (pair.certificate.content.is_some(), pair.key.content.is_some() && !key_is_brought) {
        (true, _) => "; it replaces the tree's, which lacks its key",
        (_, true) => "; the tree brings the key alone, in a form that is not read",
        _ => "",
    };
    format!("made for {names}{key}{replaced}")
}

fn made_with(wanted: &Wanted<'_>) -> &'static str {
    match wanted.first.pair.key.content.is_some() {
        true => "made with the certificate; it replaces the tree's",
        false => "made with the certificate",
    }
}

/// Every certificate that is named, once, in the order in which they are.
fn wanted(deployment: &Deployment) -> Vec<Wanted<'_>> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for pair in &deployment.files.pairs {
        let index = *known.entry(&pair.pair.certificate.path).or_insert_with(|| {
            let algorithm = Algorithm::Ecdsa;
            wanted.push(Wanted { first: pair, names: Vec::new(), algorithm, by_worker: pair.by_worker });
            wanted.len() - 1
        });
        let found = &mut wanted[index];
        certificate_names::add(&mut found.names, pair.names.iter().map(String::as_str));
        certificate_names::add(&mut found.names, public_names(deployment, pair));
        if algorithm(pair) == Algorithm::Rsa {
            found.algorithm = Algorithm::Rsa;
        }
    }
    for wanted in &mut wanted {
        if wanted.names.is_empty() {
            certificate_names::add(&mut wanted.names, [deployment.route().server_name.as_str()]);
        }
    }
    wanted
}

/// The names by which clients reach Prometheus through the server that shows a pair.
fn public_names<'a>(deployment: &'a Deployment, pair: &PairUse) -> impl Iterator<Item = &'a str> {
    let server = match pair.shown_by {
        ShownBy::Server(index) if !pair.by_worker => Some(index),
        _ => None,
    };
    let routes = deployment.routes.iter().filter(move |route| Some(route.server) == server);
    routes.map(|route| route.server_name.as_str())
}

/// What a server's suites ask for. Of several pairs one is RSA, and the others are what their names say, or ECDSA.
fn algorithm(pair: &PairUse) -> Algorithm {
    let (index, count) = pair.place;
    let path = pair.pair.certificate.path.to_ascii_lowercase();
    let says_ecdsa = path.contains("ecdsa") || path.contains("ecc") || path.contains("/ec") || path.contains("-ec");
    let is_rsa = match count {
        0 | 1 => pair.ciphers.as_deref().is_some_and(need_rsa),
        _ => !says_ecdsa && (index == 0 || path.contains("rsa")),
    };
    if is_rsa { Algorithm::Rsa } else { Algorithm::Ecdsa }
}

#[cfg(test)]
mod tests;
