//! Runs a call to its end on the calling thread, without the GIL, so that other Python threads go on; Ctrl-C and the end
//! of the interpreter end it.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::{blocking_runtime, error, process};

/// How often a waiting call looks whether Ctrl-C was pressed. A person notices 100 ms.
const LOOK: Duration = Duration::from_millis(50);

/// How long the interpreter's end waits for calls that end because of it. Those that wait look every 50 ms; turning a
/// hundred thousand routes into objects takes a second or two.
const LAST_CALLS: Duration = Duration::from_secs(5);

static ENDING: AtomicBool = AtomicBool::new(false);
/// The thread that ends the interpreter; what it still does itself is no danger.
static ENDER: OnceLock<ThreadId> = OnceLock::new();
/// How many calls are in our code.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// The process that they are counted in: a forked child has the count of its parent, but not its threads.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// A call in our code. While the interpreter ends it waits for these, because a thread that comes for the GIL after the
/// end is killed where it stands, and our code cannot be cut in two.
pub(crate) struct Inside(());

/// Every call that may run Python code or give up the GIL begins with this.
///
/// # Errors
/// `RuntimeError` while the interpreter ends: an exception that needs no Python code to be made.
pub(crate) fn enter(_: Python<'_>) -> PyResult<Inside> {
    let process = process::here();
    if PROCESS.swap(process, Ordering::SeqCst) != process {
        INSIDE.store(0, Ordering::SeqCst);
    }
    if is_over() {
        return Err(PyRuntimeError::new_err("the interpreter is ending"));
    }
    INSIDE.fetch_add(1, Ordering::SeqCst);
    Ok(Inside(()))
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

fn is_over() -> bool {
    ENDING.load(Ordering::SeqCst) && ENDER.get() != Some(&thread::current().id())
}

/// Waits for `call`. The outer error is Python's: an interrupt, or no runtime.
pub(crate) fn wait<F>(py: Python<'_>, call: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method has only one lifetime")]
    wait_and_look(py, call, || Python::attach(|py| py.check_signals()))
}

/// The same on a thread that waits for as long as the program runs, and does not want the GIL for that. Python has no
/// signals for threads.
pub(crate) fn wait_unheard<F>(py: Python<'_>, call: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    wait_and_look(py, call, || Ok(()))
}

fn wait_and_look<F>(
    py: Python<'_>,
    call: F,
    mut look: impl FnMut() -> PyResult<()> + Send,
) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = blocking_runtime::get()
        .map_err(|error| error::unable(py, &format!("cannot start the background thread: {error}")))?;
    let look = || {
        if is_over() {
            return Err(PyRuntimeError::new_err("the interpreter is ending"));
        }
        look()
    };
    py.detach(|| runtime.block_on_and_look(call, LOOK, look))
}

/// Ends all calls of other threads, for the end of the interpreter, and lets them leave our code.
#[pyfunction]
pub(crate) fn end_calls(py: Python<'_>) {
    let _same = ENDER.set(thread::current().id());
    ENDING.store(true, Ordering::SeqCst);
    let started = Instant::now();
    let here = PROCESS.load(Ordering::SeqCst) == process::here();
    while here && INSIDE.load(Ordering::SeqCst) > 0 && started.elapsed() < LAST_CALLS {
        py.detach(|| thread::park_timeout(Duration::from_millis(5)));
    }
}
