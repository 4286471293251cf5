//! Last stop: what the server knows. Brokers, clusters and topics, without sockets and without a clock.
//!
//! Before it comes [`dispatch`](crate::dispatch), which holds the lock around it. Connections are plain numbers here
//! and times are arguments. Each question or change is a file:
//!
//! | file | code | what |
//! |---|---|---|
//! | `register` | 103 | a broker comes, comes again, or takes another role |
//! | `remove` | 104, a closed connection | a broker goes |
//! | `route` | 105 | where a topic is |
//! | `cluster` | 106 | all brokers and clusters |
//!
//! The maps are those of a Java server, because their keys show on the wire (`docs/wire.md` §2.4): groups go by
//! broker name alone, signs of life and filter servers by cluster and address.

mod cluster;
mod register;
mod remove;
mod route;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rocketmq_nameserver_protocol::model::{
    BrokerData, DataVersion, MASTER_ID, Name, Perm, QueueData, TopicQueueMappingInfo,
};

/// A connection, as the table knows it: a number that is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// Everything that a server knows about brokers and topics.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Cluster → the names of its groups.
    clusters: BTreeMap<Name, BTreeSet<Name>>,
    /// Broker name → that group.
    groups: BTreeMap<Name, Group>,
    /// Topic → broker name → its queues there. No inner map is empty.
    topics: HashMap<Name, BTreeMap<Name, QueueData>>,
    /// Static topic → broker name → its share. Nothing is ever removed, as Java never does (`docs/wire.md` §2.5).
    mappings: HashMap<Name, BTreeMap<Name, TopicQueueMappingInfo>>,
    /// The last registration from each address.
    live: HashMap<Place, Live>,
    /// The filter servers of each address. No list is empty.
    filter_servers: HashMap<Place, Vec<Name>>,
}

/// A broker group: a master and its slaves under one name.
#[derive(Debug)]
struct Group {
    /// That of the first registration; a later one with another cluster does not change it.
    cluster: Name,
    enable_acting_master: bool,
    zone_name: Option<Name>,
    /// By broker id. Empty after a refused first registration.
    members: BTreeMap<i64, Member>,
}

/// One broker of a group.
#[derive(Debug)]
struct Member {
    address: Name,
    /// The connection that it last registered over, and with which it goes.
    connection: ConnectionId,
}

/// Where a broker is: the key of what belongs to a process and not to a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    cluster: Name,
    address: Name,
}

/// What the last registration from an address said.
#[derive(Debug)]
struct Live {
    data_version: DataVersion,
    ha_server_addr: Name,
    connection: ConnectionId,
}

impl Group {
    /// The group as answers show it.
    fn to_data(&self, broker_name: &Name) -> BrokerData {
        BrokerData {
            cluster: self.cluster.clone(),
            broker_name: broker_name.clone(),
            broker_addresses: self.members.iter().map(|(id, member)| (*id, member.address.clone())).collect(),
            enable_acting_master: Some(self.enable_acting_master),
            zone_name: self.zone_name.clone(),
        }
    }

    /// Whether nobody is there to take messages, although a slave may stand in for reading.
    fn lacks_master(&self) -> bool {
        !self.members.contains_key(&MASTER_ID)
    }
}

/// The permission without its write bit.
fn without_write(perm: Perm) -> Perm {
    Perm(perm.0 & !2)
}

#[cfg(test)]
mod sample;
