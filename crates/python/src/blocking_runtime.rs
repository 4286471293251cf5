//! The runtime of blocking calls. The thread that waits for a call drives it itself, which saves two hops from thread to
//! thread for each call; a background thread drives it while nobody calls, so that connections that end are noticed.
//!
//! It is apart from the [`runtime`](crate::runtime) of asyncio calls, which must be driven at all times.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// For how long nobody must have called before the background thread takes over. Calls in a row come much sooner, and
/// nobody misses a connection's end for so short a time.
const QUIET: Duration = Duration::from_millis(20);

/// A runtime that its callers drive.
pub(crate) struct BlockingRuntime {
    process: u32,
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

/// Taken only with the GIL held, so that no other thread holds it when a process forks.
static RUNNING: Mutex<Option<Arc<BlockingRuntime>>> = Mutex::new(None);

/// The runtime of this process: a forked child has the memory of its parent but not its threads.
pub(crate) fn get() -> io::Result<Arc<BlockingRuntime>> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(ours) = running.as_ref().filter(|ours| ours.process == process) {
        return Ok(Arc::clone(ours));
    }
    let ours = Arc::new(BlockingRuntime {
        process,
        runtime: Builder::new_current_thread().enable_io().enable_time().build()?,
        calls: AtomicUsize::new(0),
        waiting: AtomicUsize::new(0),
        kept: AtomicBool::new(false),
        release: Notify::new(),
    });
    let kept = Arc::clone(&ours);
    thread::Builder::new().name("rocketmq-nameserver-idle".to_owned()).spawn(move || kept.keep())?;
    // The parent's runtime is dead here and must not be dropped: its connections belong to the parent.
    std::mem::forget(running.replace(Arc::clone(&ours)));
    Ok(ours)
}

impl BlockingRuntime {
    /// Runs `call` to its end. While it waits, `look` is asked every `every`, and may end it.
    pub(crate) fn block_on<F: Future, E>(
        &self,
        call: F,
        every: Duration,
        mut look: impl FnMut() -> Result<(), E>,
    ) -> Result<F::Output, E> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.waiting.fetch_add(1, Ordering::SeqCst);
        if self.kept.load(Ordering::SeqCst) {
            self.release.notify_one();
        }
        let done = self.runtime.block_on(async {
            let mut call = pin!(call);
            loop {
                match tokio::time::timeout(every, &mut call).await {
                    Ok(output) => return Ok(output),
                    Err(_) => look()?,
                }
            }
        });
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        done
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
