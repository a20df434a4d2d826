//! Looks at the old and the new programs, and at their mixtures: those are asked what differs between the two.
//!
//! Prometheus takes longest to start, so each is started once: for the mixtures the two Labs exchange their nginx, which
//! are started anew and remember nothing.

use std::sync::Arc;

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

/// Boots one combination, looks at it, and takes it away.
pub(super) async fn alone(combination: Combination) -> Result<Observation> {
    last_look(combination.boot().await?, Scope::Everything.into()).await
}

/// Looks at the old and the new programs, and, where both programs change, at their mixtures.
pub(super) async fn observe(ends: [Combination; 2], both_change: bool) -> Result<Together> {
    let [(old_lab, old), (new_lab, new)] = Pair::begin(ends.map(first_look)).end().await?;
    let open = if both_change { left_open(&old, &new) } else { Scope::nothing() };
    let mixtures = mixtures([old_lab, new_lab], open).await?;
    Ok(Together { old, new, mixtures })
}

/// Asks the mixtures what is in the scope, if anything is, and takes all away: the new nginx in front of the old
/// Prometheus, and the other way round.
async fn mixtures([mut old, mut new]: [Booted; 2], scope: Scope) -> Result<Option<[Observation; 2]>> {
    if scope.is_empty() {
        Pair::begin([old, new].map(Booted::close)).end().await?;
        return Ok(None);
    }
    old.exchange_nginx(&mut new).await?;
    let scope = Arc::new(scope);
    let looks = [old, new].map(|booted| last_look(booted, Arc::clone(&scope)));
    Pair::begin(looks).end().await.map(Some)
}

async fn first_look(combination: Combination) -> Result<(Booted, Observation)> {
    let booted = combination.boot().await?;
    let observation = booted.observe(&Scope::Everything).await?;
    Ok((booted, observation))
}

async fn last_look(booted: Booted, scope: Arc<Scope>) -> Result<Observation> {
    let observation = booted.observe(&scope).await?;
    booted.close().await?;
    Ok(observation)
}
