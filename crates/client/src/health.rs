//! Which server to ask, and in which order to try the others. Pure bookkeeping: [`call`](crate::call) drives it.
//!
//! A client stays with a server that works. Servers that failed come last, the one whose failure is longest ago
//! first among them.

use std::sync::{Mutex, PoisonError};

/// The servers of one client by number, with what is known of their health.
#[derive(Debug)]
pub(crate) struct Health(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The server that answered last.
    current: usize,
    /// Counts failures of any server.
    failures: u64,
    /// Per server: which failure was its last one, 0 if it has answered since.
    failed: Vec<u64>,
}

impl Health {
    pub(crate) fn new(servers: usize) -> Self {
        Health(Mutex::new(State { current: 0, failures: 0, failed: vec![0; servers] }))
    }

    /// All servers, each once, in the order in which to try them.
    pub(crate) fn order(&self) -> Vec<usize> {
        let state = self.state();
        let servers = state.failed.len();
        let mut order: Vec<usize> = (0..servers).map(|step| (state.current + step) % servers).collect();
        order.sort_by_key(|server| state.failed.get(*server).copied().unwrap_or_default());
        order
    }

    /// Whether the server's last attempt failed.
    pub(crate) fn is_failed(&self, server: usize) -> bool {
        self.state().failed.get(server).is_some_and(|failure| *failure > 0)
    }

    pub(crate) fn answered(&self, server: usize) {
        let mut state = self.state();
        if state.failed.get(state.current).is_none_or(|failure| *failure > 0) {
            state.current = server;
        }
        if let Some(failed) = state.failed.get_mut(server) {
            *failed = 0;
        }
    }

    pub(crate) fn failed(&self, server: usize) {
        let mut state = self.state();
        state.failures += 1;
        let now = state.failures;
        if let Some(failed) = state.failed.get_mut(server) {
            *failed = now;
        }
    }

    /// No code panics while it holds this lock, and plain numbers are never half written.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_stays_with_what_works_and_tries_the_failed_last() {
        let health = Health::new(3);
        assert_eq!(health.order(), [0, 1, 2]);
        health.answered(0);
        assert_eq!(health.order(), [0, 1, 2], "an answer changes nothing");
        health.failed(0);
        assert_eq!(health.order(), [1, 2, 0]);
        health.failed(1);
        assert_eq!(health.order(), [2, 0, 1], "the oldest failure first");
        health.answered(2);
        assert_eq!(health.order(), [2, 0, 1], "sticky");
        health.answered(0);
        assert_eq!(health.order(), [2, 0, 1], "a recovered server does not take over from one that works");
        assert!(!health.is_failed(0) && health.is_failed(1));
        health.failed(2);
        assert_eq!(health.order(), [0, 1, 2]);
    }
}
