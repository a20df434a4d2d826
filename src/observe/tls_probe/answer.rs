//! What a server answers to a ClientHello, as far as it is not encrypted.

use super::Version;

/// The first thing that a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What it chose.
    Hello(ServerHello),
    /// It refuses, with this description: <https://www.rfc-editor.org/rfc/rfc8446#section-6>.
    Alert(u8),
    /// It closed the connection.
    Closed,
    /// It speaks something else.
    NotTls,
}

/// What a server chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerHello {
    /// The code of the version; one that nobody knows is possible.
    pub(super) version: u16,
    /// The code of the suite.
    pub(super) suite: u16,
    /// The protocol, where it is not encrypted: before TLS 1.3.
    pub(crate) protocol: Option<String>,
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// Reads what has come so far; none if more has to come.
pub(super) fn read(bytes: &[u8]) -> Option<Answer> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    while rest.len() >= RECORD_HEADER {
        let (kind, major) = (rest[0], rest[1]);
        if !matches!(kind, ALERT | HANDSHAKE) || major != 3 {
            return Some(Answer::NotTls);
        }
        let end = RECORD_HEADER + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
        let content = rest.get(RECORD_HEADER..end)?;
        if kind == ALERT {
            return content.get(1).map(|description| Answer::Alert(*description)).or(Some(Answer::NotTls));
        }
        messages.extend_from_slice(content);
        if let Some(answer) = message(&messages) {
            return Some(answer);
        }
        rest = &rest[end..];
    }
    None
}

fn message(bytes: &[u8]) -> Option<Answer> {
    let header = bytes.get(..MESSAGE_HEADER)?;
    if header[0] != SERVER_HELLO {
        return Some(Answer::NotTls);
    }
    let length = usize::from(header[1]) << 16 | usize::from(header[2]) << 8 | usize::from(header[3]);
    let body = bytes.get(MESSAGE_HEADER..MESSAGE_HEADER + length)?;
    Some(server_hello(body).map_or(Answer::NotTls, Answer::Hello))
}

fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut reader = Reader(body);
    let legacy = reader.number()?;
    reader.take(32)?;
    let session = reader.take(1)?[0];
    reader.take(session.into())?;
    let suite = reader.number()?;
    reader.take(1)?;
    let mut hello = ServerHello { version: legacy, suite, protocol: None };
    let Some(length) = reader.number() else {
        return Some(hello);
    };
    let mut extensions = Reader(reader.take(length.into())?);
    while let Some(kind) = extensions.number() {
        let length = extensions.number()?;
        let content = extensions.take(length.into())?;
        match kind {
            16 => hello.protocol = content.get(3..).map(|name| String::from_utf8_lossy(name).into_owned()),
            43 => hello.version = Reader(content).number()?,
            _ => {}
        }
    }
    Some(hello)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}

impl ServerHello {
    /// Whether it agreed on this version.
    pub(super) fn is(&self, version: Version) -> bool {
        self.version == version.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], &length[..], content].concat()
    }

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let body = [&[3, 3], &[7; 32][..], &[0, 0xc0, 0x2b, 0], &length, extensions].concat();
        let length = u8::try_from(body.len()).unwrap();
        [&[SERVER_HELLO, 0, 0, length][..], &body].concat()
    }

    #[test]
    fn what_the_server_chose_is_read() {
        let bytes = record(HANDSHAKE, &hello(&[0, 16, 0, 5, 0, 3, 2, b'h', b'2']));
        let chosen = ServerHello { version: 0x0303, suite: 0xc02b, protocol: Some("h2".to_owned()) };
        assert_eq!(read(&bytes), Some(Answer::Hello(chosen)));
        let bytes = record(HANDSHAKE, &hello(&[0, 43, 0, 2, 3, 4]));
        assert!(matches!(read(&bytes), Some(Answer::Hello(hello)) if hello.is(Version::Tls13)));
    }

    #[test]
    fn a_message_in_two_records_is_one() {
        let whole = hello(&[]);
        let bytes = [record(HANDSHAKE, &whole[..10]), record(HANDSHAKE, &whole[10..])].concat();
        assert_eq!(read(&bytes[..20]), None);
        assert!(matches!(read(&bytes), Some(Answer::Hello(_))));
    }

    #[test]
    fn refusals_and_other_protocols_are_told_apart() {
        assert_eq!(read(&record(ALERT, &[2, 70])), Some(Answer::Alert(70)));
        assert_eq!(read(b"HTTP/1.1 400 Bad Request"), Some(Answer::NotTls));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&record(HANDSHAKE, &[SERVER_HELLO, 0, 0, 3, 3, 3, 7])), Some(Answer::NotTls));
    }
}
