//! What watches, `explain` and statistics are told of the table.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use super::Table;
use crate::cache::change::Gone;
use crate::cache::explanation::{Explanation, Happened, Kept};
use crate::cache::stats::RouteCacheStats;
use crate::cache::subscriber::Subscriber;

/// What a watch has to know of a topic to tell what has changed since it looked last.
#[derive(Debug, Default, Clone)]
pub(in crate::cache) struct TopicState {
    pub(in crate::cache) route: Option<Arc<TopicRouteData>>,
    pub(in crate::cache) generation: u64,
    pub(in crate::cache) gone: Option<Gone>,
}

impl Table {
    /// From now on the subscriber is told of the topic, and first of what there is. A topic without a route is asked for
    /// at once and again and again.
    pub(in crate::cache) fn watch(&self, topic: &Name, subscriber: &Arc<Subscriber>, now: Duration) {
        let mut rest = self.rest();
        let known = rest.topic(topic);
        known.watchers.retain(|watcher| watcher.strong_count() > 0);
        known.watchers.push(Arc::downgrade(subscriber));
        match self.cached(topic) {
            Some(cached) => {
                cached.used(now);
                subscriber.mark(topic, false);
            }
            None => self.poll_at(&mut rest, topic, now),
        }
    }

    /// The subscriber is gone.
    pub(in crate::cache) fn unwatch(&self, topic: &Name, subscriber: &Subscriber) {
        let mut rest = self.rest();
        if let Some(known) = rest.topics.get_mut(topic) {
            let same = |watcher: &Weak<Subscriber>| std::ptr::eq(watcher.as_ptr(), subscriber);
            known.watchers.retain(|watcher| !same(watcher));
        }
        self.forget_if_plain(&mut rest, topic);
    }

    pub(in crate::cache) fn state(&self, topic: &Name) -> TopicState {
        let rest = self.rest();
        let cached = self.cached(topic);
        let known = rest.topics.get(topic);
        TopicState {
            generation: cached
                .as_ref()
                .map_or(0, |cached| cached.generation)
                .max(known.map_or(0, |known| known.generation)),
            gone: known.and_then(|known| known.gone),
            route: cached.map(|cached| Arc::clone(&cached.route)),
        }
    }

    pub(in crate::cache) fn explain(&self, topic: &str, now: Duration) -> Explanation {
        let rest = self.rest();
        let known = rest.topics.get(topic);
        let ago = |at: Duration| now.saturating_sub(at);
        let kept = self.cached(topic).map(|cached| {
            let age = cached.age(now);
            Kept {
                route: crate::cache::entry::CachedRoute::new(&cached, age, age > self.ttl),
                first_ago: ago(cached.first_at),
                refreshed_in: cached.due_at().saturating_sub(now),
                loaded_from: rest
                    .loaded_from
                    .as_deref()
                    .filter(|_| cached.is_only_loaded())
                    .map(Path::to_owned),
            }
        });
        let history = known.map(|known| known.history.clone()).unwrap_or_default();
        Explanation {
            topic: Name::from(topic),
            kept,
            asking: known.is_some_and(|known| known.flight.is_some()),
            missing_for: known
                .and_then(|known| known.missing.as_ref())
                .map(|missing| missing.until.saturating_sub(now))
                .filter(|left| !left.is_zero()),
            failures: known.map_or(0, |known| known.failures),
            history: history
                .iter()
                .map(|event| Happened {
                    ago: ago(event.at),
                    times: event.times,
                    what: event.what.to_string(),
                })
                .collect(),
        }
    }

    pub(in crate::cache) fn stats(&self) -> RouteCacheStats {
        let (hits, stale_hits) = self.hits.sum();
        RouteCacheStats { topics: self.routes.len(), hits, stale_hits, ..self.rest().counted }
    }

    /// All watches end.
    pub(in crate::cache) fn end_watches(&self) {
        let rest = self.rest();
        let watchers: Vec<_> =
            rest.topics.values().flat_map(|known| &known.watchers).filter_map(Weak::upgrade).collect();
        drop(rest);
        watchers.iter().for_each(|watcher| watcher.end());
    }

    /// Every topic that has a route.
    pub(in crate::cache) fn topics(&self) -> Vec<Name> {
        self.routes.pin().iter().map(|by_topic| by_topic.0.topic.clone()).collect()
    }
}
