//! Dataclasses of the package that are passed to requests. They check nothing themselves, so it is done here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rocketmq_nameserver::{
    DataVersion, Name, Perm, QueueData, RegisterBroker, RegisterBrokerBody, TopicConfig,
};

use crate::convert::models;

/// The queues of a topic: `QueueData`.
pub(crate) fn queues(values: &[Bound<'_, PyAny>]) -> PyResult<Vec<QueueData>> {
    let read = |value: &Bound<'_, PyAny>| {
        expect(value, &models(value.py())?.queue_data, "queues")?;
        Ok(QueueData {
            broker_name: name(value, "broker_name")?,
            read_queue_nums: field(value, "read_queue_nums")?,
            write_queue_nums: field(value, "write_queue_nums")?,
            perm: Perm(field(value, "perm")?),
            topic_syn_flag: field(value, "topic_syn_flag")?,
            compression_type: name(value, "compression_type")?,
        })
    };
    values.iter().map(read).collect()
}

/// `DataVersion`.
pub(crate) fn data_version(value: &Bound<'_, PyAny>) -> PyResult<DataVersion> {
    expect(value, &models(value.py())?.data_version, "data_version")?;
    Ok(DataVersion {
        counter: field(value, "counter")?,
        state_version: field(value, "state_version")?,
        timestamp: field(value, "timestamp")?,
    })
}

/// A registration: cluster, name, address and id of a broker; its topics, `TopicConfig`, and how new they are,
/// `DataVersion` or `None`. Without a version each registration counts as changed.
///
/// The server would take its clock for a missing one, and two in one millisecond would be the same.
pub(crate) fn registration(
    (cluster_name, broker_name, broker_addr, broker_id): (String, String, String, i64),
    (topics, version): (&[Bound<'_, PyAny>], Option<&Bound<'_, PyAny>>),
    ha_server_addr: Option<String>,
    zone_name: Option<String>,
) -> PyResult<RegisterBroker> {
    let topics: Vec<TopicConfig> = topics.iter().map(topic_config).collect::<PyResult<_>>()?;
    let mut body = RegisterBrokerBody::new(DataVersion::default(), topics);
    let version = version.map(data_version).transpose()?.unwrap_or_else(next_version);
    body.topic_config_serialize_wrapper.data_version = Some(version);
    let mut broker = RegisterBroker::new(cluster_name, broker_name, broker_id, broker_addr, body);
    broker.zone_name = zone_name.map(Name::from);
    if let Some(address) = ha_server_addr {
        broker.ha_server_addr = Name::from(address);
    }
    Ok(broker)
}

/// A version that this process has not used before.
fn next_version() -> DataVersion {
    static COUNTER: AtomicI64 = AtomicI64::new(1);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let timestamp = since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
    DataVersion { counter: COUNTER.fetch_add(1, Ordering::Relaxed), state_version: 0, timestamp }
}

fn topic_config(value: &Bound<'_, PyAny>) -> PyResult<TopicConfig> {
    expect(value, &models(value.py())?.topic_config, "topics")?;
    let attributes: BTreeMap<String, String> = field(value, "attributes")?;
    Ok(TopicConfig {
        topic_name: Some(name(value, "topic_name")?),
        read_queue_nums: field(value, "read_queue_nums")?,
        write_queue_nums: field(value, "write_queue_nums")?,
        perm: Perm(field(value, "perm")?),
        topic_sys_flag: field(value, "topic_sys_flag")?,
        order: field(value, "order")?,
        topic_filter_type: name(value, "topic_filter_type")?,
        attributes: attributes.into_iter().map(|(key, value)| (Name::from(key), Name::from(value))).collect(),
    })
}

fn expect(value: &Bound<'_, PyAny>, class: &Py<PyAny>, argument: &str) -> PyResult<()> {
    let class = class.bind(value.py());
    if value.is_instance(class)? {
        return Ok(());
    }
    let class = class.getattr("__name__")?;
    Err(PyTypeError::new_err(format!("{argument}: expected {class}, not {}", value.repr()?)))
}

fn name(value: &Bound<'_, PyAny>, field_name: &str) -> PyResult<Name> {
    field::<String>(value, field_name).map(Name::from)
}

/// A field, or an error of the kind that Python has for it, which names the field.
fn field<'py, T: FromPyObjectOwned<'py>>(value: &Bound<'py, PyAny>, field_name: &str) -> PyResult<T> {
    let read: PyResult<T> = value.getattr(field_name)?.extract().map_err(Into::into);
    read.map_err(|error| {
        let py = value.py();
        PyErr::from_type(error.get_type(py), format!("{field_name}: {}", error.value(py)))
    })
}
