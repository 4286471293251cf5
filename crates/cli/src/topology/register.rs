//! What a server has to be told so that it knows a [`Topology`].

use rocketmq_nameserver::TopicQueueMappingInfo;
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
        let configs = self.topics.values().map(|topic| topic.config.clone());
        let mut body = RegisterBrokerBody::new(version, configs);
        body.filter_server_list = Some(self.filter_servers.get(&address).cloned().unwrap_or_default());
        let mappings = self.topics.iter().filter_map(|(name, topic)| {
            let (bname, topic) = (Some(self.broker_name.clone()), topic.mapping.clone()?);
            Some((name.clone(), TopicQueueMappingInfo { bname, topic: Some(name.clone()), ..topic }))
        });
        body.topic_config_serialize_wrapper.topic_queue_mapping_info_map = mappings.collect();
        let mut registration =
            RegisterBroker::new(self.cluster.clone(), self.broker_name.clone(), id, address, body);
        registration.enable_acting_master = Some(self.enable_acting_master);
        registration.zone_name = self.zone_name.clone();
        Some(registration)
    }
}
