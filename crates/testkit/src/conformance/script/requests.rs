//! Every other request of the script.

use serde_json::{Value, json};

use super::pools::{BROKERS, CLUSTERS, NAMESPACES, TOPICS, dressed, say, topic};
use super::random::Random;
use super::registration::{Broker, DataVersions};
use crate::conformance::request::Request;

pub(super) const UNREGISTER_BROKER: i32 = 104;

/// What is asked beside registrations, and how often each.
const WEIGHTS: [(usize, i32); 23] = [
    (5, 100),
    (4, 101),
    (2, 102),
    (7, UNREGISTER_BROKER),
    (12, 105),
    (2, 106),
    (3, 205),
    (2, 206),
    (5, 216),
    (6, 217),
    (3, 219),
    (3, 224),
    (2, 304),
    (1, 311),
    (1, 312),
    (1, 313),
    (7, 318),
    (2, 319),
    (5, 322),
    (3, 327),
    (3, 901),
    (2, 904),
    (2, UNKNOWN),
];

/// Stands for all codes that no NameServer knows.
const UNKNOWN: i32 = -1;

/// A request that is no registration.
pub(super) fn any(versions: &DataVersions, random: &mut Random) -> Request {
    let code = random.weighted(&WEIGHTS);
    let broker = Broker::any(random);
    let request = dressed(Request::new(code), random);
    match code {
        100..=102 | 219 => kv(request, random),
        UNREGISTER_BROKER | 904 => broker.said(request, random),
        105 => route(request, random),
        205 | 327 => {
            let name = if random.percent(90) { broker.name } else { "no-such-broker" };
            say(request, random, "brokerName", name)
        }
        216 => {
            let name = topic(random);
            let request = say(request, random, "topic", name);
            let cluster = CLUSTERS[random.below(CLUSTERS.len())];
            if random.percent(60) { say(request, random, "clusterName", cluster) } else { request }
        }
        217 => {
            let name = topic(random);
            let request = say(request, random, "topic", name);
            let flag = unit_bits(&request);
            request.with_body(queues(flag, random))
        }
        224 => {
            let cluster = CLUSTERS[random.below(CLUSTERS.len())];
            say(request, random, "cluster", cluster)
        }
        318 => request.with_body(settings(random)),
        322 => {
            let body = match random.below(100) {
                0..=4 => Vec::new(),
                5..=7 => b"nonsense".to_vec(),
                8..=27 => br#"{"counter":1,"stateVersion":0,"timestamp":1000}"#.to_vec(),
                _ => versions.last(broker.address).to_string().into_bytes(),
            };
            broker.said(request, random).with_body(body)
        }
        901 => {
            let request = say(request, random, "brokerName", broker.name);
            say(request, random, "clusterName", broker.cluster)
        }
        UNKNOWN => {
            let codes = [0, 1, 10, 34, 47, 107, 220, 305, 317, 323, 902, 905, 999, 1001, 20_000];
            Request { code: codes[random.below(codes.len())], ..request }
        }
        _ => request,
    }
}

fn kv(request: Request, random: &mut Random) -> Request {
    let namespace = NAMESPACES[random.below(NAMESPACES.len())];
    let mut request = say(request, random, "namespace", namespace);
    if request.code == 219 {
        return request;
    }
    let key = if random.percent(80) { topic(random) } else { "key" };
    request = say(request, random, "key", key);
    if request.code != 100 {
        return request;
    }
    let values = ["broker-a:4;broker-b:4", "broker-a:1", "", "nonsense", "\"ü/\\主\n\u{7f}"];
    let value = values[random.below(values.len())];
    say(request, random, "value", value)
}

fn route(request: Request, random: &mut Random) -> Request {
    let name = if random.percent(92) { topic(random) } else { "no-such-topic" };
    let mut request = say(request, random, "topic", name);
    for (key, cases, values) in [
        ("acceptStandardJsonOnly", 20, &["true", "TRUE", "false", "yes"]),
        ("__ZONE_MODE", 20, &["true", "true", "True", "false"]),
        ("__ZONE_NAME", 20, &["zone-1", "ZONE-2", "zone-3", " "]),
    ] {
        if random.percent(cases) {
            request = request.with(key, random.pick(&values[..]));
        }
    }
    request
}

/// The unit bits of the topic that a request names.
fn unit_bits(request: &Request) -> i32 {
    let name = request.ext_fields.get("topic").map_or("", String::as_str);
    TOPICS.iter().find(|(known, _)| *known == name).map_or(0, |(_, flag)| *flag)
}

/// The body of a 217: only its queues are used.
fn queues(flag: i32, random: &mut Random) -> Vec<u8> {
    match random.below(100) {
        0..=3 => return Vec::new(),
        4..=6 => return b"nonsense".to_vec(),
        7..=8 => return br#"{"brokerDatas":[],"queueDatas":[]}"#.to_vec(),
        _ => {}
    }
    let mut queue = || {
        let name = if random.percent(90) { BROKERS[random.below(BROKERS.len())] } else { "no-such-broker" };
        json!({
            "brokerName": name,
            "perm": random.weighted(&[(6, 6), (2, 4), (2, 7)]),
            "readQueueNums": 1 + random.below(4),
            "topicSysFlag": flag,
            "writeQueueNums": 1 + random.below(4),
        })
    };
    let queues: Vec<Value> = (0..3).map(|_| queue()).collect();
    let count = 1 + random.below(queues.len());
    json!({ "brokerDatas": [], "filterServerTable": {}, "queueDatas": queues[..count] })
        .to_string()
        .into_bytes()
}

/// The body of a 318. What would make time or place matter is not among it.
fn settings(random: &mut Random) -> Vec<u8> {
    let switches = [
        "orderMessageEnable",
        "supportActingMaster",
        "enableTopicList",
        "enableAllTopicList",
        "deleteTopicWithBrokerRegistration",
        "returnOrderTopicConfigToBroker",
    ];
    let switch = switches[random.below(switches.len())];
    let truth = random.pick(&["true", "true", "false", "false", "TRUE", "yes", "true ", ""]);
    let text = match random.below(100) {
        0..=54 => format!("{switch}={truth}\n"),
        55..=64 => {
            let other = switches[random.below(switches.len())];
            format!("# comment\r\n{switch} : {truth}\r\n{other}\ttrue\r\n")
        }
        65..=69 => {
            "serverSocketBacklog=2048\nserverOnewaySemaphoreValue=many\nproductEnvName=a\\u00FCb\\\n c"
                .to_owned()
        }
        70..=74 => format!("productEnvName=ü主\n{switch}=\\t{truth}\nnoSuchKey=1"),
        75..=79 => format!("{switch}={truth}\n{switch}=false"),
        80..=84 => format!(
            "{}=x\n{switch}=true",
            random.pick(&["kvConfigPath", "configStorePath", "configBlackList"])
        ),
        85..=87 => "rocketmqHome=/nowhere".to_owned(),
        88..=90 => format!("{switch}=true\nproductEnvName=\\u00"),
        91..=93 => format!("{}=true", switch.to_uppercase()),
        94..=96 => "\u{1}\u{2}=\n\n!=\n=\n".to_owned(),
        _ => String::new(),
    };
    text.into_bytes()
}
