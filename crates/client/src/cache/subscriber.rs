//! What one watch has still to look at. The table tells it, [`watch`](super::watch) empties it at its own pace.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rocketmq_nameserver_protocol::model::Name;
use rustc_hash::FxHashMap;

/// Each topic stands in it at most once, so it is never larger than what is watched.
#[derive(Debug, Default)]
pub(super) struct Subscriber(Mutex<Unseen>);

#[derive(Debug, Default)]
struct Unseen {
    order: VecDeque<Name>,
    /// Whether there was a gap.
    gaps: FxHashMap<Name, bool>,
    ended: bool,
    reader: Option<Waker>,
}

impl Subscriber {
    /// That topic is to be looked at.
    pub(super) fn mark(&self, topic: &Name, gap: bool) {
        let mut unseen = self.unseen();
        match unseen.gaps.get_mut(topic) {
            Some(known) => *known |= gap,
            None => {
                unseen.order.push_back(topic.clone());
                unseen.gaps.insert(topic.clone(), gap);
            }
        }
        wake(unseen);
    }

    /// Nothing will come any more.
    pub(super) fn end(&self) {
        let mut unseen = self.unseen();
        unseen.ended = true;
        wake(unseen);
    }

    /// The next topic to look at, and whether there was a gap; `None` at the end.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<(Name, bool)>> {
        let mut unseen = self.unseen();
        if unseen.ended {
            return Poll::Ready(None);
        }
        if let Some(topic) = unseen.order.pop_front() {
            let gap = unseen.gaps.remove(&topic).unwrap_or(false);
            return Poll::Ready(Some((topic, gap)));
        }
        unseen.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nothing panics while this lock is held.
    fn unseen(&self) -> MutexGuard<'_, Unseen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader, not under the lock.
fn wake(mut unseen: MutexGuard<'_, Unseen>) {
    let reader = unseen.reader.take();
    drop(unseen);
    if let Some(reader) = reader {
        reader.wake();
    }
}
