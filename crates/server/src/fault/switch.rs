//! The faults that are on.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::Fault;

/// The faults of one server. Looking whether there is one costs a relaxed load.
#[derive(Debug)]
pub(crate) struct FaultSwitch {
    /// A bit for each, changed together with `all`.
    now: AtomicU16,
    /// In the order of their bits, at most one for each.
    all: watch::Sender<Vec<Fault>>,
}

/// The faults that were on at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Faults(u16);

impl Faults {
    pub(crate) const NONE: Faults = Faults(0);

    pub(crate) fn is_none(self) -> bool {
        self == Faults::NONE
    }

    /// Whether that fault was on; of [`Fault::Slow`] with any time.
    pub(crate) fn has(self, fault: Fault) -> bool {
        self.0 & bit(fault) != 0
    }
}

/// 0 for what happens once and is never on.
const fn bit(fault: Fault) -> u16 {
    match fault {
        Fault::Refuse => 1,
        Fault::GoAway => 1 << 1,
        Fault::NotReady => 1 << 2,
        Fault::Empty => 1 << 3,
        Fault::Disagree => 1 << 4,
        Fault::Silent => 1 << 5,
        Fault::WrongOpaque => 1 << 6,
        Fault::Slow(_) => 1 << 7,
        Fault::HalfFrame => 1 << 8,
        Fault::ForgetEverything => 0,
    }
}

impl FaultSwitch {
    pub(crate) fn new() -> Self {
        FaultSwitch { now: AtomicU16::new(0), all: watch::Sender::new(Vec::new()) }
    }

    pub(crate) fn now(&self) -> Faults {
        Faults(self.now.load(Ordering::Relaxed))
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.all.borrow().clone()
    }

    /// One more. It takes the place of one of its kind.
    pub(crate) fn add(&self, fault: Fault) {
        self.change(|all| all.push(fault));
    }

    /// These and no others; the last one of each kind counts.
    pub(crate) fn replace(&self, faults: Vec<Fault>) {
        self.change(|all| *all = faults);
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Fault>)) {
        self.all.send_modify(|all| {
            change(all);
            // The newest of each kind first, so that it is the one that stays.
            all.reverse();
            all.sort_by_key(|fault| bit(*fault));
            all.dedup_by_key(|fault| bit(*fault));
            all.retain(|fault| bit(*fault) != 0);
            self.now.store(all.iter().fold(0, |now, fault| now | bit(*fault)), Ordering::Relaxed);
        });
    }

    /// Waits as long as answers are late, or until they are no longer.
    pub(crate) async fn delay(&self) {
        if self.now().has(Fault::Slow(Duration::ZERO)) {
            // Boxed, so that connections without this fault have no room for it.
            Box::pin(self.wait()).await;
        }
    }

    async fn wait(&self) {
        let start = Instant::now();
        let mut changes = self.all.subscribe();
        loop {
            let slow = changes.borrow_and_update().iter().find_map(|fault| match fault {
                Fault::Slow(delay) => Some(*delay),
                _ => None,
            });
            let left = slow.unwrap_or_default().saturating_sub(start.elapsed());
            if left.is_zero() || timeout(left, changes.changed()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Fault = Fault::Slow(Duration::from_secs(1));
    const SLOWER: Fault = Fault::Slow(Duration::from_secs(5));

    #[test]
    fn there_is_one_of_each_kind_and_the_newest_counts() {
        let switch = FaultSwitch::new();
        for (change, expected) in [
            (vec![], vec![]),
            (vec![SLOW], vec![SLOW]),
            (vec![SLOWER, Fault::Silent, SLOW], vec![Fault::Silent, SLOW]),
            (vec![Fault::ForgetEverything, Fault::Empty, Fault::Empty], vec![Fault::Empty]),
            (vec![Fault::ForgetEverything], vec![]),
        ] {
            switch.replace(change.clone());
            assert_eq!(switch.all(), expected, "{change:?} at once");
            switch.replace(Vec::new());
            assert!(switch.now().is_none());
            change.iter().for_each(|fault| switch.add(*fault));
            assert_eq!(switch.all(), expected, "{change:?} one after the other");
            assert!(expected.iter().all(|fault| switch.now().has(*fault)));
            assert_eq!(switch.now().is_none(), expected.is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_follows_what_changes_meanwhile() {
        for (faults, then, seconds) in [
            (vec![], vec![], 0),
            (vec![Fault::Silent], vec![], 0),
            (vec![SLOWER], vec![SLOWER], 5),
            (vec![SLOWER], vec![SLOWER, Fault::Silent], 5),
            (vec![SLOWER], vec![], 2),
            (vec![SLOWER], vec![SLOW], 2),
            (vec![SLOWER], vec![Fault::Slow(Duration::from_secs(7))], 7),
            (vec![Fault::Slow(Duration::MAX)], vec![], 2),
        ] {
            let switch = FaultSwitch::new();
            switch.replace(faults.clone());
            let start = Instant::now();
            tokio::join!(
                async {
                    switch.delay().await;
                    assert_eq!(start.elapsed().as_secs(), seconds, "{faults:?}, then {then:?}");
                },
                async {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    switch.replace(then.clone());
                }
            );
        }
    }
}
