//! Bodies that are large, deep or full of large numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use rocketmq_nameserver_protocol::error::Reason;
use rocketmq_nameserver_protocol::json::MAX_DEPTH;
use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, Name, QueueData, TopicRouteData};

use super::{accepts, broker, queue, refuses, route};

/// An object in whose unknown fields lists or objects nest, so many levels in all. The mark stands before the
/// bracket that opens the first level over the limit.
fn nested(key: &str, open: char, close: char, levels: usize) -> String {
    let mut body = String::from(r#"{"new":{"#);
    for level in 3..=levels {
        body.push_str(if level == 3 { r#""a":"# } else { key });
        body.push_str(if level == MAX_DEPTH + 1 { "↓" } else { "" });
        body.push(open);
    }
    body.extend(std::iter::repeat_n(close, levels - 2));
    body.push_str("}}");
    body
}

#[test]
fn sixty_four_levels_are_enough_and_one_more_is_too_many() {
    assert_eq!(MAX_DEPTH, 64);
    for (key, open, close) in [("", '[', ']'), (r#""a":"#, '{', '}'), ("7:", '{', '}')] {
        let body = |levels| nested(key, open, close, levels);
        for levels in [3, MAX_DEPTH - 1, MAX_DEPTH] {
            accepts(TopicRouteData::from_bytes, [(body(levels), TopicRouteData::default())]);
        }
        for levels in [MAX_DEPTH + 1, MAX_DEPTH + 2, 1_000_000] {
            refuses(TopicRouteData::from_bytes, [(body(levels), Reason::TooDeep)]);
        }
    }
}

#[test]
fn levels_side_by_side_do_not_add_up() {
    let side_by_side = "[[]],".repeat(1_000);
    let body = format!(r#"{{"new":[{side_by_side}[]],"brokerDatas":[{{"brokerName":"a","cluster":"c"}}]}}"#);
    accepts(TopicRouteData::from_bytes, [(body, route([broker("a", [])], []))]);
}

#[test]
fn the_largest_queue_count_is_only_a_number() {
    let largest = QueueData { read_queue_nums: 2_147_483_647, write_queue_nums: 2_147_483_647, ..queue("a") };
    accepts(
        QueueData::from_bytes,
        [(
            r#"{"brokerName":"a","perm":6,"readQueueNums":2147483647,"writeQueueNums":"2147483647"}"#,
            largest,
        )],
    );
}

#[test]
fn fifty_thousand_brokers_are_read_in_either_dialect() {
    const BROKERS: usize = 50_000;
    for (quote, name) in [("", "broker-主题"), ("\"", r"broker-\u4E3B\u9898")] {
        let mut table = String::new();
        let mut names = String::new();
        for number in 0..BROKERS {
            write!(
                table,
                r#"{}"{name}-{number}":{{"brokerAddrs":{{{quote}0{quote}:"[2001:db8::{number:x}]:10911",{quote}1{quote}:
                "10.0.0.1:{number}"}},"brokerName":"{name}-{number}","cluster":"c","enableActingMaster":false}}"#,
                if number == 0 { "" } else { "," }
            )
            .unwrap();
            write!(names, r#"{}"{name}-{number}""#, if number == 0 { "" } else { "," }).unwrap();
        }
        let body = format!(r#"{{"brokerAddrTable":{{{table}}},"clusterAddrTable":{{"c":[{names}]}}}}"#);
        assert!(body.len() > 8 << 20, "{} bytes", body.len());
        let info = BrokerClusterInfo::from_bytes(body.as_bytes()).unwrap();
        assert_eq!(info.broker_addr_table.len(), BROKERS);
        let cluster = &info.cluster_addr_table["c"];
        for (number, name) in cluster.iter().enumerate() {
            assert_eq!(name, &format!("broker-主题-{number}"));
            let broker = &info.broker_addr_table[name];
            assert_eq!((&broker.broker_name, broker.broker_addresses.len()), (name, 2));
            let slave = broker.broker_addresses.get(1).unwrap();
            assert_eq!(slave, &format!("10.0.0.1:{number}"));
        }
        assert_eq!(cluster.len(), BROKERS);
    }
}

#[test]
fn a_name_of_a_mebibyte_is_a_name() {
    let long = "n".repeat(1 << 20);
    let body = format!(r#"{{"filterServerTable":{{"{long}":["{long}"]}}}}"#);
    let name = Name::from(long);
    let expected = TopicRouteData {
        filter_server_table: BTreeMap::from([(name.clone(), vec![name])]),
        ..TopicRouteData::default()
    };
    accepts(TopicRouteData::from_bytes, [(body, expected)]);
}
