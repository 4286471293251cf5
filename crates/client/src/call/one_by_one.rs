//! The servers of a client one by one: whoever compares them must hear each of them, and nobody may stand in for another.

use std::sync::{Arc, Mutex, RwLock};

use super::Servers;
use super::pace::Pace;
use super::set::ServerSet;

impl Servers {
    /// Each server on its own, in order of preference: calls to it go to nobody else. Connections, counters and health are
    /// the same, so a disconnect or a close here ends calls there too.
    pub(crate) fn one_by_one(&self) -> Vec<Servers> {
        self.set().one_by_one().map(|set| self.of(set)).collect()
    }

    fn of(&self, set: ServerSet) -> Servers {
        Servers {
            config: Arc::clone(&self.config),
            set: RwLock::new(Arc::new(set)),
            drained: Mutex::default(),
            closed: Arc::clone(&self.closed),
            epoch: Arc::clone(&self.epoch),
            pace: Pace::new(),
            failures: self.failures.clone(),
        }
    }
}
