//! The cipher suites, and what their names say of them:
//! <https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-4>.

/// A code and a name a line. Suites with a shared key, Kerberos, SRP or ECCPWD are left out: nginx has none of them.
const LIST: &str = include_str!("suites.txt");

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Suite {
    pub(super) code: u16,
    /// Its name in IANA's list.
    pub(crate) name: &'static str,
}

impl Suite {
    /// Every suite that a server may have.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        LIST.lines().filter_map(|line| {
            let (code, name) = line.split_once(' ')?;
            Some(Self { code: u16::from_str_radix(code, 16).ok()?, name })
        })
    }

    /// Whether it is one of TLS 1.3.
    pub(crate) fn is_of_tls13(self) -> bool {
        self.code >> 8 == 0x13 || self.name.starts_with("TLS_SHA")
    }

    /// Whether recorded traffic stays secret when the server's key gets known later.
    pub(crate) fn has_forward_secrecy(self) -> bool {
        self.is_of_tls13() || ["TLS_ECDHE_", "TLS_DHE_"].iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// Whether it encrypts and authenticates in one step.
    pub(crate) fn is_aead(self) -> bool {
        ["GCM", "CCM", "POLY1305", "AEGIS"].iter().any(|mode| self.name.contains(mode))
    }

    /// What is broken about it, if something is.
    pub(crate) fn weakness(self) -> Option<&'static str> {
        const MARKS: [(&str, &str); 8] = [
            ("_NULL_", "no encryption"),
            ("TLS_SHA", "no encryption"),
            ("_anon_", "no authentication"),
            ("EXPORT", "export key length"),
            ("RC4", "RC4"),
            ("RC2", "RC2"),
            ("3DES", "3DES"),
            ("DES", "DES"),
        ];
        MARKS.iter().find(|(mark, _)| self.name.contains(mark)).map(|(_, weakness)| *weakness)
    }

    /// Whether HTTP/2 may be spoken with it: RFC 9113, appendix A.
    pub(crate) fn is_good_for_http2(self) -> bool {
        self.has_forward_secrecy() && self.is_aead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(name: &str) -> Suite {
        Suite::all().find(|suite| suite.name == name).expect("a suite")
    }

    #[test]
    fn a_name_tells_what_a_suite_is() {
        let modern = suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        assert!(modern.has_forward_secrecy() && modern.is_aead() && modern.weakness().is_none());
        assert!(suite("TLS_AES_128_GCM_SHA256").has_forward_secrecy());
        assert!(!suite("TLS_RSA_WITH_AES_128_GCM_SHA256").has_forward_secrecy());
        assert!(!suite("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA").is_aead());
        assert!(!suite("TLS_ECDH_anon_WITH_AES_128_CBC_SHA").has_forward_secrecy());
        for (name, weakness) in [
            ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "3DES"),
            ("TLS_RSA_WITH_DES_CBC_SHA", "DES"),
            ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", "RC4"),
            ("TLS_DH_anon_WITH_AES_128_CBC_SHA", "no authentication"),
            ("TLS_ECDHE_ECDSA_WITH_NULL_SHA", "no encryption"),
            ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "export key length"),
        ] {
            assert_eq!(suite(name).weakness(), Some(weakness), "{name}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_a_suite() {
        assert_eq!(Suite::all().count(), LIST.lines().count());
    }
}
