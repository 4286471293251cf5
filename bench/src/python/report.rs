//! The numbers of one run, to JSON and back.

use serde::{Deserialize, Serialize};

use crate::measure::Spread;
use crate::report::{Asked, Machine, Numbers};

/// One run. Figures are medians over its rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PythonReport {
    pub(super) machine: Machine,
    /// The interpreter's version.
    pub(super) python: String,
    /// uvloop's version; without uvloop there are no figures for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uvloop: Option<String>,
    /// The NameServer's release.
    pub(super) server: String,
    /// A short run, good for a look only.
    pub(super) quick: bool,
    pub(super) rounds: usize,
    /// How long each client was measured in each round.
    pub(super) slice_ms: u64,
    /// One query at a time. The floor comes first, here and below.
    pub(super) one: Vec<Asked>,
    /// Many queries in flight.
    pub(super) many: Vec<Asked>,
    /// What 1,000 in flight are beside 64.
    pub(super) crowd: Vec<Crowd>,
    pub(super) reading: Reading,
}

/// One client with 1,000 queries in flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crowd {
    pub(super) client: String,
    /// Queries per second, as a part of the same client's with 64 in flight in the same round.
    pub(super) queries_of_64: Spread,
}

/// The body of an answer into Python objects, twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    pub(super) body_bytes: usize,
    /// `TopicRouteData.from_bytes`, processor time.
    pub(super) from_bytes_ns: f64,
    /// `ast.literal_eval`, which is half of the old package's way.
    pub(super) literal_eval_ns: f64,
    /// The first as a part of the second, in the same round.
    pub(super) from_bytes_of_literal_eval: Spread,
}

impl Numbers for PythonReport {
    const MARK: &str = "python";
    #[cfg(test)]
    const COMMITTED: &str = include_str!("../../results/python.json");

    #[cfg(test)]
    fn is_full(&self) -> bool {
        !self.quick
    }
}
