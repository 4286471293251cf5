//! Which server to ask, and in which order to try the others. Pure bookkeeping: [`call`](crate::call) drives it.
//!
//! A client stays with a server that works. Servers that failed come last, the one whose failure is longest ago
//! first among them.

use std::iter;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The servers of one client by number, with what is known of their health. Calls that end at the same time may tell it
/// in any order; every order leaves something true.
#[derive(Debug)]
pub(crate) struct Health {
    /// The server that answered last.
    current: AtomicUsize,
    /// Counts failures of any server.
    failures: AtomicU64,
    /// Per server: which failure was its last one, 0 if it has answered since.
    failed: Vec<AtomicU64>,
}

impl Health {
    pub(crate) fn new(servers: usize) -> Self {
        let failed = iter::repeat_with(AtomicU64::default).take(servers).collect();
        Health { current: AtomicUsize::new(0), failures: AtomicU64::new(0), failed }
    }

    /// All servers, each once, in the order in which to try them. Those behind the first are put in order when somebody
    /// gets that far.
    pub(crate) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        let current = self.current.load(Ordering::Relaxed);
        let first = if self.is_failed(current) { self.ranked().first().copied() } else { Some(current) };
        let behind = move || self.ranked().into_iter().filter(move |server| Some(*server) != first);
        first.into_iter().chain(iter::once_with(behind).flatten())
    }

    fn ranked(&self) -> Vec<usize> {
        let (servers, current) = (self.failed.len(), self.current.load(Ordering::Relaxed));
        let mut order: Vec<(u64, usize)> = (0..servers)
            .map(|step| (current + step) % servers)
            .map(|server| (self.last_failure(server), server))
            .collect();
        order.sort_by_key(|(last_failure, _)| *last_failure);
        order.into_iter().map(|(_, server)| server).collect()
    }

    /// Whether the server's last attempt failed.
    pub(crate) fn is_failed(&self, server: usize) -> bool {
        self.last_failure(server) > 0
    }

    fn last_failure(&self, server: usize) -> u64 {
        self.failed.get(server).map_or(0, |failure| failure.load(Ordering::Relaxed))
    }

    pub(crate) fn answered(&self, server: usize) {
        if self.is_failed(self.current.load(Ordering::Relaxed)) {
            self.current.store(server, Ordering::Relaxed);
        }
        if self.is_failed(server) {
            self.set_last_failure(server, 0);
        }
    }

    pub(crate) fn failed(&self, server: usize) {
        self.set_last_failure(server, self.failures.fetch_add(1, Ordering::Relaxed) + 1);
    }

    fn set_last_failure(&self, server: usize, failure: u64) {
        if let Some(last) = self.failed.get(server) {
            last.store(failure, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(health: &Health) -> Vec<usize> {
        health.order().collect()
    }

    #[test]
    fn a_client_stays_with_what_works_and_tries_the_failed_last() {
        let health = Health::new(3);
        assert_eq!(order(&health), [0, 1, 2]);
        health.answered(0);
        assert_eq!(order(&health), [0, 1, 2], "an answer changes nothing");
        health.failed(0);
        assert_eq!(order(&health), [1, 2, 0]);
        health.failed(1);
        assert_eq!(order(&health), [2, 0, 1], "the oldest failure first");
        health.answered(2);
        assert_eq!(order(&health), [2, 0, 1], "sticky");
        health.answered(0);
        assert_eq!(order(&health), [2, 0, 1], "a recovered server does not take over from one that works");
        assert!(!health.is_failed(0) && health.is_failed(1));
        health.failed(2);
        assert_eq!(order(&health), [0, 1, 2]);
    }
}
