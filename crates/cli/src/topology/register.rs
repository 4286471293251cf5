//! What a server has to be told so that it knows a [`Topology`].

use rocketmq_nameserver::protocol::model::{DataVersion, MASTER_ID, RegisterBrokerBody};
use rocketmq_nameserver::protocol::request::{PutKvConfig, RegisterBroker};
use rocketmq_nameserver::{Name, TopicQueueMappingInfo};

use super::{Group, Topology};
use crate::args::Generation;

impl Topology {
    /// The registrations at a server of that generation, in the order in which they have to be made.
    pub(crate) fn registrations(&self, generation: Generation) -> Vec<RegisterBroker> {
        self.groups.iter().flat_map(|group| group.registrations(generation)).collect()
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
    /// The master goes first: a slave that comes alone would stand in for it. A 4.x server takes topics from masters only,
    /// so where there is none, a slave comes as the master before it takes its role.
    fn registrations(&self, generation: Generation) -> Vec<RegisterBroker> {
        let address = |id: i64| self.addresses.get(&id);
        let slaves = self.addresses.iter().filter(|(id, _)| **id != MASTER_ID);
        let first = match (address(MASTER_ID), generation) {
            (None, Generation::V4) => slaves.clone().next().map(|(_, address)| address),
            (master, _) => master,
        };
        let first = first.map(|address| self.registration(MASTER_ID, address));
        first.into_iter().chain(slaves.map(|(id, address)| self.registration(*id, address))).collect()
    }

    fn registration(&self, id: i64, address: &Name) -> RegisterBroker {
        let version = DataVersion::default().next();
        let configs = self.topics.values().map(|topic| topic.config.clone());
        let mut body = RegisterBrokerBody::new(version, configs);
        body.filter_server_list = Some(self.filter_servers.get(address).cloned().unwrap_or_default());
        let mappings = self.topics.iter().filter_map(|(name, topic)| {
            let (bname, topic) = (Some(self.broker_name.clone()), topic.mapping.clone()?);
            Some((name.clone(), TopicQueueMappingInfo { bname, topic: Some(name.clone()), ..topic }))
        });
        body.topic_config_serialize_wrapper.topic_queue_mapping_info_map = mappings.collect();
        let mut registration =
            RegisterBroker::new(self.cluster.clone(), self.broker_name.clone(), id, address.clone(), body);
        registration.enable_acting_master = Some(self.enable_acting_master);
        registration.zone_name = self.zone_name.clone();
        registration
    }
}
