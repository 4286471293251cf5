//! The route cache: the core's, on a client of ours. Blocking calls wait as those of the [`client`](crate::client) do,
//! asyncio calls go through [`completions`](crate::completions); a fresh route is served without either, and without giving
//! up the GIL. `cache/shared.rs` has the core's cache of each process, `handed_out` the Python object of each route.

mod shared;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tokio::runtime::Handle;

use crate::client::{Client, seconds};
use crate::completions::{Completions, Finished};
use crate::route_watch::RouteWatch;
use crate::wait::{enter, wait};
use crate::{error, runtime};

pub(crate) use shared::Shared;
use shared::{Answer, Many, One, Rules};

/// Longer times are not told apart from this one, which keeps sums of times far from their limits.
const CENTURY: f64 = 3.2e9;

/// A cache on a client.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct RouteCache(pub(crate) Arc<Shared>);

#[pymethods]
impl RouteCache {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "as many rules as the core's cache has")]
    fn new(
        py: Python<'_>,
        client: Py<Client>,
        ttl: f64,
        max_stale: f64,
        negative_ttl: f64,
        idle_after: f64,
        scheduled_refresh: bool,
        refreshes_per_second: u32,
        max_topics: Option<usize>,
    ) -> PyResult<Self> {
        let rules = Rules {
            ttl: if ttl == 0.0 { Duration::ZERO } else { time("ttl", ttl)? },
            max_stale: time("max_stale", max_stale)?,
            negative_ttl: time("negative_ttl", negative_ttl)?,
            idle_after: time("idle_after", idle_after)?,
            scheduled_refresh,
            refreshes_per_second,
        };
        Shared::new(py, client, rules, max_topics).map(RouteCache)
    }

    /// The topic's route if it is fresh. Neither gives up the GIL nor needs a runtime.
    fn fresh(&self, py: Python<'_>, topic: &str) -> PyResult<Option<Py<PyAny>>> {
        self.0.check_open(py)?;
        if self.0.rules.ttl.is_zero() {
            return Ok(None);
        }
        let route = {
            let mut current = self.0.current(py)?;
            let Some(route) = current.cache.peek(topic) else { return Ok(None) };
            if route.is_stale() {
                current.looked_at += 1;
                return Ok(None);
            }
            if let Some(object) = current.handed_out.find(py, &route) {
                return Ok(Some(object));
            }
            route
        };
        self.0.hand_out(py, &route).map(Some)
    }

    fn get_route(&self, py: Python<'_>, topic: &str) -> PyResult<Py<PyAny>> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let route = wait(py, async {
            let route = cache.get_route(topic).await;
            if !route.as_ref().is_ok_and(|route| !route.is_stale()) {
                // It may not have waited at all. The background thread keeps away from a runtime that is called all the
                // time, so who calls all the time and never waits must drive it, or no refresh ever gets on.
                tokio::task::yield_now().await;
            }
            route
        })?;
        self.0.hand_out(py, &route.map_err(|error| error::raised(py, &error))?)
    }

    /// Nothing if there is no answer within `limit` seconds.
    fn refresh_route(&self, py: Python<'_>, topic: &str, limit: Option<f64>) -> PyResult<Option<Py<PyAny>>> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let limit = limit.map(|limit| time("limit", limit)).transpose()?;
        let Some(route) = wait(py, within(limit, cache.refresh_route(topic)))? else { return Ok(None) };
        self.0.hand_out(py, &route.map_err(|error| error::raised(py, &error))?).map(Some)
    }

    fn preload<'py>(&self, py: Python<'py>, topics: Vec<String>) -> PyResult<Bound<'py, PyList>> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let routes = wait(py, cache.preload(topics))?;
        self.0.hand_out_all(py, &routes)
    }

    fn refresh_routes<'py>(&self, py: Python<'py>, topics: Vec<String>) -> PyResult<Bound<'py, PyList>> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let routes = wait(py, cache.refresh_routes(topics))?;
        self.0.hand_out_all(py, &routes)
    }

    fn report_failure(&self, py: Python<'_>, broker: &str) -> PyResult<usize> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        wait(py, async { cache.report_failure(broker) })?.map_err(|error| error::raised(py, &error))
    }

    fn watch(&self, py: Python<'_>, topics: Vec<String>) -> PyResult<RouteWatch> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let watch = wait(py, async { cache.watch(topics) })?;
        watch.map(RouteWatch::new).map_err(|error| error::raised(py, &error))
    }

    /// The route if nobody has to wait for it, else the number of the call.
    fn start_get_route(
        &self,
        py: Python<'_>,
        completions: &Completions,
        topic: String,
    ) -> PyResult<Py<PyAny>> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let mut call = Box::pin(async move { cache.get_route(&topic).await });
        let runtime = running(py)?;
        let first = {
            let _entered = runtime.enter();
            call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        match first {
            Poll::Ready(Ok(route)) => self.0.hand_out(py, &route),
            Poll::Ready(Err(error)) => Err(error::raised(py, &error)),
            Poll::Pending => {
                let number = self.start(py, completions, async move { Some(call.await) })?;
                Ok(number.into_pyobject(py)?.into_any().unbind())
            }
        }
    }

    fn start_refresh_route(
        &self,
        py: Python<'_>,
        completions: &Completions,
        topic: String,
        limit: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let limit = limit.map(|limit| time("limit", limit)).transpose()?;
        self.start(py, completions, async move { within(limit, cache.refresh_route(&topic)).await })
    }

    fn start_preload(&self, py: Python<'_>, completions: &Completions, topics: Vec<String>) -> PyResult<u64> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        self.start_many(py, completions, Box::pin(async move { cache.preload(topics).await }))
    }

    fn start_refresh_routes(
        &self,
        py: Python<'_>,
        completions: &Completions,
        topics: Vec<String>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        self.start_many(py, completions, Box::pin(async move { cache.refresh_routes(topics).await }))
    }

    /// As `report_failure`, of a cache whose other calls are an event loop's.
    fn report_failure_behind(&self, py: Python<'_>, broker: &str) -> PyResult<usize> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let runtime = running(py)?;
        let _entered = runtime.enter();
        cache.report_failure(broker).map_err(|error| error::raised(py, &error))
    }

    /// As `watch`, of a cache whose other calls are an event loop's.
    fn watch_behind(&self, py: Python<'_>, topics: Vec<String>) -> PyResult<RouteWatch> {
        let _inside = enter(py)?;
        let cache = self.0.open(py)?;
        let runtime = running(py)?;
        let _entered = runtime.enter();
        cache.watch(topics).map(RouteWatch::new).map_err(|error| error::raised(py, &error))
    }

    /// What there is of the topic, fresh or stale.
    fn peek(&self, py: Python<'_>, topic: &str) -> PyResult<Option<Py<PyAny>>> {
        let _inside = enter(py)?;
        let route = self.0.current(py)?.cache.peek(topic);
        route.map(|route| self.0.hand_out(py, &route)).transpose()
    }

    /// Whether there is a route to be had without waiting. Not counted as a use.
    fn contains(&self, py: Python<'_>, topic: &str) -> PyResult<bool> {
        let kept = self.0.current(py)?.cache.explain(topic).kept;
        Ok(kept.is_some_and(|kept| kept.route.age() <= self.0.rules.max_stale))
    }

    fn invalidate(&self, py: Python<'_>, topic: &str) -> PyResult<bool> {
        let forgotten = {
            let mut current = self.0.current(py)?;
            (current.cache.invalidate(topic), current.handed_out.remove(topic))
        };
        // The object goes when the lock is free: its end may run code of others.
        Ok(forgotten.0)
    }

    fn topics(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.0.current(py)?.cache.topics().into_iter().map(String::from).collect())
    }

    fn explain<'py>(&self, py: Python<'py>, topic: &str) -> PyResult<Bound<'py, PyDict>> {
        let _inside = enter(py)?;
        let told = self.0.current(py)?.cache.explain(topic);
        let route = told.kept.as_ref().map(|kept| self.0.hand_out(py, &kept.route)).transpose()?;
        let dict = PyDict::new(py);
        dict.set_item("text", told.to_string())?;
        dict.set_item("topic", told.topic.as_str())?;
        dict.set_item("route", route)?;
        dict.set_item("first_ago", told.kept.as_ref().map(|kept| kept.first_ago.as_secs_f64()))?;
        dict.set_item("refreshed_in", told.kept.as_ref().map(|kept| kept.refreshed_in.as_secs_f64()))?;
        dict.set_item("asking", told.asking)?;
        dict.set_item("missing_for", told.missing_for.map(|left| left.as_secs_f64()))?;
        dict.set_item("failures", told.failures)?;
        let history: Vec<_> = told
            .history
            .into_iter()
            .map(|event| (event.ago.as_secs_f64(), event.times, event.what))
            .collect();
        dict.set_item("history", history)?;
        Ok(dict)
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (stats, looked_at) = {
            let current = self.0.current(py)?;
            (current.cache.stats(), current.looked_at)
        };
        let dict = PyDict::new(py);
        dict.set_item("topics", stats.topics)?;
        for (name, count) in [
            ("hits", stats.hits),
            ("stale_hits", stats.stale_hits.saturating_sub(looked_at)),
            ("negative_hits", stats.negative_hits),
            ("misses", stats.misses),
            ("joined", stats.joined),
            ("questions", stats.questions),
            ("background", stats.background),
            ("unchanged", stats.unchanged),
            ("decoded", stats.decoded),
            ("changed", stats.changed),
            ("late", stats.late),
            ("failures", stats.failures),
            ("not_found", stats.not_found),
            ("dropped", stats.dropped),
            ("evicted", stats.evicted),
            ("reported", stats.reported),
        ] {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }
}

