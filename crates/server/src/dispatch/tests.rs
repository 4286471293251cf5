//! What whole requests are answered with.

use rocketmq_nameserver_protocol::code::Language;
use rocketmq_nameserver_protocol::header::{ExtFields, RESPONSE_FLAG};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, DataVersion, Perm, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper,
    TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{
    GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UnregisterBroker,
};

use super::*;

const CONNECTION: ConnectionId = ConnectionId(1);

fn broker(id: i64) -> RegisterBroker {
    let topics = ["T1", "T2"].map(|topic| TopicConfig::new(topic, 4, Perm::READ_WRITE));
    RegisterBroker {
        cluster_name: "c".into(),
        broker_name: "a".into(),
        broker_addr: format!("10.0.0.{id}:10911").into(),
        broker_id: id,
        ha_server_addr: format!("10.0.0.{id}:10912").into(),
        body: RegisterBrokerBody {
            filter_server_list: Some(Vec::new()),
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(DataVersion::default(), topics),
        },
        ..RegisterBroker::default()
    }
}

fn empty(personality: Personality) -> Dispatcher {
    Dispatcher::new(personality, KvStore::default(), Settings::new(personality), false)
}

/// A server that knows broker `a` with id 0.
fn server() -> Dispatcher {
    let server = empty(Personality::V5);
    answer(&server, &broker(0).to_command());
    server
}

fn answer(server: &Dispatcher, request: &Command) -> Command {
    let reply = server.answer(CONNECTION, request.clone(), SerializeType::Json, Faults::NONE);
    server.carry_out_farewells();
    reply.expect("an answer").command
}

fn query(topic: &str, version: i32, standard: bool) -> Command {
    let query = GetRouteInfo { accept_standard_json_only: standard, ..GetRouteInfo::new(topic) };
    let mut command = query.to_command();
    command.header.version = Version(version);
    command
}

fn without(mut command: Command, field: &str) -> Command {
    command.header.ext_fields.remove(field);
    command
}

fn with(mut command: Command, field: &str, value: &str) -> Command {
    command.header.ext_fields.set(field, value);
    command
}

#[test]
fn every_answer_is_a_response_of_a_5x_server_with_the_opaque_of_its_request() {
    let server = server();
    for mut request in [
        broker(0).to_command(),
        query("T1", 0, false),
        query("none", 0, false),
        GetBrokerClusterInfo.to_command(),
        Command::request(RequestCode(-1), ExtFields::new(), ""),
    ] {
        request.header.opaque = -7;
        let answer = answer(&server, &request).header;
        assert_eq!((answer.opaque, answer.flag), (-7, RESPONSE_FLAG));
        assert_eq!((answer.version, answer.language), (Version::V5_3_3, Language::RUST));
    }
}

#[test]
fn refusals_have_the_code_and_the_words_of_a_5x_server() {
    let not_found = |topic: &str| {
        format!(
            "No topic route info in name server for the topic: {topic}\nSee \
             https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
        )
    };
    let mut single = broker(7);
    let topics = &mut single.body.topic_config_serialize_wrapper.topic_config_table;
    topics.remove("T1");
    for (request, code, remark) in [
        (query("T3", 479, true), 17, not_found("T3")),
        (query("", 0, false), 17, not_found("")),
        (without(query("T1", 0, false), "topic"), 17, not_found("null")),
        (single.to_command(), 1, "register broker failed".to_owned()),
        (
            Command::request(RequestCode(999), ExtFields::new(), ""),
            3,
            " request type 999 not supported".to_owned(),
        ),
    ] {
        let refusal = answer(&server(), &request).refusal();
        assert_eq!(refusal, Some(Refusal::new(ResponseCode(code), remark)));
    }
}

#[test]
fn a_request_that_cannot_be_decoded_is_refused_with_the_reason_and_changes_nothing() {
    let registration = broker(1).to_command();
    let mut garbage = with(registration.clone(), "bodyCrc32", "0");
    garbage.body = "{".into();
    let server = server();
    let before = server.read().cluster_info();
    for request in [
        without(registration.clone(), "brokerId"),
        with(registration.clone(), "brokerId", "x"),
        with(registration.clone(), "bodyCrc32", "1"),
        with(registration, "compressed", "TRUE"),
        garbage,
    ] {
        let refusal = answer(&server, &request).refusal().unwrap();
        assert_eq!(refusal.code, ResponseCode::SYSTEM_ERROR, "{request:?}");
        assert!(refusal.remark.is_some_and(|remark| !remark.is_empty()), "{request:?}");
        assert_eq!(server.read().cluster_info(), before, "{request:?}");
    }
}

