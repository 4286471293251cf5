//! Routes that Python passes: the core's own where the object still has it, else read out of what the object writes.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use rocketmq_nameserver::protocol::error::DataParseError;
use rocketmq_nameserver::{BrokerData, TopicRouteData};

use crate::convert::models;
use crate::error;
use crate::handed_out::Origin;

/// The route of a `TopicRouteData`. Runs Python code.
///
/// # Errors
/// `TypeError` if it is something else, `NameServerDataParseError` if it has values that no server could send.
pub(crate) fn route_from(object: &Bound<'_, PyAny>) -> PyResult<Arc<TopicRouteData>> {
    let py = object.py();
    check_class(object, "route", models(py)?.topic_route_data.bind(py))?;
    // Routes out of caches are shared and so must not be changed: what Python has of one is what the core has.
    if let Some(origin) = object.getattr_opt(intern!(py, "_origin"))?
        && let Ok(origin) = origin.cast::<Origin>()
    {
        return Ok(origin.get().route());
    }
    read(object, TopicRouteData::from_bytes).map(Arc::new)
}

/// The broker group of a `BrokerData`. Runs Python code.
///
/// # Errors
/// As those of [`route_from`].
pub(crate) fn broker_from(object: &Bound<'_, PyAny>) -> PyResult<BrokerData> {
    let py = object.py();
    check_class(object, "broker", models(py)?.broker_data.bind(py))?;
    read(object, BrokerData::from_bytes)
}

fn check_class(object: &Bound<'_, PyAny>, argument: &str, class: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.is_instance(class)? {
        return Ok(());
    }
    let (wanted, given) = (class.getattr(intern!(object.py(), "__name__"))?, object.get_type().name()?);
    Err(PyTypeError::new_err(format!("{argument} must be a {wanted}, not {given}")))
}

fn read<T>(object: &Bound<'_, PyAny>, from_bytes: fn(&[u8]) -> Result<T, DataParseError>) -> PyResult<T> {
    let py = object.py();
    let written = object.call_method0(intern!(py, "to_bytes"))?;
    from_bytes(written.extract::<&[u8]>()?).map_err(|error| error::unreadable(py, &error))
}
