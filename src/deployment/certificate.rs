//! The certificates and keys that a server names, and those that the tree brings.

use super::DeploymentError;
use super::directive::Directive;
use super::named_file::{NamedFile, Reader};
use super::tree::Tree;

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The file of `ssl_certificate`.
    pub certificate: NamedFile,
    /// The file of `ssl_certificate_key`.
    pub key: NamedFile,
}

const CERTIFICATE: &str = "ssl_certificate";
const KEY: &str = "ssl_certificate_key";

/// The certificates and keys that one block names.
pub(super) struct Named<'a> {
    certificates: Vec<&'a Directive>,
    keys: Vec<&'a Directive>,
}

impl<'a> Named<'a> {
    pub(super) fn by(block: &'a Directive) -> Self {
        let named = |name| block.children_named(name).filter(|directive| !directive.args.is_empty()).collect();
        Self { certificates: named(CERTIFICATE), keys: named(KEY) }
    }
}

/// Reads the pairs of one server after the other.
pub(super) struct Pairs<'a> {
    reader: Reader<'a>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        Self { reader: Reader::of(tree) }
    }

    /// The pairs of a server: its own, or those of `http`. nginx pairs the first certificate with the first key, and so on.
    pub(super) fn read(
        &mut self,
        server: &Named<'_>,
        http: &Named<'_>,
        tls: bool,
    ) -> Result<Vec<KeyPair>, DeploymentError> {
        let certificates = or_inherited(&server.certificates, &http.certificates);
        let keys = or_inherited(&server.keys, &http.keys);
        if let Some(alone) = certificates.get(keys.len()) {
            return Err(half_named(alone, CERTIFICATE, KEY));
        }
        // A key too many does not keep nginx from starting, unless TLS needs the certificate.
        if let Some(alone) = keys.first().filter(|_| certificates.is_empty() && tls) {
            return Err(half_named(alone, KEY, CERTIFICATE));
        }
        certificates.iter().zip(keys).map(|(certificate, key)| self.pair(certificate, key)).collect()
    }

    fn pair(&mut self, certificate: &Directive, key: &Directive) -> Result<KeyPair, DeploymentError> {
        Ok(KeyPair { certificate: self.reader.named(&certificate.args[0])?, key: self.reader.named(&key.args[0])? })
    }
}

fn or_inherited<'a>(own: &'a [&'a Directive], http: &'a [&'a Directive]) -> &'a [&'a Directive] {
    if own.is_empty() { http } else { own }
}

fn half_named(alone: &Directive, present: &'static str, missing: &'static str) -> DeploymentError {
    DeploymentError::HalfNamed { location: alone.location.clone(), present, missing }
}

#[cfg(test)]
mod tests {
    use crate::deployment::testing::Files;
    use crate::deployment::{DeploymentError, KeyPair};

    const LOCATION: &str = "location / { proxy_pass http://localhost:9090; }";

    fn pairs(http: &str, server: &str, tree: &[(&str, &str)]) -> Result<Vec<KeyPair>, DeploymentError> {
        let main = format!("http {{ {http}\nserver {{ listen 443 ssl;\n{server}\n{LOCATION} }} }}");
        let files = Files::of(&[&[("nginx.conf", main.as_str())], tree].concat());
        files.load().map(|deployment| deployment.servers[0].certificates.clone())
    }

    #[test]
    fn the_tree_s_pair_is_used_and_files_elsewhere_are_not_read() {
        let server = "ssl_certificate /etc/nginx/tls/a.crt; ssl_certificate_key tls/a.key;
                      ssl_certificate /etc/hostname; ssl_certificate_key ../../etc/passwd;";
        let found = pairs("", server, &[("tls/a.crt", "C"), ("tls/a.key", "K")]).unwrap();
        assert_eq!(found[0].key.path, "/etc/nginx/tls/a.key");
        assert_eq!(found[0].certificate.content.as_deref(), Some(&b"C"[..]));
        assert_eq!((&found[1].certificate.content, &found[1].key.content), (&None, &None));
        assert_eq!(found[1].key.path, "/etc/passwd");
    }

    #[test]
    fn keys_stay_out_of_debug_output() {
        let server = "ssl_certificate a.crt; ssl_certificate_key a.key;";
        let found = pairs("", server, &[("a.crt", "C"), ("a.key", "secret")]).unwrap();
        assert!(!format!("{found:?}").contains(&format!("{:?}", b"secret")));
        assert!(format!("{found:?}").contains("6 bytes"));
    }

    #[test]
    fn a_half_may_be_inherited_but_not_missing() {
        assert_eq!(pairs("ssl_certificate_key /k;", "ssl_certificate /c;", &[]).unwrap().len(), 1);
        assert_eq!(pairs("", "", &[]).unwrap().len(), 0);
        for (server, expected) in [
            ("ssl_certificate /c;", "nginx.conf:3:1: `ssl_certificate` has no `ssl_certificate_key`"),
            ("\nssl_certificate_key /k;", "nginx.conf:4:1: `ssl_certificate_key` has no `ssl_certificate`"),
        ] {
            let message = pairs("", server, &[]).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn half_a_pair_in_the_tree_is_no_error() {
        let server = "ssl_certificate a.crt;\nssl_certificate_key /root/a.key;";
        let found = pairs("", server, &[("a.crt", "C")]).unwrap();
        assert!(found[0].certificate.content.is_some() && found[0].key.content.is_none());
    }
}
