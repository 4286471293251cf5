//! Which address of a broker to talk to, by the rules of the core.

use pyo3::prelude::*;
use rocketmq_nameserver as core;
use rocketmq_nameserver::Name;

use crate::passed_route::{broker_from, route_from};
use crate::wait::enter;

/// Address, and whether it is a slave's.
type Found = (String, bool);

#[pyfunction]
pub(crate) fn find_broker_address_in_publish(
    route: &Bound<'_, PyAny>,
    broker_name: &str,
) -> PyResult<Option<String>> {
    let _inside = enter(route.py())?;
    let route = route_from(route)?;
    Ok(core::find_broker_address_in_publish(&route, broker_name).map(Name::to_string))
}

#[pyfunction]
pub(crate) fn find_broker_address_in_subscribe(
    route: &Bound<'_, PyAny>,
    broker_name: &str,
    broker_id: i64,
    only_this_broker: bool,
) -> PyResult<Option<Found>> {
    let _inside = enter(route.py())?;
    let route = route_from(route)?;
    let found = core::find_broker_address_in_subscribe(&route, broker_name, broker_id, only_this_broker);
    Ok(found.map(|found| (found.broker_addr.to_string(), found.slave)))
}

#[pyfunction]
pub(crate) fn find_broker_address_in_admin(
    route: &Bound<'_, PyAny>,
    broker_name: &str,
) -> PyResult<Option<Found>> {
    let _inside = enter(route.py())?;
    let route = route_from(route)?;
    let found = core::find_broker_address_in_admin(&route, broker_name);
    Ok(found.map(|found| (found.broker_addr.to_string(), found.slave)))
}

#[pyfunction]
pub(crate) fn select_broker_addr(broker: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let _inside = enter(broker.py())?;
    Ok(core::select_broker_addr(&broker_from(broker)?).map(Name::to_string))
}

#[pyfunction]
pub(crate) fn find_broker_addr_by_topic(route: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let _inside = enter(route.py())?;
    Ok(core::find_broker_addr_by_topic(&*route_from(route)?).map(Name::to_string))
}
