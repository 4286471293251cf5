//! Who looks routes up: the cache, a bare map, moka. All know the same topics.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use rocketmq_nameserver::{CachedRoute, RouteCache, SyncRouteCache, TopicRouteData};
use rustc_hash::FxBuildHasher;
use tokio::runtime::{Builder, Runtime};

use super::hits::THREADS;
use super::{LONG, TOPICS};
use crate::Outcome;

/// What they are called in the tables.
pub(super) const BARE: &str = "bare: clock, map, `Arc`";
pub(super) const BARE_ROUTES: &str = "bare, on the routes themselves";
pub(super) const ASYNC: &str = "`RouteCache::get_route`";
pub(super) const BLOCKING: &str = "`SyncRouteCache::get_route`";
pub(super) const MOKA: &str = "`moka::sync::Cache::get`";

/// As large as what the cache keeps of a topic beside its route.
type Entry = [u64; 17];

/// Somebody who knows the route of every topic.
pub(super) trait Lookups: Sync {
    fn name(&self) -> &'static str;

    /// Looks all these topics up, one after the other, on that thread out of [`THREADS`]; returns how many were there.
    fn look_up(&self, topics: &[String], thread: usize) -> Outcome<usize>;
}

/// What the cache must do at least: read the clock, find the topic, take hold of what is there. The map is read only.
pub(super) struct Bare<T> {
    name: &'static str,
    known: HashMap<String, Arc<T>, FxBuildHasher>,
}

impl Bare<Entry> {
    /// On entries that lie side by side in memory.
    pub(super) fn new(topics: &[String]) -> Self {
        Bare { name: BARE, known: topics.iter().map(|topic| (topic.clone(), Arc::default())).collect() }
    }
}

impl Bare<TopicRouteData> {
    /// On these routes, which are as far apart in memory as their content makes them.
    pub(super) fn on_routes(routes: &[CachedRoute]) -> Self {
        let known = routes.iter().map(|route| (route.topic().to_owned(), Arc::clone(route.route())));
        Bare { name: BARE_ROUTES, known: known.collect() }
    }
}

impl<T: Send + Sync> Lookups for Bare<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn look_up(&self, topics: &[String], _: usize) -> Outcome<usize> {
        let mut found = 0;
        for topic in topics {
            black_box(Instant::now());
            found += usize::from(black_box(self.known.get(topic.as_str()).map(Arc::clone)).is_some());
        }
        Ok(found)
    }
}

/// The async cache, on a current-thread runtime for each thread.
pub(super) struct Async {
    cache: RouteCache,
    runtimes: Vec<Runtime>,
}

impl Async {
    pub(super) fn new(cache: RouteCache) -> Outcome<Async> {
        let runtimes = (0..THREADS).map(|_| Builder::new_current_thread().enable_all().build());
        Ok(Async { cache, runtimes: runtimes.collect::<Result<_, _>>()? })
    }
}

impl Lookups for Async {
    fn name(&self) -> &'static str {
        ASYNC
    }

    fn look_up(&self, topics: &[String], thread: usize) -> Outcome<usize> {
        let runtime = self.runtimes.get(thread).ok_or("there is no such thread")?;
        runtime.block_on(async {
            let mut found = 0;
            for topic in topics {
                found += usize::from(black_box(self.cache.get_route(topic).await).is_ok());
            }
            Ok(found)
        })
    }
}

/// The blocking cache.
pub(super) struct Blocking(pub(super) SyncRouteCache);

impl Lookups for Blocking {
    fn name(&self) -> &'static str {
        BLOCKING
    }

    fn look_up(&self, topics: &[String], _: usize) -> Outcome<usize> {
        let mut found = 0;
        for topic in topics {
            found += usize::from(black_box(self.0.get_route(topic)).is_ok());
        }
        Ok(found)
    }
}

/// A cache for everything, with the same hasher and the same time to live.
pub(super) struct Moka(moka::sync::Cache<String, Arc<Entry>, FxBuildHasher>);

impl Moka {
    pub(super) fn new(topics: &[String]) -> Moka {
        // Room for all, so that none is thrown out.
        let room = 2 * TOPICS as u64;
        let cache = moka::sync::Cache::builder()
            .max_capacity(room)
            .time_to_live(LONG)
            .build_with_hasher(FxBuildHasher);
        for topic in topics {
            cache.insert(topic.clone(), Arc::default());
        }
        cache.run_pending_tasks();
        Moka(cache)
    }
}

impl Lookups for Moka {
    fn name(&self) -> &'static str {
        MOKA
    }

    fn look_up(&self, topics: &[String], _: usize) -> Outcome<usize> {
        let mut found = 0;
        for topic in topics {
            found += usize::from(black_box(self.0.get(topic.as_str())).is_some());
        }
        Ok(found)
    }
}
