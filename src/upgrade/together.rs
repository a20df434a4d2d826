//! Looks at the old and the new programs, and at their mixtures: those are asked what differs between the two.
//!
//! Prometheus takes longest to start, so each is started once: for the mixtures the two Labs exchange their nginx, which
//! are started anew and remember nothing.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::combination::{Booted, Combination};
use super::fact::Looked;
use super::open::left_open;
use super::pair::Pair;
use crate::error::Result;
use crate::lab::Provided;
use crate::observation::Observation;
use crate::observe::Scope;

/// What was seen of all of them.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) old: Looked,
    pub(super) new: Looked,
    /// The new nginx in front of the old Prometheus, and the other way round, where something was left open.
    pub(super) mixtures: Option<[Looked; 2]>,
    /// The Labs, which are being taken away.
    pub(super) closing: Pair<()>,
}

/// How a Lab comes to the nginx of the other.
struct Exchange {
    own: oneshot::Sender<Provided>,
    others: oneshot::Receiver<Provided>,
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
    let [(tell_of_old, of_old), (tell_of_new, of_new)] = [oneshot::channel(), oneshot::channel()];
    let exchange = |own, others| both_change.then_some(Exchange { own, others });
    let looks = [first_look(old, exchange(tell_of_old, of_new)), first_look(new, exchange(tell_of_new, of_old))];
    let [(old_lab, old), (new_lab, new)] = Pair::begin(looks).end().await?;
    let mut labs = [old_lab, new_lab];
    let mut mixtures = None;
    let open = if both_change { left_open(&old, &new) } else { Scope::nothing() };
    if !open.is_empty() {
        let open = Arc::new(open);
        let looks = labs.map(|booted| look(booted, Arc::clone(&open)));
        let [(one_lab, new_nginx), (other_lab, new_prometheus)] = Pair::begin(looks).end().await?;
        labs = [one_lab, other_lab];
        mixtures = Some([new_nginx, new_prometheus]);
    }
    Ok(Together { old, new, mixtures, closing: Pair::begin(labs.map(Booted::close)) })
}

/// Boots a combination and looks at it. Then it gets the nginx of the other: rarely there is nothing to ask a mixture, and
/// who is through first does not wait for what the other has seen.
async fn first_look(combination: Combination, exchange: Option<Exchange>) -> Result<(Booted, Looked)> {
    let mut booted = combination.boot().await?;
    let others = exchange.map(|Exchange { own, others }| {
        // Who has ended meanwhile needs to know nothing.
        let _ = own.send(booted.nginx().clone());
        others
    });
    let observation = booted.observe(&Scope::Everything).await?;
    if let Some(others) = others
        && let Ok(nginx) = others.await
    {
        booted.replace_nginx(nginx).await?;
    }
    Ok((booted, observation.into()))
}

async fn look(booted: Booted, scope: Arc<Scope>) -> Result<(Booted, Looked)> {
    let observation = booted.observe(&scope).await?;
    Ok((booted, observation.into()))
}
