//! Last stop: what the server knows. Brokers, clusters and topics, without sockets and without a clock.
//!
//! Before it comes [`dispatch`](crate::dispatch), which holds the lock around it. Connections are plain numbers here
//! and times are arguments. Each question or change is a file:
//!
//! | file | code | what |
//! |---|---|---|
//! | `register` | 103 | a broker comes, comes again, or takes another role |
//! | `remove` | 104, a closed connection | a broker goes |
//! | `liveness` | 322, 904, silence | a broker shows that it lives, or does not |
//! | `min_broker_id` | 905, to brokers | the smallest id of a group is another one |
//! | `route` | 105 | where a topic is |
//! | `cluster` | 106, 901 | all brokers and clusters, or one group |
//! | `topics` | 206, 216, 217, 224, 304, 311 to 313 | lists of topics; a topic comes or goes |
//! | `permission` | 205, 327 | a broker stops or starts to be written to |
//!
//! The maps are those of a Java server, because their keys show on the wire (`docs/wire.md` §2.4): groups go by
//! broker name alone, signs of life and filter servers by cluster and address, or by address alone on 4.x.

mod cluster;
mod hash_order;
mod liveness;
mod min_broker_id;
mod permission;
mod register;
mod remove;
mod route;
mod topics;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{
    BrokerData, DataVersion, Name, Perm, QueueData, TopicQueueMappingInfo,
};

use crate::personality::Personality;

pub(crate) use min_broker_id::MinBrokerIdChange;
pub(crate) use register::Registration;
pub(crate) use remove::Farewell;
pub(crate) use topics::UnitTopics;

/// A connection, as the table knows it: a number that is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// When something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// The wall clock, in milliseconds since 1970: what data versions count in.
    pub(crate) millis: i64,
    /// How long the server has been up: what silence is measured in.
    pub(crate) uptime: Duration,
}

/// Everything that a server knows about brokers and topics.
#[derive(Debug, Default)]
pub(crate) struct Table {
    personality: Personality,
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
    /// Whether anything has changed that a route may show; whoever changes the table takes it.
    routes_changed: bool,
    /// What brokers may want to be told; whoever changes the table takes it.
    min_broker_id_notes: Vec<min_broker_id::Note>,
}

/// A broker group: a master and its slaves under one name.
#[derive(Debug)]
struct Group {
    /// That of the first registration; a later one with another cluster does not change it.
    cluster: Name,
    enable_acting_master: bool,
    zone_name: Option<Name>,
    /// Broker id → address. Empty after a refused first registration.
    members: BTreeMap<i64, Name>,
}

/// Where a broker is: the key of what belongs to a process and not to a group. See [`Table::place`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    cluster: Name,
    address: Name,
}

/// What the last registration from an address said.
#[derive(Debug)]
struct Live {
    data_version: DataVersion,
    ha_server_addr: Option<Name>,
    /// The connection that it came over, and with which it goes. `None` if it came by hand and stays.
    connection: Option<ConnectionId>,
    last_seen: Duration,
    /// For how long it may be silent.
    timeout: Duration,
}

impl Table {
    pub(crate) fn new(personality: Personality) -> Self {
        Table { personality, ..Table::default() }
    }

    /// Whether anything has changed since the last time that a route may show.
    pub(crate) fn take_routes_changed(&mut self) -> bool {
        std::mem::take(&mut self.routes_changed)
    }

    /// A 4.x server knows processes by their address alone.
    fn place(&self, cluster: &Name, address: &Name) -> Place {
        let cluster = if self.personality.is_v5() { cluster.clone() } else { Name::default() };
        Place { cluster, address: address.clone() }
    }

    /// A group as answers show it. A 4.x server knows neither acting masters nor zones.
    fn to_data(&self, broker_name: &Name, group: &Group) -> BrokerData {
        BrokerData {
            cluster: group.cluster.clone(),
            broker_name: broker_name.clone(),
            broker_addresses: group.members.iter().map(|(id, address)| (*id, address.clone())).collect(),
            enable_acting_master: self.personality.is_v5().then_some(group.enable_acting_master),
            zone_name: group.zone_name.clone(),
            advertised_addresses: None,
        }
    }
}

impl Group {
    /// Whether nobody is there to take messages, although a slave may stand in for reading. As Java has it, an id
    /// below 0 counts as a master here.
    fn lacks_master(&self) -> bool {
        self.members.keys().next().is_none_or(|smallest| *smallest > 0)
    }
}

/// The permission without its write bit.
fn without_write(perm: Perm) -> Perm {
    Perm(perm.0 & !2)
}

#[cfg(test)]
mod sample;
