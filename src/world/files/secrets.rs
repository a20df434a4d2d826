//! What only its owner knows, or what has to fit it: CAs of clients and upstreams, what they revoked, passwords. And what
//! anybody can make.

use super::{Placing, geoip};
use crate::deployment::{ClientIdentity, FileKind, FileUse, NamedFile, Prometheus};
use crate::world::pki::{DHPARAM, OCSP_RESPONSE, TICKET_KEY_BYTES, random};
use crate::world::{SubstitutionKind, WorldError};

/// The user whom the harness is where the deployment asks for one. It protects nothing, and equal input gives equal runs.
pub(crate) const USER: &str = "proxyproof";
/// The user's password.
pub(crate) const PASSWORD: &str = "proxyproof";

impl Placing<'_> {
    /// Puts in place what has to fit what the harness itself has.
    pub(super) fn secret(&mut self, named: &FileUse) -> Result<(), WorldError> {
        let file = &named.file;
        if file.content.is_some() && self.fits_as_it_is(named.kind) {
            self.as_it_is(file, 0o644);
            return Ok(());
        }
        let (kind, content, by) = self.made(named.kind)?;
        let replaced = file.content.as_ref().map(|_| replaced(named.kind)).unwrap_or_default();
        self.make(kind, file, content, 0o644, &format!("{by}{replaced}"));
        Ok(())
    }

    fn made(&self, kind: FileKind) -> Result<(SubstitutionKind, String, String), WorldError> {
        let root = || self.authority.certificate();
        let (kind, content, by) = match kind {
            FileKind::ClientCa if self.deployment.client_identity.is_some() => {
                let by =
                    "a CA of this run, which issues the client's certificate: the tree lacks the CA of the given one";
                (SubstitutionKind::Ca, self.clients.certificate(), by)
            }
            FileKind::ClientCa => {
                let by = "a CA of this run, which issues the client's certificate";
                (SubstitutionKind::Ca, self.clients.certificate(), by)
            }
            FileKind::TrustedCa => (SubstitutionKind::Ca, root() + &self.clients.certificate(), "the CAs of this run"),
            FileKind::UpstreamCa => {
                (SubstitutionKind::Ca, root(), "the CA of this run, which issues the upstreams' certificates")
            }
            FileKind::Crl => (SubstitutionKind::File, self.crls()?, "an empty list of the CA of this run"),
            FileKind::UpstreamCrl => {
                (SubstitutionKind::File, self.authority.crls()?, "an empty list of the CA of this run")
            }
            _ => {
                let (user, password) = self.credentials();
                let by = format!("one that knows the user `{user}`");
                return Ok((SubstitutionKind::PasswordFile, format!("{user}:{{PLAIN}}{password}\n"), by));
            }
        };
        Ok((kind, content, by.to_owned()))
    }

    /// Whether the harness can do with what the tree brings.
    fn fits_as_it_is(&self, kind: FileKind) -> bool {
        match kind {
            FileKind::TrustedCa => true,
            FileKind::ClientCa | FileKind::Crl => self.given_identity().is_some(),
            FileKind::Passwords => self.deployment.basic_auth.is_some(),
            // Nobody here has the key of the upstreams' own CA.
            _ => false,
        }
    }

    /// The client's certificate that was given, unless its CA is made here because the tree lacks it.
    fn given_identity(&self) -> Option<&ClientIdentity> {
        let uses = self.deployment.files.uses.iter();
        let mut authorities = uses.filter(|named| named.kind == FileKind::ClientCa);
        let given = self.deployment.client_identity.as_ref();
        given.filter(|_| authorities.all(|authority| authority.file.content.is_some()))
    }

    fn crls(&self) -> Result<String, WorldError> {
        Ok(self.clients.crl()? + &self.authority.crls()?)
    }

    fn credentials(&self) -> (String, String) {
        let given = self.deployment.basic_auth.clone();
        given.unwrap_or_else(|| (USER.to_owned(), PASSWORD.to_owned()))
    }

    /// Lets the World know what its clients have to show.
    pub(super) fn identities(&mut self) -> Result<(), WorldError> {
        let names = |kind| self.deployment.files.uses.iter().any(|named| named.kind == kind);
        let mut prometheus = self.deployment.prometheus.iter();
        let asks = prometheus.any(Prometheus::asks_for_a_password);
        if names(FileKind::Passwords) || self.deployment.basic_auth.is_some() || asks {
            self.world.credentials = Some(self.credentials());
        }
        self.world.client_identity = match self.given_identity() {
            Some(given) => Some((given.certificate.clone(), given.key.clone())),
            None if names(FileKind::ClientCa) || names(FileKind::TrustedCa) => {
                let leaf = self.clients.issue()?;
                Some((leaf.certificate, leaf.key))
            }
            None => None,
        };
        Ok(())
    }

    /// Puts in place what anybody can make.
    pub(super) fn plain(&mut self, kind: FileKind, file: &NamedFile) -> Result<(), WorldError> {
        let mode = if matches!(kind, FileKind::TicketKey | FileKind::KeyPasswords) { 0o600 } else { 0o644 };
        if file.content.is_some() {
            self.as_it_is(file, mode);
            return Ok(());
        }
        let (content, by) = match kind {
            FileKind::Dhparam => (DHPARAM.into(), "the group ffdhe2048 of RFC 7919"),
            FileKind::TicketKey => (random(TICKET_KEY_BYTES)?, "random bytes"),
            FileKind::OcspResponse => (OCSP_RESPONSE.into(), "a response that says `tryLater`"),
            FileKind::KeyPasswords => (b"proxyproof\n".into(), "one passphrase: keys that are made have none"),
            FileKind::GeoipCountry => (geoip::country(), "an empty database"),
            FileKind::GeoipCity => (geoip::city(), "an empty database"),
            FileKind::Geoip2 => (geoip::mmdb(), "an empty database"),
            _ => return Ok(()),
        };
        self.make(SubstitutionKind::File, file, content, mode, by);
        Ok(())
    }
}

fn replaced(kind: FileKind) -> &'static str {
    match kind {
        FileKind::ClientCa => {
            "; it replaces the tree's, whose clients' keys are not here (`--client-cert`, `--client-key`)"
        }
        FileKind::Passwords => "; it replaces the tree's, whose passwords are not here (`--basic-auth USER:PASS`)",
        _ => "; it replaces the tree's, which does not fit that CA",
    }
}