impl RouteCache {
    fn start<F>(&self, py: Python<'_>, completions: &Completions, call: F) -> PyResult<u64>
    where
        F: Future<Output = Option<Answer>> + Send + 'static,
    {
        let cache = Arc::downgrade(&self.0);
        completions.start(py, async move {
            let answer = call.await;
            Finished::Request(Box::new(One { cache, answer }))
        })
    }

    fn start_many(
        &self,
        py: Python<'_>,
        completions: &Completions,
        call: Pin<Box<dyn Future<Output = Vec<Answer>> + Send>>,
    ) -> PyResult<u64> {
        let cache = Arc::downgrade(&self.0);
        completions.start(py, async move {
            let answers = call.await;
            Finished::Request(Box::new(Many { cache, answers }))
        })
    }
}

/// A time in seconds, which may be endless.
fn time(argument: &str, value: f64) -> PyResult<Duration> {
    // What is no number is neither.
    seconds(argument, if value > CENTURY { CENTURY } else { value })
}

async fn within<T>(limit: Option<Duration>, call: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, call).await.ok(),
        None => Some(call.await),
    }
}

/// The runtime of asyncio calls.
fn running(py: Python<'_>) -> PyResult<Handle> {
    runtime::handle()
        .map_err(|error| error::unable(py, &format!("cannot start the background thread: {error}")))
}
