//! The models' public fields put under their wire names one by one, and values compared with the place of the first
//! difference. The crate's own serde code has no part in it.

use std::collections::BTreeMap;

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, BrokerData, Name, QueueData, TopicRouteData};
use serde_json::{Map, Value, json};

/// A route, its lists in their own order.
pub(crate) fn route(route: &TopicRouteData) -> Value {
    let brokers: Vec<Value> = route.broker_data_list.iter().map(|it| broker(it)).collect();
    let queues: Vec<Value> = route.queue_data_list.iter().map(queue).collect();
    assert!(route.topic_queue_mapping_by_broker.is_empty(), "no capture has a static topic");
    let mut fields = Map::from_iter([
        ("brokerDatas".to_owned(), Value::Array(brokers)),
        ("filterServerTable".to_owned(), lists(&route.filter_server_table)),
        ("queueDatas".to_owned(), Value::Array(queues)),
    ]);
    if !route.order_topic_conf.is_empty() {
        fields.insert("orderTopicConf".to_owned(), json!(route.order_topic_conf.as_str()));
    }
    Value::Object(fields)
}

/// A cluster info, its lists in their own order.
pub(crate) fn cluster(info: &BrokerClusterInfo) -> Value {
    let brokers = info.broker_addr_table.iter();
    let brokers = brokers.map(|(name, it)| (name.to_string(), broker(it)));
    json!({
        "brokerAddrTable": Value::Object(brokers.collect()),
        "clusterAddrTable": lists(&info.cluster_addr_table),
    })
}

fn broker(broker: &BrokerData) -> Value {
    let addresses = broker.broker_addresses.iter();
    let addresses = addresses.map(|(id, address)| (id.to_string(), json!(address.as_str())));
    let mut fields = Map::from_iter([
        ("brokerAddrs".to_owned(), Value::Object(addresses.collect())),
        ("brokerName".to_owned(), json!(broker.broker_name.as_str())),
        ("cluster".to_owned(), json!(broker.cluster.as_str())),
    ]);
    if let Some(enabled) = broker.enable_acting_master {
        fields.insert("enableActingMaster".to_owned(), json!(enabled));
    }
    if let Some(zone) = &broker.zone_name {
        fields.insert("zoneName".to_owned(), json!(zone.as_str()));
    }
    Value::Object(fields)
}

fn queue(queue: &QueueData) -> Value {
    assert_eq!(queue.compression_type, "gzip", "no server sends another compression");
    json!({
        "brokerName": queue.broker_name.as_str(),
        "perm": queue.perm.0,
        "readQueueNums": queue.read_queue_nums,
        "topicSysFlag": queue.topic_syn_flag,
        "writeQueueNums": queue.write_queue_nums,
    })
}

fn lists(table: &BTreeMap<Name, Vec<Name>>) -> Value {
    let list = |names: &[Name]| names.iter().map(|name| json!(name.as_str())).collect();
    let entries = table.iter();
    let entries = entries.map(|(name, names)| (name.to_string(), Value::Array(list(names))));
    Value::Object(entries.collect())
}

/// The value with every list in a fixed order: servers write theirs in the order of Java's hashes.
pub(crate) fn sorted(mut value: Value) -> Value {
    match &mut value {
        Value::Array(list) => {
            for element in list.iter_mut() {
                *element = sorted(element.take());
            }
            list.sort_by_key(ToString::to_string);
        }
        Value::Object(entries) => {
            for element in entries.values_mut() {
                *element = sorted(element.take());
            }
        }
        _ => {}
    }
    value
}

/// Nothing if the two are equal; otherwise the place of the first difference and what stands there.
pub(crate) fn same(place: &str, expected: &Value, found: &Value) -> Result<(), String> {
    let differ = || Err(format!("{place}: expected {expected}, found {found}"));
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left.keys().chain(right.keys()) {
                match (left.get(key), right.get(key)) {
                    (Some(one), Some(other)) => same(&format!("{place}/{key}"), one, other)?,
                    (one, other) => return Err(format!("{place}/{key}: expected {one:?}, found {other:?}")),
                }
            }
            Ok(())
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (one, other)) in left.iter().zip(right).enumerate() {
                same(&format!("{place}/{at}"), one, other)?;
            }
            Ok(())
        }
        _ if expected == found => Ok(()),
        _ => differ(),
    }
}
