//! The numbers of one run, to JSON and back.

use std::env::consts;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Outcome;
use crate::measure::Spread;

/// One run. Figures are medians over its rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// A short run, good for a look only.
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// How long each client was measured in each round.
    pub(crate) slice_ms: u64,
    /// One query at a time. The floor comes first, here and below.
    pub(crate) one: Vec<Asked>,
    /// Many queries in flight.
    pub(crate) many: Vec<Asked>,
    /// The rate of the threads that share a blocking client, as a part of that of as many async tasks in the same round.
    pub(crate) threads_of_tasks: Spread,
    /// Batch calls; the waits are per batch.
    pub(crate) batch: Vec<Asked>,
    /// The work without any waiting.
    pub(crate) steps: Steps,
}

/// What the figures depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    /// Of the run, in UTC, `2026-01-31`.
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) rustc: String,
}

/// One client under one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) client: String,
    /// Left to the client in batch calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight: Option<usize>,
    pub(crate) queries_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait_p99_us: Option<f64>,
    /// Processor time of the client's process.
    pub(crate) cpu_us_per_query: f64,
    /// The median wait, as a multiple of the floor's in the same round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wait_p50_of_floor: Option<Spread>,
    /// Queries per second, as a part of the floor's in the same round.
    pub(crate) queries_of_floor: Spread,
    /// Processor time per query, as a multiple of the floor's in the same round.
    pub(crate) cpu_of_floor: Spread,
}

/// A client of that name with that many queries in flight.
pub(crate) fn find<'a>(asked: &'a [Asked], client: &str, in_flight: usize) -> Option<&'a Asked> {
    asked.iter().find(|asked| asked.client == client && asked.in_flight == Some(in_flight))
}

/// Work on requests and answers without a socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    /// How many different bodies were read in turn.
    pub(crate) bodies: usize,
    pub(crate) body_bytes: usize,
    pub(crate) rounds: usize,
    /// `TopicRouteData::from_bytes`, per body as sent.
    pub(crate) read_ns: f64,
    /// `serde_json` into plain structs, per body with its keys already quoted.
    pub(crate) serde_json_ns: f64,
    /// The first as a part of the second, in the same round.
    pub(crate) read_of_serde_json: Spread,
    /// A route query as a command and that as a frame.
    pub(crate) encode_request_ns: f64,
    /// An answer into a session and out again, its header opened, its waiter found.
    pub(crate) session_step_ns: f64,
}

impl Numbers for Report {
    const MARK: &str = "batch";
    #[cfg(test)]
    const COMMITTED: &str = include_str!("../results/baseline.json");

    #[cfg(test)]
    fn is_full(&self) -> bool {
        !self.quick
    }
}

/// What a benchmark writes and a page is made of.
pub(crate) trait Numbers: Serialize + DeserializeOwned {
    /// A key that no other benchmark's numbers have.
    const MARK: &str;
    /// Those of the repository.
    #[cfg(test)]
    const COMMITTED: &str;

    /// Whether they are of a whole run, with all that it compares.
    #[cfg(test)]
    fn is_full(&self) -> bool;

    /// Whether these are numbers of this kind, or would be if they were right.
    fn is_meant_by(text: &str) -> bool {
        serde_json::from_str::<Value>(text).is_ok_and(|value| value.get(Self::MARK).is_some())
    }

    fn to_json(&self) -> Outcome<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn from_json(text: &str) -> Outcome<Self> {
        Ok(serde_json::from_str(text)?)
    }
}

impl Machine {
    /// This machine, today.
    pub(crate) fn here() -> Outcome<Machine> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Machine {
            date: date(since_1970.as_secs() / (24 * 60 * 60)),
            cores: thread::available_parallelism()?.get(),
            system: format!("{} {}", consts::OS, consts::ARCH),
            rustc: env!("BENCH_RUSTC").into(),
        })
    }
}

/// The date of a day counted from 1970-01-01.
fn date(mut days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    let mut length = 365;
    while days >= length {
        days -= length;
        year += 1;
        length = 365 + u64::from(leap(year));
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheReport;
    use crate::python::PythonReport;
    use crate::server::ServerReport;

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (364, "1970-12-31"),
            (365, "1971-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
    }

    fn check<N: Numbers>() {
        let numbers = N::from_json(N::COMMITTED).unwrap();
        assert_eq!(numbers.to_json().unwrap(), N::COMMITTED);
        assert!(numbers.is_full(), "{} is not of a full run", N::MARK);
        let all =
            [Report::COMMITTED, PythonReport::COMMITTED, ServerReport::COMMITTED, CacheReport::COMMITTED];
        let meant: Vec<&str> = all.into_iter().filter(|text| N::is_meant_by(text)).collect();
        assert_eq!(meant, [N::COMMITTED], "{}", N::MARK);
        assert!(!N::is_meant_by("no JSON"));
    }

    #[test]
    fn the_committed_numbers_are_what_a_full_run_writes_and_say_what_they_are_about() {
        check::<Report>();
        check::<PythonReport>();
        check::<ServerReport>();
        check::<CacheReport>();
    }
}
