//! One route as the cache keeps it, and as it hands it out.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

/// A topic's route out of the cache, and how far it can be trusted. It never changes; a clone is cheap.
///
/// It can be used wherever a [`TopicRouteData`] is read.
///
/// ```
/// # async fn f(cache: rocketmq_nameserver::RouteCache) -> rocketmq_nameserver::Result<()> {
/// let route = cache.get_route("orders").await?;
/// println!("{} brokers, said {} {:?} ago", route.broker_data_list.len(), route.source(), route.age());
/// if route.is_stale() {
///     println!("no server has confirmed it for a while");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CachedRoute {
    cached: Arc<Cached>,
    /// In nanoseconds, and [`STALE`]: two words travel in registers, three do not.
    age: u64,
}

/// The bit of an age that says that the route is stale. Ages end 292 years before it.
const STALE: u64 = 1 << 63;

impl CachedRoute {
    #[inline]
    pub(super) fn new(cached: &Arc<Cached>, age: u64, stale: bool) -> Self {
        let age = age.min(STALE - 1) | if stale { STALE } else { 0 };
        CachedRoute { cached: Arc::clone(cached), age }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.cached.topic
    }

    /// The route itself. Topics whose routes are the same share it.
    pub fn route(&self) -> &Arc<TopicRouteData> {
        &self.cached.route
    }

    /// How long before it was handed out a server said this route, or confirmed it.
    pub fn age(&self) -> Duration {
        Duration::from_nanos(self.age & !STALE)
    }

    /// The server that said it first, `host:port`.
    pub fn source(&self) -> &str {
        &self.cached.source
    }

    /// Whether it was older than its `ttl` when it was handed out: no server has confirmed it in time.
    pub fn is_stale(&self) -> bool {
        self.age & STALE != 0
    }

    /// How often a server has confirmed it by now, after it was said first.
    pub fn confirmations(&self) -> u32 {
        self.cached.confirmations.load(Ordering::Relaxed)
    }

    /// Which route of its topic it is: each change counts one up, also when the topic was gone meanwhile and as long as the
    /// cache remembers it.
    pub fn generation(&self) -> u64 {
        self.cached.generation
    }
}

impl Deref for CachedRoute {
    type Target = TopicRouteData;

    fn deref(&self) -> &TopicRouteData {
        &self.cached.route
    }
}

impl fmt::Debug for CachedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedRoute")
            .field("topic", &self.topic())
            .field("route", self.route())
            .field("age", &self.age())
            .field("source", &self.source())
            .field("is_stale", &self.is_stale())
            .field("confirmations", &self.confirmations())
            .finish()
    }
}

/// One route, and all that is known about it. What changes without a change of the route is atomic: hits read it without a
/// lock. Times are since the cache was made.
///
/// In this order: a hit reads the first four only, which lie beside each other and beside the count of the `Arc`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Cached {
    pub(super) topic: Name,
    confirmed_at: AtomicU64,
    /// In seconds.
    used_at: AtomicU32,
    pub(super) confirmations: AtomicU32,
    pub(super) route: Arc<TopicRouteData>,
    pub(super) source: Name,
    pub(super) generation: u64,
    pub(super) first_at: Duration,
    body: [AtomicU64; 2],
    answered: AtomicU64,
    /// When it is to be refreshed.
    due_at: AtomicU64,
    /// Which place in the schedule counts; others of it are left-overs.
    pub(super) scheduled_at: AtomicU64,
}

/// Where a route comes from: which body of which answer of which server.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: Name,
    pub(super) body: BodyHash,
    /// The number of the question that it answers. Later questions have higher numbers.
    pub(super) answered: u64,
}

/// A body's hash: 128 bits, so that two bodies of a cluster never have the same by chance.
pub(super) type BodyHash = u128;

impl Cached {
    pub(super) fn new(
        topic: Name,
        route: Arc<TopicRouteData>,
        origin: Origin,
        generation: u64,
        now: Duration,
    ) -> Self {
        let cached = Cached {
            topic,
            route,
            source: origin.source,
            generation,
            first_at: now,
            body: [AtomicU64::new(0), AtomicU64::new(0)],
            answered: AtomicU64::new(origin.answered),
            confirmed_at: AtomicU64::new(nanos(now)),
            confirmations: AtomicU32::new(0),
            used_at: AtomicU32::new(seconds(now)),
            due_at: AtomicU64::new(0),
            scheduled_at: AtomicU64::new(0),
        };
        cached.set_body(origin.body);
        cached
    }

    /// How long ago a server said it, in nanoseconds.
    #[inline]
    pub(super) fn age(&self, now: Duration) -> u64 {
        nanos(now).saturating_sub(self.confirmed_at.load(Ordering::Relaxed))
    }

    /// A server has said the same again.
    pub(super) fn confirm(&self, body: BodyHash, answered: u64, now: Duration) {
        self.set_body(body);
        self.answered.store(answered, Ordering::Relaxed);
        self.confirmed_at.store(nanos(now), Ordering::Relaxed);
        self.confirmations.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the newest question whose answer has said it.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Only whoever holds the table's lock may trust both halves to belong together.
    pub(super) fn body(&self) -> BodyHash {
        let [high, low] = &self.body;
        u128::from(high.load(Ordering::Relaxed)) << 64 | u128::from(low.load(Ordering::Relaxed))
    }

    fn set_body(&self, body: BodyHash) {
        let [high, low] = &self.body;
        // Both halves, without loss.
        high.store((body >> 64) as u64, Ordering::Relaxed);
        low.store(body as u64, Ordering::Relaxed);
    }

    pub(super) fn due_at(&self) -> Duration {
        Duration::from_nanos(self.due_at.load(Ordering::Relaxed))
    }

    pub(super) fn set_due(&self, at: Duration) {
        self.due_at.store(nanos(at), Ordering::Relaxed);
    }

    /// Somebody has wanted it.
    #[inline]
    pub(super) fn used(&self, now: Duration) {
        let now = seconds(now);
        // Once a second; a store for each hit would send the line from core to core.
        if self.used_at.load(Ordering::Relaxed) != now {
            self.used_at.store(now, Ordering::Relaxed);
        }
    }

    /// It takes the place of another route of the same topic.
    pub(super) fn used_like(&self, before: &Cached) {
        self.used_at.store(before.used_at.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// For how long nobody has wanted it.
    pub(super) fn idle(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_secs(self.used_at.load(Ordering::Relaxed).into()))
    }
}

/// 584 years.
#[inline]
pub(super) fn nanos(time: Duration) -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    time.as_secs().saturating_mul(PER_SECOND).saturating_add(time.subsec_nanos().into())
}

/// 136 years.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// A route in the set of all, found by its topic.
#[derive(Debug, Clone)]
pub(super) struct ByTopic(pub(super) Arc<Cached>);

impl Borrow<str> for ByTopic {
    #[inline]
    fn borrow(&self) -> &str {
        &self.0.topic
    }
}

impl PartialEq for ByTopic {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.topic == other.0.topic
    }
}

impl Eq for ByTopic {}

impl Hash for ByTopic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.topic.as_str().hash(state);
    }
}
