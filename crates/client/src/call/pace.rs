//! When an answer is late, and how many late answers may be asked for a second time. Pure bookkeeping:
//! [`pursuit`](super::pursuit) drives it.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// How many recent answer times are kept: enough for a 95th percentile that one outlier does not move, few enough to
/// follow a network that changes.
const SAMPLES: usize = 128;

/// How often they are looked at, in answers: a percentile takes a microsecond, which this makes nothing.
const LOOK_EVERY: usize = 32;

/// When an answer is late before there are enough samples: far beyond a healthy network, and still not felt.
const LATE_AT_FIRST: Duration = Duration::from_millis(50);

/// No answer is late before this. Servers in a datacentre answer within one or two milliseconds; a pause of a scheduler
/// or of a garbage collector takes longer than that, and is no reason to ask again.
const LATE_AT_LEAST: Duration = Duration::from_millis(10);

/// Every answer is late by then: round the earth and back. Where answers take longer the server is what is slow.
const LATE_AT_MOST: Duration = Duration::from_millis(250);

/// What a second request costs, in calls: at most one call in ten is asked twice, so that servers that are late because
/// they have too much to do do not get twice as much.
const CALLS_PER_HEDGE: u32 = 10;

/// How many second requests may be saved up: the first calls after a server fell silent are made at the same time.
const BURST: u32 = 5;

/// How fast answers come lately, and what may be asked twice.
#[derive(Debug)]
pub(super) struct Pace {
    /// Recent answer times in microseconds; a ring.
    samples: [AtomicU32; SAMPLES],
    answers: AtomicUsize,
    /// In microseconds.
    late: AtomicU32,
    /// Calls that have not been spent on a second request.
    saved: AtomicU32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace {
            samples: [const { AtomicU32::new(0) }; SAMPLES],
            answers: AtomicUsize::new(0),
            late: AtomicU32::new(micros(LATE_AT_FIRST)),
            saved: AtomicU32::new(BURST * CALLS_PER_HEDGE),
        }
    }

    /// After how long an answer is late.
    pub(super) fn late(&self) -> Duration {
        Duration::from_micros(self.late.load(Ordering::Relaxed).into())
    }

    /// A call begins.
    pub(super) fn called(&self) {
        // Calls that begin at this moment may save a little too much.
        if self.saved.load(Ordering::Relaxed) < BURST * CALLS_PER_HEDGE {
            self.saved.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a request may be made a second time, which is paid for by that. One that is only just late leaves something
    /// for one that waits for much longer: there a server may have fallen silent, and one hedge is enough to find out.
    pub(super) fn pay_for_hedge(&self, is_just_late: bool) -> bool {
        let needed = if is_just_late { 2 * CALLS_PER_HEDGE } else { CALLS_PER_HEDGE };
        let pay = |saved: u32| (saved >= needed).then(|| saved - CALLS_PER_HEDGE);
        self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }

    /// An answer came, after so long.
    pub(super) fn answered(&self, after: Duration) {
        let answers = self.answers.fetch_add(1, Ordering::Relaxed);
        if let Some(sample) = self.samples.get(answers % SAMPLES) {
            sample.store(micros(after), Ordering::Relaxed);
        }
        let answers = answers.wrapping_add(1);
        if answers.is_multiple_of(LOOK_EVERY) {
            self.look(answers.min(SAMPLES));
        }
    }

    fn look(&self, samples: usize) {
        let mut times: Vec<u32> =
            self.samples.iter().take(samples).map(|time| time.load(Ordering::Relaxed)).collect();
        times.sort_unstable();
        if let Some(late) = times.get(samples * 95 / 100) {
            let late = (*late).clamp(micros(LATE_AT_LEAST), micros(LATE_AT_MOST));
            self.late.store(late, Ordering::Relaxed);
        }
    }
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_late_after_most_recent_answers_were_there_within_limits() {
        let pace = Pace::new();
        let millis = Duration::from_millis;
        for (name, answers, took, late) in [
            ("too few to say", LOOK_EVERY - 1, millis(1), LATE_AT_FIRST),
            ("a fast network", SAMPLES, millis(1), LATE_AT_LEAST),
            ("one in thirty is slow", SAMPLES / 30, millis(100), LATE_AT_LEAST),
            ("a slow network", SAMPLES, millis(80), millis(80)),
            ("a very slow server", SAMPLES, Duration::from_secs(10_000), LATE_AT_MOST),
            ("fast again", SAMPLES + LOOK_EVERY, millis(20), millis(20)),
        ] {
            (0..answers).for_each(|_| pace.answered(took));
            assert_eq!(pace.late(), late, "{name}");
        }
    }

    #[test]
    fn at_most_one_call_in_ten_is_asked_twice_but_for_a_burst() {
        let pace = Pace::new();
        let spent = |calls: u32, is_just_late| {
            let hedges = |_: &u32| {
                pace.called();
                pace.pay_for_hedge(is_just_late)
            };
            (0..calls).filter(hedges).count()
        };
        assert_eq!(spent(1000, false), 104, "the burst was saved, and each call saves for the next ones");
        assert_eq!(spent(1000, false), 100);
        (0..1000).for_each(|_| pace.called());
        let burst = BURST as usize;
        assert_eq!((0..100).filter(|_| pace.pay_for_hedge(true)).count(), burst - 1, "no more is saved");
        assert_eq!((0..100).filter(|_| pace.pay_for_hedge(false)).count(), 1, "that was left");
    }
}
