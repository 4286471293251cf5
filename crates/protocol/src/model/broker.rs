//! One broker group: its name, its cluster and the addresses of its members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use super::{Name, bytes_of_model};
use crate::error::Reason;
use crate::json::lex::{Failure, Parsed};
use crate::json::{FromJson, Reader, read_fields};

/// The broker id of a master.
pub const MASTER_ID: i64 = 0;

/// Broker id → address, ordered by id. The contract's `broker_addresses`.
///
/// Id 0 is the master, the others are slaves; ids may be negative. A group has one to three members as a rule,
/// so this is a sorted list and not a tree.
///
/// ```
/// use rocketmq_nameserver_protocol::model::BrokerAddresses;
///
/// let addresses = BrokerAddresses::from_iter([(1, "10.0.0.2:10911"), (0, "10.0.0.1:10911")]);
/// assert_eq!(addresses.master().unwrap(), "10.0.0.1:10911");
/// assert_eq!(addresses.get(1).unwrap(), "10.0.0.2:10911");
/// assert_eq!(addresses.iter().map(|(id, _)| id).collect::<Vec<_>>(), [0, 1]);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerAddresses(Vec<(i64, Name)>);

impl BrokerAddresses {
    /// The address of the member with that id.
    pub fn get(&self, id: i64) -> Option<&Name> {
        self.place(id).ok().and_then(|at| self.0.get(at)).map(|(_, address)| address)
    }

    /// The master's address (id 0), if the group has a master.
    pub fn master(&self) -> Option<&Name> {
        self.get(MASTER_ID)
    }

    /// All members, by ascending id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (i64, &Name)> {
        self.0.iter().map(|(id, address)| (*id, address))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the group has no members. Servers do send such groups (`docs/wire.md` §2.4 step 7).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the address of a member; returns the one that it had.
    pub fn insert(&mut self, id: i64, address: impl Into<Name>) -> Option<Name> {
        let address = address.into();
        match self.place(id) {
            Ok(at) => self.0.get_mut(at).map(|entry| std::mem::replace(&mut entry.1, address)),
            Err(at) => {
                self.0.insert(at, (id, address));
                None
            }
        }
    }

    /// Removes a member; returns its address.
    pub fn remove(&mut self, id: i64) -> Option<Name> {
        self.place(id).ok().map(|at| self.0.remove(at).1)
    }

    /// Keeps the members that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(i64, &Name) -> bool) {
        self.0.retain(|(id, address)| keep(*id, address));
    }

    /// Members in any order; of two equal ids the last counts.
    #[inline(always)]
    fn sorted(mut members: Vec<(i64, Name)>) -> Self {
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            // The last one of equals comes first, and the sort keeps it there.
            members.reverse();
            members.sort_by_key(|(id, _)| *id);
            members.dedup_by_key(|(id, _)| *id);
        }
        BrokerAddresses(members)
    }

    fn place(&self, id: i64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(known, _)| *known)
    }
}

/// Of two equal ids the last counts.
impl<N: Into<Name>> FromIterator<(i64, N)> for BrokerAddresses {
    fn from_iter<I: IntoIterator<Item = (i64, N)>>(members: I) -> Self {
        BrokerAddresses::sorted(members.into_iter().map(|(id, address)| (id, address.into())).collect())
    }
}

impl fmt::Debug for BrokerAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for BrokerAddresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for BrokerAddresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = BrokerAddresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from broker id to address")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<i64, Name>()? {
                    members.push(member);
                }
                Ok(BrokerAddresses::sorted(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl FromJson for BrokerAddresses {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut members = Vec::with_capacity(2);
        reader.numbered(|id, reader| {
            if let Some(address) = reader.optional_text()? {
                members.push((id, Name::from(&*address)));
            }
            Ok(())
        })?;
        Ok(BrokerAddresses::sorted(members))
    }
}

/// One broker group: a master and its slaves under one name. The contract's `BrokerData`.
///
/// On the wire: `brokerAddrs`, `brokerName`, `cluster`, and from 5.x servers `enableActingMaster` and `zoneName`
/// (`docs/wire.md` §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokerData {
    /// The cluster that the group belongs to. Empty if the broker registered without one.
    #[serde(default)]
    pub cluster: Name,
    /// The group's name.
    pub broker_name: Name,
    /// Its members. May be empty: a group without any live member.
    #[serde(rename = "brokerAddrs", default)]
    pub broker_addresses: BrokerAddresses,
    /// Whether a slave may stand in for a lost master. `None` from 4.x servers, which do not send it.
    #[serde(default)]
    pub enable_acting_master: Option<bool>,
    /// The zone that the group's last registration named, if any (5.x).
    #[serde(default)]
    pub zone_name: Option<Name>,
    /// The addresses that the brokers advertise, where a client uses others in their place: those are in
    /// [`broker_addresses`](Self::broker_addresses). `None`: the advertised ones are used. Never on the wire.
    #[serde(skip)]
    pub advertised_addresses: Option<Box<BrokerAddresses>>,
}

bytes_of_model!(BrokerData);

