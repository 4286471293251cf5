//! Which server to ask, and in which order to try the others. Pure bookkeeping: [`call`](crate::call) drives it.
//!
//! A client stays with a server that works. Servers that failed come last, the one whose failure is longest ago
//! first among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What is known of one server. It stays with the server when the others change.
#[derive(Debug, Default)]
pub(crate) struct ServerHealth {
    /// Which of all failures was its last one, 0 if it has answered since.
    last_failure: AtomicU64,
    /// It was no more than slow: nothing came from it while another server answered.
    is_suspected: AtomicBool,
}

impl ServerHealth {
    /// Whether the server's last attempt failed.
    pub(crate) fn is_failed(&self) -> bool {
        self.last_failure() > 0
    }

    /// Whether it is known to fail, and not only suspected.
    pub(crate) fn is_down(&self) -> bool {
        self.is_failed() && !self.is_suspected.load(Ordering::Relaxed)
    }

    /// What was suspected is true.
    pub(crate) fn confirm(&self) {
        self.is_suspected.store(false, Ordering::Relaxed);
    }

    fn last_failure(&self) -> u64 {
        self.last_failure.load(Ordering::Relaxed)
    }

    /// It works again, as somebody has found out who did not call for it.
    pub(crate) fn recovered(&self) {
        self.set_last_failure(0);
    }

    fn set_last_failure(&self, failure: u64) {
        self.last_failure.store(failure, Ordering::Relaxed);
    }
}

/// The servers of one client by number, with what is known of their health. Calls that end at the same time may tell it
/// in any order; every order leaves something true.
#[derive(Debug)]
pub(crate) struct Health {
    servers: Vec<Arc<ServerHealth>>,
    /// The server that answered last.
    current: AtomicUsize,
    /// Counts failures of any server, those included that were there before.
    failures: Arc<AtomicU64>,
}

impl Health {
    pub(crate) fn new(servers: Vec<Arc<ServerHealth>>) -> Self {
        Health { servers, current: AtomicUsize::new(0), failures: Arc::default() }
    }

    /// Other servers in place of these. The one in use stays in use if it is among them.
    pub(crate) fn with(&self, servers: Vec<Arc<ServerHealth>>) -> Self {
        let current = self.servers.get(self.current());
        let stays =
            |current: &Arc<ServerHealth>| servers.iter().position(|server| Arc::ptr_eq(server, current));
        let current = current.and_then(stays).unwrap_or(0);
        Health { servers, current: AtomicUsize::new(current), failures: Arc::clone(&self.failures) }
    }

    /// The server to ask first: the one in use, if it works.
    pub(crate) fn first(&self) -> Option<usize> {
        let current = self.current();
        if self.is_failed(current) { self.ranked().first().copied() } else { Some(current) }
    }

    /// All servers, each once, in the order in which to try them.
    pub(crate) fn ranked(&self) -> Vec<usize> {
        let (servers, current) = (self.servers.len(), self.current());
        let mut order: Vec<(u64, usize)> = (0..servers)
            .map(|step| (current + step) % servers)
            .map(|server| (self.servers.get(server).map_or(0, |health| health.last_failure()), server))
            .collect();
        order.sort_by_key(|(last_failure, _)| *last_failure);
        order.into_iter().map(|(_, server)| server).collect()
    }

    fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Whether the server's last attempt failed.
    pub(crate) fn is_failed(&self, server: usize) -> bool {
        self.servers.get(server).is_some_and(|health| health.is_failed())
    }

    pub(crate) fn answered(&self, server: usize) {
        if self.is_failed(self.current()) {
            self.current.store(server, Ordering::Relaxed);
        }
        if let Some(health) = self.servers.get(server).filter(|health| health.is_failed()) {
            health.set_last_failure(0);
        }
    }

    /// Whether it is known to fail, and not only suspected.
    pub(crate) fn is_down(&self, server: usize) -> bool {
        self.servers.get(server).is_some_and(|health| health.is_down())
    }

    /// Nothing came from the server while another one answered. It is tried late as one that failed, but what it would have
    /// said is missed.
    pub(crate) fn suspected(&self, server: usize) {
        if let Some(health) = self.servers.get(server).filter(|health| !health.is_failed()) {
            health.is_suspected.store(true, Ordering::Relaxed);
            health.set_last_failure(self.failures.fetch_add(1, Ordering::Relaxed) + 1);
        }
    }

    pub(crate) fn failed(&self, server: usize) {
        if let Some(health) = self.servers.get(server) {
            health.confirm();
            health.set_last_failure(self.failures.fetch_add(1, Ordering::Relaxed) + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(count: usize) -> Vec<Arc<ServerHealth>> {
        std::iter::repeat_with(Arc::default).take(count).collect()
    }

    fn order(health: &Health) -> Vec<usize> {
        let order = health.ranked();
        assert_eq!(health.first(), order.first().copied());
        order
    }

    #[test]
    fn a_client_stays_with_what_works_and_tries_the_failed_last() {
        let health = Health::new(servers(3));
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

    #[test]
    fn a_suspected_server_is_tried_last_and_is_not_down_until_that_is_confirmed() {
        let of_all = servers(2);
        let health = Health::new(of_all.clone());
        health.suspected(0);
        assert_eq!((order(&health), health.is_failed(0), health.is_down(0)), (vec![1, 0], true, false));
        of_all[0].confirm();
        assert!(health.is_down(0));
        health.suspected(0);
        assert!(health.is_down(0), "a suspicion is less than what is known");
        of_all[0].recovered();
        assert!(!health.is_failed(0) && !health.is_down(0));
        health.suspected(0);
        health.failed(0);
        assert!(health.is_down(0));
    }

    #[test]
    fn what_is_known_of_a_server_stays_when_the_others_change() {
        let before = servers(3);
        let health = Health::new(before.clone());
        health.failed(0);
        health.failed(2);
        health.answered(1);
        let new: Arc<ServerHealth> = Arc::default();
        let pick = |picked: &[&Arc<ServerHealth>]| picked.iter().map(|server| Arc::clone(server)).collect();
        for (name, servers, expected) in [
            ("the one in use stays in use", pick(&[&new, &before[0], &before[1]]), vec![2, 0, 1]),
            ("without it the first that works is used", pick(&[&before[0], &before[2], &new]), vec![2, 0, 1]),
            ("failures keep their order", pick(&[&before[2], &before[0]]), vec![1, 0]),
        ] {
            let health = health.with(servers);
            assert_eq!(order(&health), expected, "{name}");
            health.failed(expected[0]);
            assert_eq!(order(&health).last(), expected.first(), "{name}: failures are counted on");
            health.answered(expected[0]);
            // The servers are shared with the other cases.
            if name.starts_with("failures") {
                continue;
            }
            assert!(!before[1].is_failed() && before[0].is_failed() && before[2].is_failed(), "{name}");
        }
    }
}
