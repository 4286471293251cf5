//! What asks a command that goes on to end: Ctrl-C, and SIGTERM where there is one.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From now on these do not end the program by themselves.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

/// The exit codes of programs that a signal has ended, as shells see them.
const INTERRUPTED: i32 = 128 + 2;
#[cfg(unix)]
const TERMINATED: i32 = 128 + 15;

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Signals {})
    }

    /// Waits for the next one. Says which exit code tells of it.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
        }
    }

    /// Waits for the next one. Says which exit code tells of it.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> i32 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => INTERRUPTED,
            // It cannot be listened for, so the system ends the program itself.
            Err(_) => std::future::pending().await,
        }
    }
}
