//! Routes that stay right while servers fail: a cache on a client. Before it comes [`client`](crate::client), which asks; behind
//! it there is only the user.
//!
//! | file | what |
//! |---|---|
//! | `cache/config.rs` | what a cache can be told, and what it does when it is told nothing |
//! | `cache/table.rs` | all that is known: pure, the time is an argument |
//! | `cache/lookup.rs` | a caller's look at it: a hit, or what waits for an answer |
//! | `cache/asking.rs` | how callers come by answers: their own, or those of others |
//! | `cache/flight.rs` | the tasks that ask servers |
//! | `cache/upkeep.rs` | the task that refreshes what is due |
//! | `cache/snapshot.rs` | the routes on disk |
//! | `cache/watch.rs`, `subscriber.rs`, `change.rs` | what has changed, for those who watch |
//! | `cache/entry.rs`, `topic.rs`, `intern.rs` | a route, what is known beside it, what routes share |
//! | `cache/blocking.rs` | the same for blocking code |

mod asking;
mod blocking;
mod budget;
mod change;
mod config;
mod entry;
mod explanation;
mod flight;
mod intern;
mod lookup;
#[cfg(feature = "metrics")]
mod metrics;
mod snapshot;
mod stats;
mod subscriber;
mod table;
mod topic;
mod upkeep;
mod wait;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::AsyncNameServerClient;
use crate::error::{NameServerError, Result};

pub use blocking::{SyncRouteCache, WatchThread};
pub use change::{Change, Gone, QueueCounts, RouteChange};
pub(crate) use change::{between, in_order};
pub use config::{
    DEFAULT_IDLE_AFTER, DEFAULT_MAX_STALE, DEFAULT_NEGATIVE_TTL, DEFAULT_REFRESHES_PER_SECOND, DEFAULT_TTL,
    RouteCacheBuilder,
};
pub use entry::CachedRoute;
pub use explanation::{Explanation, Happened, Kept};
pub use stats::RouteCacheStats;
pub use watch::RouteWatch;

use lookup::Lookup;
use snapshot::Snapshot;
use table::{Asked, Found, Table};
use upkeep::Upkeep;

/// The routes that a program uses, kept fresh behind its back and served while servers fail.
///
/// * A route younger than `ttl` (30 s) is served without asking anybody. It is refreshed some seconds before that, so that a
///   topic which is used never waits.
/// * An older one is served at once, marked [`is_stale`](CachedRoute::is_stale), and asked for behind the caller's back.
/// * One question per topic at a time, whoever asks: the others wait for its answer.
/// * A topic that no server knows is known to be missing for 3 s.
/// * A known route is dropped only if two servers do not know the topic, or if no server has confirmed it for `max_stale` (1 h).
///   With one server it takes the latter, or [`invalidate`](Self::invalidate).
/// * What nobody has wanted for 10 minutes is dropped.
///
/// `docs/guarantees.md` says what that means when servers restart, disagree, are slow or silent. A clone is cheap and shares
/// everything; the last one stops the tasks behind it. They live on the runtime of the call that started them, and are started
/// anew by the next call when that is gone.
///
/// ```
/// # async fn f() -> rocketmq_nameserver::Result<()> {
/// use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
///
/// let client = AsyncNameServerClient::builder().servers("ns-1:9876;ns-2:9876").build()?;
/// let cache = RouteCache::new(client);
/// let route = cache.get_route("orders").await?; // asks
/// let route = cache.get_route("orders").await?; // does not
/// println!("{} brokers, said {:?} ago", route.broker_data_list.len(), route.age());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RouteCache {
    shared: Arc<Shared>,
}

