//! What a real 5.3.3 server was asked, asked here, and the answers compared.
//!
//! The order of lists and maps in the captures is that of Java's hash maps, so values are compared there; where only
//! one broker is concerned, every byte of the body is.

use std::path::{Path, PathBuf};

use rocketmq_nameserver_protocol::code::{RequestCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{self, SerializeType};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, DataVersion, KvTable, Name, Perm, RegisterBrokerBody, TopicConfig,
    TopicConfigSerializeWrapper, TopicRouteData,
};
use rocketmq_nameserver_protocol::request::RegisterBroker;
use rocketmq_nameserver_server::NameServer;
use serde_json::Value;
use tokio::io::{DuplexStream, duplex};

use crate::peer::Peer;

const SERVER: &str = "rocketmq-5.3.3";

/// The captured requests that this server answers, in the order in which they were sent. Those that follow a request
/// which it does not answer, and depend on it, are left out.
const REPLAYED: [&str; 20] = [
    "route",
    "route-standard-json-flag",
    "route-version-5",
    "route-binary-header",
    "route-missing-topic",
    "route-missing-topic-binary-header",
    "route-system-topic",
    "route-no-topic-field",
    "route-empty-topic",
    "cluster-info",
    "cluster-info-binary-header",
    "cluster-info-version-5",
    "unsupported-code",
    "register-broker",
    "route-unicode-ipv6",
    "route-unicode-ipv6-standard-json",
    "route-unicode-ipv6-binary-header",
    "cluster-info-unicode-ipv6",
    "route-unit-topic",
    "unregister-broker",
];

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/captures")
}

fn read_json(name: &str) -> Value {
    let text = std::fs::read(captures().join(name)).expect(name);
    serde_json::from_slice(&text).expect(name)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| number.try_into().ok()).expect("a number")
}

/// The request of an entry of the manifest, with the form that it was sent in.
fn request(entry: &Value) -> (Command, SerializeType) {
    let fields = entries(&entry["ext_fields"]).map(|(key, value)| (key.as_str(), text(value)));
    let mut command = Command::request(
        RequestCode(number(&entry["code"]) as i32),
        ExtFields::from_iter(fields),
        text(&entry["request_body"]).to_owned(),
    );
    command.header.version = Version(number(&entry["request_version"]) as i32);
    command.header.opaque = 7;
    let binary = entry["binary_header"].as_bool().expect("true or false");
    let form = if binary { SerializeType::RocketMq } else { SerializeType::Json };
    (command, form)
}

fn captured_answer(entry: &Value) -> Command {
    let file = captures().join(text(&entry["response"]));
    let mut bytes = std::fs::read(file).expect("a capture").as_slice().into();
    let frame = frame::cut(&mut bytes, frame::DEFAULT_MAX_FRAME_SIZE).unwrap().unwrap();
    Command::from_frame(frame).unwrap()
}

fn topics(topics: &Value) -> Vec<TopicConfig> {
    let config = |name: String, settings: &Value| TopicConfig {
        read_queue_nums: number(&settings["readQueueNums"]),
        write_queue_nums: number(&settings["writeQueueNums"]),
        topic_sys_flag: number(&settings["topicSysFlag"]) as i32,
        ..TopicConfig::new(name, 0, Perm(number(&settings["perm"]) as i32))
    };
    match topics.get("generate") {
        Some(settings) => {
            assert_eq!(settings["name"], "Topic%06d");
            let numbers = number(&settings["from"])..=number(&settings["to"]);
            numbers.map(|number| config(format!("Topic{number:06}"), settings)).collect()
        }
        None => entries(topics).map(|(name, settings)| config(name.clone(), settings)).collect(),
    }
}

