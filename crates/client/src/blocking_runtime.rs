//! The runtime of blocking calls. The thread that waits for a call drives it itself, which saves two hops from thread to
//! thread for each call; a background thread drives it while nobody calls, so that connections that end are noticed.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// For how long nobody must have called before the background thread takes over. Calls in a row come much sooner, and
/// nobody misses a connection's end for so short a time.
const QUIET: Duration = Duration::from_millis(20);

/// A runtime that its callers drive.
#[derive(Debug)]
pub struct BlockingRuntime {
    runtime: Runtime,
    /// How many calls there have been.
    calls: AtomicUsize,
    /// How many calls wait.
    waiting: AtomicUsize,
    /// The background thread drives it, or is about to.
    kept: AtomicBool,
    /// Tells the background thread to let go.
    release: Notify,
}

impl BlockingRuntime {
    /// A runtime with its background thread. Both live as long as the process.
    ///
    /// # Errors
    /// The system has no more descriptors or threads.
    pub fn start() -> io::Result<Arc<Self>> {
        let started = Arc::new(BlockingRuntime {
            runtime: Builder::new_current_thread().enable_io().enable_time().build()?,
            calls: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            kept: AtomicBool::new(false),
            release: Notify::new(),
        });
        let kept = Arc::clone(&started);
        thread::Builder::new().name("rocketmq-nameserver".to_owned()).spawn(move || kept.keep())?;
        Ok(started)
    }

    /// Runs `call` to its end.
    pub fn block_on<F: Future>(&self, call: F) -> F::Output {
        let _waiting = Waiting::begin(self);
        if self.kept.load(Ordering::SeqCst) {
            self.release.notify_one();
        }
        self.runtime.block_on(call)
    }

    /// Runs `call` to its end. While it waits, `look` is asked every `every`, and may end it.
    ///
    /// # Errors
    /// What `look` says.
    pub fn block_on_and_look<F: Future, E>(
        &self,
        call: F,
        every: Duration,
        mut look: impl FnMut() -> Result<(), E>,
    ) -> Result<F::Output, E> {
        self.block_on(async {
            let mut call = pin!(call);
            loop {
                match tokio::time::timeout(every, &mut call).await {
                    Ok(output) => return Ok(output),
                    Err(_) => look()?,
                }
            }
        })
    }

    /// Drives the runtime while nobody else does. It wakes up only while there are calls, and blocks when there are none.
    fn keep(&self) {
        loop {
            let before = self.calls.load(Ordering::SeqCst);
            thread::sleep(QUIET);
            let quiet =
                || self.waiting.load(Ordering::SeqCst) == 0 && self.calls.load(Ordering::SeqCst) == before;
            if !quiet() {
                continue;
            }
            // First this, then one more look: a caller either sees it and rings, or is seen.
            self.kept.store(true, Ordering::SeqCst);
            if quiet() {
                self.runtime.block_on(self.release.notified());
            }
            self.kept.store(false, Ordering::SeqCst);
        }
    }
}

/// A call that waits, until it is dropped, even by a panic.
struct Waiting<'a>(&'a BlockingRuntime);

impl<'a> Waiting<'a> {
    fn begin(runtime: &'a BlockingRuntime) -> Self {
        runtime.calls.fetch_add(1, Ordering::SeqCst);
        runtime.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(runtime)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
