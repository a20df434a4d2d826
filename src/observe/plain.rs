//! Plain HTTP spoken to any port, also to one that expects TLS.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::door::Door;
use super::failure::Failure;
use super::http::NAME;

const PATIENCE: Duration = Duration::from_secs(3);
/// As much of an answer as tells what it is.
const ENOUGH: u64 = 64 << 10;

/// What came back, as text.
#[derive(Clone, Debug)]
pub(crate) struct PlainAnswer {
    /// The status code, if what came is HTTP.
    pub(crate) status: Option<u16>,
    /// All that came.
    pub(crate) text: String,
}

/// Sends one plain request for `path` and reads what comes until the server closes.
pub(crate) async fn plain_http(door: Door, host: &str, path: &str) -> Result<PlainAnswer, Failure> {
    let asking = async {
        let mut stream = door.connect().await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {NAME}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // A reset after the answer takes nothing of it away.
        let read = stream.take(ENOUGH).read_to_end(&mut answer).await;
        if answer.is_empty() { read.map(|_| answer) } else { Ok(answer) }
    };
    let _turn = door.turn().await;
    let answer = timeout(PATIENCE, asking).await.map_err(|_| Failure::timeout("no answer in time"))?;
    let answer = answer.map_err(|error| Failure::of_chain(&error))?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    Ok(PlainAnswer { status, text })
}
