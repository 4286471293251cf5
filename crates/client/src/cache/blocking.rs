//! The cache for blocking code: the same cache, driven by the threads that call.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use super::change::RouteChange;
use super::entry::CachedRoute;
use super::explanation::Explanation;
use super::stats::RouteCacheStats;
use super::subscriber::Subscriber;
use super::table::Found;
use super::{RouteCache, RouteCacheBuilder};
use crate::blocking::{SyncNameServerClient, block_on};
use crate::error::{NameServerError, Result};

/// A [`RouteCache`] for code without a runtime. Its methods do the same and block until it is done; a fresh route is served
/// without any of that, also inside of a runtime.
///
/// ```no_run
/// use rocketmq_nameserver::{DEFAULT_TIMEOUT, SyncRouteCache, create_sync_client};
///
/// let cache = SyncRouteCache::of(&create_sync_client("127.0.0.1", 9876, DEFAULT_TIMEOUT)?);
/// println!("{} brokers", cache.get_route("orders")?.broker_data_list.len());
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SyncRouteCache {
    cache: RouteCache,
}

impl SyncRouteCache {
    /// A cache on this client with the defaults.
    pub fn of(client: &SyncNameServerClient) -> Self {
        SyncRouteCache::new(RouteCache::new(client.to_async()))
    }

    /// A cache on this client with rules of its own; end with [`build_sync`](RouteCacheBuilder::build_sync).
    pub fn builder(client: &SyncNameServerClient) -> RouteCacheBuilder {
        RouteCache::builder(client.to_async())
    }

    pub(super) fn new(cache: RouteCache) -> Self {
        SyncRouteCache { cache }
    }

    /// The same cache for async code.
    pub fn to_async(&self) -> RouteCache {
        self.cache.clone()
    }

    /// The route of a topic. See [`RouteCache::get_route`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime unless there is a fresh route.
    pub fn get_route(&self, topic: &str) -> Result<CachedRoute> {
        match self.cache.shared.table.find(topic, self.cache.shared.now()) {
            Found::Fresh(route) if !self.cache.is_closed() => Ok(route),
            found => block_on(async {
                let route = self.cache.look_further(topic, found).await;
                // Callers drive the runtime: one who has to wait for nothing must leave the tasks behind it a turn, too.
                tokio::task::yield_now().await;
                route
            })?,
        }
    }

    /// What the cache has now. See [`RouteCache::peek`].
    pub fn peek(&self, topic: &str) -> Option<CachedRoute> {
        self.cache.peek(topic)
    }

    /// Asks a server now. See [`RouteCache::refresh_route`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn refresh_route(&self, topic: &str) -> Result<CachedRoute> {
        block_on(self.cache.refresh_route(topic))?
    }

    /// Has these routes ready. See [`RouteCache::preload`].
    ///
    /// # Errors
    /// Usage inside an async runtime; what goes wrong with a topic stands at its place.
    pub fn preload<I>(&self, topics: I) -> Result<Vec<Result<CachedRoute>>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        block_on(self.cache.preload(topics))
    }

    /// Asks for these routes now. See [`RouteCache::refresh_routes`].
    ///
    /// # Errors
    /// Usage inside an async runtime; what goes wrong with a topic stands at its place.
    pub fn refresh_routes<I>(&self, topics: I) -> Result<Vec<Result<CachedRoute>>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        block_on(self.cache.refresh_routes(topics))
    }

    /// Forgets the topic. See [`RouteCache::invalidate`].
    pub fn invalidate(&self, topic: &str) -> bool {
        self.cache.invalidate(topic)
    }

    /// A broker cannot be reached. See [`RouteCache::report_failure`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn report_failure(&self, broker: &str) -> Result<usize> {
        block_on(async { self.cache.report_failure(broker) })?
    }

    /// Waits until the route is as wanted. See [`RouteCache::wait_for_route`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn wait_for_route<F>(&self, topic: &str, is_wanted: F, limit: Duration) -> Result<CachedRoute>
    where
        F: Fn(&TopicRouteData) -> bool,
    {
        block_on(self.cache.wait_for_route(topic, is_wanted, limit))?
    }

    /// Calls `on_change` with each change of these topics, on a thread of its own, until what this returns is dropped or the
    /// cache is closed. See [`RouteCache::watch`].
    ///
    /// # Errors
    /// As there; Connection if the system has no more threads.
    pub fn watch<I, F>(&self, topics: I, mut on_change: F) -> Result<WatchThread>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
        F: FnMut(RouteChange) + Send + 'static,
    {
        let mut watch = block_on(async { self.cache.watch(topics) })??;
        let subscriber = Arc::clone(&watch.subscriber);
        let thread = thread::Builder::new()
            .name("rocketmq-route-watch".to_owned())
            .spawn(move || {
                while let Ok(Some(change)) = block_on(watch.next()) {
                    on_change(change);
                }
            })
            .map_err(|error| {
                NameServerError::unable(format!("cannot start a thread for the watch: {error}"))
            })?;
        Ok(WatchThread { subscriber, thread: Some(thread) })
    }

    /// What is known about the topic. See [`RouteCache::explain`].
    pub fn explain(&self, topic: &str) -> Explanation {
        self.cache.explain(topic)
    }

    /// Writes the snapshot now. See [`RouteCache::save_snapshot`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn save_snapshot(&self) -> Result<()> {
        block_on(self.cache.save_snapshot())?
    }

    /// The topics that have a route now, in no order.
    pub fn topics(&self) -> Vec<Name> {
        self.cache.topics()
    }

    /// What the cache has done so far.
    pub fn stats(&self) -> RouteCacheStats {
        self.cache.stats()
    }

    /// Stops all that the cache does behind the caller's back, for good. What has changed since the snapshot was written is
    /// written first; a failure of that is a warning.
    pub fn close(&self) {
        if self.cache.is_snapshot_behind() {
            // Inside a runtime it cannot wait: then it ends as the async cache does.
            match self.save_snapshot() {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "the cache is closed without its last routes on disk"),
            }
        }
        self.cache.close();
    }
}

/// The thread that tells of changes: [`SyncRouteCache::watch`]. Dropping it ends the watch and waits until a callback that runs
/// just then has returned.
#[derive(Debug)]
#[must_use = "the watch ends when this is dropped"]
pub struct WatchThread {
    subscriber: Arc<Subscriber>,
    thread: Option<JoinHandle<()>>,
}

impl WatchThread {
    /// Whether the watch has ended: the cache was closed, or the callback has panicked.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for WatchThread {
    fn drop(&mut self) {
        self.subscriber.end();
        // A callback that drops its own watch must not wait for itself.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            // Where the callback has panicked, the panic was printed already.
            let _panicked = thread.join();
        }
    }
}
