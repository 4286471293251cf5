//! What a cache can be told, and what it does when it is told nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::Rules;
use super::{RouteCache, SyncRouteCache, snapshot};
use crate::blocking::block_on;
use crate::client::AsyncNameServerClient;
use crate::error::{NameServerError, Result};

/// For how long a route is fresh: the contract's 30 s, which is also how often RocketMQ's own clients ask.
pub const DEFAULT_TTL: Duration = Duration::from_secs(30);

/// For how long a route is served that no server confirms: 1 h. Brokers seldom move; an outage of all NameServers is
/// noticed and mended in less, and sending goes on meanwhile.
pub const DEFAULT_MAX_STALE: Duration = Duration::from_secs(3600);

/// For how long a topic is known to be missing: 3 s. Long enough that a loop over a missing topic does not become a load, short enough that a topic
/// which was just created is there soon.
pub const DEFAULT_NEGATIVE_TTL: Duration = Duration::from_secs(3);

/// After how long a topic is dropped that nobody has wanted: 10 minutes. It stays through a job that runs every few minutes.
pub const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(600);

/// How many refreshes behind callers' backs start per second at most: 1,000. A server answers tens of thousands, and
/// 25,000 topics stay fresh.
pub const DEFAULT_REFRESHES_PER_SECOND: u32 = 1000;

#[derive(Debug, Clone)]
pub(super) struct Config {
    #[cfg(feature = "metrics")]
    pub(super) metrics_name: String,
    pub(super) rules: Rules,
    pub(super) snapshot: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            #[cfg(feature = "metrics")]
            metrics_name: "default".to_owned(),
            rules: Rules {
                ttl: DEFAULT_TTL,
                max_stale: DEFAULT_MAX_STALE,
                negative_ttl: DEFAULT_NEGATIVE_TTL,
                idle_after: DEFAULT_IDLE_AFTER,
                scheduled_refresh: true,
                refreshes_per_second: DEFAULT_REFRESHES_PER_SECOND,
            },
            snapshot: None,
        }
    }
}

/// Puts a [`RouteCache`] together.
///
/// ```
/// # fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
/// use std::time::Duration;
/// use rocketmq_nameserver::RouteCache;
///
/// let cache = RouteCache::builder(client).ttl(Duration::from_secs(10)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct RouteCacheBuilder {
    client: AsyncNameServerClient,
    config: Config,
}

impl RouteCacheBuilder {
    pub(super) fn new(client: AsyncNameServerClient) -> Self {
        RouteCacheBuilder { client, config: Config::default() }
    }

