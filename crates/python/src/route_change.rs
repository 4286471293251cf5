//! Changes of routes as the dataclasses of `route_changes.py`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rocketmq_nameserver::{Change, Gone, QueueCounts, TopicRouteData};

use crate::convert::{ToPython, addresses};

/// The classes, looked up once.
struct Classes {
    topic_found: Py<PyAny>,
    topic_gone: Py<PyAny>,
    broker_added: Py<PyAny>,
    broker_removed: Py<PyAny>,
    addresses_changed: Py<PyAny>,
    queues_changed: Py<PyAny>,
    queue_counts: Py<PyAny>,
    perm_changed: Py<PyAny>,
    order_conf_changed: Py<PyAny>,
    other_changed: Py<PyAny>,
    resynced: Py<PyAny>,
    /// For what this file does not know.
    route_change: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let module = py.import("pyrocketmq.nameserver.route_changes")?;
        let class = |name| module.getattr(name).map(Bound::unbind);
        Ok(Classes {
            topic_found: class("TopicFound")?,
            topic_gone: class("TopicGone")?,
            broker_added: class("BrokerAdded")?,
            broker_removed: class("BrokerRemoved")?,
            addresses_changed: class("AddressesChanged")?,
            queues_changed: class("QueuesChanged")?,
            queue_counts: class("QueueCounts")?,
            perm_changed: class("PermChanged")?,
            order_conf_changed: class("OrderConfChanged")?,
            other_changed: class("OtherChanged")?,
            resynced: class("Resynced")?,
            route_change: class("RouteChange")?,
        })
    })
}

/// A change of a topic as an instance of its class.
pub(crate) fn to_python<'py>(py: Python<'py>, topic: &str, change: &Change) -> PyResult<Bound<'py, PyAny>> {
    let classes = classes(py)?;
    let route = |route: &Arc<TopicRouteData>| route.to_python(py);
    match change {
        Change::TopicFound { after } => classes.topic_found.bind(py).call1((topic, route(after)?)),
        Change::TopicGone { before, why } => {
            let reason = match why {
                Gone::TooOld => "too-old",
                _ => "not-found",
            };
            classes.topic_gone.bind(py).call1((topic, route(before)?, reason))
        }
        Change::BrokerAdded { after } => classes.broker_added.bind(py).call1((topic, after.to_python(py)?)),
        Change::BrokerRemoved { before } => {
            classes.broker_removed.bind(py).call1((topic, before.to_python(py)?))
        }
        Change::AddressesChanged { broker_name, before, after } => {
            let fields = (topic, broker_name.as_str(), addresses(py, before)?, addresses(py, after)?);
            classes.addresses_changed.bind(py).call1(fields)
        }
        Change::QueuesChanged { broker_name, before, after } => {
            let counts = |counts: &Option<QueueCounts>| {
                let made =
                    counts.map(|counts| classes.queue_counts.bind(py).call1((counts.read, counts.write)));
                made.transpose()
            };
            let fields = (topic, broker_name.as_str(), counts(before)?, counts(after)?);
            classes.queues_changed.bind(py).call1(fields)
        }
        Change::PermChanged { broker_name, before, after } => {
            classes.perm_changed.bind(py).call1((topic, broker_name.as_str(), before.0, after.0))
        }
        Change::OrderConfChanged { before, after } => {
            classes.order_conf_changed.bind(py).call1((topic, before.as_str(), after.as_str()))
        }
        Change::OtherChanged { before, after } => {
            classes.other_changed.bind(py).call1((topic, route(before)?, route(after)?))
        }
        Change::Resynced { after } => {
            classes.resynced.bind(py).call1((topic, after.as_ref().map(route).transpose()?))
        }
        _ => classes.route_change.bind(py).call1((topic,)),
    }
}
