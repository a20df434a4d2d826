//! Two Labs of one deployment exchange their Prometheus: four combinations of programs from two boots.

use tokio::sync::OnceCell;

use super::Lab;
use crate::observe::Observer;

impl Lab {
    /// Puts the nginx of each of two Labs in front of the Prometheus of the other, where both use shared ones
    /// ([`Commons`](crate::Commons)). What was answered before is
    /// forgotten. False, and nothing done, where they do not.
    pub(crate) async fn exchange(&mut self, other: &mut Self) -> bool {
        let is_done = self.pod.exchange(&other.pod).await;
        if is_done {
            std::mem::swap(&mut self.programs.prometheus, &mut other.programs.prometheus);
            let observers = self.observers.iter_mut().chain(&mut other.observers);
            observers.filter_map(OnceCell::get_mut).for_each(Observer::forget_answers);
        }
        is_done
    }

    /// Whether it uses a Prometheus of its own.
    pub(crate) fn is_alone(&self) -> bool {
        !self.pod.is_sharing()
    }
}
