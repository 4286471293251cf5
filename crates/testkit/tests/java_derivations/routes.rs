//! Routes of all kinds: ordinary, ordered, static, broken.

use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{
    BrokerData, Name, Perm, QueueData, TopicQueueMappingInfo, TopicRouteData,
};
use serde_json::{Value, json};

use crate::random::Random;

const BROKERS: [&str; 12] =
    ["broker-a", "broker-b", "Broker-A", "broker-10", "broker-9", "a", "Z", "ap", "bo", "中文", "Ａ", "😀"];

/// In another order by UTF-16 than by UTF-8.
const ODDLY_SORTED: [&str; 5] = ["Ａ", "😀", "\u{e000}", "中文", "a"];

/// Some of them share a bucket of Java's hash tables.
const IDS: [i64; 9] = [-2, -1, 1, 2, 3, 7, 15, 16, 17];

const GOOD_ITEMS: [&str; 8] =
    ["broker-a:4", "broker-b:2", "中文:3", "a:+4", "Z:0", "a:4:x", "ap:120", "broker-9:007"];

const ODD_ITEMS: [&str; 18] = [
    "",
    ":4",
    "a:",
    "a",
    "a:x",
    "a: 4",
    "a:4 ",
    "a:-1",
    "a:-0",
    "a:99999999999",
    "a:-99999999999",
    "a:2147483648",
    "a:+",
    "::4",
    "a::4",
    "a:4:",
    ":",
    "a:1.0",
];

/// Two at once are further apart than an int.
const EPOCHS: [i64; 8] = [-3, -2, -1, 0, 1, 1, 7, 1_700_000_000_000];

const SCOPES: [&str; 5] = ["__global__", "__global__", "__global__", "scope-a", "b"];

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) topic: String,
    pub(crate) route: TopicRouteData,
    /// What the NameServer says of `TBW102` while it has this route.
    pub(crate) default: TopicRouteData,
}

impl Case {
    /// The line for the program.
    pub(crate) fn to_json(&self) -> Value {
        json!({"topic": self.topic, "route": text(&self.route), "default": text(&self.default)})
    }
}

pub(crate) fn text(route: &TopicRouteData) -> String {
    String::from_utf8(route.to_bytes()).expect("JSON is text")
}

/// So many cases; always the same of a seed.
pub(crate) fn generate(seed: u64, count: usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    let mut default = TopicRouteData::default();
    let cases = (0..count).map(|number| {
        let route = route(&mut random, number);
        let default = std::mem::replace(&mut default, route.clone());
        Case { topic: format!("T{number}"), route, default }
    });
    cases.collect()
}

fn route(random: &mut Random, number: usize) -> TopicRouteData {
    let mut route = ordinary(random);
    match number % 10 {
        5 | 6 => route.order_topic_conf = order_conf(random).into(),
        7 | 8 => route.topic_queue_mapping_by_broker = mappings(random).into_iter().collect(),
        9 => match random.below(4) {
            0 => route.queue_data_list.clear(),
            1 => route.broker_data_list.clear(),
            2 => route = TopicRouteData::default(),
            _ => {
                route.order_topic_conf = order_conf(random).into();
                route.topic_queue_mapping_by_broker = mappings(random).into_iter().collect();
            }
        },
        _ => {}
    }
    route
}

fn ordinary(random: &mut Random) -> TopicRouteData {
    let all = if random.percent(20) { &ODDLY_SORTED[..] } else { &BROKERS };
    let names: Vec<&str> = (0..random.below(7)).map(|_| random.pick(all)).collect();
    let mut brokers: Vec<Arc<BrokerData>> = Vec::new();
    for name in random.some(&names, 85) {
        let mut ids = random.some(&IDS, 25);
        if random.percent(75) {
            ids.push(0);
        }
        let place = brokers.len();
        brokers.push(Arc::new(BrokerData {
            cluster: "C".into(),
            broker_name: name.into(),
            broker_addresses: ids
                .into_iter()
                .map(|id| (id, format!("10.0.{place}.1:{}", 10_000 + id)))
                .collect(),
            ..Default::default()
        }));
    }
    let turn = random.below(brokers.len() + 1);
    brokers.rotate_left(turn);
    let mut queues = Vec::new();
    for name in random.some(&names, 90) {
        let most = if random.percent(5) { 500 } else { 9 };
        queues.push(QueueData {
            broker_name: name.into(),
            perm: Perm(random.pick(&[6, 6, 6, 4, 2, 7, 0, 1, 3, 5, 8, 14, -1])),
            read_queue_nums: random.below(most) as u32,
            write_queue_nums: random.below(most) as u32,
            ..Default::default()
        });
    }
    TopicRouteData { broker_data_list: brokers, queue_data_list: queues, ..Default::default() }
}

fn order_conf(random: &mut Random) -> String {
    let odd = random.pick(&[0, 0, 10, 50]);
    let mut items = Vec::new();
    for _ in 0..=random.below(5) {
        items.push(if random.percent(odd) { random.pick(&ODD_ITEMS) } else { random.pick(&GOOD_ITEMS) });
    }
    items.join(";") + random.pick(&["", "", ";", ";;"])
}

fn mappings(random: &mut Random) -> Vec<(Name, TopicQueueMappingInfo)> {
    // Above 12 Java's hash tables grow.
    let count = random.pick(&[1, 2, 3, 5, 14, 30]);
    let nameless = random.pick(&[0, 0, 0, 20]);
    let ids: Vec<i32> = (-1..25).collect();
    let mut mappings = Vec::new();
    for number in 0..count {
        let name = if count > 5 { format!("broker-{number}") } else { random.pick(&BROKERS).to_owned() };
        let held = random.some(&ids, 40);
        let info = TopicQueueMappingInfo {
            bname: Some(Name::from(&*name)).filter(|_| !random.percent(nameless)),
            curr_id_map: held.into_iter().map(|id| (id, id + 100)).collect(),
            epoch: random.pick(&EPOCHS),
            scope: random.pick(&SCOPES).into(),
            topic: Some("T".into()),
            total_queues: random.below(20) as u32,
            ..Default::default()
        };
        mappings.push((Name::from(name), info));
    }
    mappings
}
