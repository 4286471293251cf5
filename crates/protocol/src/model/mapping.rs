//! Static topics (5.x): which broker holds which logical queue.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Name, bytes_of_model};
use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader, read_fields};

/// One broker's share of a static topic (`docs/wire.md` §2.2). The fields stand in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicQueueMappingInfo {
    /// The broker's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bname: Option<Name>,
    /// Logical queue id → this broker's own queue id.
    pub curr_id_map: BTreeMap<i32, i32>,
    /// Whether the mapping is being changed.
    pub dirty: bool,
    /// Which of two mappings is newer.
    #[serde(deserialize_with = "super::long::deserialize")]
    pub epoch: i64,
    /// What the topic's queues are shared across; `__global__` as a rule, and where the body does not say.
    pub scope: Name,
    /// The topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Name>,
    /// How many logical queues the topic has in all.
    pub total_queues: u32,
}

bytes_of_model!(TopicQueueMappingInfo);

impl TopicQueueMappingInfo {
    /// The scope of a topic that is shared across the whole cluster.
    pub const GLOBAL_SCOPE: Name = Name::from_static("__global__");
}

impl Default for TopicQueueMappingInfo {
    fn default() -> Self {
        TopicQueueMappingInfo {
            bname: None,
            curr_id_map: BTreeMap::new(),
            dirty: false,
            epoch: 0,
            scope: Self::GLOBAL_SCOPE,
            topic: None,
            total_queues: 0,
        }
    }
}

impl FromJson for TopicQueueMappingInfo {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut info = TopicQueueMappingInfo::default();
        read_fields!(reader, {
                "bname" => info.bname = reader.optional()?,
                "currIdMap" => info.curr_id_map = reader.or_default()?,
                "dirty" => info.dirty = reader.or_default()?,
                "epoch" => info.epoch = reader.or_default()?,
                "scope" => info.scope = reader.optional()?.unwrap_or(Self::GLOBAL_SCOPE),
                "topic" => info.topic = reader.optional()?,
                "totalQueues" => info.total_queues = reader.or_default()?,
        })?;
        Ok(info)
    }
}
