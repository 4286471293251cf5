//! What a broker sends when it registers: its topics and how new they are (`docs/wire.md` §2.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Name, Perm, TopicQueueMappingInfo, bytes_of_model};
use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader, read_fields};

/// How new a broker's data is. Two are equal if all three parts are (4.x servers ignore `state_version`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVersion {
    /// Counts the changes.
    #[serde(deserialize_with = "super::long::deserialize")]
    pub counter: i64,
    /// Counts role changes (5.x).
    #[serde(deserialize_with = "super::long::deserialize")]
    pub state_version: i64,
    /// When it last changed, in milliseconds since 1970.
    #[serde(deserialize_with = "super::long::deserialize")]
    pub timestamp: i64,
}

bytes_of_model!(DataVersion);

impl DataVersion {
    /// The version after this one: a registration with it counts as changed, and one with the same does not.
    #[must_use]
    pub fn next(self) -> Self {
        DataVersion { counter: self.counter.wrapping_add(1), ..self }
    }

    /// Writes the two parts that a 4.x server knows.
    pub fn to_bytes_without_state_version(&self) -> Vec<u8> {
        format!(r#"{{"counter":{},"timestamp":{}}}"#, self.counter, self.timestamp).into_bytes()
    }
}

/// One topic as its broker configures it. Missing fields are 16 queues each way, read and write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfig {
    /// Further settings (5.x).
    pub attributes: BTreeMap<Name, Name>,
    /// Whether its messages are ordered.
    pub order: bool,
    /// What may be done with it.
    pub perm: Perm,
    /// How many queues consumers may read.
    pub read_queue_nums: u32,
    /// `SINGLE_TAG` or `MULTI_TAG`.
    pub topic_filter_type: Name,
    /// The topic's name. This counts, not the key that it stands under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic_name: Option<Name>,
    /// Flag bits: 1 unit, 2 unit subscription.
    pub topic_sys_flag: i32,
    /// How many queues producers may write.
    pub write_queue_nums: u32,
}

bytes_of_model!(TopicConfig);

impl TopicConfig {
    /// A topic with that many queues each way and that permission.
    pub fn new(topic: impl Into<Name>, queues: u32, perm: Perm) -> Self {
        TopicConfig {
            topic_name: Some(topic.into()),
            read_queue_nums: queues,
            write_queue_nums: queues,
            perm,
            ..TopicConfig::default()
        }
    }
}

impl Default for TopicConfig {
    fn default() -> Self {
        TopicConfig {
            attributes: BTreeMap::new(),
            order: false,
            perm: Perm::READ_WRITE,
            read_queue_nums: 16,
            topic_filter_type: Name::from_static("SINGLE_TAG"),
            topic_name: None,
            topic_sys_flag: 0,
            write_queue_nums: 16,
        }
    }
}

/// A broker's topics and how new they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicConfigSerializeWrapper {
    /// How new; `None` means that the server shall use its own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_version: Option<DataVersion>,
    /// The topics.
    pub topic_config_table: BTreeMap<Name, TopicConfig>,
    /// Static topics (5.x): topic → this broker's share. 4.x brokers do not send it.
    pub topic_queue_mapping_info_map: BTreeMap<Name, TopicQueueMappingInfo>,
}

bytes_of_model!(TopicConfigSerializeWrapper);

impl TopicConfigSerializeWrapper {
    /// The topics of a broker under their own names.
    pub fn new(data_version: DataVersion, topics: impl IntoIterator<Item = TopicConfig>) -> Self {
        let named = topics.into_iter().map(|topic| (topic.topic_name.clone().unwrap_or_default(), topic));
        TopicConfigSerializeWrapper {
            data_version: Some(data_version),
            topic_config_table: named.collect(),
            ..TopicConfigSerializeWrapper::default()
        }
    }
}

/// The body of a registration. Brokers may [compress](RegisterBrokerBody::from_compressed) it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegisterBrokerBody {
    /// Addresses of the broker's filter servers. `None` (an explicit `null`) leaves the known ones alone; an empty
    /// or missing list removes them.
    pub filter_server_list: Option<Vec<Name>>,
    /// The topics.
    pub topic_config_serialize_wrapper: TopicConfigSerializeWrapper,
}

bytes_of_model!(RegisterBrokerBody);

impl RegisterBrokerBody {
    /// The topics of a broker without filter servers.
    pub fn new(data_version: DataVersion, topics: impl IntoIterator<Item = TopicConfig>) -> Self {
        RegisterBrokerBody {
            filter_server_list: Some(Vec::new()),
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(data_version, topics),
        }
    }
}

/// One namespace of the KV store, `{"table":{…}}` on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct KvTable {
    /// Key → value.
    pub table: BTreeMap<Name, Name>,
}

bytes_of_model!(KvTable);

impl FromJson for DataVersion {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut version = DataVersion::default();
        read_fields!(reader, {
                "counter" => version.counter = reader.or_default()?,
                "stateVersion" => version.state_version = reader.or_default()?,
                "timestamp" => version.timestamp = reader.or_default()?,
        })?;
        Ok(version)
    }
}

impl FromJson for TopicConfig {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut topic = TopicConfig::default();
        read_fields!(reader, {
                "attributes" => topic.attributes = reader.or_default()?,
                "order" => topic.order = reader.or_default()?,
                "perm" => topic.perm = reader.optional()?.unwrap_or(topic.perm),
                "readQueueNums" => {
                    topic.read_queue_nums = reader.optional()?.unwrap_or(topic.read_queue_nums);
                },
                "topicFilterType" => {
                    if let Some(filter_type) = reader.optional()? {
                        topic.topic_filter_type = filter_type;
                    }
                },
                "topicName" => topic.topic_name = reader.optional()?,
                "topicSysFlag" => topic.topic_sys_flag = reader.or_default()?,
                "writeQueueNums" => {
                    topic.write_queue_nums = reader.optional()?.unwrap_or(topic.write_queue_nums);
                },
        })?;
        Ok(topic)
    }
}

impl FromJson for TopicConfigSerializeWrapper {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut wrapper = TopicConfigSerializeWrapper::default();
        read_fields!(reader, {
                "dataVersion" => wrapper.data_version = reader.optional()?,
                "topicConfigTable" => wrapper.topic_config_table = reader.or_default()?,
                "topicQueueMappingInfoMap" => wrapper.topic_queue_mapping_info_map = reader.or_default()?,
        })?;
        Ok(wrapper)
    }
}

impl FromJson for RegisterBrokerBody {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut body =
            RegisterBrokerBody { filter_server_list: Some(Vec::new()), ..RegisterBrokerBody::default() };
        read_fields!(reader, {
                "filterServerList" => body.filter_server_list = reader.optional()?,
                "topicConfigSerializeWrapper" => body.topic_config_serialize_wrapper = reader.or_default()?,
        })?;
        Ok(body)
    }
}

impl FromJson for KvTable {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut kv = KvTable::default();
        read_fields!(reader, { "table" => kv.table = reader.or_default()? })?;
        Ok(kv)
    }
}
