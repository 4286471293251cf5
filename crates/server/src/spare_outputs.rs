//! Buffers that answers have left, for the next answers of any connection.
//!
//! A connection has a buffer only while it answers: one that waits needs none, and most wait. Memory that is taken and given
//! back for each answer would cost more than a short answer does.

use std::sync::Mutex;

use bytes::BytesMut;

/// How large a buffer may have become to be kept, in bytes: thirty routes of 8 brokers, and half of what a connection may
/// hold without asking ([`budget`](crate::budget)), so that nobody is refused because of a buffer that others made large.
const LARGEST: usize = 64 * 1024;

/// How many are kept: one for each thread that answers, on most machines. A peer that is slow to take its answers has one of
/// its own meanwhile.
const MOST: usize = 8;

/// The buffers of one server, all empty.
#[derive(Debug, Default)]
pub(crate) struct SpareOutputs {
    kept: Mutex<Vec<BytesMut>>,
}

impl SpareOutputs {
    /// One of them, or a new one without room.
    pub(crate) fn take(&self) -> BytesMut {
        // Whoever finds it locked has a new one sooner than that one.
        self.kept.try_lock().ok().and_then(|mut kept| kept.pop()).unwrap_or_default()
    }

    /// Keeps an output for others, or frees it.
    pub(crate) fn give(&self, mut output: BytesMut) {
        output.clear();
        if output.capacity() > LARGEST {
            return;
        }
        if let Ok(mut kept) = self.kept.try_lock()
            && kept.len() < MOST
        {
            kept.push(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(spares: &SpareOutputs) -> usize {
        let output = spares.take();
        assert!(output.is_empty());
        output.capacity()
    }

    #[test]
    fn what_is_given_is_taken_again_empty_unless_it_is_too_large() {
        for (size, again) in [(1, true), (LARGEST, true), (LARGEST + 1, false)] {
            let spares = SpareOutputs::default();
            spares.give(BytesMut::zeroed(size));
            assert_eq!(taken(&spares) >= size, again, "{size}");
            assert_eq!(taken(&spares), 0, "{size}");
        }
    }

    #[test]
    fn no_more_are_kept_than_are_needed() {
        let spares = SpareOutputs::default();
        for _ in 0..=MOST {
            spares.give(BytesMut::zeroed(1));
        }
        assert_eq!((0..=MOST).filter(|_| taken(&spares) > 0).count(), MOST);
    }

    #[test]
    fn nobody_waits_for_one() {
        let spares = SpareOutputs::default();
        let locked = spares.kept.lock().unwrap();
        spares.give(BytesMut::zeroed(1));
        assert_eq!(taken(&spares), 0);
        drop(locked);
    }
}
