//! What Prometheus says of itself: its version and its flags.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Failure, FailureKind, Observer};

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

/// What Prometheus says of its build.
#[derive(Deserialize)]
pub(crate) struct BuildInfo {
    /// Its version, such as `2.53.3`.
    pub(crate) version: String,
}

/// Where Prometheus says which build it is.
pub(crate) const BUILD: &str = "/api/v1/status/buildinfo";

impl Observer {
    /// The flags that Prometheus runs with, their defaults included, without dashes.
    pub(crate) async fn flags(&self) -> Result<HashMap<String, String>, Failure> {
        self.data("/api/v1/status/flags").await
    }

    /// Whether Prometheus runs with a flag that is off unless it is given: as the deployment says, or as it says itself.
    pub(crate) async fn runs_with(&self, flag: &str) -> Result<bool, Failure> {
        if self.facts().prometheus().has_flag(flag) {
            return Ok(true);
        }
        match self.flags().await {
            Ok(flags) => Ok(flags.get(flag).is_some_and(|value| value == "true")),
            Err(_) if self.sees_inside() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The major and the minor number of Prometheus's version.
    pub(crate) async fn version(&self) -> Result<(u32, u32), Failure> {
        Ok(numbers(&self.build().await?.version))
    }

    /// What Prometheus says of its build.
    pub(crate) async fn build(&self) -> Result<BuildInfo, Failure> {
        self.data(BUILD).await
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
