//! Where to send messages of a topic that does not exist yet.

use std::future::Future;

use pyo3::intern;
use pyo3::prelude::*;
use rocketmq_nameserver as core;
use rocketmq_nameserver::{NameServerError, RouteToPublish};

use crate::cache::RouteCache;
use crate::completions::{Completions, Finished};
use crate::convert::{ToPython, models, route_of};
use crate::error;
use crate::passed_route::route_from;
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
    route.map_err(|error| error::raised(py, &error))?.to_python(py)
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
    completions.start(py, async move { Finished::Request(Box::new(call.await)) })
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

impl ToPython for RouteToPublish {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let route = route_of(py, self, models(py)?.route_to_publish.bind(py))?;
        route.setattr(intern!(py, "is_default"), self.is_default)?;
        Ok(route)
    }
}
