//! How far it is, on a terminal.

use std::io::{self, IsTerminal, Write};

/// A line on stderr that is written over and over, and gone at the end. None if stderr is no terminal.
pub(super) struct Progress {
    is_shown: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Progress { is_shown: io::stderr().is_terminal() }
    }

    /// Back to the start of the line, and everything behind it goes.
    pub(super) fn say(&self, what: &str) {
        if self.is_shown {
            let mut out = io::stderr().lock();
            // Where it cannot be written, nobody looks.
            let _closed = write!(out, "\r\x1b[K{what}").and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
