//! Finished calls on their way to one event loop.
//!
//! A call runs as a task on the background runtime. When it is finished its outcome waits here, and one byte makes the
//! loop's reader callback come for all that wait. So the background thread never takes the GIL, and many calls that finish
//! together cost one callback.

use std::collections::HashMap;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rocketmq_nameserver::{BrokerClusterInfo, NameServerError, TopicRouteData};
use tokio::task::AbortHandle;

use crate::convert::ToPython;
use crate::wait::enter;
use crate::{error, runtime};

type Outcome<T> = Result<T, NameServerError>;

/// What a call came to.
pub(crate) enum Finished {
    Route(Outcome<Arc<TopicRouteData>>),
    Routes(Vec<Outcome<Arc<TopicRouteData>>>),
    ClusterInfo(Outcome<BrokerClusterInfo>),
    Nothing(Outcome<()>),
}

impl Finished {
    /// The value, or the exception of the outcome.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        let value = match self {
            Finished::Route(Ok(route)) => route.to_python(py)?,
            Finished::ClusterInfo(Ok(info)) => info.to_python(py)?,
            Finished::Routes(routes) => routes_to_python(py, routes)?.into_any(),
            Finished::Nothing(Ok(())) => py.None().into_bound(py),
            Finished::Route(Err(error))
            | Finished::ClusterInfo(Err(error))
            | Finished::Nothing(Err(error)) => {
                return error::exception(py, error).map(Err);
            }
        };
        Ok(Ok(value))
    }
}

/// Routes and exceptions, one for each topic.
pub(crate) fn routes_to_python<'py>(
    py: Python<'py>,
    routes: &[Outcome<Arc<TopicRouteData>>],
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for route in routes {
        list.append(match route {
            Ok(route) => route.to_python(py)?,
            Err(error) => error::exception(py, error)?,
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
    running: HashMap<u64, AbortHandle>,
    finished: Vec<(u64, Finished)>,
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

    /// Gives all finished calls to their futures. A future that is done already was cancelled.
    ///
    /// An error of one is not the end of the others: it is raised when all have theirs. A call that was interrupted, by a
    /// signal handler that raises, has its turn again.
    fn finish(&self, py: Python<'_>, futures: &Bound<'_, PyDict>) -> PyResult<()> {
        let _inside = enter(py)?;
        self.0.silence()?;
        let mut interrupted = Vec::new();
        let mut first_error = None;
        for (call, finished) in self.0.take_finished() {
            if let Err(error) = deliver(py, futures, call, &finished) {
                first_error.get_or_insert(error);
                interrupted.push((call, finished));
            }
        }
        if !interrupted.is_empty() {
            self.0.give_back(interrupted);
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Cancels a call; it never finishes.
    fn cancel(&self, call: u64) {
        let running = self.0.state().running.remove(&call);
        if let Some(running) = running {
            running.abort();
        }
    }
}

/// Gives one finished call to its future. What cannot be turned into an object is that call's error; only what is no
/// error but an interrupt is raised.
fn deliver(py: Python<'_>, futures: &Bound<'_, PyDict>, call: u64, finished: &Finished) -> PyResult<()> {
    let Some(future) = futures.get_item(call)? else { return Ok(()) };
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        let result = match finished.to_python(py) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Err(error.into_value(py).into_bound(py).into_any())
            }
            result => result?,
        };
        match result {
            Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
            Err(exception) => future.call_method1(intern!(py, "set_exception"), (exception,))?,
        };
    }
    futures.del_item(call)
}

impl Completions {
    /// Starts a call and returns its number.
    pub(crate) fn start<F>(&self, py: Python<'_>, call: F) -> PyResult<u64>
    where
        F: Future<Output = Finished> + Send + 'static,
    {
        let runtime = runtime::handle()
            .map_err(|error| error::unable(py, &format!("cannot start the background thread: {error}")))?;
        // Under the lock, so that the call cannot finish before it is known to run.
        let mut state = self.0.state();
        let number = state.next;
        state.next += 1;
        let shared = Arc::clone(&self.0);
        let task = runtime.spawn(async move {
            let finished = call.await;
            shared.add(number, finished);
        });
        state.running.insert(number, task.abort_handle());
        Ok(number)
    }
}

impl Shared {
    fn add(&self, call: u64, finished: Finished) {
        let mut state = self.state();
        if state.running.remove(&call).is_none() {
            // Cancelled at the last moment.
            return;
        }
        state.finished.push((call, finished));
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
    fn give_back(&self, mut calls: Vec<(u64, Finished)>) {
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

    fn take_finished(&self) -> Vec<(u64, Finished)> {
        let mut state = self.state();
        state.rung = false;
        std::mem::take(&mut state.finished)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