/// What all clones of a cache share. Tasks have no more than a weak hold of it.
struct Shared {
    client: AsyncNameServerClient,
    table: Table,
    started: Instant,
    upkeep: Upkeep,
    closed: AtomicBool,
    /// Whether a hit may be served as it is. Not when the cache was closed, nor before its tasks have begun to ask for what came
    /// from a snapshot. One word for both, because each hit looks at it.
    attended: AtomicBool,
    snapshot: Option<Arc<Snapshot>>,
    /// The name under which its numbers are published.
    #[cfg(feature = "metrics")]
    name: String,
    /// Stops all tasks.
    stop: CancellationToken,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    #[inline]
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Routes may have been found, changed, confirmed or dropped.
    fn routes_touched(&self) {
        if let Some(snapshot) = &self.snapshot {
            snapshot.touch();
        }
    }

    /// Its tasks run. In this order, so that a cache which is closed meanwhile stays closed.
    fn attend(&self) {
        self.attended.store(true, Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            self.attended.store(false, Ordering::SeqCst);
        }
    }
}

impl RouteCache {
    /// A cache on this client with the defaults. The client's servers and limits are those of the cache.
    pub fn new(client: AsyncNameServerClient) -> Self {
        RouteCache::with_rules(client, config::Config::default())
    }

    /// A cache on this client with rules of its own.
    pub fn builder(client: AsyncNameServerClient) -> RouteCacheBuilder {
        RouteCacheBuilder::new(client)
    }

    fn with_rules(client: AsyncNameServerClient, config: config::Config) -> Self {
        let snapshot = config.snapshot.as_deref().map(|path| Arc::new(Snapshot::new(path)));
        let started = match &snapshot {
            // So that what is loaded can have its age, and a hit need not know of it.
            Some(_) => snapshot::started_before(config.rules.max_stale),
            None => Instant::now(),
        };
        let cache = RouteCache {
            shared: Arc::new(Shared {
                client,
                table: Table::new(config.rules),
                started,
                upkeep: Upkeep::default(),
                closed: AtomicBool::new(false),
                attended: AtomicBool::new(snapshot.is_none()),
                snapshot,
                #[cfg(feature = "metrics")]
                name: config.metrics_name,
                stop: CancellationToken::new(),
            }),
        };
        if let Some(snapshot) = &cache.shared.snapshot {
            snapshot.start(&cache.shared);
            // Outside of a runtime the first call does it.
            let _unable = cache.keep_up();
        }
        cache
    }

    /// The client that is asked.
    pub fn client(&self) -> &AsyncNameServerClient {
        &self.shared.client
    }

