//! Answers as the package's dataclasses, which are called with positional arguments in the order of their fields.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use rocketmq_nameserver::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, Name, QueueData, TopicQueueMappingInfo, TopicRouteData,
};

use crate::error;
use crate::wait::enter;

/// The classes of `models.py`, `broker_models.py`, `cached_route.py` and `default_topic.py`, looked up once.
pub(crate) struct Models {
    pub(crate) broker_data: Py<PyAny>,
    pub(crate) queue_data: Py<PyAny>,
    pub(crate) topic_route_data: Py<PyAny>,
    pub(crate) cached_route: Py<PyAny>,
    pub(crate) route_to_publish: Py<PyAny>,
    broker_cluster_info: Py<PyAny>,
    topic_queue_mapping_info: Py<PyAny>,
    pub(crate) topic_list: Py<PyAny>,
    pub(crate) topic_config: Py<PyAny>,
    pub(crate) data_version: Py<PyAny>,
    pub(crate) register_broker_result: Py<PyAny>,
    pub(crate) query_data_version_result: Py<PyAny>,
    pub(crate) broker_member_group: Py<PyAny>,
}

pub(crate) fn models(py: Python<'_>) -> PyResult<&Models> {
    static MODELS: PyOnceLock<Models> = PyOnceLock::new();
    MODELS.get_or_try_init(py, || {
        let (models, broker_models) =
            (py.import("pyrocketmq.nameserver.models")?, py.import("pyrocketmq.nameserver.broker_models")?);
        let cached_route = py.import("pyrocketmq.nameserver.cached_route")?.getattr("CachedRoute")?;
        let route_to_publish = py.import("pyrocketmq.nameserver.default_topic")?.getattr("RouteToPublish")?;
        let class = |name| models.getattr(name).map(Bound::unbind);
        let broker_class = |name| broker_models.getattr(name).map(Bound::unbind);
        Ok(Models {
            broker_data: class("BrokerData")?,
            queue_data: class("QueueData")?,
            topic_route_data: class("TopicRouteData")?,
            cached_route: cached_route.unbind(),
            route_to_publish: route_to_publish.unbind(),
            broker_cluster_info: class("BrokerClusterInfo")?,
            topic_queue_mapping_info: class("TopicQueueMappingInfo")?,
            topic_list: broker_class("TopicList")?,
            topic_config: broker_class("TopicConfig")?,
            data_version: broker_class("DataVersion")?,
            register_broker_result: broker_class("RegisterBrokerResult")?,
            query_data_version_result: broker_class("QueryDataVersionResult")?,
            broker_member_group: broker_class("BrokerMemberGroup")?,
        })
    })
}

/// A value that becomes an instance of one of the package's classes.
pub(crate) trait ToPython {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

impl ToPython for BrokerData {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let addresses = addresses(py, &self.broker_addresses)?;
        let zone = self.zone_name.as_deref();
        let fields = (&*self.cluster, &*self.broker_name, addresses, zone, self.enable_acting_master);
        models(py)?.broker_data.bind(py).call1(fields)
    }
}

/// Broker id to address.
#[inline]
pub(crate) fn addresses<'py>(py: Python<'py>, addresses: &BrokerAddresses) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (id, address) in addresses.iter() {
        dict.set_item(id, address.as_str())?;
    }
    Ok(dict)
}

impl ToPython for QueueData {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (read, write) = (self.read_queue_nums, self.write_queue_nums);
        let class = models(py)?.queue_data.bind(py);
        if self.compression_type == rocketmq_nameserver::protocol::model::GZIP {
            // The default, which the class has itself.
            return class.call1((&*self.broker_name, read, write, self.perm.0, self.topic_syn_flag));
        }
        class.call1((
            &*self.broker_name,
            read,
            write,
            self.perm.0,
            self.topic_syn_flag,
            &*self.compression_type,
        ))
    }
}

impl ToPython for TopicQueueMappingInfo {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let ids = PyDict::new(py);
        for (logical, physical) in &self.curr_id_map {
            ids.set_item(logical, physical)?;
        }
        let (topic, broker) = (self.topic.as_deref(), self.bname.as_deref());
        let fields = (topic, &*self.scope, self.total_queues, broker, self.epoch, self.dirty, ids);
        models(py)?.topic_queue_mapping_info.bind(py).call1(fields)
    }
}

impl ToPython for TopicRouteData {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        route_of(py, self, models(py)?.topic_route_data.bind(py))
    }
}

/// A route as `TopicRouteData` or a class under it.
pub(crate) fn route_of<'py>(
    py: Python<'py>,
    route: &TopicRouteData,
    class: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let queues = list(py, route.queue_data_list.iter())?;
    let brokers = list(py, route.broker_data_list.iter().map(AsRef::as_ref))?;
    if route.filter_server_table.is_empty() && route.topic_queue_mapping_by_broker.is_empty() {
        return class.call1((&*route.order_topic_conf, queues, brokers));
    }
    let filters = name_lists(py, &route.filter_server_table)?;
    let mappings = dict(py, &route.topic_queue_mapping_by_broker)?;
    class.call1((&*route.order_topic_conf, queues, brokers, filters, mappings))
}

impl ToPython for BrokerClusterInfo {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let brokers = dict(py, &self.broker_addr_table)?;
        let clusters = name_lists(py, &self.cluster_addr_table)?;
        models(py)?.broker_cluster_info.bind(py).call1((brokers, clusters))
    }
}

pub(crate) fn list<'a, 'py, T: ToPython + 'a>(
    py: Python<'py>,
    items: impl Iterator<Item = &'a T>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for item in items {
        list.append(item.to_python(py)?)?;
    }
    Ok(list)
}

fn dict<'py, T: ToPython>(py: Python<'py>, items: &BTreeMap<Name, T>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, item) in items {
        dict.set_item(name.as_str(), item.to_python(py)?)?;
    }
    Ok(dict)
}

fn name_lists<'py>(py: Python<'py>, items: &BTreeMap<Name, Vec<Name>>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, names) in items {
        dict.set_item(name.as_str(), PyList::new(py, names.iter().map(Name::as_str))?)?;
    }
    Ok(dict)
}

/// One function per model: bytes in either JSON dialect into an instance.
macro_rules! from_bytes {
    ($($function:ident: $model:ty;)*) => {
        $(#[pyfunction]
        pub(crate) fn $function<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
            let _inside = enter(py)?;
            match <$model>::from_bytes(data) {
                Ok(value) => value.to_python(py),
                Err(error) => Err(error::unreadable(py, &error)),
            }
        })*
    };
}

from_bytes! {
    topic_route_data_from_bytes: TopicRouteData;
    broker_data_from_bytes: BrokerData;
    queue_data_from_bytes: QueueData;
    broker_cluster_info_from_bytes: BrokerClusterInfo;
    topic_queue_mapping_info_from_bytes: TopicQueueMappingInfo;
}
