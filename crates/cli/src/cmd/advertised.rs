//! Answers whose addresses were rewritten (`--rewrite`): what is used, and beside it what brokers advertise.

use rocketmq_nameserver::{BrokerClusterInfo, BrokerData, Name, TopicRouteData};
use serde::ser::{Error, Serialize, Serializer};
use serde_json::Value;

/// The key beside `brokerAddrs`, only where the two differ. No server sends it.
const ADVERTISED: &str = "advertisedAddrs";

/// An address for people: `used`, or `used (advertised)`.
pub(super) fn address(broker: &BrokerData, id: i64, used: &Name) -> String {
    match broker.advertised().get(id) {
        Some(advertised) if advertised != used => format!("{used} ({advertised})"),
        _ => used.to_string(),
    }
}

/// A route for programs.
pub(super) struct Route<'a>(pub(super) &'a TopicRouteData);

impl Serialize for Route<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(self.0).map_err(S::Error::custom)?;
        let brokers = value.get_mut("brokerDatas").and_then(Value::as_array_mut);
        for (place, broker) in brokers.into_iter().flatten().zip(&self.0.broker_data_list) {
            add(place, broker).map_err(S::Error::custom)?;
        }
        value.serialize(serializer)
    }
}

/// The cluster info for programs.
pub(super) struct Clusters<'a>(pub(super) &'a BrokerClusterInfo);

impl Serialize for Clusters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = serde_json::to_value(self.0).map_err(S::Error::custom)?;
        for (name, broker) in &self.0.broker_addr_table {
            if let Some(place) = value.get_mut("brokerAddrTable").and_then(|table| table.get_mut(&**name)) {
                add(place, broker).map_err(S::Error::custom)?;
            }
        }
        value.serialize(serializer)
    }
}

fn add(place: &mut Value, broker: &BrokerData) -> serde_json::Result<()> {
    if let (Some(advertised), Value::Object(fields)) = (&broker.advertised_addresses, place) {
        fields.insert(ADVERTISED.to_owned(), serde_json::to_value(advertised)?);
    }
    Ok(())
}
