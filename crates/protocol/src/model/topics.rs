//! A list of topics.

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::{Name, bytes_of_model};
use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader, read_fields};

/// Topics by name, in any order.
///
/// On the wire: `brokerAddr`, where there is one, and `topicList` (`docs/wire.md` §2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TopicList {
    /// The topics.
    pub topic_list: Vec<Name>,
    /// A broker that knows more, in the answer to 304 if there is any broker.
    pub broker_addr: Option<Name>,
}

bytes_of_model!(TopicList);

impl Serialize for TopicList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out =
            serializer.serialize_struct("TopicList", 1 + usize::from(self.broker_addr.is_some()))?;
        if let Some(address) = &self.broker_addr {
            out.serialize_field("brokerAddr", address)?;
        }
        out.serialize_field("topicList", &self.topic_list)?;
        out.end()
    }
}

impl FromJson for TopicList {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut topics = TopicList::default();
        read_fields!(reader, {
            "brokerAddr" => topics.broker_addr = reader.optional()?,
            "topicList" => topics.topic_list = reader.or_default()?,
        })?;
        Ok(topics)
    }
}
