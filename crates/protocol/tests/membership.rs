//! 217, 322, 901 and 904: every captured request and answer, both ways, and what is missing or odd. What must come out is
//! what the servers knew before the first request (`docs/wire.md` §2.5).

#[path = "../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;

use std::fmt::Debug;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Reason;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerMemberGroup, DataVersion, Name, Perm, QueueData, TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{
    AddWritePermOfBroker, Answer, BrokerHeartbeat, GetBrokerMemberGroup, GetRouteInfo, QueryDataVersion,
    QueryDataVersionResult, RegisterTopicInNamesrv, Request,
};

use captures::Broker;

/// The broker that all captures are about.
fn broker(server: &str) -> Broker {
    captures::initial_state()[server].brokers[0].clone()
}

fn version(broker: &Broker) -> DataVersion {
    let version = broker.data_version.expect("a scripted broker");
    let captures::DataVersion { timestamp, counter, state_version } = version;
    DataVersion { counter, state_version, timestamp }
}

/// Runs both captures of this request through it, both ways. A 4.x server gave no answer if it does not know the request.
fn check<R>(request: fn(&Broker) -> R, response: fn(&Broker) -> R::Response)
where
    R: Request + Debug + PartialEq,
    R::Response: Debug + PartialEq,
{
    let captured = captures::manifest().into_iter().filter(|capture| capture.code == R::CODE.0);
    let count = captured.map(|capture| {
        let id = capture.id();
        let broker = broker(&capture.server);
        let fields = capture.ext_fields.iter().map(|(key, value)| (&key[..], &value[..]));
        let sent = Command::request(R::CODE, fields.collect(), capture.request_body.clone());
        let found = R::from_command(&sent).unwrap();
        assert_eq!(found, request(&broker), "{id}");
        assert_eq!(R::from_command(&found.to_command()).as_ref(), Ok(&found), "{id}");
        let again = found.to_command().header.ext_fields;
        let again: ExtFields =
            capture.ext_fields.keys().filter_map(|key| Some((&key[..], again.get(key)?.clone()))).collect();
        assert_eq!(again, sent.header.ext_fields, "{id}");

        let Some(bytes) = capture.frame() else {
            assert_eq!((&*capture.server, R::SINCE), ("rocketmq-4.9.7", Version::V5_0_0), "{id}");
            return;
        };
        let frame = frame::cut(&mut BytesMut::from(&bytes[..]), DEFAULT_MAX_FRAME_SIZE).unwrap();
        let answered = Command::from_frame(frame.expect("a whole frame")).unwrap();
        assert!(answered.header.version >= R::SINCE, "{id}");
        let answer = Answer::from_response(answered).unwrap();
        let found = R::from_answer(&answer).unwrap();
        assert_eq!(found, response(&broker), "{id}");
        for dialect in [Dialect::Standard, Dialect::Legacy] {
            assert_eq!(R::from_answer(&R::to_answer(&found, dialect)).as_ref(), Ok(&found), "{id}");
        }
        if capture.server == "rocketmq-5.3.3" {
            assert_eq!(R::to_answer(&found, Dialect::Legacy), answer, "{id}");
        }
    });
    assert_eq!(count.count(), 2, "one for each server");
}

fn nothing(_: &Broker) {}

#[test]
fn a_topic_was_registered_with_its_queues() {
    check::<RegisterTopicInNamesrv>(
        |broker| RegisterTopicInNamesrv {
            topic: Name::from("FixtureTopic"),
            route: TopicRouteData {
                queue_data_list: vec![QueueData {
                    broker_name: Name::from(&*broker.broker_name),
                    read_queue_nums: 4,
                    write_queue_nums: 4,
                    perm: Perm::READ_WRITE,
                    ..QueueData::default()
                }],
                ..TopicRouteData::default()
            },
        },
        nothing,
    );
}

