//! Finished calls on their way to one event loop.
//!
//! A call runs as a task on the background runtime. When it is finished its outcome waits here, and one byte makes the
//! loop's reader callback come for all that wait. So the background thread never takes the GIL, and many calls that finish
//! together cost one callback.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rocketmq_nameserver::{BrokerClusterInfo, NameServerError, TopicRouteData};
use tokio::task::{AbortHandle, JoinHandle};

use crate::client::Client;
use crate::convert::ToPython;
use crate::rewriting::Rewriter;
use crate::wait::enter;
use crate::{error, outcome, process, runtime};

type Outcome<T> = Result<T, NameServerError>;

/// A call that was started, but is not yet a task.
type Call = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// What a call came to.
pub(crate) enum Finished {
    Route(Outcome<Arc<TopicRouteData>>),
    Routes(Vec<Outcome<Arc<TopicRouteData>>>),
    ClusterInfo(Outcome<BrokerClusterInfo>),
    Nothing(Outcome<()>),
    Request(Box<dyn outcome::Outcome>),
}

impl Finished {
    /// The value, or the exception of the outcome.
    fn into_python<'py>(
        self,
        py: Python<'py>,
        rewriter: &Rewriter,
    ) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        let value = match self {
            Finished::Route(Ok(route)) => rewriter.route(py, &route)?.to_python(py)?,
            Finished::ClusterInfo(Ok(info)) => rewriter.cluster_info(py, info)?.to_python(py)?,
            Finished::Routes(routes) => routes_to_python(py, rewriter, routes)?.into_any(),
            Finished::Nothing(Ok(())) => py.None().into_bound(py),
            Finished::Request(outcome) => return outcome.used_to_python(py, rewriter),
            Finished::Route(Err(error))
            | Finished::ClusterInfo(Err(error))
            | Finished::Nothing(Err(error)) => {
                return error::exception(py, &error).map(Err);
            }
        };
        Ok(Ok(value))
    }
}

/// Routes and exceptions, one for each topic.
pub(crate) fn routes_to_python<'py>(
    py: Python<'py>,
    rewriter: &Rewriter,
    routes: Vec<Outcome<Arc<TopicRouteData>>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for route in routes {
        list.append(match route {
            Ok(route) => rewriter.route(py, &route)?.to_python(py)?,
            Err(error) => error::exception(py, &error)?,
        })?;
    }
    Ok(list)
}

/// Finished calls on their way to one event loop.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct Completions(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// The loop's end of the bell.
    reader: UnixStream,
    writer: UnixStream,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Started, and on their way to the runtime.
    started: Vec<(u64, Call)>,
    /// Wakes the task that takes them there. None while that task is awake, or before there is one.
    starter: Option<Waker>,
    /// The process whose runtime that task is on.
    process: Option<u32>,
    /// Calls that are not finished; with a handle once they are tasks.
    running: HashMap<u64, Option<AbortHandle>>,
    /// Finished, but not told.
    finished: Vec<u64>,
    /// What finished calls came to, until somebody takes it.
    outcomes: HashMap<u64, Finished>,
    /// A byte is in the bell.
    rung: bool,
}

#[pymethods]
impl Completions {
    #[new]
    fn new() -> PyResult<Self> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        Ok(Completions(Arc::new(Shared { state: Mutex::default(), reader, writer })))
    }

    /// What the loop watches for reading.
    fn fileno(&self) -> i32 {
        self.0.reader.as_raw_fd()
    }

    /// Tells the futures of all finished calls. A future that is done already was cancelled.
    ///
    /// An error of one is not the end of the others: it is raised when all have been told. A call that was interrupted, by
    /// a signal handler that raises, has its turn again.
    fn finish(&self, py: Python<'_>, futures: &Bound<'_, PyDict>) -> PyResult<()> {
        let _inside = enter(py)?;
        self.0.silence()?;
        let mut interrupted = Vec::new();
        let mut first_error = None;
        for call in self.0.take_finished() {
            if let Err(error) = tell(py, futures, call) {
                first_error.get_or_insert(error);
                interrupted.push(call);
            }
        }
        if !interrupted.is_empty() {
            self.0.give_back(interrupted);
        }
        first_error.map_or(Ok(()), Err)
    }

    /// What a finished call came to: its value, or its error is raised. The objects are made here, by the task that wants
    /// them, and not for a thousand calls at once: so they are still in the cache when it looks at them. `client` is the one
    /// that was asked, if its rules have to be applied.
    #[pyo3(signature = (call, client = None))]
    fn take<'py>(
        &self,
        py: Python<'py>,
        call: u64,
        client: Option<&Bound<'py, Client>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = enter(py)?;
        let finished = self.0.state().outcomes.remove(&call);
        match finished {
            Some(finished) => {
                let nothing = Rewriter::new(None);
                let rewriter = client.map_or(&nothing, |client| client.get().rewriter());
                finished.into_python(py, rewriter)?.map_err(PyErr::from_value)
            }
            None => Err(error::unable(py, "the call has not finished")),
        }
    }

    /// Cancels a call, or forgets what it came to.
    fn cancel(&self, call: u64) {
        let (running, outcome) = {
            let mut state = self.0.state();
            (state.running.remove(&call), state.outcomes.remove(&call))
        };
        drop(outcome);
        if let Some(Some(running)) = running {
            running.abort();
        }
    }
}

