//! Keeps what is shared: made once for all who need the same, and kept for a while when nobody does.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

use super::CommonsStatistics;
use crate::runtime::error::RuntimeError;
use crate::runtime::unfinished;

/// How many may use one at a time. Prometheus serves 512 connections and queues at 20 queries: whoever is beyond gets
/// another, so that nobody feels his neighbours.
const MOST_USERS: usize = 8;
/// How many are kept that nobody uses.
const MOST_IDLE: usize = 2;
/// How long ending what is left may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that may end by itself.
pub(super) trait Serves {
    /// Whether it still serves.
    fn serves(&self) -> bool;
}

/// What is shared, that which was used last at the end.
pub(super) struct Shelf<K, V: Send + Sync + 'static> {
    state: Mutex<State<K, V>>,
    /// What is shared outlives the runtime of whoever needed it first, so it has its own.
    runtime: OnceLock<Runtime>,
}

struct State<K, V> {
    slots: Vec<Slot<K, V>>,
    started: usize,
    used: usize,
}

struct Slot<K, V> {
    key: K,
    /// Empty while it is being made.
    value: Arc<OnceCell<V>>,
    users: usize,
}

/// Something shared that is in use. Dropping it gives it back.
pub(super) struct Lease<K: PartialEq, V: Serves + Send + Sync + 'static> {
    value: Arc<OnceCell<V>>,
    shelf: Arc<Shelf<K, V>>,
}

impl<K, V: Send + Sync + 'static> Default for Shelf<K, V> {
    fn default() -> Self {
        let state = State { slots: Vec::new(), started: 0, used: 0 };
        Self { state: Mutex::new(state), runtime: OnceLock::new() }
    }
}

impl<K: PartialEq, V: Serves + Send + Sync + 'static> Shelf<K, V> {
    /// What was made for this key; it is made where there is none that serves, in this shelf's own runtime.
    pub(super) async fn lease<F>(
        self: &Arc<Self>,
        key: K,
        make: impl FnOnce() -> F,
    ) -> Result<Lease<K, V>, RuntimeError>
    where
        F: Future<Output = Result<V, RuntimeError>> + Send + 'static,
    {
        let lease = Lease { value: self.take(key), shelf: Arc::clone(self) };
        let making = || async {
            self.lock().started += 1;
            self.runtime()?.spawn(make()).await.map_err(unfinished)?
        };
        lease.value.get_or_try_init(making).await?;
        Ok(lease)
    }

    pub(super) fn statistics(&self) -> CommonsStatistics {
        let state = self.lock();
        let running = state.slots.iter().filter(|slot| slot.value.get().is_some_and(V::serves)).count();
        CommonsStatistics { started: state.started, used: state.used, running }
    }

    /// A place on the shelf for one more user of a key.
    fn take(&self, key: K) -> Arc<OnceCell<V>> {
        let mut state = self.lock();
        state.used += 1;
        let fits = |slot: &Slot<K, V>| slot.key == key && slot.users < MOST_USERS && slot.may_serve();
        let slot = match state.slots.iter().position(fits) {
            Some(index) => state.slots.remove(index),
            None => Slot { key, value: Arc::default(), users: 0 },
        };
        let value = Arc::clone(&slot.value);
        state.slots.push(Slot { users: slot.users + 1, ..slot });
        value
    }

    /// One user of it less. What is not worth keeping goes, and what nobody has used for the longest time.
    fn give_back(&self, value: Arc<OnceCell<V>>) {
        let mut gone = Vec::new();
        let mut state = self.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| Arc::ptr_eq(&slot.value, &value)) {
            slot.users -= 1;
        }
        gone.extend(state.slots.extract_if(.., |slot| slot.users == 0 && !slot.is_worth_keeping()));
        let idle = state.slots.iter().filter(|slot| slot.users == 0).count();
        let mut surplus = idle.saturating_sub(MOST_IDLE);
        gone.extend(state.slots.extract_if(.., |slot| {
            let goes = slot.users == 0 && surplus > 0;
            surplus -= usize::from(goes);
            goes
        }));
        drop(state);
        let gone: Vec<_> = gone.into_iter().map(|slot| slot.value).collect();
        if let Some(runtime) = self.runtime.get().filter(|_| !gone.is_empty()) {
            // Ending it waits for the kernel.
            runtime.spawn_blocking(move || drop((gone, value)));
        }
    }

    fn runtime(&self) -> Result<&Runtime, RuntimeError> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let built = Builder::new_multi_thread().worker_threads(1).thread_name("commons").enable_all().build();
        let built = built.map_err(|error| RuntimeError::Sandbox {
            doing: "start a thread for what is shared".to_owned(),
            reason: error.to_string(),
        })?;
        if let Err(second) = self.runtime.set(built) {
            second.shutdown_background();
        }
        // It was set here, or by somebody else meanwhile.
        self.runtime()
    }
}

