//! Clock, CPU time, percentiles and medians.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// What one client did in one slice of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slice {
    /// How many queries were answered.
    pub(crate) queries: u64,
    /// How long that took.
    pub(crate) wall: Duration,
    /// How much processor time this process used meanwhile, all threads together.
    pub(crate) cpu: Duration,
    /// How long each wait took: per query, or per batch. Empty if many waits overlap.
    pub(crate) waits: Vec<Duration>,
}

impl Slice {
    pub(crate) fn queries_per_second(&self) -> f64 {
        self.queries as f64 / self.wall.as_secs_f64()
    }

    pub(crate) fn cpu_us_per_query(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.queries as f64
    }

    /// The wait, in µs, that this share of all waits did not exceed.
    pub(crate) fn wait_us(&self, share: f64) -> Option<f64> {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        percentile(&waits, share).map(|wait| wait.as_secs_f64() * 1e6)
    }
}

/// Both clocks since a moment.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch { cpu: process_cpu_time(), wall: Instant::now() }
    }

    pub(crate) fn stop(self, queries: u64, waits: Vec<Duration>) -> Slice {
        Slice { queries, wall: self.wall.elapsed(), cpu: process_cpu_time().saturating_sub(self.cpu), waits }
    }
}

/// The processor time of this process so far, user and system. The stub is another process.
fn process_cpu_time() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

/// The same of the thread that asks.
pub(crate) fn thread_cpu_time() -> Duration {
    cpu_time(ClockId::ThreadCPUTime)
}

fn cpu_time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// How much processor time `work` takes per item, in ns, when it does `items` of them. Nothing else may run in this
/// process meanwhile; other processes do not count.
pub(crate) fn ns_per_item(items: usize, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = process_cpu_time();
    work()?;
    let spent = process_cpu_time().saturating_sub(start);
    Ok(spent.as_secs_f64() * 1e9 / items as f64)
}

/// The value that this share of the sorted values does not exceed (nearest rank).
pub(crate) fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A figure over all rounds. Quartiles and not extremes: one round in which the machine did something else says
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    /// The lower quartile: a quarter of the rounds had no more.
    pub(crate) lower: f64,
    /// The upper quartile: three quarters of the rounds had no more.
    pub(crate) upper: f64,
}

impl Spread {
    /// `None` if there were no rounds. Figures are kept to three decimals.
    pub(crate) fn of(rounds: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = rounds.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let rounded = |figure: f64| (figure * 1e3).round() / 1e3;
        Some(Spread {
            median: rounded(percentile(&sorted, 0.5)?),
            lower: rounded(percentile(&sorted, 0.25)?),
            upper: rounded(percentile(&sorted, 0.75)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        for (share, expected) in [(0.0, 1), (0.01, 1), (0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(percentile(&hundred, share), Some(expected), "{share}");
        }
        assert_eq!(percentile::<u32>(&[], 0.5), None);
    }

    #[test]
    fn a_spread_is_the_middle_round_and_the_quartiles() {
        let expected = Spread { median: 2.0, lower: 1.0, upper: 9.123 };
        assert_eq!(Spread::of([9.1234, 1.0, 2.0, 99.0]), Some(expected));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn work_takes_processor_time() {
        let stopwatch = Stopwatch::start();
        let mut sum = 0u64;
        let until = Instant::now() + Duration::from_millis(20);
        while Instant::now() < until {
            sum = std::hint::black_box(sum + 1);
        }
        let slice = stopwatch.stop(sum, Vec::new());
        assert!(slice.wall >= Duration::from_millis(20));
        assert!(slice.cpu > Duration::ZERO);
    }
}
