//! Renewed certificates, put where whoever keeps the files puts them.

use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::pki::Algorithm;
use super::{PodContent, PodFile, World, WorldError};
use crate::deployment::PairUse;

/// Where certbot keeps what it renews: <https://eff-certbot.readthedocs.io/en/stable/using.html#where-are-my-certificates>.
const CERTBOT: &str = "/etc/letsencrypt/";

/// Who puts renewed files in the place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// certbot, for the certificate of this name: the path is a link to the newest file.
    Certbot(String),
    /// certbot, which leaves this file of that name alone and writes the next one beside it.
    CertbotsPast(String),
    /// Whoever it is replaces the file.
    Anybody,
}

impl Keeper {
    /// The keeper of the file at a path.
    pub(crate) fn of(path: &str) -> Self {
        let mut below = path.strip_prefix(CERTBOT).unwrap_or_default().split('/');
        match (below.next(), below.next(), below.next(), below.next()) {
            (Some("live"), Some(name), Some(_), None) => Self::Certbot(name.to_owned()),
            (Some("archive"), Some(name), Some(_), None) => Self::CertbotsPast(name.to_owned()),
            _ => Self::Anybody,
        }
    }

    pub(crate) fn is_certbot(&self) -> bool {
        *self != Self::Anybody
    }
}

/// The files that change when certificates are renewed.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    /// What is put in place.
    pub(crate) files: Vec<PodFile>,
    /// What was there.
    pub(crate) before: Vec<PodFile>,
    /// The renewed certificates.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl World {
    /// Renews the certificates of these pairs, with new keys, for a name. A file that certbot does not touch stays.
    pub(crate) fn renew(&self, pairs: &[&PairUse], name: &str) -> Result<Renewal, WorldError> {
        let mut renewal = Renewal::default();
        for pair in pairs {
            let (certificate, key) = (&pair.pair.certificate.path, &pair.pair.key.path);
            let renewed = self.algorithm_of(key).generate()?;
            let chain = self.authority.chain(&[name.to_owned()], &renewed)?;
            renewal.certificates.extend(CertificateDer::from_pem_slice(chain.as_bytes()).ok());
            let keepers = [certificate, key].map(|path| Keeper::of(path));
            let by_certbot = keepers.iter().any(Keeper::is_certbot);
            let changes = keepers.map(|keeper| !by_certbot || matches!(keeper, Keeper::Certbot(_)));
            if certificate == key {
                self.replace(&mut renewal, certificate, changes[0], chain + &renewed.serialize_pem());
                continue;
            }
            self.replace(&mut renewal, certificate, changes[0], chain);
            self.replace(&mut renewal, key, changes[1], renewed.serialize_pem());
        }
        Ok(renewal)
    }

    fn replace(&self, renewal: &mut Renewal, path: &str, changes: bool, content: String) {
        let Some(before) = self.nginx_file(path).filter(|_| changes) else { return };
        renewal.before.push(before.clone());
        renewal.files.push(PodFile::file(path, content, before.mode));
    }

    /// What the key at a path is: the suites may need one of its kind.
    fn algorithm_of(&self, path: &str) -> Algorithm {
        let content = self.nginx_file(path).map(|file| &file.content);
        let key = match content {
            Some(PodContent::File(bytes)) => {
                std::str::from_utf8(bytes).ok().and_then(|pem| KeyPair::from_pem(pem).ok())
            }
            _ => None,
        };
        key.map_or(Algorithm::Ecdsa, |key| Algorithm::of(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::Deployment;

    fn renewed(pair: &str) -> Vec<String> {
        let conf = format!(
            "http {{ server {{ listen 443 ssl; server_name a.b; {pair} location / {{ proxy_pass http://p:9090; }} }} }}"
        );
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("nginx.conf"), conf).unwrap();
        let deployment = Deployment::load(dir.path().join("nginx.conf")).unwrap();
        let world = World::around(&deployment).unwrap();
        let pairs: Vec<&PairUse> = deployment.files.pairs.iter().collect();
        let renewal = world.renew(&pairs, "a.b").unwrap();
        assert_eq!(renewal.certificates.len(), 1);
        assert_eq!(renewal.files.len(), renewal.before.len());
        assert!(renewal.files.iter().zip(&renewal.before).all(|(new, old)| new.path == old.path && new != old));
        renewal.files.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn both_files_are_replaced_unless_certbot_does_it() {
        assert_eq!(renewed("ssl_certificate /t/c.pem; ssl_certificate_key /t/k.pem;"), ["/t/c.pem", "/t/k.pem"]);
        assert_eq!(renewed("ssl_certificate /t/both.pem; ssl_certificate_key /t/both.pem;"), ["/t/both.pem"]);
        let live = "/etc/letsencrypt/live/a.b";
        let copied = format!("ssl_certificate {live}/fullchain.pem; ssl_certificate_key /t/k.pem;");
        assert_eq!(renewed(&copied), [format!("{live}/fullchain.pem")]);
        let past = "/etc/letsencrypt/archive/a.b";
        let past = format!("ssl_certificate {past}/fullchain3.pem; ssl_certificate_key {past}/privkey3.pem;");
        assert_eq!(renewed(&past), Vec::<String>::new());
    }
}
