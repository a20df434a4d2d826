//! The one waiting loop: for a condition, under one deadline.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::error::RuntimeError;

/// How long two looks at a condition are apart. Well under what any of them takes to come about.
const TICK: Duration = Duration::from_millis(2);

/// Does it, and says how long it took.
pub(crate) async fn timed<T>(doing: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = doing.await;
    (done, begun.elapsed())
}

/// When all of a boot has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

/// One look at a condition.
pub(crate) enum Look<T> {
    /// It came about.
    Done(T),
    /// Not yet, and this is what there was to see.
    NotYet(String),
}

impl Deadline {
    /// A deadline from now on.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// Looks until the condition comes about. What times out says what it waited for and what it saw last.
    pub(crate) async fn until<T, F>(self, what: &str, mut look: impl FnMut() -> F) -> Result<T, RuntimeError>
    where
        F: Future<Output = Result<Look<T>, RuntimeError>>,
    {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = "nothing yet".to_owned();
        let looking = async {
            loop {
                ticks.tick().await;
                match look().await? {
                    Look::Done(value) => return Ok(value),
                    Look::NotYet(seen) => last = seen,
                }
            }
        };
        match timeout_at(self.at, looking).await {
            Ok(result) => result,
            Err(_) => Err(self.timeout(what, last)),
        }
    }

    /// Waits for a future that says by itself when it is done.
    pub(crate) async fn wait_for<T>(
        self,
        what: &str,
        future: impl Future<Output = Result<T, RuntimeError>>,
    ) -> Result<T, RuntimeError> {
        match timeout_at(self.at, future).await {
            Ok(result) => result,
            Err(_) => Err(self.timeout(what, "nothing yet".to_owned())),
        }
    }

    fn timeout(self, what: &str, last: String) -> RuntimeError {
        RuntimeError::Timeout { what: what.to_owned(), last, log: String::new(), limit: self.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_times_out_says_what_it_waited_for_and_what_it_saw() {
        let error = Deadline::after(Duration::from_secs(3))
            .until("the moon", async || Ok::<Look<()>, RuntimeError>(Look::NotYet("a cloud".to_owned())))
            .await
            .expect_err("the condition never comes about");
        assert_eq!(error.to_string(), "waited 3 s in vain for the moon; last seen: a cloud");
    }

    #[tokio::test(start_paused = true)]
    async fn a_condition_is_looked_at_until_it_comes_about() {
        let mut looks = 0;
        let value = Deadline::after(Duration::from_secs(3))
            .until("the third look", || {
                looks += 1;
                let look = if looks == 3 { Look::Done(looks) } else { Look::NotYet(format!("look {looks}")) };
                async move { Ok(look) }
            })
            .await;
        assert_eq!(value.expect("it comes about"), 3);
    }
}
