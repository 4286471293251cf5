//! All routes of a cache and all that is known about their topics, without any task, socket or clock: the time is an
//! argument, counted from when the cache was made.
//!
//! Two places. `routes` is read without a lock: whoever gets a fresh route touches nothing else. `rest` is behind one lock
//! and has what only questions, answers, watches and the schedule need.
//!
//! | file | what |
//! |---|---|
//! | `table.rs` | looking a route up |
//! | `table/ask.rs` | who asks: single flight, topics that are known to be missing |
//! | `table/answer.rs` | what an answer changes: confirmed, changed, gone, kept in spite of it |
//! | `table/schedule.rs` | when routes are refreshed, evicted and given up |
//! | `table/load.rs` | what is taken from disk, and given to it |
//! | `table/told.rs` | what watches, `explain` and statistics are told |

mod answer;
mod ask;
mod load;
mod schedule;
mod told;

use std::collections::BinaryHeap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;
use rustc_hash::{FxBuildHasher, FxHashMap};
use tokio::sync::Notify;

use super::budget::Budget;
use super::entry::{ByTopic, Cached, CachedRoute, nanos};
use super::intern::Interned;
use super::stats::{Hits, RouteCacheStats};
use super::topic::Topic;

pub(super) use ask::{Answer, Asked, Ticket};
pub(super) use load::{Mark, Stored};
pub(super) use told::TopicState;

/// How long things count. See [`RouteCacheBuilder`](super::RouteCacheBuilder) for each.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) ttl: Duration,
    pub(super) max_stale: Duration,
    pub(super) negative_ttl: Duration,
    pub(super) idle_after: Duration,
    pub(super) scheduled_refresh: bool,
    pub(super) refreshes_per_second: u32,
}

#[derive(Debug)]
pub(super) struct Table {
    rules: Rules,
    /// `ttl` and `max_stale` in nanoseconds.
    ttl: u64,
    max_stale: u64,
    routes: papaya::HashSet<ByTopic, FxBuildHasher>,
    hits: Hits,
    rest: Mutex<Rest>,
    /// Rings when something is due earlier than whoever keeps the schedule knows.
    pub(super) earlier: Arc<Notify>,
    jitter: RandomState,
}

#[derive(Debug)]
struct Rest {
    /// Boxed: there are many for a short time, and the map does not give its room back.
    topics: FxHashMap<Name, Box<Topic>>,
    /// How many topics there must be before those that nobody needs are thrown out.
    sweep_at: usize,
    schedule: BinaryHeap<schedule::Place>,
    /// What whoever keeps the schedule waits for; `None`: nothing.
    wakes_at: Option<Duration>,
    budget: Budget,
    /// When each broker was reported last.
    reported: FxHashMap<Name, Duration>,
    interned: Interned,
    /// The file from which routes were loaded.
    loaded_from: Option<Arc<Path>>,
    /// The number of the last question.
    asked: u64,
    /// All but `topics` and the hits of routes, which are known elsewhere.
    counted: RouteCacheStats,
}

/// What a lookup finds.
#[derive(Debug)]
pub(super) enum Found {
    /// Served, and that is all.
    Fresh(CachedRoute),
    /// Served, and asked for behind the caller's back.
    Stale(CachedRoute),
    /// To be asked for.
    Nothing,
}

impl Table {
    pub(super) fn new(rules: Rules) -> Self {
        let rest = Rest {
            topics: FxHashMap::default(),
            sweep_at: MIN_SWEEP,
            schedule: BinaryHeap::new(),
            wakes_at: None,
            budget: Budget::new(rules.refreshes_per_second),
            reported: FxHashMap::default(),
            interned: Interned::default(),
            loaded_from: None,
            asked: 0,
            counted: RouteCacheStats::default(),
        };
        Table {
            ttl: nanos(rules.ttl),
            max_stale: nanos(rules.max_stale),
            rules,
            routes: papaya::HashSet::with_hasher(FxBuildHasher),
            hits: Hits::default(),
            rest: Mutex::new(rest),
            earlier: Arc::new(Notify::new()),
            jitter: RandomState::new(),
        }
    }

    /// What there is of a topic. The way of every hit, so it takes no lock.
    #[inline(always)]
    pub(super) fn find(&self, topic: &str, now: Duration) -> Found {
        let routes = self.routes.pin();
        let Some(ByTopic(cached)) = routes.get(topic) else { return Found::Nothing };
        let age = cached.age(now);
        if age <= self.ttl {
            cached.used(now);
            self.hits.fresh();
            return Found::Fresh(CachedRoute::new(cached, age, false));
        }
        if age <= self.max_stale {
            cached.used(now);
            self.hits.stale();
            return Found::Stale(CachedRoute::new(cached, age, true));
        }
        Found::Nothing
    }

    fn cached(&self, topic: &str) -> Option<Arc<Cached>> {
        self.routes.pin().get(topic).map(|ByTopic(cached)| Arc::clone(cached))
    }

    fn handed_out(&self, cached: &Arc<Cached>, now: Duration) -> CachedRoute {
        cached.used(now);
        let age = cached.age(now);
        CachedRoute::new(cached, age, age > self.ttl)
    }

    /// A number from 0 to 1 that looks random.
    fn random(&self, seed: impl Hash) -> f64 {
        const STEPS: u64 = 1 << 20;
        // Exact: 20 bits.
        (self.jitter.hash_one(seed) % STEPS) as f64 / STEPS as f64
    }

    /// Nothing panics while this lock is held.
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Below this many entries nobody looks for those that can go.
const MIN_SWEEP: usize = 64;

impl Rest {
    /// What is known about the topic, made if need be.
    fn topic(&mut self, topic: &Name) -> &mut Topic {
        self.topics.entry(topic.clone()).or_default()
    }

    fn next_number(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }
}
