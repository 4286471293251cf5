//! The answer to a cluster query: every broker group, and which of them form which cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::broker::BrokerParts;
use super::{BrokerData, Name, bytes_of_model};
use crate::json::lex::{Key, Parsed};
use crate::json::{FromJson, Reader, read_fields};

/// All brokers and clusters that a NameServer knows. The contract's `BrokerClusterInfo`.
///
/// Always in the legacy dialect on the wire, whatever was asked for (`docs/wire.md` §2.3).
///
/// ```
/// use rocketmq_nameserver_protocol::model::BrokerClusterInfo;
///
/// let info = BrokerClusterInfo::from_bytes(br#"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:10911"},
///     "brokerName":"broker-a","cluster":"C"}},"clusterAddrTable":{"C":["broker-a"]}}"#)?;
/// assert_eq!(info.cluster_addr_table["C"], ["broker-a"]);
/// # Ok::<(), rocketmq_nameserver_protocol::error::DataParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BrokerClusterInfo {
    /// Broker name → that broker group.
    pub broker_addr_table: BTreeMap<Name, BrokerData>,
    /// Cluster name → the names of its broker groups.
    pub cluster_addr_table: BTreeMap<Name, Vec<Name>>,
}

bytes_of_model!(BrokerClusterInfo);

impl FromJson for BrokerClusterInfo {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut info = BrokerClusterInfo::default();
        read_fields!(reader, {
                "brokerAddrTable" => {
                    info.broker_addr_table =
                        if reader.null() { BTreeMap::new() } else { broker_table(reader)? };
                },
                "clusterAddrTable" => info.cluster_addr_table = reader.or_default()?,
        })?;
        Ok(info)
    }
}

/// One nameless broker must not hide all the others: entries without key, name or cluster are skipped. A 4.9.7
/// server writes them after a registration without a name (`docs/wire.md` §3.3).
fn broker_table(reader: &mut Reader<'_>) -> Parsed<BTreeMap<Name, BrokerData>> {
    let mut table = BTreeMap::new();
    reader.entries(|key, reader| {
        let Key::Text(name) = key else { return reader.skip() };
        if !reader.null()
            && let Some(broker) = BrokerParts::read(reader)?.complete()
        {
            table.insert(Name::from(name.as_ref()), broker);
        }
        Ok(())
    })?;
    Ok(table)
}
