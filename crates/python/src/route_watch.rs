//! A watch of some topics. It has two halves: waiting until there is a change, and taking it. So a wait that is cancelled
//! loses nothing.

mod used;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use rocketmq_nameserver as core;
use rocketmq_nameserver::RouteChange;
use tokio::sync::watch;

use crate::completions::{Completions, Finished};
use crate::outcome::Outcome;
use crate::rewriting::Rewriter;
use crate::wait::{enter, wait_unheard};
use crate::{process, route_change};

use used::UsedAddresses;

/// A watch. In a forked child it has ended.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct RouteWatch {
    process: u32,
    inner: Arc<Inner>,
    used: UsedAddresses,
}

struct Inner {
    /// Until it has ended. Held by whoever waits.
    watch: tokio::sync::Mutex<Option<core::RouteWatch>>,
    /// Changes that nobody has taken yet.
    ready: Mutex<VecDeque<RouteChange>>,
    closed: watch::Sender<bool>,
}

#[pymethods]
impl RouteWatch {
    /// Waits without the GIL until there is a change to take. False: there will be none.
    fn wait(&self, py: Python<'_>) -> PyResult<bool> {
        let _inside = enter(py)?;
        if !self.is_here() {
            return Ok(false);
        }
        wait_unheard(py, self.inner.wait())
    }

    /// The same for an event loop.
    fn start_wait(&self, py: Python<'_>, completions: &Completions) -> PyResult<u64> {
        let _inside = enter(py)?;
        let inner = self.is_here().then(|| Arc::clone(&self.inner));
        completions.start(py, async move {
            let more = match inner {
                Some(inner) => inner.wait().await,
                None => false,
            };
            Finished::Request(Box::new(More(more)))
        })
    }

    /// A change, if one is there.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let _inside = enter(py)?;
        if !self.is_here() {
            return Ok(None);
        }
        let next = || self.inner.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(change) = next() {
            if let Some(RouteChange { topic, change }) = self.used.change(py, change)? {
                return route_change::to_python(py, &topic, &change).map(Some);
            }
        }
        Ok(None)
    }

    /// Ends it, and whoever waits.
    fn close(&self) {
        if self.is_here() {
            self.inner.close();
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.used.traverse(&visit)
    }
}

impl RouteWatch {
    pub(crate) fn new(watch: core::RouteWatch, rewriter: Rewriter) -> Self {
        let inner = Inner {
            watch: tokio::sync::Mutex::new(Some(watch)),
            ready: Mutex::default(),
            closed: watch::Sender::new(false),
        };
        RouteWatch { process: process::here(), inner: Arc::new(inner), used: UsedAddresses::new(rewriter) }
    }

    fn is_here(&self) -> bool {
        self.process == process::here()
    }
}

impl Inner {
    async fn wait(&self) -> bool {
        let mut closed = self.closed.subscribe();
        let more = tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => false,
            more = self.find() => more,
        };
        if !more {
            self.drop_watch();
        }
        more
    }

    async fn find(&self) -> bool {
        let mut watch = self.watch.lock().await;
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready().is_empty() {
            return true;
        }
        let Some(watching) = watch.as_mut() else { return false };
        match watching.next().await {
            Some(change) => {
                ready().push_back(change);
                true
            }
            None => false,
        }
    }

    fn close(&self) {
        self.closed.send_replace(true);
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.drop_watch();
    }

    /// Its topics are not watched any more. If somebody waits just now he does this himself.
    fn drop_watch(&self) {
        if let Ok(mut watch) = self.watch.try_lock() {
            *watch = None;
        }
    }
}

impl Drop for RouteWatch {
    fn drop(&mut self) {
        if self.is_here() {
            self.inner.close();
        } else {
            // The locks that it would take may be held by threads of the parent.
            std::mem::forget(Arc::clone(&self.inner));
        }
    }
}

struct More(bool);

impl Outcome for More {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        Ok(Ok(self.0.into_pyobject(py)?.to_owned().into_any()))
    }
}
