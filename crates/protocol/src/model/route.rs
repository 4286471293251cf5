//! The answer to a route query: where a topic's queues are and where those brokers are. Here, at stop 8 of the trip,
//! bytes have become a route: `FromJson for TopicRouteData` at the end.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::{BrokerData, Name, Perm, TopicQueueMappingInfo, bytes_of_model};
use crate::error::Reason;
use crate::json::lex::{Failure, Parsed};
use crate::json::{FromJson, Reader, read_fields};

/// The `compression_type` of every queue whose server says nothing else, and none does.
pub const GZIP: Name = Name::from_static("gzip");

/// A topic's queues on one broker group. The contract's `QueueData`.
///
/// On the wire: `brokerName`, `perm`, `readQueueNums`, `topicSysFlag` (`topicSynFlag` through 4.8), `writeQueueNums`
/// (`docs/wire.md` §2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueData {
    /// The broker group.
    pub broker_name: Name,
    /// How many queues consumers may read, 0 to 2^31-1.
    #[serde(default)]
    pub read_queue_nums: u32,
    /// How many queues producers may write, 0 to 2^31-1.
    #[serde(default)]
    pub write_queue_nums: u32,
    /// What may be done with them.
    #[serde(default)]
    pub perm: Perm,
    /// Flag bits: 1 the topic belongs to a unit, 2 it has a unit subscription.
    #[serde(rename = "topicSysFlag", alias = "topicSynFlag", default)]
    pub topic_syn_flag: i32,
    /// How messages are compressed. Always "gzip": no Apache NameServer sends the field.
    #[serde(default = "gzip")]
    pub compression_type: Name,
}

fn gzip() -> Name {
    GZIP
}

bytes_of_model!(QueueData);

impl Default for QueueData {
    fn default() -> Self {
        QueueData {
            broker_name: Name::default(),
            read_queue_nums: 0,
            write_queue_nums: 0,
            perm: Perm::NONE,
            topic_syn_flag: 0,
            compression_type: GZIP,
        }
    }
}

impl Serialize for QueueData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let other_compression = self.compression_type != GZIP;
        let mut out = serializer.serialize_struct("QueueData", 5 + usize::from(other_compression))?;
        out.serialize_field("brokerName", &self.broker_name)?;
        if other_compression {
            out.serialize_field("compressionType", &self.compression_type)?;
        }
        out.serialize_field("perm", &self.perm)?;
        out.serialize_field("readQueueNums", &self.read_queue_nums)?;
        out.serialize_field("topicSysFlag", &self.topic_syn_flag)?;
        out.serialize_field("writeQueueNums", &self.write_queue_nums)?;
        out.end()
    }
}

impl FromJson for QueueData {
    #[inline(always)]
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let offset = reader.next_offset();
        let (mut broker_name, mut compression_type) = (None, None);
        let (mut read_queue_nums, mut write_queue_nums, mut perm) = (0, 0, Perm::NONE);
        let (mut sys_flag, mut syn_flag) = (None, 0);
        read_fields!(reader, {
            "brokerName" => broker_name = reader.optional_text()?,
            "perm" => perm = reader.or_default()?,
            "readQueueNums" => read_queue_nums = reader.or_default()?,
            "topicSysFlag" => sys_flag = reader.optional()?,
            "topicSynFlag" => syn_flag = reader.or_default()?,
            "writeQueueNums" => write_queue_nums = reader.or_default()?,
            "compressionType" => compression_type = reader.optional_text()?,
        })?;
        let broker_name = broker_name.ok_or(Failure { offset, reason: Reason::Missing("brokerName") })?;
        Ok(QueueData {
            broker_name: Name::from(&*broker_name),
            read_queue_nums,
            write_queue_nums,
            perm,
            // Where both spellings stand, the newer one counts.
            topic_syn_flag: sys_flag.unwrap_or(syn_flag),
            compression_type: compression_type.map_or(GZIP, |compression| Name::from(&*compression)),
        })
    }
}