#[test]
fn the_data_version_is_that_of_the_broker() {
    check::<QueryDataVersion>(
        |broker| QueryDataVersion {
            cluster_name: Name::from(&*broker.cluster_name),
            broker_name: Name::from(&*broker.broker_name),
            broker_addr: Name::from(&*broker.broker_addrs[&0]),
            broker_id: 0,
            data_version: version(broker),
        },
        |broker| QueryDataVersionResult { changed: false, data_version: Some(version(broker)) },
    );
}

#[test]
fn the_members_are_those_of_the_group() {
    check::<GetBrokerMemberGroup>(
        |broker| GetBrokerMemberGroup {
            cluster_name: Name::from(&*broker.cluster_name),
            broker_name: Name::from(&*broker.broker_name),
        },
        |broker| BrokerMemberGroup {
            cluster: Name::from(&*broker.cluster_name),
            broker_name: Name::from(&*broker.broker_name),
            broker_addresses: broker.broker_addrs.iter().map(|(id, address)| (*id, &**address)).collect(),
        },
    );
}

#[test]
fn a_heartbeat_says_who_lives() {
    check::<BrokerHeartbeat>(
        |broker| BrokerHeartbeat {
            cluster_name: Name::from(&*broker.cluster_name),
            broker_name: Name::from(&*broker.broker_name),
            broker_addr: Name::from(&*broker.broker_addrs[&0]),
            ..BrokerHeartbeat::default()
        },
        nothing,
    );
}

#[test]
fn a_4x_server_gets_no_request_that_it_never_answers() {
    assert!(Version::V4_9_7 < GetBrokerMemberGroup::SINCE && GetBrokerMemberGroup::SINCE <= Version::V5_3_3);
    for since in [QueryDataVersion::SINCE, GetRouteInfo::SINCE, AddWritePermOfBroker::SINCE] {
        assert_eq!(since, Version(0));
    }
}

#[test]
fn a_4x_server_says_no_state_version() {
    let version = DataVersion { counter: 1, state_version: 0, timestamp: 1 };
    // rocketmq-4.9.7-data-version.frame
    let body = br#"{"counter":1,"timestamp":1}"#;
    assert_eq!(version.to_bytes_without_state_version(), body);
    assert_eq!(DataVersion::from_bytes(body), Ok(version));
}

const IDENTITY: [(&str, &str); 4] =
    [("clusterName", "c"), ("brokerName", "a"), ("brokerAddr", "h:1"), ("brokerId", "7")];

/// A request with these arguments but that one.
fn without<R: Request>(key: &str, body: &'static str) -> Command {
    let fields = IDENTITY.into_iter().filter(|(known, _)| *known != key);
    Command::request(R::CODE, fields.collect(), body)
}

#[test]
fn arguments_without_which_nothing_can_be_done_are_missed_by_name_and_others_are_not() {
    for key in ["clusterName", "brokerAddr"] {
        let missing = Reason::Missing(key);
        let query = QueryDataVersion::from_command(&without::<QueryDataVersion>(key, "{}"));
        assert_eq!(query.unwrap_err().reason, missing);
        let heartbeat = BrokerHeartbeat::from_command(&without::<BrokerHeartbeat>(key, ""));
        assert_eq!(heartbeat.unwrap_err().reason, missing);
    }
    for (key, broker_name, broker_id) in [("brokerName", "", 7), ("brokerId", "a", 0)] {
        let query = QueryDataVersion::from_command(&without::<QueryDataVersion>(key, "{}")).unwrap();
        assert_eq!((&*query.broker_name, query.broker_id), (broker_name, broker_id));
    }
    let query = QueryDataVersion::from_command(&without::<QueryDataVersion>("", ""));
    assert_eq!(query.unwrap_err().reason, Reason::Empty);
    let group = Command::request(GetBrokerMemberGroup::CODE, ExtFields::new(), "");
    assert_eq!(GetBrokerMemberGroup::from_command(&group), Ok(GetBrokerMemberGroup::default()));
    let topic = Command::request(RegisterTopicInNamesrv::CODE, ExtFields::new(), "{}");
    assert_eq!(RegisterTopicInNamesrv::from_command(&topic).unwrap_err().reason, Reason::Missing("topic"));
    for body in ["", "null", "{}", r#"{"queueDatas":null}"#] {
        let topic =
            Command::request(RegisterTopicInNamesrv::CODE, ExtFields::from_iter([("topic", "T")]), body);
        let expected = RegisterTopicInNamesrv { topic: Name::from("T"), route: TopicRouteData::default() };
        assert_eq!(RegisterTopicInNamesrv::from_command(&topic), Ok(expected), "{body}");
    }
}

