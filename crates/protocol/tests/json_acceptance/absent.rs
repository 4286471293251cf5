//! Bodies in which something is missing or `null`, and must be read.

use std::collections::BTreeMap;

use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, DataVersion, KvTable, Name, QueueData, RegisterBrokerBody, TopicConfig,
    TopicQueueMappingInfo, TopicRouteData,
};

use super::{accepts, broker, cluster, route, route_of_one};

#[test]
fn what_may_be_absent_may_also_be_null() {
    let nameless_cluster = BrokerData { cluster: Name::default(), ..broker("a", []) };
    let bare_queue = QueueData { broker_name: Name::from("a"), ..QueueData::default() };
    accepts(
        TopicRouteData::from_bytes,
        [
            ("{}", TopicRouteData::default()),
            (r#"{"brokerDatas":[],"queueDatas":[]}"#, TopicRouteData::default()),
            (
                r#"{"brokerDatas":null,"filterServerTable":null,"orderTopicConf":null,"queueDatas":null,
                "topicQueueMappingByBroker":null}"#,
                TopicRouteData::default(),
            ),
            (
                r#"{"brokerDatas":[{"brokerName":"a"}],"queueDatas":[{"brokerName":"a"}]}"#,
                route([nameless_cluster.clone()], [bare_queue.clone()]),
            ),
            (
                r#"{"brokerDatas":[{"brokerName":"a","brokerAddrs":null,"cluster":null,"enableActingMaster":null,
                "zoneName":null}],"queueDatas":[{"brokerName":"a","compressionType":null,"perm":null,
                "readQueueNums":null,"topicSysFlag":null,"writeQueueNums":null}]}"#,
                route([nameless_cluster], [bare_queue]),
            ),
        ],
    );
    accepts(
        BrokerClusterInfo::from_bytes,
        [
            ("{}", BrokerClusterInfo::default()),
            (r#"{"brokerAddrTable":null,"clusterAddrTable":null}"#, BrokerClusterInfo::default()),
        ],
    );
    accepts(
        TopicQueueMappingInfo::from_bytes,
        [
            "{}",
            r#"{"bname":null,"currIdMap":null,"dirty":null,"epoch":null,"scope":null,"topic":null,"totalQueues":null}"#,
        ]
        .map(|body| (body, TopicQueueMappingInfo::default())),
    );
    accepts(
        KvTable::from_bytes,
        ["{}", r#"{"table":null}"#, r#"{"table":{}}"#].map(|body| (body, KvTable::default())),
    );
    accepts(
        DataVersion::from_bytes,
        ["{}", r#"{"counter":null,"stateVersion":null,"timestamp":null}"#]
            .map(|body| (body, DataVersion::default())),
    );
    accepts(
        TopicConfig::from_bytes,
        [
            "{}",
            r#"{"attributes":null,"order":null,"perm":null,"readQueueNums":null,"topicFilterType":null,
            "topicName":null,"topicSysFlag":null,"writeQueueNums":null}"#,
        ]
        .map(|body| (body, TopicConfig::default())),
    );
    let no_filter_servers =
        RegisterBrokerBody { filter_server_list: Some(Vec::new()), ..RegisterBrokerBody::default() };
    accepts(
        RegisterBrokerBody::from_bytes,
        [
            ("{}", no_filter_servers.clone()),
            (r#"{"filterServerList":[]}"#, no_filter_servers),
            // An explicit null leaves the known ones alone (wire.md §2.4 step 12).
            (
                r#"{"filterServerList":null,"topicConfigSerializeWrapper":null}"#,
                RegisterBrokerBody::default(),
            ),
        ],
    );
}

#[test]
fn null_entries_of_lists_and_maps_are_skipped() {
    let mut expected = route_of_one([(1, "h:2")]);
    expected.filter_server_table = BTreeMap::from([(Name::from("h:2"), vec![Name::from("f:1")])]);
    accepts(
        TopicRouteData::from_bytes,
        [(
            r#"{"brokerDatas":[null,{"brokerAddrs":{0:null,1:"h:2",null:"x",null:null},"brokerName":"a",
            "cluster":"c"},null],"filterServerTable":{"h:1":null,"h:2":[null,"f:1",null],null:["f:2"]},
            "queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4},null]}"#,
            expected,
        )],
    );
    let one = || cluster([broker("a", [(0, "h:1")])], &["a"]);
    let good = r#""a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"c"}"#;
    accepts(
        BrokerClusterInfo::from_bytes,
        [
            // What 4.9.7 and 5.3.3 write after a registration without a name.
            format!(
                r#"{{"brokerAddrTable":{{null:{{"brokerAddrs":{{0:"h:9"}},"cluster":"c"}},{good}}},
                "clusterAddrTable":{{"c":[null,"a"]}}}}"#
            ),
            format!(
                r#"{{"brokerAddrTable":{{"x":{{"brokerAddrs":{{0:"h:9"}},"cluster":"c"}},{good}}},
                "clusterAddrTable":{{"c":["a",null],null:["b"]}}}}"#
            ),
            format!(
                r#"{{"brokerAddrTable":{{"x":{{"brokerAddrs":{{}},"brokerName":"x"}},"y":null,{good},
                null:{{"brokerName":"n","cluster":"c"}}}},"clusterAddrTable":{{"c":["a"],"d":null}}}}"#
            ),
            // What has no key is not looked at, whatever it is.
            format!(
                r#"{{"brokerAddrTable":{{null:{{"brokerName":[]}},null:7,{good}}},"clusterAddrTable":{{"c":["a"],
                null:7}}}}"#
            ),
            format!(
                r#"{{"brokerAddrTable":{{"x":{{"brokerName":null,"cluster":null}},{good}}},
                "clusterAddrTable":{{"c":["a"]}}}}"#
            ),
        ]
        .map(|body| (body, one())),
    );
}
