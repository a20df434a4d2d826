//! Answers of the query API.

use serde::Deserialize;

use crate::observe::Seen;

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    value: (f64, String),
}

/// The value of the first sample of a successful answer.
pub(super) fn value(seen: &Seen) -> Option<f64> {
    let answer: Answer = serde_json::from_slice(&seen.body).ok()?;
    let data = answer.data.filter(|_| seen.status == 200 && answer.status == "success")?;
    data.result.into_iter().next()?.value.1.parse().ok()
}

/// Whether an answer is Prometheus's JSON about an error.
pub(super) fn is_error(seen: &Seen) -> bool {
    #[derive(Deserialize)]
    struct Status {
        status: String,
    }
    let answer: Result<Status, _> = serde_json::from_slice(&seen.body);
    seen.status >= 400 && answer.is_ok_and(|answer| answer.status == "error")
}
