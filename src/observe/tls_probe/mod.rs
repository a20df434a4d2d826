//! Which versions and suites of TLS a server takes, asked with a ClientHello of our own: no client library has the old
//! ones. Each handshake ends with the server's first message.

mod answer;
mod hello;
mod suite;

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Failure;
use super::door::Door;
pub(crate) use answer::Answer;
pub(crate) use hello::Hello;
pub(crate) use suite::Suite;

const PATIENCE: Duration = Duration::from_secs(5);
/// More than a server's first message needs.
const ENOUGH: usize = 64 << 10;
/// So many suites are asked for side by side, for each version that has many.
const LISTS: usize = 4;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl Version {
    pub(crate) const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"][self as usize]
    }

    /// As `ssl_protocols` writes it.
    pub(crate) fn directive(self) -> &'static str {
        ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"][self as usize]
    }

    fn code(self) -> u16 {
        0x0300 + self as u16
    }
}

/// What a server takes.
#[derive(Clone, Debug)]
pub(crate) struct TlsProbe {
    /// For each version that it takes its suites, in the order of their codes.
    accepted: Vec<(Version, Vec<Suite>)>,
}

impl TlsProbe {
    /// Asks for every version and every suite.
    pub(crate) async fn of(door: &Door, name: Option<&str>) -> Result<Self, Failure> {
        let asking = Version::ALL.map(|version| accepted(door, name, version));
        let found = try_join_all(asking).await?;
        let taken = Version::ALL.into_iter().zip(found).filter(|(_, suites)| !suites.is_empty());
        Ok(Self { accepted: taken.collect() })
    }

    /// Whether it takes a version.
    pub(crate) fn takes(&self, version: Version) -> bool {
        self.accepted.iter().any(|(taken, _)| *taken == version)
    }

    /// The versions that it takes, oldest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = Version> {
        self.accepted.iter().map(|(version, _)| *version)
    }

    /// The suites that it takes in one version, in the order of their codes.
    pub(crate) fn suites_of(&self, version: Version) -> impl Iterator<Item = Suite> {
        self.accepted.iter().filter(move |(taken, _)| *taken == version).flat_map(|(_, suites)| suites.iter().copied())
    }

    /// The suites that it takes in any version, each once.
    pub(crate) fn suites(&self) -> Vec<Suite> {
        let mut suites: Vec<Suite> = self.accepted.iter().flat_map(|(_, suites)| suites.iter().copied()).collect();
        suites.sort_unstable();
        suites.dedup();
        suites
    }
}

/// The suites that a server takes in one version.
async fn accepted(door: &Door, name: Option<&str>, version: Version) -> Result<Vec<Suite>, Failure> {
    let is_13 = version == Version::Tls13;
    let suites: Vec<Suite> = Suite::all().filter(|suite| suite.is_of_tls13() == is_13).collect();
    let all: Vec<u16> = suites.iter().map(|suite| suite.code).collect();
    // One refusal tells that the whole version is not there.
    if chosen(door, name, version, &all).await?.is_none() {
        return Ok(Vec::new());
    }
    let lists = (0..LISTS).map(|first| all.iter().copied().skip(first).step_by(LISTS).collect::<Vec<u16>>());
    let found = try_join_all(lists.map(|list| taken_of(door, name, version, list))).await?.concat();
    Ok(suites.into_iter().filter(|suite| found.contains(&suite.code)).collect())
}

/// Offers a list, takes out what the server chose, and offers the rest, until it refuses.
async fn taken_of(door: &Door, name: Option<&str>, version: Version, mut list: Vec<u16>) -> Result<Vec<u16>, Failure> {
    let mut taken = Vec::new();
    while let Some(suite) = chosen(door, name, version, &list).await? {
        // A server that chooses what was not offered would never end.
        let Some(at) = list.iter().position(|offered| *offered == suite) else { break };
        taken.push(list.remove(at));
    }
    Ok(taken)
}

async fn chosen(door: &Door, name: Option<&str>, version: Version, suites: &[u16]) -> Result<Option<u16>, Failure> {
    if suites.is_empty() {
        return Ok(None);
    }
    let hello = Hello { version, suites, name, protocols: &[] };
    match say(door, &hello).await? {
        Answer::Hello(hello) if hello.is(version) => Ok(Some(hello.suite)),
        _ => Ok(None),
    }
}

/// Says hello, and reads the server's first message.
pub(crate) async fn say(door: &Door, hello: &Hello<'_>) -> Result<Answer, Failure> {
    let talking = async {
        let mut stream = door.connect().await?;
        stream.write_all(&hello.bytes()).await?;
        let mut came = Vec::new();
        while came.len() < ENOUGH {
            if let Some(answer) = answer::read(&came) {
                return Ok(answer);
            }
            match stream.read_buf(&mut came).await {
                // A reset is how some refuse.
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        Ok::<_, std::io::Error>(answer::read(&came).unwrap_or(Answer::Closed))
    };
    let _turn = door.turn().await;
    let answer = door
        .pace()
        .meter()
        .handshakes()
        .of(timeout(PATIENCE, talking))
        .await
        .map_err(|_| Failure::timeout("no ServerHello in time"))?;
    answer.map_err(|error| Failure::of_chain(&error))
}

/// The suite that a client which has these would get, in one version, and the protocol.
pub(crate) async fn choice(
    door: &Door,
    name: Option<&str>,
    version: Version,
    suites: &[&str],
    protocols: &[&str],
) -> Result<Option<(Suite, Option<String>)>, Failure> {
    let known: Vec<Suite> = Suite::all().collect();
    let codes: Vec<u16> = suites
        .iter()
        .filter_map(|name| known.iter().find(|suite| suite.name == *name))
        .map(|suite| suite.code)
        .collect();
    let hello = Hello { version, suites: &codes, name, protocols };
    let Answer::Hello(hello) = say(door, &hello).await? else {
        return Ok(None);
    };
    let suite = known.into_iter().find(|suite| suite.code == hello.suite);
    Ok(suite.map(|suite| (suite, hello.protocol)))
}
