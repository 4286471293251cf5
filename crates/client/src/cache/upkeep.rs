//! The task that refreshes what is due, and writes the snapshot. There is one while there is a cache and a runtime for it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use super::flight::Flight;
use super::{RouteCache, Shared, snapshot};
use crate::call::current_runtime;
use crate::error::Result;

/// The task, if it was ever started.
#[derive(Debug, Default)]
pub(super) struct Upkeep(Mutex<Option<JoinHandle<()>>>);

impl RouteCache {
    /// Sees to it that the task runs: the first call starts it, and the first one after its runtime has ended.
    pub(super) fn keep_up(&self) -> Result<()> {
        let mut task = self.shared.upkeep.0.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) && !self.is_closed() {
            let stop = self.shared.stop.clone();
            let shared = Arc::downgrade(&self.shared);
            *task = Some(current_runtime()?.spawn(async move {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    _ = async { tokio::join!(keep(shared.clone()), snapshot::keep(shared)) } => {}
                }
            }));
            self.shared.attend();
        }
        Ok(())
    }
}

async fn keep(shared: Weak<Shared>) {
    let Ok(runtime) = current_runtime() else { return };
    loop {
        // No hold of the cache while this waits: the last clone ends it.
        let Some(held) = shared.upgrade() else { return };
        let due = held.table.due(held.now());
        // Routes may have been dropped.
        held.routes_touched();
        Flight::new(&held, due.tickets).start(&runtime);
        #[cfg_attr(not(feature = "metrics"), expect(unused_mut, reason = "only publishing comes earlier"))]
        let mut next = due.next.map(|next| held.started + next);
        #[cfg(feature = "metrics")]
        {
            super::metrics::publish(&held.name, &held.table.stats());
            let publish = tokio::time::Instant::now() + super::metrics::EVERY;
            next = Some(next.map_or(publish, |next| next.min(publish)));
        }
        let earlier = Arc::clone(&held.table.earlier);
        drop(held);
        match next {
            Some(next) => {
                // Either is a reason to look.
                let _elapsed = timeout_at(next, earlier.notified()).await;
            }
            None => earlier.notified().await,
        }
    }
}
