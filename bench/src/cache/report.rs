//! The numbers of one run, to JSON and back.

use serde::{Deserialize, Serialize};

use crate::measure::Spread;
use crate::report::{Machine, Numbers};

/// One run. A part that was not measured is null. Ratios are of two figures of the same round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CacheReport {
    pub(super) machine: Machine,
    /// How many tasks the machine had to run when the run began, on average over a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load_average: Option<f64>,
    /// A short run, good for a look only.
    pub(super) quick: bool,
    /// How many topics are looked up, and refreshed.
    pub(super) topics: usize,
    pub(super) hits: Option<Hits>,
    pub(super) refresh: Option<Refresh>,
    pub(super) memory: Option<Memory>,
    pub(super) faults: Option<Faults>,
    pub(super) cold: Option<Cold>,
}

/// Lookups of fresh routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hits {
    pub(super) rounds: usize,
    /// How many lookups each thread did in each round.
    pub(super) lookups: usize,
    /// The bare loops come first.
    pub(super) who: Vec<Lookup>,
    /// moka's time as a multiple of the cache's.
    pub(super) faster_than_moka: Spread,
}

/// One of those who look up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    pub(super) name: String,
    /// Processor time per lookup, on one thread.
    pub(super) ns: Spread,
    pub(super) ns_of_bare: Spread,
    /// As a multiple of the bare loop's on the routes themselves.
    pub(super) ns_of_bare_on_routes: Spread,
    /// Lookups per second of two threads together.
    pub(super) per_second_on_two: Spread,
    /// That as a multiple of the rate of one thread.
    pub(super) gain: Spread,
    pub(super) gain_of_bare: Spread,
}

/// Routes that have not changed, asked for again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(super) rounds: usize,
    /// The floor comes first.
    pub(super) who: Vec<Refreshed>,
}

/// One of those who ask again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refreshed {
    pub(super) name: String,
    /// Topics per second.
    pub(super) per_second: Spread,
    pub(super) per_second_of_floor: Spread,
    /// Processor time of the asking process per topic.
    pub(super) cpu_us: Spread,
    /// As a multiple of what the client alone takes, which reads each answer.
    pub(super) cpu_of_decoding: Spread,
}

/// The bytes that topics take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    pub(super) held: Vec<Held>,
}

/// One cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    /// Whether every topic had a route of its own; otherwise all had the same.
    pub(super) routes_differ: bool,
    pub(super) topics: usize,
    /// Live bytes per topic.
    pub(super) bytes_each: f64,
}

/// Waits while one of two servers is of no use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Faults {
    pub(super) rounds: usize,
    /// How many calls there were in each round.
    pub(super) calls: usize,
    /// How many of them the percentiles leave out.
    pub(super) first: usize,
    /// How long a call might take.
    pub(super) limit_ms: u64,
    /// The run with two healthy servers comes first.
    pub(super) others: Vec<Waited>,
}

/// One kind of other server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waited {
    pub(super) other: String,
    /// How many calls failed, in all rounds together.
    pub(super) failed: usize,
    /// The slowest call of all rounds, the first included.
    pub(super) slowest_ms: f64,
    pub(super) p50_us: Spread,
    pub(super) p99_us: Spread,
    pub(super) p99_of_healthy: Spread,
}

/// Many calls at once for one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cold {
    pub(super) rounds: usize,
    pub(super) calls: usize,
    /// How many requests reached the server, in the worst round.
    pub(super) most_requests: usize,
}

impl Numbers for CacheReport {
    const MARK: &str = "hits";
    #[cfg(test)]
    const COMMITTED: &str = include_str!("../../results/cache.json");

    #[cfg(test)]
    fn is_full(&self) -> bool {
        !self.quick
    }
}
