//! The runtime of blocking calls. The thread that waits for a call drives it itself, which saves two hops from thread to
//! thread for each call. A background thread drives it while nobody calls, so that connections that end are noticed, and
//! while many call at the same time: they would hand it on to each other with each answer.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// For how long nobody must have called before the background thread takes over. Calls in a row come much sooner, and
/// nobody misses a connection's end for so short a time.
const QUIET: Duration = Duration::from_millis(20);

/// How many calls must wait already for the next one to leave the driving to the background thread. With two threads,
/// driving it themselves is still quicker.
const CROWD: usize = 2;

/// A runtime that its callers drive.
#[derive(Debug)]
pub struct BlockingRuntime {
    runtime: Runtime,
    /// How many calls there have been.
    calls: AtomicUsize,
    /// How many calls wait.
    waiting: AtomicUsize,
    /// How many of them leave the driving to the background thread.
    crowd: AtomicUsize,
    /// The background thread drives it, or is about to.
    kept: AtomicBool,
    /// Has the background thread look whether it should still drive.
    look_up: Notify,
    keeper: OnceLock<Thread>,
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
            crowd: AtomicUsize::new(0),
            kept: AtomicBool::new(false),
            look_up: Notify::new(),
            keeper: OnceLock::new(),
        });
        let kept = Arc::clone(&started);
        let keeper =
            thread::Builder::new().name("rocketmq-nameserver".to_owned()).spawn(move || kept.keep())?;
        started.keeper.get_or_init(|| keeper.thread().clone());
        Ok(started)
    }

    /// Runs `call` to its end.
    pub fn block_on<F: Future>(&self, call: F) -> F::Output {
        self.drive(async { Ok::<_, Infallible>(call.await) }).unwrap_or_else(|never| match never {})
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
        self.drive(async {
            let mut call = pin!(call);
            loop {
                match tokio::time::timeout(every, &mut call).await {
                    Ok(output) => return Ok(output),
                    Err(_) => look()?,
                }
            }
        })
    }

    fn drive<F: Future>(&self, call: F) -> F::Output {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let others = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = LeaveOnDrop(&self.waiting);
        if others < CROWD {
            if self.kept.load(Ordering::SeqCst) {
                self.look_up.notify_one();
            }
            return self.runtime.block_on(call);
        }
        self.crowd.fetch_add(1, Ordering::SeqCst);
        let _crowd = LeaveOnDrop(&self.crowd);
        // Either this sees that the background thread has let go, or that one sees the crowd before it does.
        if !self.kept.load(Ordering::SeqCst)
            && let Some(keeper) = self.keeper.get()
        {
            keeper.unpark();
        }
        self.runtime.handle().block_on(call)
    }

    /// Drives the runtime while nobody else does, or too many would. It wakes up only while there are calls, and blocks when
    /// there are none.
    fn keep(&self) {
        loop {
            let before = self.calls.load(Ordering::SeqCst);
            let is_wanted = || {
                let quiet = self.waiting.load(Ordering::SeqCst) == 0
                    && self.calls.load(Ordering::SeqCst) == before;
                quiet || self.is_crowded()
            };
            if !self.is_crowded() {
                thread::park_timeout(QUIET);
            }
            if !is_wanted() {
                continue;
            }
            // First this, then one more look: a caller either sees it and says so, or is seen.
            self.kept.store(true, Ordering::SeqCst);
            while is_wanted() {
                self.runtime.block_on(self.look_up.notified());
            }
            self.kept.store(false, Ordering::SeqCst);
        }
    }

    fn is_crowded(&self) -> bool {
        self.crowd.load(Ordering::SeqCst) > 0
    }
}

/// A call that is counted until it is over, even by a panic.
struct LeaveOnDrop<'a>(&'a AtomicUsize);

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