impl<K, V: Send + Sync + 'static> Shelf<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V: Serves> Slot<K, V> {
    /// Whether it serves, or is about to.
    fn may_serve(&self) -> bool {
        self.value.get().is_none_or(V::serves)
    }

    fn is_worth_keeping(&self) -> bool {
        self.value.get().is_some_and(V::serves)
    }
}

impl<K, V: Send + Sync + 'static> Drop for Shelf<K, V> {
    /// Ends all that is left, and waits until it has.
    fn drop(&mut self) {
        let slots = std::mem::take(&mut self.lock().slots);
        let values: Vec<Arc<OnceCell<V>>> = slots.into_iter().map(|slot| slot.value).collect();
        let Some(runtime) = self.runtime.take() else { return };
        // On a thread of its own: this one may belong to a runtime, in which nobody may wait.
        let ending = std::thread::spawn(move || {
            // Each waits for the kernel.
            let ending: Vec<_> = values.into_iter().map(|value| std::thread::spawn(move || drop(value))).collect();
            // What has panicked has ended too.
            ending.into_iter().for_each(|ending| drop(ending.join()));
            runtime.shutdown_timeout(PATIENCE);
        });
        let _ = ending.join();
    }
}

impl<K: PartialEq, V: Serves + Send + Sync + 'static> Deref for Lease<K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value.get().expect("a lease is handed out when its value is there")
    }
}

impl<K: PartialEq, V: Serves + Send + Sync + 'static> Drop for Lease<K, V> {
    fn drop(&mut self) {
        self.shelf.give_back(std::mem::take(&mut self.value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    /// Something that says when it is gone.
    struct Thing {
        serves: Arc<AtomicBool>,
        gone: Arc<AtomicUsize>,
    }

    impl Serves for Thing {
        fn serves(&self) -> bool {
            self.serves.load(Ordering::SeqCst)
        }
    }

    impl Drop for Thing {
        fn drop(&mut self) {
            self.gone.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[derive(Clone, Default)]
    struct Maker {
        shelf: Arc<Shelf<u32, Thing>>,
        gone: Arc<AtomicUsize>,
    }

    impl Maker {
        async fn lease(&self, key: u32) -> Lease<u32, Thing> {
            let gone = Arc::clone(&self.gone);
            let make = || async move { Ok(Thing { serves: Arc::new(AtomicBool::new(true)), gone }) };
            self.shelf.lease(key, make).await.expect("it is made")
        }
    }

    #[tokio::test]
    async fn who_needs_the_same_at_once_waits_for_one() {
        let maker = Maker::default();
        let leases = join_all((0..MOST_USERS).map(|_| maker.lease(1))).await;
        let expected = CommonsStatistics { started: 1, used: MOST_USERS, running: 1 };
        assert_eq!((leases.len(), maker.shelf.statistics()), (MOST_USERS, expected));
        let _one_more = maker.lease(1).await;
        assert_eq!(maker.shelf.statistics().running, 2);
    }

    #[tokio::test]
    async fn few_are_kept_and_the_last_used_among_them() {
        let maker = Maker::default();
        for key in [1, 2, 3, 2, 4] {
            drop(maker.lease(key).await);
        }
        drop(maker.lease(2).await);
        assert_eq!(maker.shelf.statistics(), CommonsStatistics { started: 4, used: 6, running: MOST_IDLE });
    }

    #[tokio::test]
    async fn one_that_has_ended_is_made_anew_and_what_fails_is_not_kept() {
        let maker = Maker::default();
        let first = maker.lease(1).await;
        first.serves.store(false, Ordering::SeqCst);
        let second = maker.lease(1).await;
        assert_eq!(maker.shelf.statistics(), CommonsStatistics { started: 2, used: 2, running: 1 });
        drop((first, second));
        let fails = || async { Err(RuntimeError::NoGuests) };
        assert!(maker.shelf.lease(5, fails).await.is_err());
        assert_eq!(maker.shelf.lock().slots.len(), 1);
    }

    #[test]
    fn all_is_gone_with_the_last_handle_even_where_nobody_may_wait() {
        let maker = Maker::default();
        let gone = Arc::clone(&maker.gone);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            drop((maker.lease(1).await, maker.lease(2).await, maker.lease(3).await));
            drop(maker);
        });
        assert_eq!(gone.load(Ordering::SeqCst), 3);
    }
}
