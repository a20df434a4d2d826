//! What Prometheus says of itself: its version and its flags.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Failure, FailureKind, Observer};

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct BuildInfo {
    version: String,
}

impl Observer {
    /// The flags that Prometheus runs with, their defaults included, without dashes.
    pub(crate) async fn flags(&self) -> Result<HashMap<String, String>, Failure> {
        self.data("/api/v1/status/flags").await
    }

    /// The major and the minor number of Prometheus's version.
    pub(crate) async fn version(&self) -> Result<(u32, u32), Failure> {
        let info: BuildInfo = self.data("/api/v1/status/buildinfo").await?;
        Ok(numbers(&info.version))
    }

    async fn data<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let seen = self.get(path).await?;
        let answer: Result<Answer<T>, _> = serde_json::from_slice(&seen.body);
        answer
            .map(|answer| answer.data)
            .map_err(|_| Failure { kind: FailureKind::Broken, message: format!("{path} answered {}", seen.summary()) })
    }
}

/// Reads `2.53.3+ds1`.
fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split(['.', '-', '+', '~']).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_of_a_distribution_is_read() {
        assert_eq!(super::numbers("2.53.3+ds1"), (2, 53));
        assert_eq!(super::numbers("3.5.0-rc.1"), (3, 5));
        assert_eq!(super::numbers(""), (0, 0));
    }
}
