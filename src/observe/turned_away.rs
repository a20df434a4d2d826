//! Whether nginx turned a check away for how much is asked: what such a check found is not about the deployment.

use std::cell::Cell;

use super::Seen;

tokio::task_local! {
    static TURNED_AWAY: Cell<bool>;
}

/// What a check comes to, and whether one of its requests was turned away.
pub(crate) async fn watched<T>(asking: impl Future<Output = T>) -> (T, bool) {
    let watching = async { (asking.await, TURNED_AWAY.with(Cell::get)) };
    TURNED_AWAY.scope(Cell::new(false), watching).await
}

/// Takes note of an answer. nginx's limits answer with a page of HTML, 503 unless 429 is set; Prometheus's own 503 is none.
pub(super) fn note(seen: &Seen) {
    if seen.status == 429 || (seen.status == 503 && seen.media_type() == "text/html") {
        // Outside of a check nobody asks.
        let _ = TURNED_AWAY.try_with(|turned_away| turned_away.set(true));
    }
}
