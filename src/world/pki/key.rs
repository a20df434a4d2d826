//! Keys, and other things that have to be random.

use getrandom::SysRng;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rsa::PrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::UnwrapErr;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::world::WorldError;

/// What strict clients still take, and what is made the quickest.
const RSA_BITS: usize = 2048;
/// nginx takes 80 bytes for AES256, 48 for AES128.
pub(in crate::world) const TICKET_KEY_BYTES: usize = 80;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ECDSA on P-256.
    Ecdsa,
    /// RSA with 2048 bits, where cipher suites need it: it takes a while to make.
    Rsa,
}

impl Algorithm {
    /// What a key is.
    pub(crate) fn of(key: &KeyPair) -> Self {
        match key.is_compatible(&PKCS_RSA_SHA256) {
            true => Self::Rsa,
            false => Self::Ecdsa,
        }
    }

    /// A new key.
    pub(crate) fn generate(self) -> Result<KeyPair, WorldError> {
        match self {
            Self::Ecdsa => Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?),
            Self::Rsa => rsa(),
        }
    }
}

fn rsa() -> Result<KeyPair, WorldError> {
    let failed = |reason: String| WorldError::RsaKey(reason);
    let key = PrivateKey::new(&mut UnwrapErr(SysRng), RSA_BITS).map_err(|error| failed(error.to_string()))?;
    let pkcs8 = key.to_pkcs8_der().map_err(|error| failed(error.to_string()))?;
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8.as_bytes()), &PKCS_RSA_SHA256)?)
}

/// Random bytes.
pub(in crate::world) fn random(count: usize) -> Result<Vec<u8>, WorldError> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|error| WorldError::Random(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_the_kind_that_is_asked_for() {
        for algorithm in [Algorithm::Ecdsa, Algorithm::Rsa] {
            let key = algorithm.generate().expect("a key");
            assert_eq!(Algorithm::of(&key), algorithm);
            assert!(key.serialize_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
        }
    }
}
