//! What the models write, and that they read it back.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, DataVersion, KvTable, Name, Perm, QueueData, RegisterBrokerBody,
    TopicConfig, TopicConfigSerializeWrapper, TopicQueueMappingInfo, TopicRouteData,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Read, broker, cluster, queue, route};

/// The value is written as this standard JSON, and every reader has it back from every spelling.
fn writes<T: Serialize + DeserializeOwned + Debug + PartialEq>(read: Read<T>, value: &T, expected: &str) {
    let standard = to_bytes(value, Dialect::Standard);
    let legacy = to_bytes(value, Dialect::Legacy);
    assert_eq!(std::str::from_utf8(&standard), Ok(expected));
    assert_eq!(read(&standard).as_ref(), Ok(value), "{expected}");
    assert_eq!(read(&legacy).as_ref(), Ok(value), "{}", String::from_utf8_lossy(&legacy));
    let strict: T = serde_json::from_slice(&standard).unwrap();
    assert_eq!(&strict, value, "{expected}");
    let by_serde = serde_json::to_vec(value).unwrap();
    assert_eq!(read(&by_serde).as_ref(), Ok(value), "{}", String::from_utf8_lossy(&by_serde));
    assert_eq!(serde_json::from_slice::<T>(&by_serde).unwrap(), *value);
}

#[test]
fn what_is_absent_stays_absent() {
    writes(
        TopicRouteData::from_bytes,
        &route([broker("a", [(0, "h:1")])], [queue("a")]),
        r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}"#,
    );
    writes(
        TopicRouteData::from_bytes,
        &TopicRouteData::default(),
        r#"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#,
    );
    writes(
        BrokerClusterInfo::from_bytes,
        &BrokerClusterInfo::default(),
        r#"{"brokerAddrTable":{},"clusterAddrTable":{}}"#,
    );
    writes(
        QueueData::from_bytes,
        &QueueData::default(),
        r#"{"brokerName":"","perm":0,"readQueueNums":0,"topicSysFlag":0,"writeQueueNums":0}"#,
    );
}

#[test]
fn what_is_there_is_written() {
    let zoned = BrokerData {
        enable_acting_master: Some(false),
        zone_name: Some(Name::default()),
        ..broker("集群/ü", [(-1, "[::1]:1"), (10, "h:2")])
    };
    let info = TopicQueueMappingInfo {
        bname: Some(Name::from("a")),
        curr_id_map: BTreeMap::from([(0, 3), (10, 4), (2, 5)]),
        dirty: true,
        epoch: 9_007_199_254_740_993,
        topic: Some(Name::from("t")),
        total_queues: 3,
        ..TopicQueueMappingInfo::default()
    };
    let full = TopicRouteData {
        order_topic_conf: Name::from("a:4"),
        queue_data_list: vec![QueueData {
            compression_type: Name::from("zstd"),
            topic_syn_flag: 3,
            perm: Perm(7),
            ..queue("a")
        }],
        broker_data_list: vec![Arc::new(zoned.clone())],
        filter_server_table: BTreeMap::from([(
            Name::from("h:2"),
            vec![Name::from("f:1"), Name::from("f:1")],
        )]),
        topic_queue_mapping_by_broker: BTreeMap::from([(Name::from("a"), info)]),
    };
    writes(
        TopicRouteData::from_bytes,
        &full,
        r#"{"brokerDatas":[{"brokerAddrs":{"-1":"[::1]:1","10":"h:2"},"brokerName":"\u96C6\u7FA4\/\u00FC","cluster":"c","enableActingMaster":false,"zoneName":""}],"filterServerTable":{"h:2":["f:1","f:1"]},"orderTopicConf":"a:4","queueDatas":[{"brokerName":"a","compressionType":"zstd","perm":7,"readQueueNums":4,"topicSysFlag":3,"writeQueueNums":4}],"topicQueueMappingByBroker":{"a":{"bname":"a","currIdMap":{"0":3,"2":5,"10":4},"dirty":true,"epoch":"9007199254740993","scope":"__global__","topic":"t","totalQueues":3}}}"#,
    );
    writes(
        BrokerClusterInfo::from_bytes,
        &cluster([zoned], &["集群/ü"]),
        r#"{"brokerAddrTable":{"\u96C6\u7FA4\/\u00FC":{"brokerAddrs":{"-1":"[::1]:1","10":"h:2"},"brokerName":"\u96C6\u7FA4\/\u00FC","cluster":"c","enableActingMaster":false,"zoneName":""}},"clusterAddrTable":{"c":["\u96C6\u7FA4\/\u00FC"]}}"#,
    );
}

