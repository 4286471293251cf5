//! What a server has to be told so that it knows a [`Topology`].

use rocketmq_nameserver::protocol::model::{DataVersion, MASTER_ID, RegisterBrokerBody};
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
        ids.filter_map(|id| self.registration(id)).collect()
    }

    fn registration(&self, id: i64) -> Option<RegisterBroker> {
        let address = self.addresses.get(&id)?.clone();
        let version = DataVersion::default().next();
        let body = RegisterBrokerBody::new(version, self.topics.iter().cloned());
        let mut registration =
            RegisterBroker::new(self.cluster.clone(), self.broker_name.clone(), id, address, body);
        registration.enable_acting_master = Some(self.enable_acting_master);
        registration.zone_name = self.zone_name.clone();
        Some(registration)
    }
}