/// Registers what was registered when the captures were made.
async fn register_initial_state(peer: &mut Peer<DuplexStream>) {
    let state = read_json("initial-state.json");
    for group in state[SERVER]["brokers"].as_array().expect("brokers") {
        let topics = topics(&group["topics"]);
        for (id, address) in entries(&group["brokerAddrs"]) {
            let version = DataVersion { counter: 1, timestamp: 1, state_version: 0 };
            let registration = RegisterBroker {
                cluster_name: text(&group["clusterName"]).into(),
                broker_name: text(&group["brokerName"]).into(),
                broker_addr: text(address).into(),
                broker_id: id.parse().expect("a broker id"),
                enable_acting_master: Some(false),
                body: RegisterBrokerBody {
                    filter_server_list: Some(Vec::new()),
                    topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(version, topics.clone()),
                },
                ..RegisterBroker::default()
            };
            peer.call(&registration).await.expect("registered");
        }
    }
}

fn sorted_route(body: &[u8]) -> TopicRouteData {
    let mut route = TopicRouteData::from_bytes(body).unwrap();
    route.broker_data_list.sort();
    route.queue_data_list.sort();
    route
}

fn sorted_info(body: &[u8]) -> BrokerClusterInfo {
    let mut info = BrokerClusterInfo::from_bytes(body).unwrap();
    for names in info.cluster_addr_table.values_mut() {
        names.sort();
    }
    info
}

fn check(name: &str, code: RequestCode, answer: &Command, captured: &Command) {
    let (ours, real) = (&answer.header, &captured.header);
    assert_eq!((ours.code, ours.opaque, ours.flag), (real.code, real.opaque, real.flag), "{name}");
    assert_eq!(ours.version, real.version, "{name}");
    assert_eq!(ours.remark, real.remark, "{name}");
    assert_eq!(ours.ext_fields, real.ext_fields, "{name}");
    match code {
        // The order configuration that the real server had been given before; this one has none to hand out.
        RequestCode::REGISTER_BROKER => {
            let kv = KvTable::from_bytes(&captured.body).unwrap();
            assert_eq!(kv.table.into_keys().collect::<Vec<_>>(), [Name::from("Topic000002")]);
            assert!(answer.body.is_empty(), "{name}");
            return;
        }
        _ if captured.body.is_empty() => {}
        RequestCode::GET_ROUTEINFO_BY_TOPIC => {
            let route = sorted_route(&captured.body);
            assert_eq!(sorted_route(&answer.body), route, "{name}");
            if route.broker_data_list.len() == 1 {
                assert_eq!(answer.body, captured.body, "{name}");
            }
        }
        RequestCode::GET_BROKER_CLUSTER_INFO => {
            assert_eq!(sorted_info(&answer.body), sorted_info(&captured.body), "{name}");
        }
        other => panic!("{name}: a body in an answer to {other}"),
    }
    // In whatever order, the same text has the same length: the dialect is the same too.
    assert_eq!(answer.body.len(), captured.body.len(), "{name}");
}

#[tokio::test]
async fn a_real_server_answers_the_same() {
    let server = NameServer::builder().build();
    let connect = || {
        let (near, far) = duplex(64 * 1024);
        tokio::spawn(server.serve_stream(far));
        Peer::new(near)
    };
    let mut brokers = connect();
    register_initial_state(&mut brokers).await;

    let manifest = read_json("manifest.json");
    let of_this_server = manifest.as_array().expect("a list").iter();
    let mut replayed = Vec::new();
    // One connection for all: the registration in the middle holds as long as it does.
    let mut peer = connect();
    for entry in of_this_server.filter(|entry| entry["server"] == SERVER) {
        let name = text(&entry["name"]);
        if !REPLAYED.contains(&name) {
            continue;
        }
        replayed.push(name);
        let (request, form) = request(entry);
        peer.send_bytes(&request.to_frame(form).unwrap()).await;
        let frame = peer.next_frame().await.expect(name);
        assert_eq!(frame.serialize_type, form, "{name}");
        let answer = Command::from_frame(frame).unwrap();
        check(name, RequestCode(request.header.code), &answer, &captured_answer(entry));
    }
    assert_eq!(replayed, REPLAYED);
    assert!(!peer.knows("主题-ü").await, "unregistered");
    assert!(peer.knows("Topic000001").await);
}
