//! What changes about topics, as a stream.
//!
//! A watch holds no queue of changes: it remembers what it has told of each topic, is told which topics to look at again,
//! and tells what leads from the one to what is known now. So a slow reader gets the newest state and never more than that.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use rocketmq_nameserver_protocol::model::Name;
use rustc_hash::FxHashMap;

use super::RouteCache;
use super::change::{self, Change, Gone, RouteChange};
use super::subscriber::Subscriber;
use super::table::TopicState;

/// What changes about some topics: [`RouteCache::watch`]. Also a [`Stream`].
///
/// First comes [`TopicFound`](Change::TopicFound) for each topic that has a route. A reader that is slower than the changes
/// is told [`Resynced`](Change::Resynced) and then what leads to the newest state.
#[must_use = "a watch does nothing until it is asked for the next change"]
pub struct RouteWatch {
    cache: RouteCache,
    topics: Vec<Name>,
    pub(super) subscriber: Arc<Subscriber>,
    /// What was told of each topic.
    told: FxHashMap<Name, TopicState>,
    /// What is to be told before anything else is looked at.
    changes: VecDeque<RouteChange>,
}

impl RouteWatch {
    pub(super) fn new(cache: RouteCache, mut topics: Vec<Name>) -> Self {
        topics.sort();
        topics.dedup();
        let subscriber = Arc::new(Subscriber::default());
        let now = cache.shared.now();
        for topic in &topics {
            cache.shared.table.watch(topic, &subscriber, now);
        }
        RouteWatch { cache, topics, subscriber, told: FxHashMap::default(), changes: VecDeque::new() }
    }

    /// The next change; `None` when the cache was closed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<RouteChange> {
        poll_fn(|cx| self.poll_change(cx)).await
    }

    /// The topics that are watched.
    pub fn topics(&self) -> &[Name] {
        &self.topics
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<RouteChange>> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Poll::Ready(Some(change));
            }
            match self.subscriber.poll_take(cx) {
                Poll::Ready(Some((topic, gap))) => self.look(&topic, gap),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Puts down what has changed about the topic since it was looked at last.
    fn look(&mut self, topic: &Name, gap: bool) {
        let now = self.cache.shared.table.state(topic);
        if now.route.is_none() && now.gone.is_none() {
            // Nothing is known yet, or it was invalidated and is asked for: what was told still counts.
            return;
        }
        let before = self.told.insert(topic.clone(), now.clone()).unwrap_or_default();
        let known_before = before.route.is_some() || before.gone.is_some();
        let skipped = now.generation > before.generation + 1;
        let mut changes = Vec::new();
        if known_before && (gap || skipped) {
            changes.push(Change::Resynced { after: now.route.clone() });
        }
        match (before.route, now.route) {
            (None, Some(after)) => changes.push(Change::TopicFound { after }),
            (Some(before), None) => {
                changes.push(Change::TopicGone { before, why: now.gone.unwrap_or(Gone::NotFound) });
            }
            (Some(before), Some(after)) => changes.extend(change::between(&before, &after)),
            (None, None) => {}
        }
        let of_topic = |change| RouteChange { topic: topic.clone(), change };
        self.changes.extend(changes.into_iter().map(of_topic));
    }
}

impl Stream for RouteWatch {
    type Item = RouteChange;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RouteChange>> {
        self.get_mut().poll_change(cx)
    }
}

impl Drop for RouteWatch {
    fn drop(&mut self) {
        for topic in &self.topics {
            self.cache.shared.table.unwatch(topic, &self.subscriber);
        }
    }
}

impl fmt::Debug for RouteWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteWatch").field("topics", &self.topics).finish_non_exhaustive()
    }
}
