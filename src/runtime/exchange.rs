//! Two Pods of one deployment exchange what their nginx stand in front of.

use std::mem::take;

use super::pod::{Pod, locked};

impl Pod {
    /// Puts the nginx of each of two Pods in front of the Prometheus of the other, without a restart. It takes that all
    /// their Prometheus are shared ones, which run outside of both; nothing happens otherwise, and it says so.
    pub(crate) async fn exchange(&self, other: &Self) -> bool {
        let [mut own, mut others] = [self, other].map(|pod| take(&mut *locked(&pod.prometheus)));
        let are_shared = own.iter().chain(&others).all(|backend| backend.own().is_err());
        let is_possible = are_shared && !own.is_empty() && own.len() == others.len();
        if is_possible {
            for (one, another) in own.iter_mut().zip(&mut others) {
                one.exchange(another).await;
            }
        }
        *locked(&self.prometheus) = own;
        *locked(&other.prometheus) = others;
        is_possible
    }
}