#[test]
fn addresses_that_a_client_uses_in_place_of_others_are_written_as_any_and_those_others_not_at_all() {
    let plain = broker("a", [(0, "used:1")]);
    let rewritten = BrokerData {
        advertised_addresses: Some(Box::new([(0, "advertised:1")].into_iter().collect())),
        ..plain.clone()
    };
    assert_eq!(rewritten.to_bytes(), plain.to_bytes());
    assert_eq!(serde_json::to_value(&rewritten).unwrap(), serde_json::to_value(&plain).unwrap());
    let route = TopicRouteData { broker_data_list: vec![Arc::new(rewritten)], ..TopicRouteData::default() };
    let advertised = broker("a", [(0, "advertised:1")]);
    assert_eq!(
        route.as_advertised().to_bytes(),
        TopicRouteData { broker_data_list: vec![Arc::new(advertised)], ..TopicRouteData::default() }
            .to_bytes()
    );
}

#[test]
fn what_brokers_send_is_written() {
    let topic = TopicConfig {
        attributes: BTreeMap::from([(Name::from("+k"), Name::from("v"))]),
        order: true,
        ..TopicConfig::new("t", 8, Perm::READ_ONLY)
    };
    let version = DataVersion { counter: 1, state_version: 2, timestamp: -3 };
    let written = r#"{"attributes":{"+k":"v"},"order":true,"perm":4,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"t","topicSysFlag":0,"writeQueueNums":8}"#;
    writes(TopicConfig::from_bytes, &topic, written);
    writes(DataVersion::from_bytes, &version, r#"{"counter":1,"stateVersion":2,"timestamp":-3}"#);
    writes(
        RegisterBrokerBody::from_bytes,
        &RegisterBrokerBody {
            filter_server_list: Some(vec![Name::from("f:1")]),
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(version, [topic]),
        },
        &format!(
            r#"{{"filterServerList":["f:1"],"topicConfigSerializeWrapper":{{"dataVersion":{{"counter":1,"stateVersion":2,"timestamp":-3}},"topicConfigTable":{{"t":{written}}},"topicQueueMappingInfoMap":{{}}}}}}"#
        ),
    );
    writes(
        RegisterBrokerBody::from_bytes,
        &RegisterBrokerBody::default(),
        r#"{"filterServerList":null,"topicConfigSerializeWrapper":{"topicConfigTable":{},"topicQueueMappingInfoMap":{}}}"#,
    );
    writes(
        KvTable::from_bytes,
        &KvTable { table: BTreeMap::from([(Name::from("7"), Name::from("a:4;b:4"))]) },
        r#"{"table":{"7":"a:4;b:4"}}"#,
    );
}

#[test]
fn a_queue_without_a_compression_is_gzip_and_writes_none() {
    let read = QueueData::from_bytes(br#"{"brokerName":"a"}"#).unwrap();
    assert_eq!(read.compression_type, "gzip");
    assert_eq!(QueueData::default().compression_type, "gzip");
    let by_serde: QueueData = serde_json::from_str(r#"{"brokerName":"a"}"#).unwrap();
    assert_eq!(by_serde, read);
    let named = QueueData::from_bytes(br#"{"brokerName":"a","compressionType":"gzip"}"#).unwrap();
    assert_eq!(named, read);
    assert!(!String::from_utf8_lossy(&named.to_bytes()).contains("compression"));
}

#[test]
fn serde_reads_the_older_names_too() {
    let queue: QueueData = serde_json::from_str(r#"{"brokerName":"a","topicSynFlag":3}"#).unwrap();
    assert_eq!(queue.topic_syn_flag, 3);
    let route: TopicRouteData =
        serde_json::from_str(r#"{"topicQueueMappingInfo":{"a":{"epoch":7}}}"#).unwrap();
    assert_eq!(route.topic_queue_mapping_by_broker["a"].epoch, 7);
}

#[test]
fn a_mapping_without_a_scope_is_read_back_as_it_was() {
    for body in ["{}", r#"{"scope":null}"#, r#"{"scope":"s"}"#] {
        let read = TopicQueueMappingInfo::from_bytes(body.as_bytes()).unwrap();
        assert_eq!(TopicQueueMappingInfo::from_bytes(&read.to_bytes()), Ok(read), "{body}");
    }
}
