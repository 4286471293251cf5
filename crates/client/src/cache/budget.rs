//! How many refreshes may start: so many per second, and a short burst. Pure: the time is an argument.

use std::time::Duration;

/// A bucket that fills at a steady rate and from which each refresh takes one.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: f64,
    most: f64,
    left: f64,
    filled_at: Duration,
}

impl Budget {
    /// How much of a second's refreshes may start at once. A tenth: short enough that no server feels it.
    const BURST: f64 = 0.1;

    /// So many per second; a full bucket at the start.
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        let most = (per_second * Self::BURST).max(1.0);
        Budget { per_second, most, left: most, filled_at: Duration::ZERO }
    }

    /// Takes one, or says in how long there will be one.
    pub(crate) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.filled_at);
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.most);
        self.filled_at = self.filled_at.max(now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        // A little more, so that rounding does not make somebody come too early.
        Err(Duration::from_secs_f64((1.0 - self.left) / self.per_second) + Duration::from_micros(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many can be taken at that time.
    fn all(budget: &mut Budget, now: Duration) -> usize {
        std::iter::from_fn(|| budget.take(now).ok()).count()
    }

    #[test]
    fn a_burst_and_then_a_steady_rate() {
        for (per_second, after, expected) in [
            (1000, Duration::ZERO, 0),
            (1000, Duration::from_millis(10), 10),
            (1000, Duration::from_secs(3600), 100),
            (1, Duration::from_millis(500), 0),
            (1, Duration::from_secs(1), 1),
            (5, Duration::from_secs(10), 1),
        ] {
            let mut budget = Budget::new(per_second);
            let burst = all(&mut budget, Duration::ZERO);
            assert_eq!(burst, (per_second as usize / 10).max(1), "{per_second}");
            assert_eq!(all(&mut budget, after), expected, "{per_second} {after:?}");
        }
    }

    #[test]
    fn who_waits_as_long_as_told_gets_one() {
        let mut budget = Budget::new(7);
        let mut now = Duration::ZERO;
        for _ in 0..1000 {
            while let Err(wait) = budget.take(now) {
                now += wait;
                assert!(wait <= Duration::from_secs(1));
            }
        }
        assert!(now > Duration::from_secs(140) && now < Duration::from_secs(144), "{now:?}");
    }
}
