//! Arbitrary values of what keeps a NameServer up to date: configuration, signs of life, compressed registrations.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::model::{
    BrokerMemberGroup, Name, NamesrvConfig, RegisterBrokerBody, TopicConfig,
};
use rocketmq_nameserver_protocol::request::{BrokerHeartbeat, QueryDataVersion, QueryDataVersionResult};

use super::values::{addresses, data_version, name, registration_body, unregister_broker};

pub(crate) fn member_group() -> impl Strategy<Value = BrokerMemberGroup> {
    (addresses(), name(), name()).prop_map(|(broker_addresses, broker_name, cluster)| BrokerMemberGroup {
        broker_addresses,
        broker_name,
        cluster,
    })
}

pub(crate) fn config() -> impl Strategy<Value = NamesrvConfig> {
    vec((name(), name()), 0..5).prop_map(NamesrvConfig::from_iter)
}

/// Settings that come back from lines without escapes.
pub(crate) fn config_of_lines() -> impl Strategy<Value = NamesrvConfig> {
    let key = name().prop_map(|key| key.replace(['=', '\n'], ""));
    let value = name().prop_map(|value| value.replace('\n', ""));
    vec((key, value), 1..5).prop_map(NamesrvConfig::from_iter)
}

pub(crate) fn query_data_version() -> impl Strategy<Value = QueryDataVersion> {
    (unregister_broker(), data_version()).prop_map(|(broker, data_version)| QueryDataVersion {
        cluster_name: broker.cluster_name,
        broker_name: broker.broker_name,
        broker_addr: broker.broker_addr,
        broker_id: broker.broker_id,
        data_version,
    })
}

pub(crate) fn query_data_version_result() -> impl Strategy<Value = QueryDataVersionResult> {
    (any::<bool>(), option::of(data_version()))
        .prop_map(|(changed, data_version)| QueryDataVersionResult { changed, data_version })
}

pub(crate) fn heartbeat() -> impl Strategy<Value = BrokerHeartbeat> {
    let long = || option::of(any::<i64>());
    let int = || option::of(any::<i32>());
    let names = (name(), name(), name());
    (names, (long(), long(), long(), long()), (int(), int())).prop_map(
        |((cluster_name, broker_name, broker_addr), longs, (epoch, election_priority))| BrokerHeartbeat {
            cluster_name,
            broker_name,
            broker_addr,
            broker_id: longs.0,
            epoch,
            max_offset: longs.1,
            confirm_offset: longs.2,
            heartbeat_timeout_mills: longs.3,
            election_priority,
        },
    )
}

/// One that comes back from a compressed body of 5.x: topics under their own names, with nothing that is not carried.
pub(crate) fn compressible_body() -> impl Strategy<Value = RegisterBrokerBody> {
    (registration_body(), any::<bool>()).prop_map(|(mut body, is_multi_tag)| {
        let wrapper = &mut body.topic_config_serialize_wrapper;
        wrapper.data_version.get_or_insert_default();
        let topics = std::mem::take(&mut wrapper.topic_config_table);
        let topics = topics.into_iter().map(|(key, topic)| {
            let name = Name::from(topic.topic_name.unwrap_or(key).replace(' ', ""));
            let topic_filter_type = Name::from(if is_multi_tag { "MULTI_TAG" } else { "SINGLE_TAG" });
            let topic_name = Some(name.clone());
            let carried =
                TopicConfig { topic_name, topic_filter_type, order: false, topic_sys_flag: 0, ..topic };
            (name, carried)
        });
        wrapper.topic_config_table = topics.collect();
        let mappings = std::mem::take(&mut wrapper.topic_queue_mapping_info_map);
        let named = mappings.into_values().filter_map(|mapping| Some((mapping.topic.clone()?, mapping)));
        wrapper.topic_queue_mapping_info_map = named.collect();
        body
    })
}
