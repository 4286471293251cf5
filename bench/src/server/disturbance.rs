//! What something else that happens does to the waits of queries: an open loop while it is quiet, and then beside it.

use super::open_loop::Waits;
use super::over;
use super::report::TwoWaits;
use crate::Outcome;

/// Two loops on one server in each round.
#[derive(Default)]
pub(super) struct Pairs(Vec<Pair>);

struct Pair {
    quiet_p50: f64,
    quiet_p99: f64,
    p50: f64,
    p99: f64,
}

impl Pairs {
    pub(super) fn push(&mut self, quiet: &Waits, disturbed: &Waits) {
        self.0.push(Pair {
            quiet_p50: quiet.us(0.5),
            quiet_p99: quiet.us(0.99),
            p50: disturbed.us(0.5),
            p99: disturbed.us(0.99),
        });
    }

    /// Medians over the rounds; the ratio is of two loops in the same round.
    pub(super) fn summary(&self) -> Outcome<TwoWaits> {
        let of = |figure: fn(&Pair) -> f64| over(self.0.iter().map(figure));
        Ok(TwoWaits {
            quiet_p50_us: of(|pair| pair.quiet_p50)?,
            quiet_p99_us: of(|pair| pair.quiet_p99)?,
            p50_us: of(|pair| pair.p50)?,
            p99_us: of(|pair| pair.p99)?,
            p99_of_quiet: of(|pair| pair.p99 / pair.quiet_p99)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_ratio_is_of_one_round() {
        let waits = |us| Waits::new(vec![Duration::from_micros(us); 3]);
        let mut pairs = Pairs::default();
        for (quiet, disturbed) in [(100, 200), (1_000, 3_000), (10, 40)] {
            pairs.push(&waits(quiet), &waits(disturbed));
        }
        let summary = pairs.summary().unwrap();
        assert_eq!(summary.quiet_p99_us.median, 100.0);
        assert_eq!(summary.p99_us.median, 200.0);
        assert_eq!(summary.p99_of_quiet.median, 3.0);
        assert!(Pairs::default().summary().is_err());
    }
}
