//! Counts what clients do, and how long it takes: for `--timings`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// What the clients of one Lab did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Tallies>);

#[derive(Debug, Default)]
struct Tallies {
    connects: Counter,
    handshakes: Counter,
    requests: Counter,
}

/// How often something was done, and how long all of it took together.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Meter {
    /// TCP connections.
    pub(crate) fn connects(&self) -> &Counter {
        &self.0.connects
    }

    /// TLS handshakes, those that came to nothing too.
    pub(crate) fn handshakes(&self) -> &Counter {
        &self.0.handshakes
    }

    /// HTTP requests with the whole of their answers, connections and handshakes that they needed included.
    pub(crate) fn requests(&self) -> &Counter {
        &self.0.requests
    }
}

impl Counter {
    /// Does it, and counts it.
    pub(crate) async fn of<T>(&self, doing: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = doing.await;
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(took, Ordering::Relaxed);
        done
    }

    /// How often it was done, and how many milliseconds that took.
    pub(crate) fn total(&self) -> (u64, f64) {
        let nanoseconds = self.nanoseconds.load(Ordering::Relaxed);
        (self.count.load(Ordering::Relaxed), std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Meter;

    #[tokio::test(start_paused = true)]
    async fn what_is_done_is_counted_with_its_time() {
        let meter = Meter::default();
        for time in [30, 12] {
            let never = timeout(Duration::from_millis(time), std::future::pending::<()>());
            assert!(meter.clone().requests().of(never).await.is_err());
        }
        assert_eq!((meter.requests().total(), meter.connects().total()), ((2, 42.0), (0, 0.0)));
    }
}