#[test]
fn oneway_requests_take_effect_and_responses_do_not_and_neither_is_answered() {
    let response = |mut command: Command| {
        command.header.flag |= RESPONSE_FLAG;
        command
    };
    let slave = broker(1).to_command();
    let unknown = Command::request(RequestCode(999), ExtFields::new(), "");
    for (request, members) in [
        (slave.clone().oneway(), 2),
        (response(slave.clone()), 1),
        (response(slave.oneway()), 1),
        (query("T1", 0, false).oneway(), 1),
        (unknown.oneway(), 1),
    ] {
        let server = server();
        assert!(server.answer(CONNECTION, request.clone(), SerializeType::Json, Faults::NONE).is_none());
        let group = &server.read().cluster_info().broker_addr_table["a"];
        assert_eq!(group.broker_addresses.len(), members, "{request:?}");
    }
}

#[test]
fn routes_are_in_the_dialect_that_the_client_understands() {
    let server = server();
    for (version, standard, keys) in [
        (-1, false, "{0:"),
        (399, false, "{0:"),
        (400, false, "{0:"),
        (401, false, r#"{"0":"#),
        (479, false, r#"{"0":"#),
        (399, true, r#"{"0":"#),
    ] {
        let answer = answer(&server, &query("T1", version, standard));
        let text = std::str::from_utf8(&answer.body).unwrap();
        assert!(text.contains(keys), "version {version}: {text}");
        let route = TopicRouteData::from_bytes(&answer.body).unwrap();
        assert_eq!(route.queue_data_list[0].read_queue_nums, 4);
    }
}

#[test]
fn cluster_info_is_in_the_legacy_dialect_whoever_asks() {
    let server = server();
    for version in [0, 479] {
        let mut request = with(GetBrokerClusterInfo.to_command(), "acceptStandardJsonOnly", "true");
        request.header.version = Version(version);
        let body = answer(&server, &request).body;
        assert!(std::str::from_utf8(&body).unwrap().contains("{0:"), "{version}");
        let info = BrokerClusterInfo::from_bytes(&body).unwrap();
        assert_eq!(info.cluster_addr_table["c"], ["a"]);
    }
}

#[test]
fn a_slave_learns_its_master_from_the_answer() {
    let told = answer(&server(), &broker(1).to_command());
    let told = RegisterBroker::from_answer(&Answer::from_response(told).unwrap()).unwrap();
    assert_eq!(told.master_addr, Some(broker(0).broker_addr));
    assert_eq!(told.ha_server_addr, Some(broker(0).ha_server_addr));
    assert_eq!(told.kv_table, None);
}

#[test]
fn a_registration_without_a_body_is_an_empty_one() {
    let server = server();
    let mut request = with(broker(0).to_command(), "bodyCrc32", "0");
    request.body = "".into();
    assert_eq!(answer(&server, &request).refusal(), None);
    // Its data version, all zero, is that of the broker: nothing was rewritten and nothing is gone.
    assert!(server.read().route(&"T1".into(), false).is_some());
}

#[test]
fn a_broker_leaves_by_request_or_with_its_connection() {
    let leaving = UnregisterBroker {
        cluster_name: "c".into(),
        broker_name: "a".into(),
        broker_addr: broker(0).broker_addr,
        broker_id: 0,
    };
    let by_request = server();
    assert_eq!(answer(&by_request, &leaving.to_command()).refusal(), None);
    let by_connection = server();
    by_connection.connection_closed(ConnectionId(2));
    assert!(by_connection.read().route(&"T1".into(), false).is_some());
    by_connection.connection_closed(CONNECTION);
    for server in [by_request, by_connection] {
        assert_eq!(server.read().cluster_info(), BrokerClusterInfo::default());
        assert_eq!(server.read().route(&"T1".into(), false), None);
    }
}
