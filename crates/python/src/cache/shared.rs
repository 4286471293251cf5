//! The core's cache for each process, what of it Python has seen, and what its questions come to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyList;
use rocketmq_nameserver as core;
use rocketmq_nameserver::{CachedRoute, NameServerError};

use crate::client::Client;
use crate::handed_out::{HandedOut, is_same};
use crate::outcome::Outcome;
use crate::wait::enter;
use crate::{error, process};

pub(super) type Answer = Result<CachedRoute, NameServerError>;

/// The core plans ahead in parts of a route's time, which must not come to nothing.
const SHORTEST: Duration = Duration::from_millis(1);

/// Those who may outlive the cache have no more than a weak hold of it.
pub(crate) struct Shared {
    client: Py<Client>,
    pub(super) rules: Rules,
    max_topics: usize,
    current: Mutex<Current>,
    closed: AtomicBool,
}

pub(super) struct Rules {
    /// Zero: nothing is ever fresh, each call asks.
    pub(super) ttl: Duration,
    pub(super) max_stale: Duration,
    pub(super) negative_ttl: Duration,
    pub(super) idle_after: Duration,
    pub(super) scheduled_refresh: bool,
    pub(super) refreshes_per_second: u32,
}

/// The core's cache, for the process that it was made in: a forked child gets its own.
pub(super) struct Current {
    pub(super) process: u32,
    pub(super) cache: core::RouteCache,
    pub(super) handed_out: HandedOut,
    /// Stale routes that were looked at on the quick way, and then asked for on the other, which counts them, too.
    pub(super) looked_at: u64,
}

impl Shared {
    pub(super) fn new(
        py: Python<'_>,
        client: Py<Client>,
        rules: Rules,
        max_topics: Option<usize>,
    ) -> PyResult<Arc<Self>> {
        let current = Mutex::new(Current::new(py, &client, &rules)?);
        let max_topics = max_topics.unwrap_or(usize::MAX);
        Ok(Arc::new(Shared { client, rules, max_topics, current, closed: AtomicBool::new(false) }))
    }

    /// For good.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.closed.store(true, Ordering::SeqCst);
        self.current(py)?.cache.close();
        Ok(())
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.rules.ttl
    }

    /// What the cache has by now of a route that it handed out, if it is still the topic's.
    pub(crate) fn again(&self, route: &CachedRoute) -> Option<CachedRoute> {
        let current = self.locked();
        if current.process != process::here() {
            return None;
        }
        let kept = current.cache.explain(route.topic()).kept?.route;
        is_same(&kept, route).then_some(kept)
    }

    pub(super) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(error::unable(py, "the cache was closed; create a new one"));
        }
        Ok(())
    }

    /// What the cache asks, for a call.
    pub(crate) fn client(&self, py: Python<'_>) -> PyResult<core::AsyncNameServerClient> {
        self.client.get().client(py, None)
    }

    /// The core's cache, for a call.
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<core::RouteCache> {
        self.check_open(py)?;
        Ok(self.current(py)?.cache.clone())
    }

    /// The cache of this process.
    pub(super) fn current(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Current>> {
        let current = self.locked();
        if current.process == process::here() {
            return Ok(current);
        }
        drop(current);
        let ours = Current::new(py, &self.client, &self.rules)?;
        let mut current = self.locked();
        // Unless another thread was quicker.
        if current.process != process::here() {
            // The parent's tasks and locks belong to the parent: they must not be touched here.
            std::mem::forget(std::mem::replace(&mut *current, ours));
        }
        Ok(current)
    }

    /// Taken only with the GIL held, so that no other thread holds the lock when a process forks; and never while Python
    /// code may run, which may give the GIL to another thread that wants the lock.
    fn locked(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Python object of a route: the same as long as it is the topic's route.
    pub(super) fn hand_out(self: &Arc<Self>, py: Python<'_>, route: &CachedRoute) -> PyResult<Py<PyAny>> {
        let _inside = enter(py)?;
        if let Some(object) = self.current(py)?.handed_out.find(py, route) {
            return Ok(object);
        }
        let object = HandedOut::make(py, self, route)?;
        let mut dropped = Vec::new();
        let mut current = self.current(py)?;
        let Current { cache, handed_out, .. } = &mut *current;
        if let Some(theirs) = handed_out.find(py, route) {
            // Another thread has made it meanwhile.
            dropped.push(object);
            drop(current);
            return Ok(theirs);
        }
        let kept = object.clone_ref(py);
        handed_out.insert(route, object, cache, self.max_topics, &mut dropped);
        drop(current);
        Ok(kept)
    }

    pub(super) fn hand_out_all<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        routes: &[Answer],
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for route in routes {
            match route {
                Ok(route) => list.append(self.hand_out(py, route)?)?,
                Err(error) => list.append(error::exception(py, error)?)?,
            }
        }
        Ok(list)
    }
}

impl Current {
    fn new(py: Python<'_>, client: &Py<Client>, rules: &Rules) -> PyResult<Self> {
        let never_fresh = rules.ttl.is_zero();
        let built = core::RouteCache::builder(client.get().client(py, None)?)
            .ttl(if never_fresh { rules.max_stale.max(SHORTEST) } else { rules.ttl.max(SHORTEST) })
            .max_stale(rules.max_stale.max(SHORTEST))
            .negative_ttl(rules.negative_ttl)
            .idle_after(rules.idle_after)
            .scheduled_refresh(rules.scheduled_refresh && !never_fresh)
            .refreshes_per_second(rules.refreshes_per_second)
            .build();
        Ok(Current {
            process: process::here(),
            cache: built.map_err(|error| error::raised(py, &error))?,
            handed_out: HandedOut::default(),
            looked_at: 0,
        })
    }
}

/// Its end is the end of all that the cache does behind callers' backs, and of watches.
impl Drop for Current {
    fn drop(&mut self) {
        if self.process == process::here() {
            self.cache.close();
        } else {
            // The clone is never dropped, so neither is what it shares with the parent.
            std::mem::forget(self.cache.clone());
        }
    }
}

/// What one question came to; `None` if its time was up.
pub(super) struct One {
    pub(super) cache: Weak<Shared>,
    pub(super) answer: Option<Answer>,
}

impl Outcome for One {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        match &self.answer {
            Some(Ok(route)) => Ok(Ok(upgraded(py, &self.cache)?.hand_out(py, route)?.into_bound(py))),
            Some(Err(error)) => error::exception(py, error).map(Err),
            None => Ok(Ok(py.None().into_bound(py))),
        }
    }
}

/// What several questions came to.
pub(super) struct Many {
    pub(super) cache: Weak<Shared>,
    pub(super) answers: Vec<Answer>,
}

impl Outcome for Many {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        Ok(Ok(upgraded(py, &self.cache)?.hand_out_all(py, &self.answers)?.into_any()))
    }
}

/// Whoever waits for a call holds its cache.
fn upgraded(py: Python<'_>, cache: &Weak<Shared>) -> PyResult<Arc<Shared>> {
    cache
        .upgrade()
        .ok_or_else(|| error::unable(py, "the cache is gone; keep it while its calls are under way"))
}