    /// The route of a topic: out of the cache if it can be, else from a server.
    ///
    /// Waits only if nothing at all is known of the topic; at most as long as the client's limit for a call. Dropping the future
    /// does not stop the question, others may wait for it.
    ///
    /// # Errors
    /// As [`query_topic_route_info`](AsyncNameServerClient::query_topic_route_info); Usage after [`close`](Self::close).
    #[inline]
    pub fn get_route<'a>(
        &'a self,
        topic: &'a str,
    ) -> impl Future<Output = Result<CachedRoute>> + Send + Unpin + use<'a> {
        match self.shared.table.find(topic, self.shared.now()) {
            Found::Fresh(route) if self.is_attended() => Lookup::Hit(route),
            found => self.look_further(topic, found),
        }
    }

    /// What the cache has of the topic now, without asking anybody.
    pub fn peek(&self, topic: &str) -> Option<CachedRoute> {
        match self.shared.table.find(topic, self.shared.now()) {
            Found::Fresh(route) | Found::Stale(route) => Some(route),
            Found::Nothing => None,
        }
    }

    /// Asks a server now and waits for what it says. The question is asked after this call has begun, so the answer knows what
    /// was registered before; any number of callers share it.
    ///
    /// # Errors
    /// As [`get_route`](Self::get_route), also where the cache goes on serving what it had.
    pub async fn refresh_route(&self, topic: &str) -> Result<CachedRoute> {
        self.open()?;
        self.answer(topic, |now| self.shared.table.ask_again(topic, now)).await
    }

    /// Has the routes of all these topics ready: asks for those that are not there, pipelined. One result per topic, in order.
    ///
    /// ```
    /// # async fn f(cache: rocketmq_nameserver::RouteCache) {
    /// let topics = ["orders", "payments"];
    /// let missing: Vec<_> = topics.iter().zip(cache.preload(topics).await).filter(|(_, route)| route.is_err()).collect();
    /// # }
    /// ```
    pub async fn preload<I>(&self, topics: I) -> Vec<Result<CachedRoute>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.many(topics, |table, topic, now| match table.find(topic, now) {
            Found::Fresh(route) | Found::Stale(route) => Asked::Known(route),
            Found::Nothing => table.ask(topic, now),
        })
        .await
    }

    /// Asks for all these topics now, pipelined. One result per topic, in order.
    pub async fn refresh_routes<I>(&self, topics: I) -> Vec<Result<CachedRoute>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.many(topics, Table::ask_again).await
    }

    /// Forgets the topic: the next call asks, and an answer that is on its way is not kept. Says whether there was a route.
    pub fn invalidate(&self, topic: &str) -> bool {
        let was_there = self.shared.table.invalidate(topic, self.shared.now());
        self.shared.routes_touched();
        was_there
    }

    /// Tells the cache that a broker, by its name or one of its addresses, cannot be reached: the routes in which it stands are
    /// refreshed behind the caller's back, within the budget. Says of how many topics; 0 too if the same was reported within
    /// the last second.
    ///
    /// # Errors
    /// Usage outside of a Tokio runtime and after [`close`](Self::close).
    pub fn report_failure(&self, broker: &str) -> Result<usize> {
        self.open()?;
        let topics = self.shared.table.report_failure(broker, self.shared.now());
        self.keep_up()?;
        Ok(topics)
    }

    /// A stream of what changes about these topics, beginning with what they are.
    ///
    /// Watched topics are kept fresh whether anybody wants them or not; one without a route is asked for every 3 s
    /// (`negative_ttl`).
    ///
    /// ```
    /// # async fn f(cache: rocketmq_nameserver::RouteCache) -> rocketmq_nameserver::Result<()> {
    /// use rocketmq_nameserver::Change;
    ///
    /// let mut watch = cache.watch(["orders"])?;
    /// while let Some(change) = watch.next().await {
    ///     match change.change {
    ///         Change::BrokerRemoved { before } => println!("{}: {} is gone", change.topic, before.broker_name),
    ///         other => println!("{}: {other:?}", change.topic),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Usage outside of a Tokio runtime and after [`close`](Self::close).
    pub fn watch<I>(&self, topics: I) -> Result<RouteWatch>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.open()?;
        let topics = topics.into_iter().map(|topic| Name::from(topic.as_ref())).collect();
        let watch = RouteWatch::new(self.clone(), topics);
        self.keep_up()?;
        Ok(watch)
    }

    /// What is known about the topic and how it came to be known.
    pub fn explain(&self, topic: &str) -> Explanation {
        self.shared.table.explain(topic, self.shared.now())
    }

    /// The topics that have a route now, in no order.
    pub fn topics(&self) -> Vec<Name> {
        self.shared.table.topics()
    }

    /// What the cache has done so far.
    pub fn stats(&self) -> RouteCacheStats {
        self.shared.table.stats()
    }

    /// Stops all that the cache does behind the caller's back, for good: calls that wait fail, later calls are Usage errors,
    /// watches end. The client is not closed.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.attended.store(false, Ordering::SeqCst);
        self.shared.stop.cancel();
        self.shared.table.end_watches();
    }

    fn is_attended(&self) -> bool {
        self.shared.attended.load(Ordering::Relaxed)
    }

    fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    fn open(&self) -> Result<()> {
        if self.is_closed() {
            return Err(NameServerError::usage("the cache was closed; create a new one"));
        }
        Ok(())
    }
}

impl fmt::Debug for RouteCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteCache")
            .field("client", &self.shared.client)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
