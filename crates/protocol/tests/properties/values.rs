//! Arbitrary values: everything that can be on the wire, more often than chance would have it what is awkward there.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rocketmq_nameserver_protocol::code::{Language, Version};
use rocketmq_nameserver_protocol::header::{ExtFields, Header};
use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, DataVersion, KvTable, Name, Perm, QueueData,
    RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper, TopicList, TopicQueueMappingInfo,
    TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{
    GetRouteInfo, RegisterBroker, RegisterBrokerResult, UnregisterBroker,
};

/// Any text, its characters often such as JSON must escape.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let awkward =
        vec!['"', '\\', '/', '\n', '\0', '\u{1f}', '\u{7f}', '\u{9f}', '\u{2028}', '\u{feff}', '{', '0', ':'];
    let character = prop_oneof![2 => select(awkward), 2 => prop::char::range('a', 'z'), 1 => any::<char>()];
    // Names of more than 24 bytes are stored in another way than shorter ones.
    vec(character, 0..30).prop_map(String::from_iter)
}

pub(crate) fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        4 => text().prop_map(Name::from),
        1 => select(vec!["", "0", "-1", "null", "$ref", "brokerName", "[::1]:10911", "gzip"]).prop_map(Name::from),
    ]
}

/// A count as RocketMQ has it: 0 to 2^31-1.
fn count() -> impl Strategy<Value = u32> {
    prop_oneof![0..32_u32, 0..=i32::MAX as u32]
}

pub(crate) fn addresses() -> impl Strategy<Value = BrokerAddresses> {
    let ids = prop_oneof![-2..3_i64, any::<i64>()];
    vec((ids, name()), 0..4).prop_map(BrokerAddresses::from_iter)
}

pub(crate) fn broker() -> impl Strategy<Value = BrokerData> {
    (name(), name(), addresses(), option::of(any::<bool>()), option::of(name())).prop_map(
        |(cluster, broker_name, broker_addresses, enable_acting_master, zone_name)| BrokerData {
            cluster,
            broker_name,
            broker_addresses,
            enable_acting_master,
            zone_name,
            advertised_addresses: None,
        },
    )
}

pub(crate) fn queue() -> impl Strategy<Value = QueueData> {
    let compression = prop_oneof![3 => Just(Name::from("gzip")), 1 => name()];
    (name(), count(), count(), any::<i32>(), any::<i32>(), compression).prop_map(
        |(broker_name, read_queue_nums, write_queue_nums, perm, topic_syn_flag, compression_type)| {
            QueueData {
                broker_name,
                read_queue_nums,
                write_queue_nums,
                perm: Perm(perm),
                topic_syn_flag,
                compression_type,
            }
        },
    )
}

pub(crate) fn mapping() -> impl Strategy<Value = TopicQueueMappingInfo> {
    let ids = btree_map(any::<i32>(), any::<i32>(), 0..4);
    let names = (option::of(name()), name(), option::of(name()));
    (names, ids, any::<bool>(), any::<i64>(), count()).prop_map(
        |((bname, scope, topic), curr_id_map, dirty, epoch, total_queues)| TopicQueueMappingInfo {
            bname,
            curr_id_map,
            dirty,
            epoch,
            scope,
            topic,
            total_queues,
        },
    )
}

pub(crate) fn route() -> impl Strategy<Value = TopicRouteData> {
    let filter_servers = btree_map(name(), vec(name(), 0..3), 0..3);
    let mappings = btree_map(name(), mapping(), 0..2);
    (name(), vec(queue(), 0..4), vec(broker().prop_map(Arc::new), 0..4), filter_servers, mappings).prop_map(
        |(order_topic_conf, queue_data_list, broker_data_list, filter_server_table, mappings)| {
            TopicRouteData {
                order_topic_conf,
                queue_data_list,
                broker_data_list,
                filter_server_table,
                topic_queue_mapping_by_broker: mappings,
            }
        },
    )
}

pub(crate) fn cluster() -> impl Strategy<Value = BrokerClusterInfo> {
    (btree_map(name(), broker(), 0..4), btree_map(name(), vec(name(), 0..4), 0..4)).prop_map(
        |(broker_addr_table, cluster_addr_table)| BrokerClusterInfo { broker_addr_table, cluster_addr_table },
    )
}

pub(crate) fn data_version() -> impl Strategy<Value = DataVersion> {
    (any::<i64>(), any::<i64>(), any::<i64>()).prop_map(|(counter, state_version, timestamp)| DataVersion {
        counter,
        state_version,
        timestamp,
    })
}

