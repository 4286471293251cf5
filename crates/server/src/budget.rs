//! How much memory requests and answers on their way may take, all connections together.
//!
//! A frame may be 16 MiB, and a peer may take its time to send or to read it. What a connection needs for usual requests and
//! answers is its own; what it needs beyond that comes out of one budget, and a connection that gets none is closed.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What every connection may hold without asking, in bytes: 64 KiB of answers, which is as much as a spare output has,
/// and as much for a request, which is a registration with 200 topics.
const FREE: usize = 128 * 1024;

/// Bytes that connections may hold beyond what is free to each.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    taken: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Budget { limit, taken: AtomicUsize::new(0) }
    }
}

/// What one connection has taken; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    budget: &'a Budget,
    taken: usize,
}

impl<'a> Share<'a> {
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Share { budget, taken: 0 }
    }

    /// Takes as much as buffers of that size in all need, or gives back what it no longer does.
    ///
    /// # Errors
    /// `OutOfMemory` if the budget does not have it.
    pub(crate) fn take(&mut self, size: usize) -> io::Result<()> {
        let needed = size.saturating_sub(FREE);
        if needed == self.taken {
            return Ok(());
        }
        if needed < self.taken {
            self.budget.taken.fetch_sub(self.taken - needed, Ordering::Relaxed);
        } else {
            let more = needed - self.taken;
            let fits = |taken: usize| taken.checked_add(more).filter(|all| *all <= self.budget.limit);
            if self.budget.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
                let text =
                    format!("requests and answers on their way take {} bytes already", self.budget.limit);
                return Err(io::Error::new(io::ErrorKind::OutOfMemory, text));
            }
        }
        self.taken = needed;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_costs_nothing_and_what_is_taken_comes_back() {
        let budget = Budget::new(100);
        let taken = || budget.taken.load(Ordering::Relaxed);
        let mut first = Share::new(&budget);
        let mut second = Share::new(&budget);
        first.take(FREE).unwrap();
        assert_eq!(taken(), 0);
        first.take(FREE + 70).unwrap();
        assert_eq!(second.take(FREE + 40).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
        second.take(FREE + 30).unwrap();
        assert_eq!(taken(), 100);
        first.take(FREE + 10).unwrap();
        second.take(FREE + 90).unwrap();
        drop(first);
        assert_eq!(taken(), 90);
        drop(second);
        assert_eq!(taken(), 0);
    }
}
