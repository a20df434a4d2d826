//! Of OpenSSL: <https://github.com/openssl/openssl/blob/master/CHANGES.md>.

use super::{Known, Whose, Words};

const fn openssl(since: [u32; 3], words: Words, source: &'static str) -> Known {
    Known::of(Whose::OpenSsl, since, words, source)
}

pub(super) const KNOWN: &[Known] = &[
    openssl(
        [3, 0, 0],
        &["TLS 1.0 is no longer", "TLS 1.1 is no longer", "TLS 1.0 and TLS 1.1 are no longer"],
        "https://github.com/openssl/openssl/blob/master/CHANGES.md (3.0: SSL 3, TLS 1.0 and TLS 1.1 need security level 0)",
    ),
    openssl(
        [3, 2, 0],
        &["_CCM_8"],
        "https://github.com/openssl/openssl/blob/master/CHANGES.md (3.2: suites with CCM8 are of security level 0)",
    ),
    openssl(
        [3, 2, 0],
        &["ee key too small", "ca key too small", "dh key too small"],
        "https://github.com/openssl/openssl/blob/master/CHANGES.md (3.2: the default security level is 2, which takes 2048 bits)",
    ),
];