#[test]
fn a_heartbeat_has_its_numbers_under_the_names_of_java_and_none_that_cannot_be_read() {
    let heartbeat = BrokerHeartbeat {
        broker_id: Some(1),
        epoch: Some(2),
        max_offset: Some(3),
        confirm_offset: Some(-1),
        heartbeat_timeout_mills: Some(10_000),
        election_priority: Some(i32::MAX),
        ..BrokerHeartbeat::default()
    };
    let mut command = heartbeat.to_command();
    for (key, value) in [
        ("brokerId", "1"),
        ("epoch", "2"),
        ("maxOffset", "3"),
        ("confirmOffset", "-1"),
        ("heartbeatTimeoutMills", "10000"),
        ("electionPriority", "2147483647"),
    ] {
        assert_eq!(command.header.ext_fields.get(key).unwrap(), value);
    }
    assert_eq!(BrokerHeartbeat::from_command(&command), Ok(heartbeat.clone()));
    command.header.ext_fields.set("epoch", "2147483648");
    command.header.ext_fields.set("maxOffset", "x");
    let expected = BrokerHeartbeat { epoch: None, max_offset: None, ..heartbeat };
    assert_eq!(BrokerHeartbeat::from_command(&command), Ok(expected));
}

#[test]
fn an_answer_to_322_must_say_whether_there_are_changes() {
    let answer = |changed: Option<&str>, body: &'static str| Answer {
        ext_fields: changed.map(|changed| ("changed", changed)).into_iter().collect(),
        body: body.into(),
    };
    for (changed, body, expected) in [
        (Some("true"), "", Ok(QueryDataVersionResult { changed: true, data_version: None })),
        (None, "{}", Err(Reason::Missing("changed"))),
        (Some("maybe"), "", Err(Reason::Expected("true or false"))),
        (Some("true"), "[]", Err(Reason::Expected("an object"))),
    ] {
        let found = QueryDataVersion::from_answer(&answer(changed, body)).map_err(|error| error.reason);
        assert_eq!(found, expected, "{changed:?} {body}");
    }
}

#[test]
fn an_answer_to_901_may_have_no_names_and_no_members_but_must_have_a_group() {
    let one = BrokerAddresses::from_iter([(1, "h:1")]);
    for (body, expected) in [
        (r#"{"brokerMemberGroup":{"brokerAddrs":{}}}"#, Ok(BrokerMemberGroup::default())),
        (
            r#"{"brokerMemberGroup":{"brokerAddrs":{"1":"h:1"},"brokerName":"n","cluster":null}}"#,
            Ok(BrokerMemberGroup {
                broker_addresses: one,
                broker_name: Name::from("n"),
                cluster: Name::default(),
            }),
        ),
        ("{}", Err(Reason::Missing("brokerMemberGroup"))),
        (r#"{"brokerMemberGroup":null}"#, Err(Reason::Missing("brokerMemberGroup"))),
        ("", Err(Reason::Empty)),
    ] {
        let answer = Answer { body: body.into(), ..Answer::default() };
        let found = GetBrokerMemberGroup::from_answer(&answer).map_err(|error| error.reason);
        assert_eq!(found, expected, "{body}");
    }
    let written = GetBrokerMemberGroup::to_answer(&BrokerMemberGroup::default(), Dialect::Legacy);
    assert_eq!(written.body, &br#"{"brokerMemberGroup":{"brokerAddrs":{}}}"#[..]);
}
