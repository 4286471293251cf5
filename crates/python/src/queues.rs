//! What producers and consumers make of a route, by the rules of the core: plain values, which `queues.py` makes objects of.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use rocketmq_nameserver as core;
use rocketmq_nameserver::{MessageQueue, OrderConfItemProblem};

use crate::passed_route::route_from;
use crate::wait::enter;

/// Position, text, what is wrong, and the same for people.
type WrongItem = (usize, String, &'static str, String);

/// Broker name and queue id of each queue; whether the topic is ordered; items that could not be read, and how many; how
/// many queues are claimed.
type PublishQueues<'py> = (Bound<'py, PyList>, bool, Vec<WrongItem>, u64, u64);

#[pyfunction]
pub(crate) fn publish_queues<'py>(topic: &str, route: &Bound<'py, PyAny>) -> PyResult<PublishQueues<'py>> {
    let _inside = enter(route.py())?;
    let data = route_from(route)?;
    let queues = core::publish_queues(topic, &data);
    let wrong = queues.wrong_items().iter();
    let wrong = wrong.map(|wrong| {
        (wrong.position, wrong.item.to_string(), problem_name(wrong.problem), wrong.to_string())
    });
    let (is_order_topic, wrong, wrong_count, claimed) =
        (queues.is_order_topic(), wrong.collect(), queues.wrong_item_count(), queues.claimed());
    Ok((pairs(route.py(), queues)?, is_order_topic, wrong, wrong_count, claimed))
}

/// Broker name and queue id of each queue; how many are claimed.
#[pyfunction]
pub(crate) fn subscribe_queues<'py>(
    topic: &str,
    route: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyList>, u64)> {
    let _inside = enter(route.py())?;
    let data = route_from(route)?;
    let queues = core::subscribe_queues(topic, &data);
    let claimed = queues.claimed();
    Ok((pairs(route.py(), queues)?, claimed))
}

/// Mock broker name, queue id and broker of each logical queue.
#[pyfunction]
pub(crate) fn static_topic_endpoints(
    topic: &str,
    route: &Bound<'_, PyAny>,
) -> PyResult<Vec<(String, u32, String)>> {
    let _inside = enter(route.py())?;
    let data = route_from(route)?;
    let endpoint = |(queue, broker): (MessageQueue, _)| {
        (queue.broker_name.to_string(), queue.queue_id, format!("{broker}"))
    };
    Ok(core::static_topic_endpoints(topic, &data).map(endpoint).collect())
}

#[pyfunction]
pub(crate) fn physical_broker(
    route: &Bound<'_, PyAny>,
    topic: &str,
    broker_name: &str,
    queue_id: u32,
) -> PyResult<Option<String>> {
    let _inside = enter(route.py())?;
    let data = route_from(route)?;
    let queue = MessageQueue { topic: topic.into(), broker_name: broker_name.into(), queue_id };
    Ok(core::physical_broker(&data, &queue).map(|broker| broker.to_string()))
}

/// One text for all queues of a broker that stand together.
fn pairs<'py>(py: Python<'py>, queues: impl Iterator<Item = MessageQueue>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    let mut latest = None;
    for queue in queues {
        let (_, broker) = latest
            .take_if(|(name, _)| *name == queue.broker_name)
            .unwrap_or_else(|| (queue.broker_name.clone(), PyString::new(py, &queue.broker_name)));
        list.append((&broker, queue.queue_id))?;
        latest = Some((queue.broker_name, broker));
    }
    Ok(list)
}

fn problem_name(problem: OrderConfItemProblem) -> &'static str {
    match problem {
        OrderConfItemProblem::NoColon => "no_colon",
        OrderConfItemProblem::NoBroker => "no_broker",
        OrderConfItemProblem::NoCount => "no_count",
        OrderConfItemProblem::NotANumber => "not_a_number",
        OrderConfItemProblem::Negative => "negative",
        OrderConfItemProblem::TooLarge => "too_large",
        _ => "other",
    }
}
