//! Looks at the old and the new programs, and at their mixtures: those are asked what differs between the two.
//!
//! Prometheus takes longest to start, so each is started once: for the mixtures the two Labs exchange their nginx, which
//! are started anew and remember nothing. Each Lab goes on as soon as it knows what it needs of the other.

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::combination::{Booted, Combination};
use super::fact::Looked;
use super::open::left_open;
use super::pair::Pair;
use crate::error::Result;
use crate::lab::Provided;
use crate::observation::Observation;
use crate::observe::Scope;
use crate::runtime::unfinished;

/// What was seen of all of them.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) old: Looked,
    pub(super) new: Looked,
    /// The new nginx in front of the old Prometheus, and the other way round, where something was left open.
    pub(super) mixtures: Option<[Looked; 2]>,
    /// The Labs, which are being taken away.
    pub(super) closing: [Closing; 2],
}

/// A Lab that is being taken away. Dropping this does so too, blocking until it is gone.
#[derive(Debug)]
pub(super) struct Closing(JoinSet<Result<()>>);

/// What came of one Lab.
struct Course {
    own: Looked,
    /// With the nginx of the other, where that was asked.
    mixture: Option<Looked>,
    closing: Closing,
}

/// What a Lab tells the other and hears of it.
struct Other {
    nginx: Exchange<Provided>,
    looked: Exchange<Looked>,
}

/// Something that both have and each of them wants of the other.
struct Exchange<T> {
    give: oneshot::Sender<T>,
    take: oneshot::Receiver<T>,
}

/// Boots one combination, looks at it, and takes it away.
pub(super) async fn alone(combination: Combination) -> Result<Observation> {
    let booted = combination.boot().await?;
    let observation = booted.observe(&Scope::Everything).await?;
    booted.close().await?;
    Ok(observation)
}

/// Looks at the old and the new programs, and, where both programs change, at their mixtures.
pub(super) async fn observe([old, new]: [Combination; 2], both_change: bool) -> Result<Together> {
    let (of_old, of_new) = match both_change {
        true => Other::pair(),
        false => (None, None),
    };
    let courses = [course(old, of_old), course(new, of_new)];
    let [old, new] = Pair::begin(courses).end().await?;
    Ok(Together {
        old: old.own,
        new: new.own,
        mixtures: old.mixture.zip(new.mixture).map(|(new_nginx, new_prometheus)| [new_nginx, new_prometheus]),
        closing: [old.closing, new.closing],
    })
}

/// Boots a combination and looks at it; then at the mixture that it is with the nginx of the other.
async fn course(combination: Combination, other: Option<Other>) -> Result<Course> {
    let mut booted = combination.boot().await?;
    let Some(Other { nginx, looked }) = other else {
        let own = booted.observe(&Scope::Everything).await?.into();
        return Ok(Course { own, mixture: None, closing: Closing::begin(booted) });
    };
    let others_nginx = nginx.give(booted.nginx().clone());
    let own: Looked = booted.observe(&Scope::Everything).await?.into();
    let others = looked.give(own.clone());
    // Rarely there is nothing to ask a mixture: who is through first does not wait for what the other sees.
    booted.replace_nginx(told(others_nginx).await).await?;
    let open = left_open(&own, &told(others).await);
    let mixture = match open.is_empty() {
        true => None,
        false => Some(booted.observe(&open).await?.into()),
    };
    Ok(Course { own, mixture, closing: Closing::begin(booted) })
}

/// What the other tells. One that fails tells nothing, and ends both.
async fn told<T>(by_other: oneshot::Receiver<T>) -> T {
    match by_other.await {
        Ok(told) => told,
        Err(_failed) => std::future::pending().await,
    }
}

impl Other {
    /// What each of two has of the other.
    fn pair() -> (Option<Self>, Option<Self>) {
        let ((nginx, others_nginx), (looked, others_looked)) = (Exchange::pair(), Exchange::pair());
        (Some(Self { nginx, looked }), Some(Self { nginx: others_nginx, looked: others_looked }))
    }
}

impl<T> Exchange<T> {
    fn pair() -> (Self, Self) {
        let ((give, others_take), (others_give, take)) = (oneshot::channel(), oneshot::channel());
        (Self { give, take }, Self { give: others_give, take: others_take })
    }

    /// Gives the own one, for the other's.
    fn give(self, own: T) -> oneshot::Receiver<T> {
        // Who has ended meanwhile needs to know nothing.
        let _ = self.give.send(own);
        self.take
    }
}

impl Closing {
    fn begin(booted: Booted) -> Self {
        let mut task = JoinSet::new();
        task.spawn(booted.close());
        Self(task)
    }

    /// Returns when nothing is left of it.
    pub(super) async fn end(mut self) -> Result<()> {
        while let Some(closed) = self.0.join_next().await {
            closed.map_err(unfinished)??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn each_hears_what_the_other_tells() {
        let (one, other) = Exchange::pair();
        let by_other = one.give(1);
        let by_one = other.give(2);
        assert_eq!((told(by_other).now_or_never(), told(by_one).now_or_never()), (Some(2), Some(1)));
    }

    #[test]
    fn who_hears_nothing_waits_for_its_end() {
        let (one, other) = Exchange::<u8>::pair();
        drop(other);
        assert_eq!(told(one.give(1)).now_or_never(), None);
    }
}