/// Tells one future that its call has finished.
fn tell(py: Python<'_>, futures: &Bound<'_, PyDict>, call: u64) -> PyResult<()> {
    let Some(future) = futures.get_item(call)? else { return Ok(()) };
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}

impl Completions {
    /// Starts a call and returns its number.
    ///
    /// Calls that are started one after the other reach the runtime together, with one wake-up: waking its thread costs
    /// more than all else that is done here.
    pub(crate) fn start<F>(&self, py: Python<'_>, call: F) -> PyResult<u64>
    where
        F: Future<Output = Finished> + Send + 'static,
    {
        let runtime = runtime::handle()
            .map_err(|error| error::unable(py, &format!("cannot start the background thread: {error}")))?;
        let call = Box::pin(call);
        let process = process::here();
        let mut state = self.0.state();
        if state.process != Some(process) {
            state.process = Some(process);
            // What a parent had started is its own business, and its runtime must not be woken from here.
            std::mem::forget((std::mem::take(&mut state.started), state.starter.take()));
            runtime.spawn(run_started(Arc::downgrade(&self.0)));
        }
        let number = state.next;
        state.next += 1;
        state.started.push((number, call));
        state.running.insert(number, None);
        let starter = state.starter.take();
        drop(state);
        if let Some(starter) = starter {
            starter.wake();
        }
        Ok(number)
    }
}

/// The task that makes tasks of started calls, on the runtime's own thread. It ends with its `Completions`.
async fn run_started(completions: Weak<Shared>) {
    let mut calls = Vec::new();
    poll_fn(|cx| {
        while let Some(shared) = completions.upgrade() {
            if !shared.take_started(cx, &mut calls) {
                return Poll::Pending;
            }
            for (number, call) in calls.drain(..) {
                let finished = Arc::clone(&shared);
                let task = tokio::spawn(async move { finished.add(number, call.await) });
                // Not under the lock while it is spawned: the loop's thread wants it, too.
                if !shared.is_running(number, &task) {
                    task.abort();
                }
            }
        }
        Poll::Ready(())
    })
    .await;
}

impl Shared {
    /// Moves all started calls into `calls`, which must be empty. Where there are none, the next one wakes the task.
    fn take_started(&self, cx: &Context<'_>, calls: &mut Vec<(u64, Call)>) -> bool {
        let mut state = self.state();
        if state.started.is_empty() {
            state.starter = Some(cx.waker().clone());
            return false;
        }
        std::mem::swap(&mut state.started, calls);
        true
    }

    /// Keeps what cancels a call's task, unless it was cancelled before.
    fn is_running(&self, call: u64, task: &JoinHandle<()>) -> bool {
        let mut state = self.state();
        let running = state.running.get_mut(&call);
        running.map(|running| *running = Some(task.abort_handle())).is_some()
    }

    fn add(&self, call: u64, finished: Finished) {
        let mut state = self.state();
        if state.running.remove(&call).is_none() {
            // Cancelled at the last moment.
            return;
        }
        state.finished.push(call);
        state.outcomes.insert(call, finished);
        self.ring(&mut state);
    }

    /// Takes the byte out of the bell.
    fn silence(&self) -> PyResult<()> {
        match (&self.reader).read(&mut [0; 16]) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Puts calls back in front and rings again.
    fn give_back(&self, mut calls: Vec<u64>) {
        let mut state = self.state();
        calls.append(&mut state.finished);
        state.finished = calls;
        self.ring(&mut state);
    }

    fn ring(&self, state: &mut State) {
        if !std::mem::replace(&mut state.rung, true) {
            // It is empty, so there is room; if the loop is gone nobody listens.
            let _unheard = (&self.writer).write(&[1]);
        }
    }

    fn take_finished(&self) -> Vec<u64> {
        let mut state = self.state();
        state.rung = false;
        std::mem::take(&mut state.finished)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that starts calls has nothing to do any more.
impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A forked child leaves its parent's runtime alone.
        if let Some(starter) = state.starter.take().filter(|_| state.process == Some(process::here())) {
            starter.wake();
        }
    }
}
