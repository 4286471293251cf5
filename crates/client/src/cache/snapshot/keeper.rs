//! When the snapshot is written: soon after a route was found, changed or gone, seldom if routes were only confirmed, and never
//! for more than a small part of the time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::Snapshot;
use crate::cache::Shared;

/// How long changes are gathered before they are written: 1 s. A start with a thousand topics is then one file, and more than
/// that is hardly lost. It is the time between two files, too: where something changes all the time, a small file would
/// otherwise be written and synced dozens of times a second.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// The pause after a file, in times of what writing it has taken: so it is a tenth of the time at most.
pub(super) const PAUSE: u32 = 10;

/// How long after a failure it is tried again: 10 s. Whoever makes room waits no longer for the next file.
pub(super) const RETRY: Duration = Duration::from_secs(10);

/// What is to be done.
enum Next {
    Write,
    WriteAt(Instant),
    /// Nothing has happened that is not in the file.
    Wait,
}

/// Writes the snapshot of a cache while there is one.
pub(in crate::cache) async fn keep(shared: Weak<Shared>) {
    let Some(snapshot) = shared.upgrade().and_then(|held| held.snapshot.clone()) else { return };
    snapshot.read.cancelled().await;
    loop {
        // No hold of the cache while this waits: the last clone ends it.
        let Some(next) = shared.upgrade().map(|held| next(&snapshot, &held)) else { return };
        match next {
            Next::Write => {
                let (writes, cache) = (Arc::clone(&snapshot), shared.clone());
                // It says itself what goes wrong; a runtime that ends does not begin it.
                let _ = tokio::task::spawn_blocking(move || writes.write(&cache)).await;
                let pause = snapshot.state().not_before;
                sleep_until(pause).await;
            }
            // Either is a reason to look, but not before some more may have come.
            Next::WriteAt(at) => {
                let _elapsed = timeout_at(at, snapshot.touched.notified()).await;
                sleep(SOON).await;
            }
            Next::Wait => {
                snapshot.touched.notified().await;
                sleep(SOON).await;
            }
        }
    }
}

fn next(snapshot: &Snapshot, shared: &Shared) -> Next {
    let mark = shared.table.mark();
    let state = snapshot.state();
    let now = Instant::now();
    let at = match &state.mark {
        Some(written) if *written == mark => return Next::Wait,
        Some(written) if written.has_same_routes(&mark) => {
            let Some(at) = state.at.checked_add(shared.table.ttl()) else { return Next::Wait };
            at.max(state.not_before)
        }
        _ => state.not_before,
    };
    if at <= now { Next::Write } else { Next::WriteAt(at) }
}
