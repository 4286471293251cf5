//! What requests come to: one answer or error, or one for each server.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rocketmq_nameserver::{
    BrokerMemberGroup, DataVersion, Name, NameServerError, NamesrvConfig, PerServer, QueryDataVersionResult,
    RegisterBrokerResult, TopicList,
};

use crate::convert::{ToPython, addresses, models};
use crate::error;
use crate::rewriting::Rewriter;

/// What a request came to.
pub(crate) trait Outcome: Send {
    /// The value, or the exception.
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>>;

    /// The same of what has broker addresses, with those that are used.
    fn used_to_python<'py>(
        &self,
        py: Python<'py>,
        _: &Rewriter,
    ) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        self.to_python(py)
    }
}

impl<T: ToPython + Send> Outcome for Result<T, NameServerError> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        match self {
            Ok(answer) => answer.to_python(py).map(Ok),
            Err(error) => error::exception(py, error).map(Err),
        }
    }
}

/// A list of server and answer; where a server failed, the exception of all failures, which has that list.
impl<T: ToPython + Send> Outcome for PerServer<T> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
        let results = PyList::empty(py);
        for (server, result) in self {
            let result = match result {
                Ok(answer) => answer.to_python(py)?,
                Err(error) => error::exception(py, error)?,
            };
            results.append((server.as_str(), result))?;
        }
        let Some(error) = self.error() else { return Ok(Ok(results.into_any())) };
        let exception = error::exception(py, &error)?;
        exception.setattr("results", results)?;
        Ok(Err(exception))
    }
}

/// A list of topics of which nothing else is known.
pub(crate) struct Topics(pub(crate) TopicList);

impl ToPython for Topics {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        names(py, &self.0.topic_list)
    }
}

impl ToPython for TopicList {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let topics = names(py, &self.topic_list)?;
        models(py)?.topic_list.bind(py).call1((topics, self.broker_addr.as_deref()))
    }
}

impl ToPython for () {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

impl ToPython for u32 {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.into_pyobject(py)?.into_any())
    }
}

impl ToPython for Name {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.as_str().into_pyobject(py)?.into_any())
    }
}

impl ToPython for BTreeMap<Name, Name> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(texts(py, self)?.into_any())
    }
}

impl ToPython for NamesrvConfig {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(texts(py, self)?.into_any())
    }
}

impl ToPython for RegisterBrokerResult {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let table = self.kv_table.as_ref().map(|table| texts(py, table)).transpose()?;
        let fields = (self.ha_server_addr.as_deref(), self.master_addr.as_deref(), table);
        models(py)?.register_broker_result.bind(py).call1(fields)
    }
}

impl ToPython for QueryDataVersionResult {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let version = self.data_version.map(|version| version.to_python(py)).transpose()?;
        models(py)?.query_data_version_result.bind(py).call1((self.changed, version))
    }
}

impl ToPython for DataVersion {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let fields = (self.counter, self.state_version, self.timestamp);
        models(py)?.data_version.bind(py).call1(fields)
    }
}

impl ToPython for BrokerMemberGroup {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let members = addresses(py, &self.broker_addresses)?;
        models(py)?.broker_member_group.bind(py).call1((&*self.cluster, &*self.broker_name, members))
    }
}

fn names<'py>(py: Python<'py>, names: &[Name]) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyList::new(py, names.iter().map(Name::as_str))?.into_any())
}

pub(crate) fn texts<'a, 'py>(
    py: Python<'py>,
    entries: impl IntoIterator<Item = (&'a Name, &'a Name)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in entries {
        dict.set_item(key.as_str(), value.as_str())?;
    }
    Ok(dict)
}
