//! What a cache has done so far, in numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A cache's numbers at one moment: [`RouteCache::stats`](super::RouteCache::stats). All but `topics` only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteCacheStats {
    /// How many topics have a route now.
    pub topics: usize,
    /// Calls that were served a fresh route.
    pub hits: u64,
    /// Calls that were served a stale route.
    pub stale_hits: u64,
    /// Calls that were told at once that no server knows the topic.
    pub negative_hits: u64,
    /// Calls that found nothing and asked.
    pub misses: u64,
    /// Calls that waited for the question of another call: requests that were saved.
    pub joined: u64,
    /// Questions that were asked, behind callers' backs too. One question is one request, unless servers fail.
    pub questions: u64,
    /// Those of them that nobody waited for.
    pub background: u64,
    /// Answers that were byte for byte what was known, and were not read.
    pub unchanged: u64,
    /// Answers that were read. Neither these nor `unchanged`: what another topic had already.
    pub decoded: u64,
    /// Routes that replaced another one.
    pub changed: u64,
    /// Answers that were not used, because a later question was answered before.
    pub late: u64,
    /// Questions that brought neither a route nor a believed "not found".
    pub failures: u64,
    /// Questions that brought "not found", and it was believed.
    pub not_found: u64,
    /// Routes that were dropped because two servers did not know them, or because they were too old.
    pub dropped: u64,
    /// Routes that were dropped because nobody wanted them.
    pub evicted: u64,
    /// Routes that were taken from the snapshot on disk.
    pub loaded: u64,
    /// Reports of failing brokers that were looked at.
    pub reported: u64,
}

/// Hits, counted by each thread in a line of its own: one counter for all would be what threads wait for.
#[derive(Debug, Default)]
pub(super) struct Hits([Line; LINES]);

/// How many threads count without disturbing each other. More share the last line.
const LINES: usize = 16;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Line {
    fresh: AtomicU64,
    stale: AtomicU64,
}

impl Hits {
    #[inline]
    pub(super) fn fresh(&self) {
        self.count(|line| &line.fresh);
    }

    #[inline]
    pub(super) fn stale(&self) {
        self.count(|line| &line.stale);
    }

    #[inline]
    fn count(&self, counter: impl Fn(&Line) -> &AtomicU64) {
        // At the very end of a thread it has none.
        let mine = MINE.try_with(|mine| mine.0).ok().flatten();
        if let Some(line) = mine.and_then(|mine| self.0.get(mine)) {
            // Nobody else writes to it.
            let counter = counter(line);
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else if let Some(line) = self.0.last() {
            counter(line).fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self) -> (u64, u64) {
        self.0.iter().fold((0, 0), |(fresh, stale), line| {
            (fresh + line.fresh.load(Ordering::Relaxed), stale + line.stale.load(Ordering::Relaxed))
        })
    }
}

thread_local! {
    static MINE: Claim = Claim::make();
}

/// Which lines belong to threads; the last one to none.
static TAKEN: [AtomicBool; LINES - 1] = [const { AtomicBool::new(false) }; LINES - 1];

/// The line that belongs to this thread while it lives, in all caches.
struct Claim(Option<usize>);

impl Claim {
    fn make() -> Self {
        // What the thread before has counted is seen by the one that goes on counting.
        Claim(TAKEN.iter().position(|taken| !taken.swap(true, Ordering::AcqRel)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(taken) = self.0.and_then(|mine| TAKEN.get(mine)) {
            taken.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn no_hit_is_lost_however_many_threads_count() {
        for threads in [1, 2, LINES - 1, LINES, 3 * LINES] {
            let hits = Hits::default();
            let barrier = Barrier::new(threads);
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        barrier.wait();
                        for _ in 0..10_000 {
                            hits.fresh();
                        }
                        hits.stale();
                    });
                }
            });
            assert_eq!(hits.sum(), (10_000 * threads as u64, threads as u64), "{threads} threads");
        }
    }
}
