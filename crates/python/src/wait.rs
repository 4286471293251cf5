//! Runs a call to its end on the calling thread, without the GIL, so that other Python threads go on; Ctrl-C and the end
//! of the interpreter end it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::{error, runtime};

/// How often a waiting call looks whether Ctrl-C was pressed. A person notices 100 ms.
const LOOK: Duration = Duration::from_millis(50);

/// How long the interpreter's end waits for calls that end because of it; they look every 50 ms.
const LAST_CALLS: Duration = Duration::from_secs(1);

static ENDING: AtomicBool = AtomicBool::new(false);
static WAITING: AtomicUsize = AtomicUsize::new(0);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for `call`. The outer error is Python's: an interrupt, or no runtime.
pub(crate) fn wait<F>(py: Python<'_>, call: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = runtime::handle()
        .map_err(|error| error::unable(py, &format!("cannot start the background thread: {error}")))?;
    py.detach(|| {
        WAITING.fetch_add(1, Ordering::SeqCst);
        let done = block_on(&runtime, call);
        WAITING.fetch_sub(1, Ordering::SeqCst);
        done
    })
}

fn block_on<F: Future>(runtime: &tokio::runtime::Handle, call: F) -> PyResult<F::Output> {
    // Connections are opened on the background runtime.
    let _entered = runtime.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut call = pin!(call);
    let mut looked = Instant::now();
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        thread::park_timeout(LOOK);
        if looked.elapsed() >= LOOK {
            if ENDING.load(Ordering::SeqCst) {
                return Python::attach(|py| Err(error::unable(py, "the interpreter is ending")));
            }
            #[expect(
                clippy::redundant_closure_for_method_calls,
                reason = "the method has only one lifetime"
            )]
            Python::attach(|py| py.check_signals())?;
            looked = Instant::now();
        }
    }
}

/// Ends all blocking calls, for the end of the interpreter: a thread that comes back for the GIL later would be killed in
/// the middle of our code.
#[pyfunction]
pub(crate) fn end_calls(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    let started = Instant::now();
    while WAITING.load(Ordering::SeqCst) > 0 && started.elapsed() < LAST_CALLS {
        py.detach(|| thread::park_timeout(Duration::from_millis(5)));
    }
}