pub(crate) fn topic_config() -> impl Strategy<Value = TopicConfig> {
    let names = (option::of(name()), name(), btree_map(name(), name(), 0..3));
    let numbers = (any::<i32>(), any::<i32>(), count(), count());
    (names, numbers, any::<bool>()).prop_map(
        |((topic_name, topic_filter_type, attributes), (perm, topic_sys_flag, read, write), order)| {
            TopicConfig {
                attributes,
                order,
                perm: Perm(perm),
                read_queue_nums: read,
                topic_filter_type,
                topic_name,
                topic_sys_flag,
                write_queue_nums: write,
            }
        },
    )
}

pub(crate) fn registration_body() -> impl Strategy<Value = RegisterBrokerBody> {
    let topics = btree_map(name(), topic_config(), 0..4);
    let mappings = btree_map(name(), mapping(), 0..2);
    (option::of(vec(name(), 0..3)), option::of(data_version()), topics, mappings).prop_map(
        |(filter_server_list, data_version, topic_config_table, mappings)| RegisterBrokerBody {
            filter_server_list,
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper {
                data_version,
                topic_config_table,
                topic_queue_mapping_info_map: mappings,
            },
        },
    )
}

pub(crate) fn topic_list() -> impl Strategy<Value = TopicList> {
    (vec(name(), 0..5), option::of(name()))
        .prop_map(|(topic_list, broker_addr)| TopicList { topic_list, broker_addr })
}

pub(crate) fn kv_table() -> impl Strategy<Value = KvTable> {
    btree_map(name(), name(), 0..5).prop_map(|table| KvTable { table })
}

pub(crate) fn register_broker() -> impl Strategy<Value = RegisterBroker> {
    let names = (name(), name(), name(), name());
    let optional = (option::of(any::<i64>()), option::of(any::<bool>()), option::of(name()));
    (names, any::<i64>(), optional, registration_body()).prop_map(
        |((cluster_name, broker_name, broker_addr, ha_server_addr), broker_id, optional, body)| {
            RegisterBroker {
                cluster_name,
                broker_name,
                broker_addr,
                broker_id,
                ha_server_addr,
                heartbeat_timeout_millis: optional.0,
                enable_acting_master: optional.1,
                zone_name: optional.2,
                body,
            }
        },
    )
}

pub(crate) fn register_broker_result() -> impl Strategy<Value = RegisterBrokerResult> {
    (option::of(name()), option::of(name()), option::of(btree_map(name(), name(), 0..4))).prop_map(
        |(ha_server_addr, master_addr, kv_table)| RegisterBrokerResult {
            ha_server_addr,
            master_addr,
            kv_table,
        },
    )
}

pub(crate) fn unregister_broker() -> impl Strategy<Value = UnregisterBroker> {
    (name(), name(), name(), any::<i64>()).prop_map(|(cluster_name, broker_name, broker_addr, broker_id)| {
        UnregisterBroker { cluster_name, broker_name, broker_addr, broker_id }
    })
}

pub(crate) fn get_route_info() -> impl Strategy<Value = GetRouteInfo> {
    let zone = name().prop_filter("a zone has a name", |name| !name.trim().is_empty());
    (name(), any::<bool>(), option::of(zone)).prop_map(|(topic, accept_standard_json_only, zone)| {
        GetRouteInfo { topic, accept_standard_json_only, zone }
    })
}

fn ext_fields() -> impl Strategy<Value = ExtFields> {
    vec((name(), name()), 0..5).prop_map(ExtFields::from_iter)
}

/// Any header that the JSON form can say: a language is written by its name there.
pub(crate) fn json_header() -> impl Strategy<Value = Header> {
    header(any::<i32>(), 0..14_u8, any::<i32>(), option::of(name()))
}

/// Any header that the binary form can say: code and version have 16 bits, and an empty remark is none.
pub(crate) fn binary_header() -> impl Strategy<Value = Header> {
    let remark = option::of(name().prop_filter("none is none", |remark| !remark.is_empty()));
    header(any::<i16>().prop_map(i32::from), any::<u8>(), any::<i16>().prop_map(i32::from), remark)
}

fn header(
    code: impl Strategy<Value = i32>,
    language: impl Strategy<Value = u8>,
    version: impl Strategy<Value = i32>,
    remark: impl Strategy<Value = Option<Name>>,
) -> impl Strategy<Value = Header> {
    ((code, language, version, remark), any::<i32>(), any::<i32>(), ext_fields()).prop_map(
        |((code, language, version, remark), opaque, flag, ext_fields)| Header {
            code,
            language: Language(language),
            version: Version(version),
            opaque,
            flag,
            remark,
            ext_fields,
        },
    )
}
