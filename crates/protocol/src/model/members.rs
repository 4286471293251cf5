//! Who is in one broker group, for its members.

use serde::{Deserialize, Serialize};

use super::{BrokerAddresses, Name, bytes_of_model};
use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader, read_fields};

/// The members of one broker group, as a 5.x server tells them to one of them (`docs/wire.md` §2.5).
///
/// On the wire: `brokerAddrs`, `brokerName` and `cluster`, inside of `{"brokerMemberGroup":…}`. A server sends names back as
/// it was asked, without a look at them: here a name that is missing is empty, and an empty one is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerMemberGroup {
    /// The members. Empty if the server does not know the group.
    #[serde(rename = "brokerAddrs")]
    pub broker_addresses: BrokerAddresses,
    /// The group's name.
    #[serde(skip_serializing_if = "is_empty")]
    pub broker_name: Name,
    /// The cluster that was asked for.
    #[serde(skip_serializing_if = "is_empty")]
    pub cluster: Name,
}

bytes_of_model!(BrokerMemberGroup);

fn is_empty(name: &Name) -> bool {
    name.is_empty()
}

impl FromJson for BrokerMemberGroup {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut group = BrokerMemberGroup::default();
        read_fields!(reader, {
            "brokerAddrs" => group.broker_addresses = reader.or_default()?,
            "brokerName" => group.broker_name = reader.or_default()?,
            "cluster" => group.cluster = reader.or_default()?,
        })?;
        Ok(group)
    }
}
