//! The server's side of 103, 104, 105 and 106: what it reads from the requests that were really sent, and from
//! arguments that are missing or odd (`docs/wire.md` §1.7, §2.2, §2.4).

#[path = "../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;

use std::fmt::Debug;

use rocketmq_nameserver_protocol::code::{RequestCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{DataParseError, Reason};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::{
    DataVersion, Name, Perm, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper,
};
use rocketmq_nameserver_protocol::request::{
    GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UnregisterBroker,
};

fn command(code: i32, fields: &[(&str, &str)], body: &str) -> Command {
    Command::request(RequestCode(code), ExtFields::from_iter(fields.iter().copied()), body.to_owned())
}

/// The captured requests of that code, as their servers got them.
fn captured<R: Request>() -> Vec<Command> {
    let requests = captures::manifest().into_iter().filter(|request| request.code == R::CODE.0);
    requests
        .map(|request| {
            let fields: Vec<_> =
                request.ext_fields.iter().map(|(key, value)| (&key[..], &value[..])).collect();
            command(request.code, &fields, &request.request_body)
        })
        .collect()
}

/// What the arguments mean, or which one is why they mean nothing.
#[allow(clippy::needless_pass_by_value, reason = "the tables read better without references")]
fn check<R: Request + Debug + PartialEq>(command: &Command, expected: Result<R, Reason>) {
    let found = R::from_command(command).map_err(|error| error.reason);
    assert_eq!(found, expected, "{command:?}");
}

#[test]
fn the_captured_registrations_say_what_was_registered() {
    let topic = |name: &str, perm, topic_sys_flag| TopicConfig {
        write_queue_nums: 2,
        topic_sys_flag,
        ..TopicConfig::new(name, 1, Perm(perm))
    };
    let version = DataVersion { counter: 1, state_version: 0, timestamp: 1 };
    let expected = RegisterBroker {
        cluster_name: Name::from("集群"),
        broker_name: Name::from("broker-ü"),
        broker_addr: Name::from("[2001:db8::1]:10911"),
        broker_id: 0,
        ha_server_addr: Name::from("[2001:db8::1]:10912"),
        heartbeat_timeout_millis: None,
        enable_acting_master: None,
        zone_name: None,
        body: RegisterBrokerBody {
            filter_server_list: Some(vec![Name::from("127.0.0.1:1")]),
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(
                version,
                [topic("主题-ü", 4, 0), topic("unit-ü", 6, 3)],
            ),
        },
    };
    let commands = captured::<RegisterBroker>();
    assert_eq!(commands.len(), 2, "one for each server");
    for command in commands {
        check(&command, Ok(expected.clone()));
    }
}

#[test]
fn the_captured_departures_and_questions_say_who_and_what() {
    let expected = UnregisterBroker {
        cluster_name: Name::from("集群"),
        broker_name: Name::from("broker-ü"),
        broker_addr: Name::from("[2001:db8::1]:10911"),
        broker_id: 0,
    };
    let commands = captured::<UnregisterBroker>();
    assert_eq!(commands.len(), 2);
    for command in commands {
        check(&command, Ok(expected.clone()));
    }
    for command in captured::<GetRouteInfo>() {
        let topic = command.header.ext_fields.get("topic").cloned();
        let accept_standard_json_only = command.header.ext_fields.get("acceptStandardJsonOnly").is_some();
        let expected = topic.map(|topic| GetRouteInfo { topic, accept_standard_json_only, zone: None });
        check(&command, expected.ok_or(Reason::Missing("topic")));
    }
    for command in captured::<GetBrokerClusterInfo>() {
        check(&command, Ok(GetBrokerClusterInfo));
    }
}

const IDENTITY: [(&str, &str); 4] =
    [("clusterName", "c"), ("brokerName", "a"), ("brokerAddr", "h:1"), ("brokerId", "0")];

/// A registration or departure with one argument set, or taken away.
fn with(code: i32, key: &str, value: Option<&str>) -> Command {
    let mut command = command(code, &IDENTITY, "");
    command.header.ext_fields.remove(key);
    if let Some(value) = value {
        command.header.ext_fields.set(key, value);
    }
    command
}

fn registration() -> RegisterBroker {
    RegisterBroker {
        cluster_name: Name::from("c"),
        broker_name: Name::from("a"),
        broker_addr: Name::from("h:1"),
        body: RegisterBrokerBody::new(DataVersion::default(), []),
        ..RegisterBroker::default()
    }
}

#[test]
fn arguments_without_which_nothing_can_be_done_are_missed_by_name() {
    for key in ["clusterName", "brokerName", "brokerAddr", "brokerId"] {
        check::<RegisterBroker>(&with(103, key, None), Err(Reason::Missing(key)));
        check::<UnregisterBroker>(&with(104, key, None), Err(Reason::Missing(key)));
    }
    check(&with(103, "haServerAddr", None), Ok(registration()));
}

#[test]
fn numbers_are_read_as_java_reads_them() {
    for (text, expected) in [
        ("0", Some(0)),
        ("+3", Some(3)),
        ("03", Some(3)),
        ("-0", Some(0)),
        ("-7", Some(-7)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("", None),
        (" 3", None),
        ("3.0", None),
        ("0x3", None),
        ("3L", None),
    ] {
        let id = expected.map(|broker_id| RegisterBroker { broker_id, ..registration() });
        check(&with(103, "brokerId", Some(text)), id.ok_or(Reason::Expected("a whole number")));
        // An optional number that cannot be read is not there.
        let timeout = RegisterBroker { heartbeat_timeout_millis: expected, ..registration() };
        check(&with(103, "heartbeatTimeoutMillis", Some(text)), Ok(timeout));
    }
}

#[test]
fn truth_values_are_true_in_any_case_and_false_otherwise() {
    for (text, truth) in
        [("true", true), ("TRUE", true), ("True", true), ("yes", false), ("1", false), ("", false)]
    {
        let master = RegisterBroker { enable_acting_master: Some(truth), ..registration() };
        check(&with(103, "enableActingMaster", Some(text)), Ok(master));
        let question = command(105, &[("topic", "t"), ("acceptStandardJsonOnly", text)], "");
        let topic = Name::from("t");
        check(&question, Ok(GetRouteInfo { topic, accept_standard_json_only: truth, zone: None }));
        let in_zone = command(105, &[("topic", "t"), ("__ZONE_MODE", text), ("__ZONE_NAME", "z")], "");
        let zone = truth.then(|| Name::from("z"));
        check(&in_zone, Ok(GetRouteInfo { topic: Name::from("t"), accept_standard_json_only: false, zone }));
    }
    check(
        &with(103, "__ZONE_NAME", Some("")),
        Ok(RegisterBroker { zone_name: Some(Name::default()), ..registration() }),
    );
}

#[test]
fn a_checksum_is_checked_if_there_is_one() {
    let body = r#"{"topicConfigSerializeWrapper":{},"filterServerList":["f:1"]}"#;
    let good = RegisterBroker {
        body: RegisterBrokerBody {
            filter_server_list: Some(vec![Name::from("f:1")]),
            ..RegisterBrokerBody::default()
        },
        ..registration()
    };
    let mismatch = Reason::Crc32Mismatch;
    assert_eq!(mismatch.to_string(), "crc32 not match", "the words of the real servers");
    // CRC-32 of the body with its sign bit off, from another implementation.
    let right = "1276094705";
    for (crc, expected) in [
        (None, Ok(good.clone())),
        (Some("0"), Ok(good.clone())),
        (Some(right), Ok(good.clone())),
        (Some("1"), Err(mismatch.clone())),
        (Some("-1"), Err(mismatch.clone())),
        // Beyond 32 bits with a sign, or no number at all, is none.
        (Some("4294967295"), Ok(good.clone())),
        (Some("x"), Ok(good)),
    ] {
        let mut command = with(103, "bodyCrc32", crc);
        command.body = body.into();
        check(&command, expected);
    }
    check::<RegisterBroker>(&with(103, "bodyCrc32", Some("5")), Err(mismatch));
}

#[test]
fn a_body_that_is_broken_is_refused_and_none_is_an_empty_one() {
    for compressed in ["true", "false"] {
        check(&with(103, "compressed", Some(compressed)), Ok(registration()));
    }
    let mut broken = with(103, "compressed", Some("false"));
    broken.body = r#"{"filterServerList":{}}"#.into();
    let error = RegisterBroker::from_command(&broken).unwrap_err();
    assert_eq!((error.offset, &error.reason), (20, &Reason::Expected("a list")), "{error}");
    assert!(error.excerpt.len() <= DataParseError::EXCERPT);
}

#[test]
fn before_3_0_11_the_body_is_the_topics_alone() {
    let wrapper = r#"{"dataVersion":{"counter":1,"timestamp":1},"topicConfigTable":{"T":{"topicName":"T"}}}"#;
    let whole = format!(r#"{{"topicConfigSerializeWrapper":{wrapper},"filterServerList":["f:1"]}}"#);
    let version = DataVersion { counter: 1, state_version: 0, timestamp: 1 };
    let topics = TopicConfigSerializeWrapper::new(version, [TopicConfig::new("T", 16, Perm::READ_WRITE)]);
    let no_topics =
        |data_version| TopicConfigSerializeWrapper { data_version, ..TopicConfigSerializeWrapper::default() };
    let zero = Some(DataVersion::default());
    let filter_servers = Some(vec![Name::from("f:1")]);
    for (release, body, expected) in [
        (37, &*whole, (filter_servers, topics.clone())),
        (37, wrapper, (Some(vec![]), no_topics(None))),
        (37, "", (Some(vec![]), no_topics(zero))),
        (36, wrapper, (None, topics)),
        (36, &whole, (None, no_topics(None))),
        (0, "", (None, no_topics(zero))),
    ] {
        let mut command = with(103, "haServerAddr", None);
        command.header.version = Version(release);
        command.body = body.to_owned().into();
        let (filter_server_list, topic_config_serialize_wrapper) = expected;
        let expected = RegisterBrokerBody { filter_server_list, topic_config_serialize_wrapper };
        check(&command, Ok(RegisterBroker { body: expected, ..registration() }));
    }
}
