//! What a route, a cluster info or a header must be, read from a tree by the rules of `docs/wire.md` §3.3 and §1.4. `None`
//! wherever it must be refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use rocketmq_nameserver_protocol::code::{Language, Version};
use rocketmq_nameserver_protocol::header::{ExtFields, Header, MAX_EXT_FIELDS};
use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, Name, Perm, QueueData, TopicQueueMappingInfo,
    TopicRouteData,
};

use super::tree::{Tree, is_whole};

pub(crate) fn route(tree: &Tree) -> Option<TopicRouteData> {
    let mut route = TopicRouteData::default();
    for (field, value) in fields(tree)? {
        match field {
            "brokerDatas" => {
                route.broker_data_list =
                    list(value, |tree| route_broker(tree).map(Arc::new))?.unwrap_or_default();
            }
            "queueDatas" => route.queue_data_list = list(value, queue)?.unwrap_or_default(),
            "filterServerTable" => {
                route.filter_server_table = map(value, name_key, names)?.unwrap_or_default();
            }
            "orderTopicConf" => route.order_topic_conf = or_null(value, text)?.unwrap_or_default(),
            "topicQueueMappingByBroker" | "topicQueueMappingInfo" => {
                route.topic_queue_mapping_by_broker = map(value, name_key, mapping)?.unwrap_or_default();
            }
            "$ref" => return None,
            _ => {}
        }
    }
    Some(route)
}

pub(crate) fn cluster(tree: &Tree) -> Option<BrokerClusterInfo> {
    let mut info = BrokerClusterInfo::default();
    for (field, value) in fields(tree)? {
        match field {
            "brokerAddrTable" => info.broker_addr_table = or_null(value, broker_table)?.unwrap_or_default(),
            "clusterAddrTable" => info.cluster_addr_table = map(value, name_key, names)?.unwrap_or_default(),
            "$ref" => return None,
            _ => {}
        }
    }
    Some(info)
}

/// Entries without one of their names are skipped, as if they were not there.
fn broker_table(tree: &Tree) -> Option<BTreeMap<Name, BrokerData>> {
    let mut table = BTreeMap::new();
    for (key, value) in fields(tree)? {
        if let Some((Some(cluster), Some(broker_name), rest)) = or_null(value, parts)? {
            table.insert(Name::from(key), BrokerData { cluster, broker_name, ..rest });
        }
    }
    Some(table)
}

fn route_broker(tree: &Tree) -> Option<BrokerData> {
    let (cluster, broker_name, rest) = parts(tree)?;
    Some(BrokerData { cluster: cluster.unwrap_or_default(), broker_name: broker_name?, ..rest })
}

/// Cluster and name, which may be missing, and the rest.
fn parts(tree: &Tree) -> Option<(Option<Name>, Option<Name>, BrokerData)> {
    let (mut cluster, mut broker_name, mut rest) = (None, None, BrokerData::default());
    for (field, value) in fields(tree)? {
        match field {
            "cluster" => cluster = or_null(value, text)?,
            "brokerName" => broker_name = or_null(value, text)?,
            "brokerAddrs" => {
                let members = map(value, id_key, text)?.unwrap_or_default();
                rest.broker_addresses = BrokerAddresses::from_iter(members);
            }
            "enableActingMaster" => rest.enable_acting_master = or_null(value, truth)?,
            "zoneName" => rest.zone_name = or_null(value, text)?,
            "$ref" => return None,
            _ => {}
        }
    }
    Some((cluster, broker_name, rest))
}

fn queue(tree: &Tree) -> Option<QueueData> {
    let mut queue = QueueData::default();
    let (mut broker_name, mut sys_flag) = (None, None);
    for (field, value) in fields(tree)? {
        match field {
            "brokerName" => broker_name = or_null(value, text)?,
            "perm" => queue.perm = Perm(or_null(value, number)?.unwrap_or_default()),
            "readQueueNums" => queue.read_queue_nums = or_null(value, count)?.unwrap_or_default(),
            "writeQueueNums" => queue.write_queue_nums = or_null(value, count)?.unwrap_or_default(),
            "topicSysFlag" => sys_flag = or_null(value, number)?,
            "topicSynFlag" => queue.topic_syn_flag = or_null(value, number)?.unwrap_or_default(),
            "compressionType" => queue.compression_type = or_null(value, text)?.unwrap_or(Name::from("gzip")),
            "$ref" => return None,
            _ => {}
        }
    }
    queue.broker_name = broker_name?;
    queue.topic_syn_flag = sys_flag.unwrap_or(queue.topic_syn_flag);
    Some(queue)
}

