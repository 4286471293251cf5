use rocketmq_nameserver_protocol::model::{Perm, QueueData, TopicQueueMappingInfo};

use super::OrderConfItemProblem::{Negative, NoBroker, NoCount, TooLarge};
use super::*;

fn read(text: &str) -> TopicRouteData {
    TopicRouteData::from_bytes(text.as_bytes()).unwrap()
}

fn route(brokers: &str, queues: &str) -> TopicRouteData {
    read(&format!(r#"{{"brokerDatas":[{brokers}],"queueDatas":[{queues}]}}"#))
}

fn queue(name: &str, perm: i32, read: u32, write: u32) -> String {
    format!(r#"{{"brokerName":"{name}","perm":{perm},"readQueueNums":{read},"writeQueueNums":{write}}}"#)
}

fn master(name: &str) -> String {
    format!(r#"{{"brokerAddrs":{{0:"h:1",1:"h:2"}},"brokerName":"{name}","cluster":"C"}}"#)
}

fn ordered(conf: &str) -> TopicRouteData {
    TopicRouteData { order_topic_conf: conf.into(), ..route(&master("a"), &queue("a", 6, 3, 3)) }
}

fn shown(queues: impl Iterator<Item = MessageQueue>) -> String {
    queues.map(|queue| format!("{}{}", queue.broker_name, queue.queue_id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn rules_4_6_3_and_4_7_permissions_masters_and_order_decide() {
    let a = master("a");
    let slave_only = r#"{"brokerAddrs":{1:"h:2"},"brokerName":"a","cluster":"C"}"#;
    let b = master("b");
    let check = |name: &str, route: TopicRouteData, publish: &str, subscribe: &str| {
        assert_eq!(shown(publish_queues("T", &route)), publish, "{name}: publish");
        assert!(!publish_queues("T", &route).is_order_topic(), "{name}");
        assert_eq!(shown(subscribe_queues("T", &route)), subscribe, "{name}: subscribe");
    };
    check("read and write", route(&a, &queue("a", 6, 3, 2)), "a0 a1", "a0 a1 a2");
    check("read only", route(&a, &queue("a", 4, 2, 2)), "", "a0 a1");
    check("write only", route(&a, &queue("a", 2, 2, 2)), "a0 a1", "");
    check("inherit", route(&a, &queue("a", 7, 1, 1)), "a0", "a0");
    check("priority", route(&a, &queue("a", 14, 1, 1)), "a0", "a0");
    check("no permission", route(&a, &queue("a", 1, 1, 1)), "", "");
    check("no master", route(slave_only, &queue("a", 6, 1, 1)), "", "a0");
    check("no broker data", route("", &queue("a", 6, 1, 1)), "", "a0");
    check("no queues", route(&a, ""), "", "");
    let both = format!("{},{}", queue("b", 6, 1, 1), queue("a", 6, 1, 1));
    check("publish by broker name", route(&format!("{b},{a}"), &both), "a0 b0", "b0 a0");
    let twice = format!("{slave_only},{a}");
    check("of two broker datas the first", route(&twice, &queue("a", 6, 1, 1)), "", "a0");
    let twice =
        [queue("a", 6, 1, 2), queue("b", 4, 1, 1), queue("a", 6, 3, 1), queue("a", 6, 2, 0)].join(",");
    check("a broker listed thrice", route(&a, &twice), "a0 a1 a0", "a0 b0 a1 a2");
}

#[test]
fn rule_4_6_3_brokers_come_in_the_order_of_javas_strings() {
    let names = ["Ａ", "😀", "b", "B", "a"];
    let brokers = names.map(master).join(",");
    let queues = names.map(|name| queue(name, 6, 1, 1)).join(",");
    assert_eq!(shown(publish_queues("T", &route(&brokers, &queues))), "B0 a0 b0 😀0 Ａ0");
}

#[test]
fn rule_4_6_1_an_order_configuration_counts_whatever_else_the_route_says() {
    for (conf, publish) in [
        ("b:2;a:1", "b0 b1 a0"),
        ("a:1;a:2", "a0 a0 a1"),
        ("a:0", ""),
        (";", ""),
        ("a:1;nonsense;b:1", "a0 b0"),
    ] {
        let route = ordered(conf);
        let queues = publish_queues("T", &route);
        assert!(queues.is_order_topic(), "{conf}");
        assert_eq!(shown(queues), publish, "{conf}");
        assert_eq!(shown(subscribe_queues("T", &route)), "a0 a1 a2", "{conf}: consumers do not heed it");
    }
    let mapping = r#""topicQueueMappingByBroker":{"a":{"bname":"a","currIdMap":{0:0},"totalQueues":1}}"#;
    let both = read(&format!(r#"{{"orderTopicConf":"b:1",{mapping}}}"#));
    assert_eq!(shown(publish_queues("T", &both)), "b0", "not its logical queues");
    assert_eq!(shown(subscribe_queues("T", &both)), "__syslo__global__0");
}

#[test]
fn rules_4_6_2_and_4_7_a_static_topic_has_its_logical_queues() {
    let mapping = r#""topicQueueMappingByBroker":{
        "a":{"bname":"a","currIdMap":{0:0},"totalQueues":2},
        "b":{"bname":"b","currIdMap":{0:0},"scope":"s","totalQueues":1}}"#;
    let queues = queue("a", 6, 3, 3);
    let text = format!(r#"{{"brokerDatas":[{}],"queueDatas":[{queues}],{mapping}}}"#, master("a"));
    let expected = "__syslo__global__0 __syslo__s0 __syslo__global__1";
    assert_eq!(shown(publish_queues("T", &read(&text))), expected);
    assert!(!publish_queues("T", &read(&text)).is_order_topic());
    assert_eq!(shown(subscribe_queues("T", &read(&text))), expected);
}

#[test]
fn claims_are_counted_and_no_more_than_the_limit_is_yielded() {
    let most = 2_147_483_647;
    let (limit, huge) = (u32::try_from(MAX_QUEUES).unwrap(), u64::from(most));
    let grouped = |count| {
        let queue = QueueData {
            broker_name: "a".into(),
            perm: Perm::READ_WRITE,
            read_queue_nums: count,
            write_queue_nums: count,
            ..Default::default()
        };
        TopicRouteData { queue_data_list: vec![queue], ..route(&master("a"), "") }
    };
    let mapped = |count: u32| {
        let info = TopicQueueMappingInfo { total_queues: count, ..Default::default() };
        TopicRouteData { topic_queue_mapping_by_broker: [("a".into(), info)].into(), ..Default::default() }
    };
    for (name, route, claimed) in [
        ("none", grouped(0), 0),
        ("the limit", grouped(limit), MAX_QUEUES),
        ("one more", grouped(limit + 1), MAX_QUEUES + 1),
        ("the most that a body can say", grouped(most), huge),
        ("the most that can be said", grouped(u32::MAX), u64::from(u32::MAX)),
        ("ordered", ordered("a:2147483647;b:2147483647"), 2 * huge),
        ("static", mapped(u32::MAX), u64::from(u32::MAX)),
    ] {
        let queues = publish_queues("T", &route);
        let yielded = claimed.min(MAX_QUEUES);
        assert_eq!((queues.claimed(), queues.is_capped()), (claimed, claimed > MAX_QUEUES), "{name}");
        assert_eq!(queues.len() as u64, yielded, "{name}");
        assert_eq!(queues.collect::<Vec<_>>().len() as u64, yielded, "{name}");
        let queues = subscribe_queues("T", &route);
        let claimed = if route.order_topic_conf.is_empty() { claimed } else { 3 };
        assert_eq!((queues.claimed(), queues.is_capped()), (claimed, claimed > MAX_QUEUES), "{name}");
        assert_eq!(queues.count() as u64, claimed.min(MAX_QUEUES), "{name}");
    }
}

#[test]
fn hostile_order_configurations_yield_errors_per_item_and_bounded_work() {
    for (conf, problems, claimed) in [
        ("a:4;", &[][..], 4),
        (":4", &[NoBroker], 0),
        ("a:", &[NoCount], 0),
        ("a:-1", &[Negative], 0),
        ("a:99999999999", &[TooLarge], 0),
        ("a:2147483647;b:2147483647", &[], 4_294_967_294),
        ("a:99999999999;:1;b:2147483647;c:-1", &[TooLarge, NoBroker, Negative], 2_147_483_647),
    ] {
        let route = ordered(conf);
        let queues = publish_queues("T", &route);
        let found: Vec<_> = queues.wrong_items().iter().map(|error| error.problem).collect();
        assert_eq!(found, problems, "{conf}");
        assert_eq!(queues.wrong_item_count(), problems.len() as u64, "{conf}");
        assert_eq!(queues.claimed(), claimed, "{conf}");
        assert_eq!(queues.count() as u64, claimed.min(MAX_QUEUES), "{conf}");
    }
}

#[test]
fn routes_of_many_brokers_take_no_more_than_linear_work() {
    // Were each of these looked for in a list of the others, this would take minutes.
    let names: Vec<Name> = (0..50_000).map(|number| Name::from(format!("broker-{number}"))).collect();
    let brokers = names.iter().map(|name| {
        let broker_addresses = [(0, "h:1")].into_iter().collect();
        BrokerData { broker_name: name.clone(), broker_addresses, ..Default::default() }.into()
    });
    let queues = names.iter().map(|name| QueueData {
        broker_name: name.clone(),
        perm: Perm::READ_WRITE,
        read_queue_nums: 1,
        write_queue_nums: 1,
        ..Default::default()
    });
    let route = TopicRouteData {
        broker_data_list: brokers.collect(),
        queue_data_list: queues.collect(),
        ..Default::default()
    };
    assert_eq!(publish_queues("T", &route).count(), 50_000);
    assert_eq!(subscribe_queues("T", &route).count(), 50_000);
}