/// Everything that a NameServer knows about where a topic is. The contract's `TopicRouteData`.
///
/// The two lists come in any order and either may name brokers that the other does not.
///
/// ```
/// use rocketmq_nameserver_protocol::model::TopicRouteData;
///
/// let route = TopicRouteData::from_bytes(br#"{"brokerDatas":[],"queueDatas":[{"brokerName":"a","perm":6}]}"#)?;
/// assert_eq!(route.queue_data_list[0].compression_type, "gzip");
/// assert!(route.queue_data_list[0].perm.is_writable());
/// # Ok::<(), rocketmq_nameserver_protocol::error::DataParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(default)]
pub struct TopicRouteData {
    /// How an ordered topic is spread, `broker-a:4;broker-b:4`. Empty if it is not ordered; absent and empty are
    /// one.
    #[serde(rename = "orderTopicConf")]
    pub order_topic_conf: Name,
    /// The queues, one entry per broker group.
    #[serde(rename = "queueDatas")]
    pub queue_data_list: Vec<QueueData>,
    /// The broker groups. Shared, so that a cache can hold one copy of a broker for all its topics.
    #[serde(rename = "brokerDatas")]
    pub broker_data_list: Vec<Arc<BrokerData>>,
    /// Broker address → its filter servers.
    #[serde(rename = "filterServerTable")]
    pub filter_server_table: BTreeMap<Name, Vec<Name>>,
    /// Broker name → its share of a static topic (5.x). Empty for all other topics.
    #[serde(rename = "topicQueueMappingByBroker", alias = "topicQueueMappingInfo")]
    pub topic_queue_mapping_by_broker: BTreeMap<Name, TopicQueueMappingInfo>,
}

bytes_of_model!(TopicRouteData);

impl TopicRouteData {
    /// The broker group of that name.
    pub fn broker(&self, broker_name: &str) -> Option<&Arc<BrokerData>> {
        self.broker_data_list.iter().find(|broker| broker.broker_name == broker_name)
    }

    /// The same route with the addresses that brokers advertise, whichever a client uses in their place.
    pub fn as_advertised(&self) -> TopicRouteData {
        let mut route = self.clone();
        for broker in &mut route.broker_data_list {
            if broker.advertised_addresses.is_some() {
                let broker = Arc::make_mut(broker);
                broker.broker_addresses =
                    broker.advertised_addresses.take().map_or_else(Default::default, |all| *all);
            }
        }
        route
    }

    /// What is left for a client that wants brokers of its zone only, as 5.x servers do it (`docs/wire.md` §4.9):
    /// groups of that zone and groups without a master, their queues and their filter servers. May be nothing.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        let (stay, go) = self.broker_data_list.into_iter().partition(|broker| stays_in(broker, zone));
        self.broker_data_list = stay;
        let go: Vec<Arc<BrokerData>> = go;
        // A set, because a large route must not be walked for each of its queues.
        let gone: HashSet<&str> = go.iter().map(|broker| broker.broker_name.as_str()).collect();
        self.queue_data_list.retain(|queue| !gone.contains(queue.broker_name.as_str()));
        for (_, address) in go.iter().flat_map(|broker| broker.advertised().iter()) {
            self.filter_server_table.remove(address);
        }
        self
    }

    /// Whether [`in_zone`](Self::in_zone) would leave it as it is.
    pub fn is_in_zone(&self, zone: &str) -> bool {
        self.broker_data_list.iter().all(|broker| stays_in(broker, zone))
    }
}

fn stays_in(broker: &BrokerData, zone: &str) -> bool {
    broker.broker_addresses.master().is_none() || broker.is_in_zone(zone)
}

impl Serialize for TopicRouteData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ordered = !self.order_topic_conf.is_empty();
        let mapped = !self.topic_queue_mapping_by_broker.is_empty();
        let mut out =
            serializer.serialize_struct("TopicRouteData", 3 + usize::from(ordered) + usize::from(mapped))?;
        out.serialize_field("brokerDatas", &self.broker_data_list)?;
        out.serialize_field("filterServerTable", &self.filter_server_table)?;
        if ordered {
            out.serialize_field("orderTopicConf", &self.order_topic_conf)?;
        }
        out.serialize_field("queueDatas", &self.queue_data_list)?;
        if mapped {
            out.serialize_field("topicQueueMappingByBroker", &self.topic_queue_mapping_by_broker)?;
        }
        out.end()
    }
}

impl FromJson for TopicRouteData {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut route = TopicRouteData::default();
        read_fields!(reader, {
                "brokerDatas" => route.broker_data_list = reader.roomy_list()?,
                "filterServerTable" => route.filter_server_table = reader.or_default()?,
                "orderTopicConf" => route.order_topic_conf = reader.or_default()?,
                "queueDatas" => route.queue_data_list = reader.roomy_list()?,
                "topicQueueMappingByBroker" | "topicQueueMappingInfo" => {
                    route.topic_queue_mapping_by_broker = reader.or_default()?;
                },
        })?;
        Ok(route)
    }
}
