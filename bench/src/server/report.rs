//! The numbers of one run, to JSON and back.

use serde::{Deserialize, Serialize};

use crate::measure::Spread;
use crate::report::{Machine, Numbers};

/// One run. A part that was not measured is empty. Ratios are of two figures of the same round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerReport {
    pub(super) machine: Machine,
    /// How many tasks the machine had to run when the run began, on average over a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) load_average: Option<f64>,
    /// A short run, good for a look only.
    pub(super) quick: bool,
    /// The Java server's release; without it there is nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) java: Option<String>,
    pub(super) brokers: usize,
    /// How many topics each broker has while queries are measured.
    pub(super) topics: usize,
    /// How many topics a large broker has.
    pub(super) many_topics: usize,
    pub(super) queries: Queries,
    pub(super) changing: Changing,
    pub(super) fresh: Fresh,
    pub(super) idle: Idle,
}

/// Closed loops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Queries {
    pub(super) rounds: usize,
    /// How long each server was measured in each round.
    pub(super) slice_ms: u64,
    /// One connection with many queries in flight. The stub comes first, here and below.
    pub(super) one_connection: Vec<Throughput>,
    /// Many connections with one query in flight each.
    pub(super) many_connections: Vec<Throughput>,
}

/// One server under one closed loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throughput {
    pub(super) server: String,
    pub(super) queries_per_second: Spread,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wait_p99_us: Option<Spread>,
    /// Processor time of the server's process per query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_per_query: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queries_of_java: Option<Spread>,
    pub(super) queries_of_stub: Spread,
    /// Processor time of the load generator per query: where it is near the time that a query takes, it is the bound.
    pub(super) generator_cpu_us_per_query: Spread,
}

/// Queries in an open loop while a large broker registers changed tables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changing {
    pub(super) rounds: usize,
    pub(super) seconds: u64,
    pub(super) servers: Vec<Disturbed>,
}

/// One server with the broker silent, and then with the broker registering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disturbed {
    pub(super) server: String,
    /// How long a registration took in the middle.
    pub(super) registration_ms: Spread,
    pub(super) waits: TwoWaits,
}

/// Waits in an open loop, from the time at which a query was meant to leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwoWaits {
    pub(super) quiet_p50_us: Spread,
    pub(super) quiet_p99_us: Spread,
    pub(super) p50_us: Spread,
    pub(super) p99_us: Spread,
    pub(super) p99_of_quiet: Spread,
}

/// Servers that have just been started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fresh {
    /// In each round all servers are started anew.
    pub(super) rounds: usize,
    pub(super) servers: Vec<Started>,
}

/// One server, just started; then all brokers register with many topics each; then they do so again with changed ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Started {
    pub(super) server: String,
    /// From before its process was started until it answered a request.
    pub(super) start_ms: Spread,
    pub(super) register_ms: Spread,
    pub(super) register_again_ms: Spread,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) beside_java: Option<BesideJava>,
}

/// Resident memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    pub(super) idle_mib: Spread,
    pub(super) registered_mib: Spread,
    pub(super) registered_again_mib: Spread,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registered_of_java: Option<Spread>,
}

/// How many times as fast as the Java server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BesideJava {
    pub(super) register: Spread,
    pub(super) register_again: Spread,
}

/// Queries in an open loop beside many idle connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idle {
    /// In each round all servers are started anew.
    pub(super) rounds: usize,
    pub(super) seconds: u64,
    /// How many files a process may have open here, which bounds the connections.
    pub(super) open_files: u64,
    /// How many connections should be opened.
    pub(super) connections: usize,
    pub(super) servers: Vec<Beside>,
}

/// One server without the connections, and then with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beside {
    pub(super) server: String,
    /// How many still answered in the end, in the worst round.
    pub(super) kept: usize,
    /// By how much the resident memory grew for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kib_each: Option<Spread>,
    pub(super) waits: TwoWaits,
}

impl Numbers for ServerReport {
    const MARK: &str = "changing";
    #[cfg(test)]
    const COMMITTED: &str = include_str!("../../results/server.json");

    #[cfg(test)]
    fn is_full(&self) -> bool {
        !self.quick && self.java.is_some()
    }
}
