//! Waiting for something that only tells when asked, with an end.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

/// How long to rest between two looks. Short beside a JVM's start, long beside the cost of a look.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until `look` breaks with a result, or `limit` has passed: then what it continued with last.
/// Looks once at least.
pub(super) fn until<T, M>(limit: Duration, mut look: impl FnMut() -> ControlFlow<T, M>) -> Result<T, M> {
    let start = Instant::now();
    loop {
        match look() {
            ControlFlow::Break(found) => return Ok(found),
            ControlFlow::Continue(missing) if start.elapsed() >= limit => return Err(missing),
            ControlFlow::Continue(_) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_what_was_found_or_with_what_was_missing_last() {
        const MINUTE: Duration = Duration::from_secs(60);
        for (limit, found_at, expected) in
            [(MINUTE, 1, Ok(1)), (MINUTE, 3, Ok(3)), (Duration::ZERO, 2, Err(1))]
        {
            let mut looks = 0;
            let result = until(limit, || {
                looks += 1;
                if looks == found_at { ControlFlow::Break(looks) } else { ControlFlow::Continue(looks) }
            });
            assert_eq!(result, expected, "{limit:?}, found at look {found_at}");
        }
    }
}
