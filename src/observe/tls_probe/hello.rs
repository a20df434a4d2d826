//! A ClientHello of our own: of any version, with any suites. <https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2>.

use super::Version;

/// What a client asks for in its first message.
#[derive(Clone, Debug)]
pub(crate) struct Hello<'a> {
    /// The one version that it has.
    pub(crate) version: Version,
    /// The codes of its suites, in its order.
    pub(crate) suites: &'a [u16],
    /// The name that it asks for.
    pub(crate) name: Option<&'a str>,
    /// The protocols that it has, in its order (ALPN).
    pub(crate) protocols: &'a [&'a str],
}

const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// X25519MLKEM768, x25519, P-256, P-384, P-521, x448, ffdhe2048, ffdhe3072, ffdhe4096.
const GROUPS: [u16; 9] = [0x11ec, 0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x0100, 0x0101, 0x0102];
/// ECDSA, Ed25519, Ed448, RSA-PSS and RSA, down to SHA-1.
const SIGNATURES: [u16; 16] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
    0x0201, 0x0203,
];

impl Hello<'_> {
    /// The record that holds it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let legacy = self.version.min(Version::Tls12).code();
        let mut body = legacy.to_be_bytes().to_vec();
        // Random, and no session: no handshake goes on from here.
        body.extend([0x5a; 32]);
        body.push(0);
        body.extend(list16(self.suites));
        body.extend([1, 0]);
        if self.version > Version::Ssl3 {
            body.extend(with_length(self.extensions()));
        }
        let mut message = vec![CLIENT_HELLO, 0];
        message.extend(with_length(body));
        let record_version = self.version.min(Version::Tls10).code();
        let mut record = vec![HANDSHAKE_RECORD];
        record.extend(record_version.to_be_bytes());
        record.extend(with_length(message));
        record
    }

    fn extensions(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut add = |kind: u16, content: Vec<u8>| {
            extensions.extend(kind.to_be_bytes());
            extensions.extend(with_length(content));
        };
        if let Some(name) = self.name {
            let mut entry = vec![0];
            entry.extend(with_length(name.as_bytes().to_vec()));
            add(0, with_length(entry));
        }
        add(10, list16(&GROUPS));
        add(11, vec![1, 0]);
        if self.version >= Version::Tls12 {
            add(13, list16(&SIGNATURES));
        }
        if !self.protocols.is_empty() {
            add(16, with_length(self.protocols.iter().flat_map(|protocol| with_short_length(protocol)).collect()));
        }
        if self.version == Version::Tls13 {
            let [high, low] = self.version.code().to_be_bytes();
            add(43, vec![2, high, low]);
            add(45, vec![1, 1]);
            // No share of a key: the server asks for one again, and names suite and version while it does.
            add(51, vec![0, 0]);
        } else {
            add(0xff01, vec![0]);
        }
        extensions
    }
}

/// No part is longer than 64 KiB: all of them are made here.
fn with_length(content: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    length.to_be_bytes().into_iter().chain(content).collect()
}

fn with_short_length(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    std::iter::once(length).chain(text.bytes()).collect()
}

fn list16(values: &[u16]) -> Vec<u8> {
    with_length(values.iter().flat_map(|value| value.to_be_bytes()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_in_it_fits() {
        let suites: Vec<u16> = super::super::Suite::all().map(|suite| suite.code).collect();
        for version in Version::ALL {
            let hello = Hello { version, suites: &suites, name: Some("example.com"), protocols: &["h2", "http/1.1"] };
            let bytes = hello.bytes();
            let record = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            let message = usize::from(u16::from_be_bytes([bytes[7], bytes[8]]));
            assert_eq!((record, message), (bytes.len() - 5, bytes.len() - 9), "{version:?}");
            let suites_at = 9 + 2 + 32 + 1;
            assert_eq!(usize::from(u16::from_be_bytes([bytes[suites_at], bytes[suites_at + 1]])), 2 * suites.len());
        }
    }
}
