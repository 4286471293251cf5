//! Where to send messages of a topic that does not exist yet.

use std::future::Future;
use std::sync::{Arc, Weak};

use pyo3::intern;
use pyo3::prelude::*;
use rocketmq_nameserver as core;
use rocketmq_nameserver::{NameServerError, RouteToPublish};

use crate::cache::{RouteCache, Shared, upgraded};
use crate::completions::{Completions, Finished};
use crate::convert::{ToPython, models, route_of};
use crate::error;
use crate::outcome::Outcome;
use crate::passed_route::route_from;
use crate::rewriting::Rewriter;
use crate::wait::{enter, wait};

#[pyfunction]
pub(crate) fn default_topic_route<'py>(
    tbw102_route: &Bound<'py, PyAny>,
    default_topic_queue_nums: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let py = tbw102_route.py();
    let _inside = enter(py)?;
    core::default_topic_route(&*route_from(tbw102_route)?, default_topic_queue_nums).to_python(py)
}

/// Out of a cache; blocks.
#[pyfunction]
pub(crate) fn route_to_publish<'py>(
    py: Python<'py>,
    cache: &RouteCache,
    topic: String,
    default_topic_queue_nums: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let _inside = enter(py)?;
    let route = wait(py, asked(py, cache, topic, default_topic_queue_nums)?)?;
    let route = route.map_err(|error| error::raised(py, &error))?;
    to_python(py, &route, cache.0.rewriter())
}

/// Out of a cache, for an event loop.
#[pyfunction]
pub(crate) fn start_route_to_publish(
    py: Python<'_>,
    cache: &RouteCache,
    completions: &Completions,
    topic: String,
    default_topic_queue_nums: u32,
) -> PyResult<u64> {
    let _inside = enter(py)?;
    let call = asked(py, cache, topic, default_topic_queue_nums)?;
    let cache = Arc::downgrade(&cache.0);
    completions.start(py, async move {
        let route = call.await;
        Finished::Request(Box::new(Published { route, cache: Some(cache) }))
    })
}

fn asked(
    py: Python<'_>,
    cache: &RouteCache,
    topic: String,
    default_topic_queue_nums: u32,
) -> PyResult<impl Future<Output = Result<RouteToPublish, NameServerError>> + Send + 'static> {
    let kept = cache.0.open(py)?;
    // Nothing in such a cache is ever fresh to Python: each call asks.
    let client = if cache.0.ttl().is_zero() { Some(cache.0.client(py)?) } else { None };
    Ok(async move {
        match client {
            Some(client) => client.route_to_publish(&topic, default_topic_queue_nums).await,
            None => kept.route_to_publish(&topic, default_topic_queue_nums).await,
        }
    })
}

/// What a client's question came to, or a cache's.
pub(crate) struct Published {
    route: Result<RouteToPublish, NameServerError>,
    cache: Option<Weak<Shared>>,
}

impl Published {
    /// Of a client.
    pub(crate) fn new(route: Result<RouteToPublish, NameServerError>) -> Self {
        Published { route, cache: None }
    }
}

impl Outcome for Published {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        self.used_to_python(py, &Rewriter::new(None))
    }

    fn used_to_python<'py>(
        &self,
        py: Python<'py>,
        rewriter: &Rewriter,
    ) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        let cache = self.cache.as_ref().map(|cache| upgraded(py, cache)).transpose()?;
        let rewriter = cache.as_ref().map_or(rewriter, |cache| cache.rewriter());
        match &self.route {
            Ok(route) => to_python(py, route, rewriter).map(Ok),
            Err(error) => error::exception(py, error).map(Err),
        }
    }
}

fn to_python<'py>(
    py: Python<'py>,
    route: &RouteToPublish,
    rewriter: &Rewriter,
) -> PyResult<Bound<'py, PyAny>> {
    let used = rewriter.route(py, &route.route)?;
    let object = route_of(py, &used, models(py)?.route_to_publish.bind(py))?;
    object.setattr(intern!(py, "is_default"), route.is_default)?;
    Ok(object)
}
