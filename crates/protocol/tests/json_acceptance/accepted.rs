//! Bodies that must be read, whoever wrote them.

use std::collections::BTreeMap;

use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, KvTable, Name, Perm, QueueData, TopicQueueMappingInfo,
    TopicRouteData,
};

use super::{accepts, broker, cluster, queue, route, route_of_one};

/// A route of one broker and one queue entry, with that text for the addresses.
fn with_addresses(text: &str) -> String {
    format!(
        r#"{{"brokerDatas":[{{"brokerAddrs":{text},"brokerName":"a","cluster":"c"}}],"filterServerTable":{{}},
        "queueDatas":[{{"brokerName":"a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}}]}}"#
    )
}

#[test]
fn broker_ids_with_and_without_quotes() {
    let both = [(0, "h:1"), (1, "h:2")];
    let wide = [(i64::MIN, "min"), (-1, "m"), (4_294_967_296, "w"), (i64::MAX, "max")];
    accepts(
        TopicRouteData::from_bytes,
        [
            (with_addresses(r#"{0:"h:1",1:"h:2"}"#), route_of_one(both)),
            (with_addresses(r#"{"0":"h:1","1":"h:2"}"#), route_of_one(both)),
            (with_addresses(r#"{0:"h:1","1":"h:2"}"#), route_of_one(both)),
            (with_addresses(r#"{"1":"h:2",0:"h:1"}"#), route_of_one(both)),
            (
                with_addresses(
                    r#"{-9223372036854775808:"min",-1:"m",4294967296:"w",9223372036854775807:"max"}"#,
                ),
                route_of_one(wide),
            ),
            (
                with_addresses(
                    r#"{"-9223372036854775808":"min","-1":"m","4294967296":"w","9223372036854775807":"max"}"#,
                ),
                route_of_one(wide),
            ),
            (with_addresses("{}"), route_of_one([])),
        ],
    );
}

#[test]
fn addresses_of_every_kind_and_texts_that_look_like_keys() {
    accepts(
        TopicRouteData::from_bytes,
        [
            "[::1]:10911",
            "[2001:db8::1]:10911",
            "10.0.0.1:10911",
            "rocketmq-broker-0.rocketmq.svc:10911",
            "",
            "{0:",
            r#"{0:1,\"#,
        ]
        .map(|address| {
            let text = format!(r#"{{0:"{}"}}"#, address.replace('\\', r"\\").replace('"', r#"\""#));
            (with_addresses(&text), route_of_one([(0, address)]))
        }),
    );
}

#[test]
fn white_space_anywhere_and_keys_in_any_order() {
    let expected = || route_of_one([(0, "h:1")]);
    accepts(
        TopicRouteData::from_bytes,
        [
            (
                "\n\t {\r\n \"brokerDatas\" :\t[ { \"brokerAddrs\" : { 0\n: \"h:1\" } , \"brokerName\" : \"a\" ,\r\
                 \"cluster\":\"c\" } ] , \"queueDatas\" : [ { \"brokerName\":\"a\" , \"perm\" : 6 ,\n\
                 \"readQueueNums\" : 4 , \"writeQueueNums\": 4 } ] } \r\n\t ",
                expected(),
            ),
            (
                r#"{"queueDatas":[{"writeQueueNums":4,"topicSysFlag":0,"readQueueNums":4,"perm":6,"brokerName":"a"}],
                "filterServerTable":{},"brokerDatas":[{"cluster":"c","brokerName":"a","brokerAddrs":{0:"h:1"}}]}"#,
                expected(),
            ),
            (
                "\u{feff}{\"brokerDatas\":[{\"cluster\":\"c\",\"brokerName\":\"a\",\"brokerAddrs\":{0:\"h:1\"}}],\
              \"queueDatas\":[{\"brokerName\":\"a\",\"perm\":6,\"readQueueNums\":4,\"writeQueueNums\":4}]}",
                expected(),
            ),
        ],
    );
}

#[test]
fn unknown_keys_with_any_value_at_every_level() {
    let unknown = r#""new":{"a":[1,-2.5e+3,{"b":null,7:true}],"c":"]}","d":[],"e":{},"f":false},"x":1E400"#;
    let body = format!(
        r#"{{{unknown},"brokerDatas":[{{{unknown},"brokerAddrs":{{0:"h:1"}},"brokerName":"a","cluster":"c"}}],
        "queueDatas":[{{"brokerName":"a","perm":6,{unknown},"readQueueNums":4,"writeQueueNums":4}}],{unknown}}}"#
    );
    accepts(TopicRouteData::from_bytes, [(body, route_of_one([(0, "h:1")]))]);
    let body = format!(
        r#"{{{unknown},"brokerAddrTable":{{"a":{{"brokerAddrs":{{0:"h:1"}},"brokerName":"a","cluster":"c",
        {unknown}}}}},"clusterAddrTable":{{"c":["a"]}}}}"#
    );
    accepts(BrokerClusterInfo::from_bytes, [(body, cluster([broker("a", [(0, "h:1")])], &["a"]))]);
}

#[test]
fn whole_numbers_may_stand_in_quotes() {
    let expected = || QueueData { topic_syn_flag: 3, ..queue("a") };
    accepts(
        QueueData::from_bytes,
        [
            r#"{"brokerName":"a","perm":"6","readQueueNums":"4","topicSysFlag":"3","writeQueueNums":"4"}"#,
            r#"{"brokerName":"a","perm":6,"readQueueNums":"4","topicSysFlag":3,"writeQueueNums":4}"#,
        ]
        .map(|body| (body, expected())),
    );
    let mapping = |epoch| TopicQueueMappingInfo {
        epoch,
        total_queues: 2,
        curr_id_map: BTreeMap::from([(0, 1), (1, -1)]),
        ..TopicQueueMappingInfo::default()
    };
    accepts(
        TopicQueueMappingInfo::from_bytes,
        [
            // The standard dialect quotes what JavaScript cannot hold (wire.md §3.1).
            (
                r#"{"currIdMap":{0:"1","1":"-1"},"epoch":"9007199254740993","totalQueues":"2"}"#,
                mapping(9_007_199_254_740_993),
            ),
            (r#"{"currIdMap":{"0":1,1:-1},"epoch":12,"totalQueues":2}"#, mapping(12)),
            (r#"{"currIdMap":{0:1,1:-1},"epoch":-9223372036854775808,"totalQueues":2}"#, mapping(i64::MIN)),
        ],
    );
}

#[test]
fn escapes_raw_text_and_half_surrogates() {
    accepts(
        QueueData::from_bytes,
        [
            (r"h:1", "h:1"),
            (r"a\/b\\c\u002F", r"a/b\c/"),
            (r#"\"\b\f\n\r\t\u000B"#, "\"\u{8}\u{c}\n\r\t\u{b}"),
            (r"\u96C6\u7fa4-\u00fC", "集群-ü"),
            ("集群-ü", "集群-ü"),
            (r"\uD83D\uDE00", "😀"),
            ("😀\u{2028}\u{7f}", "😀\u{2028}\u{7f}"),
            (r"\u007F\u2028", "\u{7f}\u{2028}"),
            // Half of a surrogate pair is real output (wire.md §3.1).
            (r"\uD83D", "\u{fffd}"),
            (r"\uD83Dx", "\u{fffd}x"),
            (r"\uDE00\uD83D", "\u{fffd}\u{fffd}"),
            (r"\u0000", "\0"),
        ]
        .map(|(text, name)| {
            let body = format!(r#"{{"brokerName":"{text}","perm":6,"readQueueNums":4,"writeQueueNums":4}}"#);
            (body, queue(name))
        }),
    );
    // A key may be spelled with escapes too.
    accepts(
        QueueData::from_bytes,
        [(r#"{"broker\u004Eame":"a","per\u006d":6,"readQueueNums":4,"writeQueueNums":4}"#, queue("a"))],
    );
    accepts(
        BrokerAddressesOf::read,
        [(r#"{"\u0030":"h:1","\u002D1":"h:2"}"#, BrokerAddresses::from_iter([(-1, "h:2"), (0, "h:1")]))],
    );
}

/// The addresses of a broker alone.
struct BrokerAddressesOf;

impl BrokerAddressesOf {
    fn read(text: &[u8]) -> Result<BrokerAddresses, rocketmq_nameserver_protocol::error::DataParseError> {
        let body = [&br#"{"brokerName":"a","brokerAddrs":"#[..], text, b"}"].concat();
        BrokerData::from_bytes(&body).map(|broker| broker.broker_addresses)
    }
}

#[test]
fn of_equal_keys_the_last_wins() {
    accepts(
        TopicRouteData::from_bytes,
        [
            (with_addresses(r#"{0:"h:9",1:"h:2","0":"h:1"}"#), route_of_one([(0, "h:1"), (1, "h:2")])),
            (
                r#"{"brokerDatas":[{"brokerName":"x"}],"brokerDatas":[{"brokerName":"b","brokerName":"a",
                "cluster":"x","cluster":"c","brokerAddrs":{1:"x"},"brokerAddrs":{0:"h:1"}}],"queueDatas":[
                {"brokerName":"a","perm":4,"perm":6,"readQueueNums":1,"readQueueNums":4,"writeQueueNums":4}]}"#
                    .to_owned(),
                route_of_one([(0, "h:1")]),
            ),
        ],
    );
    // A null that comes last wins as well.
    accepts(
        TopicRouteData::from_bytes,
        [(
            r#"{"brokerDatas":[{"brokerName":"a","cluster":"c","brokerAddrs":{0:"h:1"},"brokerAddrs":null,
            "zoneName":"z","zoneName":null}],"queueDatas":[{"brokerName":"a"}],"queueDatas":null,
            "orderTopicConf":"a:4","orderTopicConf":null,"filterServerTable":{"h:1":[]},"filterServerTable":null}"#,
            route([broker("a", [])], []),
        )],
    );
    let two = BTreeMap::from([(Name::from("k"), Name::from("2"))]);
    accepts(KvTable::from_bytes, [(r#"{"table":{"k":"1","k":"2"}}"#, KvTable { table: two })]);
}

#[test]
fn both_spellings_of_the_flag_and_of_the_mapping() {
    accepts(
        QueueData::from_bytes,
        [
            r#""topicSysFlag":3"#,
            r#""topicSynFlag":3"#,
            r#""topicSynFlag":1,"topicSysFlag":3"#,
            r#""topicSysFlag":3,"topicSynFlag":1"#,
            r#""topicSysFlag":null,"topicSynFlag":3"#,
        ]
        .map(|flag| {
            let body =
                format!(r#"{{"brokerName":"a","perm":6,"readQueueNums":4,{flag},"writeQueueNums":4}}"#);
            let flagged = QueueData { topic_syn_flag: 3, ..queue("a") };
            (body, flagged)
        }),
    );
    let info = TopicQueueMappingInfo {
        bname: Some(Name::from("a")),
        curr_id_map: BTreeMap::from([(0, 0), (1, 3)]),
        dirty: true,
        epoch: 12,
        topic: Some(Name::from("t")),
        total_queues: 2,
        ..TopicQueueMappingInfo::default()
    };
    let expected = TopicRouteData {
        topic_queue_mapping_by_broker: BTreeMap::from([(Name::from("a"), info)]),
        ..TopicRouteData::default()
    };
    accepts(
        TopicRouteData::from_bytes,
        ["topicQueueMappingByBroker", "topicQueueMappingInfo"].map(|key| {
            let body = format!(
                r#"{{"brokerDatas":[],"queueDatas":[],"{key}":{{"a":{{"bname":"a","currIdMap":{{0:0,1:3}},
                "dirty":true,"epoch":12,"scope":"__global__","topic":"t","totalQueues":2}},"b":null}}}}"#
            );
            (body, expected.clone())
        }),
    );
}

#[test]
fn the_two_lists_need_not_name_the_same_brokers() {
    accepts(
        TopicRouteData::from_bytes,
        [
            (
                r#"{"brokerDatas":[{"brokerName":"a","cluster":"c","brokerAddrs":{0:"h:1"}}],"queueDatas":[]}"#,
                route([broker("a", [(0, "h:1")])], []),
            ),
            (
                r#"{"brokerDatas":[],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#,
                route([], [queue("a")]),
            ),
            (
                r#"{"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4},
                {"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4},
                {"brokerName":"a","perm":4,"readQueueNums":4,"writeQueueNums":4}]}"#,
                route([], [queue("a"), queue("b"), QueueData { perm: Perm::READ_ONLY, ..queue("a") }]),
            ),
        ],
    );
}

#[test]
fn what_other_servers_write() {
    // rocketmq-rust: nulls, quoted keys (wire.md §3.2). 5.x: acting master and zone.
    let zoned = BrokerData {
        enable_acting_master: Some(true),
        zone_name: Some(Name::from("z1")),
        ..broker("a", [(0, "h:1")])
    };
    accepts(
        TopicRouteData::from_bytes,
        [
            (
                r#"{"orderTopicConf":null,"queueDatas":[{"brokerName":"a","readQueueNums":4,"writeQueueNums":4,
                "perm":6,"topicSysFlag":0}],"brokerDatas":[{"cluster":"c","brokerName":"a","brokerAddrs":
                {"0":"h:1"},"zoneName":null,"enableActingMaster":false}],"filterServerTable":{},
                "topicQueueMappingInfo":null}"#,
                route(
                    [BrokerData { enable_acting_master: Some(false), ..broker("a", [(0, "h:1")]) }],
                    [queue("a")],
                ),
            ),
            (
                r#"{"brokerDatas":[{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"c",
                "enableActingMaster":true,"zoneName":"z1"}],"queueDatas":[]}"#,
                route([zoned], []),
            ),
            (
                r#"{"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4,
                "topicSynFlag":0,"compressionType":"zstd"}],"orderTopicConf":"a:4"}"#,
                TopicRouteData {
                    order_topic_conf: Name::from("a:4"),
                    ..route([], [QueueData { compression_type: Name::from("zstd"), ..queue("a") }])
                },
            ),
        ],
    );
}
