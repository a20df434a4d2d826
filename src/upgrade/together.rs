//! Looks at the old and the new programs, and at their mixtures: those are asked what differs between the two.
//!
//! Where both use a Prometheus that may be shared, and nginx remembers nothing, they exchange it: each nginx and each
//! Prometheus is booted once. Else the mixtures boot while the old and the new programs are looked at.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::combination::{Booted, Combination};
use super::open::left_open;
use super::pair::Pair;
use crate::error::Result;
use crate::observation::Observation;
use crate::observe::Scope;

/// What was seen of all of them.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) old: Observation,
    pub(super) new: Observation,
    /// The new nginx in front of the old Prometheus, and the other way round, where something was left open.
    pub(super) mixtures: Option<[Observation; 2]>,
}

/// The new nginx in front of the old Prometheus, and the other way round.
enum Mixtures {
    /// There are none: one program alone changes.
    None,
    /// They are had by an exchange, or booted once it is known what they have to be asked.
    Planned(Box<[Combination; 2]>),
    /// They boot.
    Booting(Pair<Booted>),
}

/// Boots one combination, looks at it, and takes it away.
pub(super) async fn alone(combination: Combination) -> Result<Observation> {
    last_look(combination.boot().await?, Scope::Everything.into()).await
}

/// Looks at the old and the new programs, and at the mixtures if there are any: the new nginx in front of the old
/// Prometheus, and the other way round.
pub(super) async fn observe(ends: [Combination; 2], mixtures: Option<[Combination; 2]>) -> Result<Together> {
    let [(tell_of_old, old), (tell_of_new, new)] = [oneshot::channel(), oneshot::channel()];
    let [of_old, of_new] = ends;
    let looking = Pair::begin([first_look(of_old, tell_of_old), first_look(of_new, tell_of_new)]);
    // Of one that does not boot nothing is told, and there is no more to do.
    let mixtures = match (old.await, new.await) {
        (Ok(true), Ok(true)) => mixtures.map_or(Mixtures::None, |mixtures| Mixtures::Planned(Box::new(mixtures))),
        (Ok(_), Ok(_)) => mixtures.map_or(Mixtures::None, Mixtures::boot),
        _ => Mixtures::None,
    };
    let [(old_lab, old), (new_lab, new)] = match looking.end().await {
        Ok(looks) => looks,
        Err(error) => {
            mixtures.stop().await;
            return Err(error);
        }
    };
    let mixtures = mixtures.observe([old_lab, new_lab], left_open(&old, &new)).await?;
    Ok(Together { old, new, mixtures })
}

impl Mixtures {
    fn boot(planned: [Combination; 2]) -> Self {
        Self::Booting(Pair::begin(planned.map(Combination::boot)))
    }

    /// Asks them what is in the scope, if anything is, and takes all away.
    async fn observe(self, ends: [Booted; 2], scope: Scope) -> Result<Option<[Observation; 2]>> {
        let (is_part, is_nothing) = (scope != Scope::Everything, scope.is_empty());
        let scope = Arc::new(scope);
        let [mut old, mut new] = ends;
        let booting = match self {
            Self::None => return gone([old, new]).await.map(|()| None),
            mixtures if is_nothing => {
                mixtures.stop().await;
                return gone([old, new]).await.map(|()| None);
            }
            // Of two nginx that serve, one after the other, a log does not say which Prometheus it is about.
            Self::Planned(_) if is_part && old.exchange(&mut new).await => {
                let looks = [old, new].map(|booted| last_look(booted, Arc::clone(&scope)));
                let [new_prometheus, new_nginx] = Pair::begin(looks).end().await?;
                return Ok(Some([new_nginx, new_prometheus]));
            }
            Self::Planned(planned) => Pair::begin(planned.map(Combination::boot)),
            Self::Booting(booting) => booting,
        };
        if let Err(error) = gone([old, new]).await {
            booting.stop().await;
            return Err(error);
        }
        let booted = booting.end().await?;
        Pair::begin(booted.map(|booted| last_look(booted, Arc::clone(&scope)))).end().await.map(Some)
    }

    async fn stop(self) {
        if let Self::Booting(booting) = self {
            booting.stop().await;
        }
    }
}

/// Tells whether its Prometheus can be exchanged as soon as that is known.
async fn first_look(combination: Combination, tell: oneshot::Sender<bool>) -> Result<(Booted, Observation)> {
    let booted = combination.boot().await?;
    // Who has ended meanwhile needs to know nothing.
    let _ = tell.send(booted.may_be_exchanged());
    let observation = booted.observe(&Scope::Everything).await?;
    Ok((booted, observation))
}

async fn last_look(booted: Booted, scope: Arc<Scope>) -> Result<Observation> {
    let observation = booted.observe(&scope).await?;
    booted.close().await?;
    Ok(observation)
}

async fn gone(ends: [Booted; 2]) -> Result<()> {
    Pair::begin(ends.map(Booted::close)).end().await.map(|_| ())
}
