//! What a server has to be told so that it knows a [`Topology`].

use rocketmq_nameserver::protocol::model::{DataVersion, MASTER_ID, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver::protocol::request::{PutKvConfig, RegisterBroker};

use super::{Group, Topology};

impl Topology {
    /// The registrations, in the order in which they have to be made.
    pub(crate) fn registrations(&self) -> Vec<RegisterBroker> {
        self.groups.iter().flat_map(Group::registrations).collect()
    }

    /// The KV entries.
    pub(crate) fn kv_entries(&self) -> impl Iterator<Item = PutKvConfig> {
        self.kv.iter().flat_map(|(namespace, table)| {
            table.iter().map(move |(key, value)| PutKvConfig {
                namespace: namespace.clone(),
                key: key.clone(),
                value: value.clone(),
            })
        })
    }
}

impl Group {
    /// The master goes first: a slave that comes alone would stand in for it.
    fn registrations(&self) -> Vec<RegisterBroker> {
        let slaves = self.addresses.keys().copied().filter(|id| *id != MASTER_ID);
        let ids = self.addresses.contains_key(&MASTER_ID).then_some(MASTER_ID).into_iter().chain(slaves);
        let mut registrations = Vec::new();
        for id in ids {
            // A 5.x server refuses a new broker with exactly one topic, but takes it from one that it knows (§2.4).
            if self.topics.len() == 1 {
                registrations.extend(self.registration(id, 0, &[]));
            }
            registrations.extend(self.registration(id, 1, &self.topics));
        }
        registrations
    }

    fn registration(&self, id: i64, counter: i64, topics: &[TopicConfig]) -> Option<RegisterBroker> {
        let address = self.addresses.get(&id)?.clone();
        let version = DataVersion { counter, ..DataVersion::default() };
        let body = RegisterBrokerBody::new(version, topics.iter().cloned());
        let mut registration =
            RegisterBroker::new(self.cluster.clone(), self.broker_name.clone(), id, address, body);
        registration.enable_acting_master = Some(self.enable_acting_master);
        registration.zone_name = self.zone_name.clone();
        Some(registration)
    }
}
