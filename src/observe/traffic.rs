//! Clients that go on asking while something is done to the programs, and one whose request takes its time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::visit::{self, Visit};
use super::{Failure, Http, Observer, Request};

/// What one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests a client makes at most.
const MOST: usize = 100;
/// How many each makes when what was done is done.
const AFTERWARDS: usize = 3;

/// How much clients ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many they are.
    pub(crate) clients: usize,
    /// How long each waits between two requests.
    pub(crate) gap: Duration,
}

/// What clients lived through.
#[derive(Debug, Default)]
pub(crate) struct Lived {
    /// How many requests were made.
    pub(crate) asked: usize,
    /// The answers, by their status.
    pub(crate) answers: BTreeMap<u16, usize>,
    /// The requests that got no answer, or a part of one.
    pub(crate) dropped: Vec<Failure>,
}

/// What became of a request that took its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// It was answered.
    Answered,
    /// The connection was closed before it was whole, this long after it could have been.
    Cut(Duration),
}

/// Where a request failed.
enum Failed {
    /// Before anything of an answer came.
    Unanswered(Failure),
    /// In the middle of it.
    Within(Failure),
}

impl Observer {
    /// Lets clients ask again and again while something is done, half of them with connections that they keep. A
    /// request that was lost because such a connection was just being closed is made again on a new one, as clients do
    /// (RFC 9112, section 9.3.1).
    pub(crate) async fn under_load<T>(
        &self,
        request: &Request,
        load: Load,
        during: impl Future<Output = T>,
    ) -> (T, Lived) {
        let over = AtomicBool::new(false);
        let fresh = self.http().keeping_none();
        let clients = (0..load.clients).map(|number| {
            let client = if number.is_multiple_of(2) { fresh.clone() } else { self.http().apart() };
            let (over, fresh) = (&over, &fresh);
            async move { ask_on(&client, fresh, (request, load.gap), over).await }
        });
        let doing = async {
            let done = during.await;
            over.store(true, Ordering::Relaxed);
            done
        };
        let (done, lived) = tokio::join!(doing, join_all(clients));
        (done, lived.into_iter().fold(Lived::default(), Lived::and))
    }

    /// Makes a request whose head is not whole before something is done, and `hold` longer.
    pub(crate) async fn held<T>(
        &self,
        what: Visit<'_>,
        hold: Duration,
        during: impl Future<Output = T>,
    ) -> Result<(T, Held), Failure> {
        let broken = |error: &std::io::Error| Failure::of_chain(error);
        let mut stream = visit::connect(&self.address(), what.sni, self.tls.config_of_known()).await?;
        let (host, path) = (what.host, what.path);
        let begin = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        stream.write_all(begin.as_bytes()).await.map_err(|error| broken(&error))?;
        stream.flush().await.map_err(|error| broken(&error))?;
        let done = during.await;
        let begun = tokio::time::Instant::now();
        let mut answer = Vec::new();
        if timeout(hold, stream.read_buf(&mut answer)).await.is_ok() {
            return Ok((done, Held::Cut(begun.elapsed())));
        }
        let end = stream.write_all(b"Connection: close\r\n\r\n").await;
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        let answered = end.is_ok() && read.is_ok() && answer.starts_with(b"HTTP/1.");
        Ok((done, if answered { Held::Answered } else { Held::Cut(begun.elapsed()) }))
    }
}

async fn ask_on(client: &Http, fresh: &Http, (request, gap): (&Request, Duration), over: &AtomicBool) -> Lived {
    let (mut lived, mut left) = (Lived::default(), AFTERWARDS);
    let mut ticks = interval(gap);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while left > 0 {
        ticks.tick().await;
        if over.load(Ordering::Relaxed) {
            left -= 1;
        } else if lived.asked >= MOST {
            continue;
        }
        lived.asked += 1;
        let answer = match once(client, request).await {
            Err(Failed::Unanswered(_)) if !std::ptr::eq(client, fresh) => once(fresh, request).await,
            answer => answer,
        };
        match answer {
            Ok(status) => *lived.answers.entry(status).or_default() += 1,
            Err(Failed::Unanswered(failure) | Failed::Within(failure)) => lived.dropped.push(failure),
        }
    }
    lived
}

async fn once(client: &Http, request: &Request) -> Result<u16, Failed> {
    let whole = client.whole(request).map_err(|error| Failed::Unanswered(Failure::of_chain(&error)))?;
    let asking = async {
        let answer = client.client.request(whole).await;
        let (head, body) = answer.map_err(|error| Failed::Unanswered(Failure::of_chain(&error)))?.into_parts();
        body.collect().await.map_err(|error| Failed::Within(Failure::of_chain(&error)))?;
        Ok(head.status.as_u16())
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(Failed::Within(Failure::timeout("no answer in time"))))
}

impl Lived {
    fn and(mut self, other: Self) -> Self {
        self.asked += other.asked;
        self.dropped.extend(other.dropped);
        for (status, count) in other.answers {
            *self.answers.entry(status).or_default() += count;
        }
        self
    }
}
