//! What a server knows from a topology file, asked by nsctl.

use std::collections::BTreeMap;

use rocketmq_nameserver::{BrokerClusterInfo, Name, Perm, TopicRouteData};

use crate::process::{Scratch, Serving};

fn route(server: &Serving, topic: &str) -> TopicRouteData {
    serde_json::from_str(&server.ask(&["route", topic, "-o", "json"])).expect("JSON")
}

fn clusters(server: &Serving) -> BrokerClusterInfo {
    serde_json::from_str(&server.ask(&["cluster", "-o", "json"])).expect("JSON")
}

/// Broker → its read queues, write queues and permission.
fn queues(route: &TopicRouteData) -> BTreeMap<&str, (u32, u32, Perm)> {
    let queues =
        |queue: &rocketmq_nameserver::QueueData| (queue.read_queue_nums, queue.write_queue_nums, queue.perm);
    route.queue_data_list.iter().map(|queue| (queue.broker_name.as_str(), queues(queue))).collect()
}

#[test]
fn brokers_and_topics_of_a_file_are_what_clients_are_told() {
    let file = Scratch::new(
        "whole.json",
        r#"{
          "clusters": {
            "east": {
              "topics": {"orders": {"readQueueNums": 4, "writeQueueNums": 2}, "payments": {}},
              "brokers": {
                "broker-a": {"brokerAddrs": {"1": "10.0.0.2:10911", "0": "10.0.0.1:10911"}},
                "broker-b": {
                  "brokerAddrs": {"0": "10.0.0.3:10911"},
                  "topics": {"orders": {"perm": "R", "topicSysFlag": 1}, "audit": {"perm": 2, "order": true}}
                }
              }
            },
            "主题": {"brokers": {"broker-c": {
              "brokerAddrs": {"0": "[2001:db8::1]:10911", "9007199254740993": "broker-c.example.com:10911"},
              "enableActingMaster": true,
              "zoneName": "zone-1"
            }}}
          }
        }"#,
    );
    let server = Serving::start(&["--from", file.path()]);

    let info = clusters(&server);
    assert_eq!(info.cluster_addr_table["east"], ["broker-a", "broker-b"]);
    assert_eq!(info.cluster_addr_table["主题"], ["broker-c"]);
    let a = &info.broker_addr_table["broker-a"];
    let of_a: Vec<(i64, &str)> =
        a.broker_addresses.iter().map(|(id, address)| (id, address.as_str())).collect();
    assert_eq!(of_a, [(0, "10.0.0.1:10911"), (1, "10.0.0.2:10911")]);
    assert_eq!((a.enable_acting_master, &a.zone_name), (Some(false), &None));
    let c = &info.broker_addr_table["broker-c"];
    assert_eq!(
        c.broker_addresses.get(9_007_199_254_740_993).map(Name::as_str),
        Some("broker-c.example.com:10911")
    );
    assert_eq!((c.enable_acting_master, c.zone_name.as_deref()), (Some(true), Some("zone-1")));

    let read_only = (8, 8, Perm::READ_ONLY);
    for (topic, expected) in [
        ("orders", vec![("broker-a", (4, 2, Perm::READ_WRITE)), ("broker-b", read_only)]),
        ("payments", vec![("broker-a", (8, 8, Perm::READ_WRITE)), ("broker-b", (8, 8, Perm::READ_WRITE))]),
        ("audit", vec![("broker-b", (8, 8, Perm(2)))]),
    ] {
        assert_eq!(queues(&route(&server, topic)), BTreeMap::from_iter(expected), "{topic}");
    }
    let orders = route(&server, "orders");
    assert_eq!(orders.queue_data_list.iter().map(|queue| queue.topic_syn_flag).max(), Some(1));
    assert_eq!(orders.broker("broker-a").map(|broker| broker.broker_addresses.len()), Some(2));
}

#[test]
fn a_broker_may_have_any_number_of_topics() {
    for count in 0..3 {
        let topics: Vec<String> = (0..count).map(|topic| format!(r#""T{topic}":{{}}"#)).collect();
        let file = Scratch::new(
            &format!("topics-{count}.json"),
            format!(
                r#"{{"clusters":{{"c":{{"brokers":{{"a":{{"brokerAddrs":{{"0":"h:1","1":"h:2"}},"topics":{{{}}}}}}}}}}}}}"#,
                topics.join(",")
            ),
        );
        for personality in ["4", "5"] {
            let server = Serving::start(&["--from", file.path(), "--personality", personality]);
            assert_eq!(clusters(&server).broker_addr_table["a"].broker_addresses.len(), 2);
            for topic in 0..count {
                let route = route(&server, &format!("T{topic}"));
                assert_eq!(queues(&route), BTreeMap::from([("a", (8, 8, Perm::READ_WRITE))]));
            }
        }
    }
}

#[test]
fn permissions_are_bits_or_the_letters_that_nsctl_prints() {
    let spelled = [
        ("6", 6),
        ("0", 0),
        ("7", 7),
        ("15", 15),
        ("\"RW\"", 6),
        ("\"RW-\"", 6),
        ("\"R\"", 4),
        ("\"R--\"", 4),
        ("\"W\"", 2),
        ("\"-W-\"", 2),
        ("\"RWX\"", 7),
        ("\"X\"", 1),
        ("\"WX\"", 3),
        ("\"---\"", 0),
    ];
    let topics: Vec<String> =
        spelled.iter().enumerate().map(|(at, (perm, _))| format!(r#""T{at}":{{"perm":{perm}}}"#)).collect();
    let file = Scratch::new(
        "perm.json",
        format!(
            r#"{{"clusters":{{"c":{{"brokers":{{"a":{{"brokerAddrs":{{"0":"h:1"}}}}}},"topics":{{{}}}}}}}}}"#,
            topics.join(",")
        ),
    );
    let server = Serving::start(&["--from", file.path()]);
    for (at, (spelled, bits)) in spelled.into_iter().enumerate() {
        let route = route(&server, &format!("T{at}"));
        assert_eq!(queues(&route)["a"].2, Perm(bits), "{spelled}");
    }
}

#[test]
fn a_file_may_be_empty_or_begin_with_a_byte_order_mark() {
    for (name, text, brokers) in [
        ("empty.json", "{}", 0),
        ("nothing.json", r#"{"$schema": "topology.schema.json", "clusters": {}, "kv": {}}"#, 0),
        (
            "mark.json",
            "\u{feff}{\"clusters\":{\"c\":{\"brokers\":{\"a\":{\"brokerAddrs\":{\"0\":\"h:1\"}}}}}}",
            1,
        ),
        ("slaves.json", r#"{"clusters":{"c":{"brokers":{"a":{"brokerAddrs":{"2":"h:1","-1":"h:2"}}}}}}"#, 1),
    ] {
        let file = Scratch::new(name, text);
        let server = Serving::start(&["--from", file.path()]);
        assert_eq!(clusters(&server).broker_addr_table.len(), brokers, "{text}");
    }
}

#[test]
fn a_topology_may_come_from_stdin() {
    let file = Scratch::new(
        "from-stdin.json",
        r#"{"clusters":{"c":{"brokers":{"a":{"brokerAddrs":{"0":"h:1"}}}}}}"#,
    );
    let server = Serving::start_that_reads(file.open(), &["--from", "-"]);
    assert_eq!(clusters(&server).cluster_addr_table["c"], ["a"]);
}