fn mapping(tree: &Tree) -> Option<TopicQueueMappingInfo> {
    let mut info = TopicQueueMappingInfo::default();
    for (field, value) in fields(tree)? {
        match field {
            "bname" => info.bname = or_null(value, text)?,
            "currIdMap" => info.curr_id_map = map(value, id_key, number)?.unwrap_or_default(),
            "dirty" => info.dirty = or_null(value, truth)?.unwrap_or_default(),
            "epoch" => info.epoch = or_null(value, number)?.unwrap_or_default(),
            "scope" => info.scope = or_null(value, text)?.unwrap_or(Name::from("__global__")),
            "topic" => info.topic = or_null(value, text)?,
            "totalQueues" => info.total_queues = or_null(value, count)?.unwrap_or_default(),
            "$ref" => return None,
            _ => {}
        }
    }
    Some(info)
}

pub(crate) fn header(tree: &Tree) -> Option<Header> {
    let (mut code, mut opaque) = (None, None);
    let (mut language, mut version, mut flag, mut remark) = (None, None, None, None);
    let mut ext_fields = None;
    for (field, value) in fields(tree)? {
        match field {
            "code" => code = or_null(value, number)?,
            "opaque" => opaque = or_null(value, number)?,
            "language" => language = or_null(value, scalar)?,
            "version" => version = or_null(value, number)?,
            "flag" => flag = or_null(value, number)?,
            "remark" => remark = or_null(value, text)?,
            "extFields" => ext_fields = or_null(value, arguments)?,
            "$ref" => return None,
            _ => {}
        }
    }
    let language = language.map(|text| text.parse().map_or(Language::from_name(&text), Language));
    Some(Header {
        code: code?,
        opaque: opaque?,
        language: language.unwrap_or(Language::OTHER),
        version: Version(version.unwrap_or_default()),
        flag: flag.unwrap_or_default(),
        remark,
        ext_fields: ext_fields.unwrap_or_default(),
    })
}

fn arguments(tree: &Tree) -> Option<ExtFields> {
    let Tree::Object(entries) = tree else { return None };
    let mut arguments = ExtFields::new();
    for (key, value) in entries {
        let key = key.as_deref().unwrap_or_default();
        match or_null(value, scalar)? {
            None => arguments.remove(key),
            Some(_) if arguments.len() == MAX_EXT_FIELDS => return None,
            Some(value) => arguments.set(key, value),
        }
    }
    Some(arguments)
}

/// A text, or a number or truth value as it is spelled.
fn scalar(tree: &Tree) -> Option<Name> {
    match tree {
        Tree::Text(text) | Tree::Number(text) => Some(Name::from(text.as_str())),
        Tree::Truth(truth) => Some(Name::from(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

/// The entries of an object, those without a key left out.
fn fields(tree: &Tree) -> Option<Vec<(&str, &Tree)>> {
    let Tree::Object(entries) = tree else { return None };
    Some(entries.iter().filter_map(|(key, value)| Some((key.as_deref()?, value))).collect())
}

fn or_null<T>(tree: &Tree, read: impl Fn(&Tree) -> Option<T>) -> Option<Option<T>> {
    if *tree == Tree::Null { Some(None) } else { read(tree).map(Some) }
}

fn list<T>(tree: &Tree, read: impl Fn(&Tree) -> Option<T>) -> Option<Option<Vec<T>>> {
    or_null(tree, |tree| {
        let Tree::List(elements) = tree else { return None };
        let elements = elements.iter().filter(|element| **element != Tree::Null);
        elements.map(&read).collect()
    })
}

fn names(tree: &Tree) -> Option<Vec<Name>> {
    list(tree, text)?
}

fn map<K: Ord, V>(
    tree: &Tree,
    key: impl Fn(&str) -> Option<K>,
    read: impl Fn(&Tree) -> Option<V>,
) -> Option<Option<BTreeMap<K, V>>> {
    or_null(tree, |tree| {
        let mut map = BTreeMap::new();
        for (name, value) in fields(tree)? {
            let key = key(name)?;
            if let Some(value) = or_null(value, &read)? {
                map.insert(key, value);
            }
        }
        Some(map)
    })
}

fn name_key(key: &str) -> Option<Name> {
    Some(Name::from(key))
}

fn id_key<T: TryFrom<i64>>(key: &str) -> Option<T> {
    number(&Tree::Text(key.to_owned()))
}

fn text(tree: &Tree) -> Option<Name> {
    if let Tree::Text(text) = tree { Some(Name::from(text.as_str())) } else { None }
}

fn truth(tree: &Tree) -> Option<bool> {
    if let Tree::Truth(truth) = tree { Some(*truth) } else { None }
}

/// A whole number in range, in quotes or not.
fn number<T: TryFrom<i64>>(tree: &Tree) -> Option<T> {
    let (Tree::Number(digits) | Tree::Text(digits)) = tree else { return None };
    let number: i64 = digits.parse().ok().filter(|_| is_whole(digits))?;
    T::try_from(number).ok()
}

/// A whole number from 0 to 2^31-1.
fn count(tree: &Tree) -> Option<u32> {
    let number: i32 = number(tree)?;
    u32::try_from(number).ok()
}
