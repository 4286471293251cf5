//! What a cache has done so far, in numbers.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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
    /// Reports of failing brokers that were looked at.
    pub reported: u64,
}

impl RouteCacheStats {
    pub(super) fn new(topics: usize, hits: &Hits, counted: &Counted) -> Self {
        let Counted {
            negative_hits,
            misses,
            joined,
            questions,
            background,
            unchanged,
            decoded,
            changed,
            late,
            failures,
            not_found,
            dropped,
            evicted,
            reported,
        } = *counted;
        let (hits, stale_hits) = hits.sum();
        RouteCacheStats {
            topics,
            hits,
            stale_hits,
            negative_hits,
            misses,
            joined,
            questions,
            background,
            unchanged,
            decoded,
            changed,
            late,
            failures,
            not_found,
            dropped,
            evicted,
            reported,
        }
    }
}

/// What is counted behind the table's lock.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) negative_hits: u64,
    pub(super) misses: u64,
    pub(super) joined: u64,
    pub(super) questions: u64,
    pub(super) background: u64,
    pub(super) unchanged: u64,
    pub(super) decoded: u64,
    pub(super) changed: u64,
    pub(super) late: u64,
    pub(super) failures: u64,
    pub(super) not_found: u64,
    pub(super) dropped: u64,
    pub(super) evicted: u64,
    pub(super) reported: u64,
}

/// Hits, counted by each thread in a line of its own: one counter for all would be what threads wait for.
#[derive(Debug, Default)]
pub(super) struct Hits([Line; LINES]);

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
        if let Some(line) = self.line() {
            line.fresh.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn stale(&self) {
        if let Some(line) = self.line() {
            line.stale.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[inline]
    fn line(&self) -> Option<&Line> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LINES;
        }
        // Not at the very end of a thread.
        MINE.try_with(|mine| *mine).ok().and_then(|mine| self.0.get(mine))
    }

    fn sum(&self) -> (u64, u64) {
        self.0.iter().fold((0, 0), |(fresh, stale), line| {
            (fresh + line.fresh.load(Ordering::Relaxed), stale + line.stale.load(Ordering::Relaxed))
        })
    }
}