    /// For how long a route is fresh. 30 s by default.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.config.rules.ttl = ttl;
        self
    }

    /// For how long a route is served that no server confirms, stale time included. 1 h by default.
    pub fn max_stale(mut self, max_stale: Duration) -> Self {
        self.config.rules.max_stale = max_stale;
        self
    }

    /// For how long a topic is known to be missing, and how often a watched one is asked for. 3 s by default.
    pub fn negative_ttl(mut self, negative_ttl: Duration) -> Self {
        self.config.rules.negative_ttl = negative_ttl;
        self
    }

    /// After how long a topic is dropped that nobody has wanted. 10 minutes by default.
    pub fn idle_after(mut self, idle_after: Duration) -> Self {
        self.config.rules.idle_after = idle_after;
        self
    }

    /// Whether routes are refreshed before they are stale. Yes by default; without, a topic is asked for again when somebody
    /// wants it after its `ttl`, who is served the old route meanwhile.
    pub fn scheduled_refresh(mut self, scheduled: bool) -> Self {
        self.config.rules.scheduled_refresh = scheduled;
        self
    }

    /// How many scheduled refreshes start per second at most. 1,000 by default. What callers ask for themselves does not
    /// count.
    pub fn refreshes_per_second(mut self, refreshes: u32) -> Self {
        self.config.rules.refreshes_per_second = refreshes;
        self
    }

    /// Keeps the routes in this file, so that a process starts and serves while every server is down. None by default.
    ///
    /// * One rule for age, restarts included: a route is served for at most `max_stale` after a server has said or confirmed
    ///   it. Between processes the wall clock counts; a time in the future counts as now.
    /// * What was loaded is served at once, fresh or stale by its age, and asked for again behind the callers' backs, within
    ///   the budget. Any answer replaces or confirms it, and a topic that two servers do not know is gone. Without
    ///   `scheduled_refresh` it is asked for when somebody wants it after its `ttl`.
    /// * The file is read when the cache is built; one of more than 256 KiB on a thread, for which calls wait that find
    ///   nothing, up to 5 s. Until then [`peek`](RouteCache::peek), [`topics`](RouteCache::topics) and
    ///   [`explain`](RouteCache::explain) know less. A file that is torn, foreign, of a later version or longer than 256 MiB
    ///   is a warning, and the cache starts empty.
    /// * It is written about 1 s after a route was found, changed or gone, once per `ttl` if routes were only confirmed, and
    ///   for a tenth of the time at most. It is replaced in one step, so it is always whole, and whoever writes last wins; a link
    ///   stays a link, and permissions stay. What the last second has brought may be missing after `close`, a drop or a crash, unless
    ///   [`save_snapshot`](RouteCache::save_snapshot) was called.
    ///
    /// Missing folders are made. Programs that ask different clusters need files of their own: nothing in the file says whose
    /// servers they were but each route's [`source`](super::CachedRoute::source). So do clients of different zones: a file of
    /// another zone than the client's is not read. Addresses are kept as advertised, and this client's rules replace them.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
    /// use rocketmq_nameserver::RouteCache;
    ///
    /// let cache = RouteCache::builder(client).snapshot("/var/lib/orders/routes").build()?;
    /// println!("{} routes are there already", cache.stats().loaded);
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(mut self, path: impl AsRef<Path>) -> Self {
        self.config.snapshot = Some(path.as_ref().to_owned());
        self
    }

    /// Under which name the numbers of [`stats`](RouteCache::stats) are published, as the label `cache`. "default" by default;
    /// several caches of a process need names of their own.
    ///
    /// With the feature `metrics` every cache publishes its numbers to the `metrics` crate every 5 s:
    /// `rocketmq_nameserver_route_cache_topics`, and `rocketmq_nameserver_route_cache_events_total` with a label `event`.
    #[cfg(feature = "metrics")]
    pub fn metrics_name(mut self, name: impl Into<String>) -> Self {
        self.config.metrics_name = name.into();
        self
    }

    /// The cache. It does nothing until it is asked for something; with a snapshot it reads that, and inside a Tokio runtime
    /// begins to ask for what was in it.
    ///
    /// # Errors
    /// Usage, for a time or a rate of 0, for a `max_stale` below `ttl`, and for a snapshot that cannot be a file.
    pub fn build(mut self) -> Result<RouteCache> {
        let rules = &self.config.rules;
        let times = [
            ("ttl", rules.ttl),
            ("max_stale", rules.max_stale),
            ("negative_ttl", rules.negative_ttl),
            ("idle_after", rules.idle_after),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| time.is_zero()) {
            return Err(NameServerError::usage(format!("{name} is 0: give a time above that")));
        }
        if rules.refreshes_per_second == 0 {
            return Err(NameServerError::usage(
                "refreshes_per_second is 0: to have none, turn scheduled_refresh off",
            ));
        }
        if rules.max_stale < rules.ttl {
            return Err(NameServerError::usage(format!(
                "max_stale is {:?} and ttl is {:?}: a route cannot be too old before it is stale",
                rules.max_stale, rules.ttl
            )));
        }
        if let Some(path) = &mut self.config.snapshot {
            *path = snapshot::absolute(path).ok_or_else(|| {
                NameServerError::usage(format!("the snapshot {path:?} names no file: give the path of one"))
            })?;
        }
        Ok(RouteCache::with_rules(self.client, self.config))
    }

    /// The cache for blocking code.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_sync(self) -> Result<SyncRouteCache> {
        let cache = self.build()?;
        if !cache.is_attended() {
            // In vain inside an async runtime, which is not to be blocked; but there it is attended to.
            let _unable = block_on(async { cache.keep_up() });
        }
        Ok(SyncRouteCache::new(cache))
    }
}
