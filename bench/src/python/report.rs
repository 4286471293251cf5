//! The numbers of one run, to JSON and back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Outcome;
use crate::measure::Spread;
use crate::report::{Asked, Machine};

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

impl PythonReport {
    /// Whether these are numbers of this kind, or would be if they were right.
    pub(crate) fn is_meant_by(text: &str) -> bool {
        serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("python").is_some())
    }

    pub(crate) fn to_json(&self) -> Outcome<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    pub(crate) fn from_json(text: &str) -> Outcome<PythonReport> {
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../results/python.json");

    #[test]
    fn the_committed_numbers_are_what_a_full_run_writes() {
        let report = PythonReport::from_json(COMMITTED).unwrap();
        assert_eq!(report.to_json().unwrap(), COMMITTED);
        assert!(!report.quick);
    }

    #[test]
    fn numbers_say_themselves_what_they_are_about() {
        for (text, expected) in
            [(COMMITTED, true), (include_str!("../../results/baseline.json"), false), ("no JSON", false)]
        {
            assert_eq!(PythonReport::is_meant_by(text), expected, "{text}");
        }
    }
}
