//! Where clients connect, and how often they may knock: a deployment that others use is asked slowly.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::meter::Meter;
use crate::runtime::Reach;

/// A place that clients connect to.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    reach: Reach,
    pace: Pace,
}

/// How much clients ask: of a Lab as much as they like. What they do is counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    limits: Option<Arc<Limits>>,
    meter: Meter,
}

#[derive(Debug)]
struct Limits {
    /// Who is under way.
    places: Arc<Semaphore>,
    /// When the next one may begin.
    next: Mutex<Instant>,
    between: Duration,
}

/// A client's turn, which ends when this is dropped.
#[must_use]
#[derive(Debug)]
pub(crate) struct Turn {
    _place: Option<OwnedSemaphorePermit>,
}

impl Pace {
    /// At most so many requests and handshakes each second, and so many under way.
    pub(crate) fn bounded(each_second: u32, at_once: usize) -> Self {
        let limits = Limits {
            places: Arc::new(Semaphore::new(at_once)),
            next: Mutex::new(Instant::now()),
            between: Duration::from_secs(1) / each_second,
        };
        Self { limits: Some(Arc::new(limits)), meter: Meter::default() }
    }

    /// As much as they like, counted here.
    pub(crate) fn counted_by(meter: &Meter) -> Self {
        Self { limits: None, meter: meter.clone() }
    }

    /// What counts.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Waits for this client's turn.
    pub(super) async fn turn(&self) -> Turn {
        let Some(limits) = &self.limits else { return Turn { _place: None } };
        // The semaphore is never closed.
        let place = Arc::clone(&limits.places).acquire_owned().await.ok();
        self.moment().await;
        Turn { _place: place }
    }

    /// Waits until something may begin.
    pub(super) async fn moment(&self) {
        let Some(limits) = &self.limits else { return };
        let own = {
            let mut next = limits.next.lock().await;
            let own = (*next).max(Instant::now());
            *next = own + limits.between;
            own
        };
        sleep_until(own).await;
    }
}

impl Door {
    pub(crate) fn new(reach: Reach, pace: &Pace) -> Self {
        Self { reach, pace: pace.clone() }
    }

    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Waits for this client's turn, which is over when what it gives is dropped.
    pub(super) async fn turn(&self) -> Turn {
        self.pace.turn().await
    }

    /// Waits until a connection may begin, for who has a turn already.
    pub(super) async fn moment(&self) {
        self.pace.moment().await;
    }

    pub(super) async fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = self.pace.meter.connects().of(self.reach.connect()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clients_take_turns() {
        let pace = Pace::bounded(10, 2);
        let begun = Instant::now();
        let first = pace.turn().await;
        let second = pace.turn().await;
        assert_eq!(begun.elapsed(), Duration::from_millis(100));
        assert!(tokio::time::timeout(Duration::from_secs(60), pace.turn()).await.is_err());
        drop(first);
        let _third = pace.turn().await;
        drop(second);
        pace.moment().await;
        assert!(Instant::now() - begun > Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_in_a_lab() {
        let begun = Instant::now();
        let turns = futures_util::future::join_all((0..1000).map(|_| async { Pace::default().turn().await })).await;
        assert_eq!((turns.len(), begun.elapsed()), (1000, Duration::ZERO));
    }
}
