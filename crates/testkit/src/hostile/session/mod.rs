//! A session beside a plain model of it: whatever happens in whatever order, each call ends once and in the right way.

mod beside;
mod steps;

use beside::Beside;
pub use beside::Tally;
pub use steps::{Step, read};

/// Takes bytes as [steps](Step) and does them.
///
/// # Panics
/// If a promise is broken.
pub fn check(bytes: &[u8]) {
    run(read(bytes));
}

/// Does the steps, lets everything arrive and be written that is under way, and closes the connection.
///
/// # Panics
/// If a promise is broken.
pub fn run(steps: impl IntoIterator<Item = Step>) -> Tally {
    let mut beside = Beside::new();
    for step in steps {
        beside.step(step);
    }
    beside.finish()
}