impl BrokerData {
    /// The addresses as the brokers advertise them, whichever are used.
    ///
    /// ```
    /// use rocketmq_nameserver_protocol::model::{BrokerAddresses, BrokerData};
    ///
    /// let broker = BrokerData {
    ///     broker_addresses: BrokerAddresses::from_iter([(0, "localhost:20911")]),
    ///     advertised_addresses: Some(Box::new(BrokerAddresses::from_iter([(0, "172.17.0.2:10911")]))),
    ///     ..BrokerData::default()
    /// };
    /// assert_eq!(broker.advertised().master().unwrap(), "172.17.0.2:10911");
    /// ```
    pub fn advertised(&self) -> &BrokerAddresses {
        self.advertised_addresses.as_deref().unwrap_or(&self.broker_addresses)
    }

    /// Whether the group's last registration named this zone, in upper or lower case.
    pub fn is_in_zone(&self, zone: &str) -> bool {
        self.zone_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(zone))
    }
}

impl Serialize for BrokerData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let optional =
            usize::from(self.enable_acting_master.is_some()) + usize::from(self.zone_name.is_some());
        let mut out = serializer.serialize_struct("BrokerData", 3 + optional)?;
        out.serialize_field("brokerAddrs", &self.broker_addresses)?;
        out.serialize_field("brokerName", &self.broker_name)?;
        out.serialize_field("cluster", &self.cluster)?;
        if let Some(enabled) = self.enable_acting_master {
            out.serialize_field("enableActingMaster", &enabled)?;
        }
        if let Some(zone) = &self.zone_name {
            out.serialize_field("zoneName", zone)?;
        }
        out.end()
    }
}

/// A group as it stands in a body, before it is known whether its names may be missing there.
#[derive(Default)]
pub(super) struct BrokerParts<'a> {
    cluster: Option<Cow<'a, str>>,
    broker_name: Option<Cow<'a, str>>,
    broker_addresses: BrokerAddresses,
    enable_acting_master: Option<bool>,
    zone_name: Option<Cow<'a, str>>,
}

impl<'a> BrokerParts<'a> {
    #[inline(always)]
    pub(super) fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        let mut parts = BrokerParts::default();
        read_fields!(reader, {
            "brokerAddrs" => parts.broker_addresses = reader.or_default()?,
            "brokerName" => parts.broker_name = reader.optional_text()?,
            "cluster" => parts.cluster = reader.optional_text()?,
            "enableActingMaster" => parts.enable_acting_master = reader.optional()?,
            "zoneName" => parts.zone_name = reader.optional_text()?,
        })?;
        Ok(parts)
    }

    /// The group, if it has both names.
    pub(super) fn complete(self) -> Option<BrokerData> {
        self.cluster.is_some().then(|| self.named())?
    }

    /// The group, if it has its own name.
    #[inline(always)]
    fn named(self) -> Option<BrokerData> {
        Some(BrokerData {
            broker_name: Name::from(&*self.broker_name?),
            cluster: self.cluster.map_or_else(Name::default, |cluster| Name::from(&*cluster)),
            broker_addresses: self.broker_addresses,
            enable_acting_master: self.enable_acting_master,
            zone_name: self.zone_name.map(|zone| Name::from(&*zone)),
            advertised_addresses: None,
        })
    }
}

/// In a route a group must have its name; without it nothing could be looked up.
impl FromJson for BrokerData {
    #[inline(always)]
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let offset = reader.next_offset();
        let missing = Failure { offset, reason: Reason::Missing("brokerName") };
        BrokerParts::read(reader)?.named().ok_or(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_and_the_last_of_equal_ids_counts() {
        for (members, expected) in [
            (vec![], "{}"),
            (vec![(0, "a"), (1, "b")], r#"{0: "a", 1: "b"}"#),
            (vec![(2, "a"), (-1, "b"), (0, "c")], r#"{-1: "b", 0: "c", 2: "a"}"#),
            (vec![(0, "a"), (1, "b"), (0, "c")], r#"{0: "c", 1: "b"}"#),
            (vec![(1, "a"), (1, "b"), (1, "c")], r#"{1: "c"}"#),
        ] {
            let addresses = BrokerAddresses::from_iter(members.clone());
            assert_eq!(format!("{addresses:?}"), expected, "{members:?}");
            let text: Vec<String> = members.iter().map(|(id, address)| format!("{id}:{address:?}")).collect();
            let body = format!(r#"{{"brokerName":"n","brokerAddrs":{{{}}}}}"#, text.join(","));
            assert_eq!(
                BrokerData::from_bytes(body.as_bytes()).unwrap().broker_addresses,
                addresses,
                "{body}"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_members_in_the_worst_order_take_no_time() {
        let text: Vec<String> = (0..100_000).rev().map(|id| format!("{id}:\"h\"")).collect();
        let body = format!(r#"{{"brokerName":"n","brokerAddrs":{{{}}}}}"#, text.join(","));
        assert_eq!(BrokerData::from_bytes(body.as_bytes()).unwrap().broker_addresses.len(), 100_000);
    }
}
