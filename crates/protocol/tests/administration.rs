//! The KV store, write permissions, lists of topics and deleting one: every captured request and answer, both ways, and
//! what is missing or odd. What must come out is read from the captures by `serde_json` and by eye, not by the crate.

#[path = "../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Reason;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::{KvTable, Name, TopicList};
use rocketmq_nameserver_protocol::request::{
    AddWritePermOfBroker, Answer, DeleteKvConfig, DeleteTopicInNamesrv, GetAllTopicListFromNameserver,
    GetHasUnitSubTopicList, GetHasUnitSubUnunitTopicList, GetKvConfig, GetKvListByNamespace,
    GetSystemTopicListFromNs, GetTopicsByCluster, GetUnitTopicList, PutKvConfig, Request,
    WipeWritePermOfBroker,
};
use serde_json::{Value, json};

use captures::Capture;

/// The captured answer as the crate opens it, and the text of its body.
fn answer(capture: &Capture) -> (Command, String) {
    let mut bytes = BytesMut::from(&capture.frame().expect("an answer")[..]);
    let frame = frame::cut(&mut bytes, DEFAULT_MAX_FRAME_SIZE).unwrap().expect("a whole frame");
    let body = String::from_utf8(frame.body.to_vec()).unwrap();
    (Command::from_frame(frame).unwrap(), body)
}

/// The results in a header, by name.
type Fields = BTreeMap<String, String>;

/// Runs every capture of this request through it, both ways: the request says what was sent, the answer what
/// `expected` takes from its header and body. Returns how many there were.
fn check<R>(expected: fn(&Fields, &Value) -> R::Response) -> usize
where
    R: Request + Debug + PartialEq,
    R::Response: Debug + PartialEq,
{
    let captured = captures::manifest().into_iter().filter(|capture| capture.code == R::CODE.0);
    captured
        .map(|capture| {
            let fields: ExtFields =
                capture.ext_fields.iter().map(|(key, value)| (&key[..], &value[..])).collect();
            let sent = Command::request(R::CODE, fields, "");
            let request = R::from_command(&sent).unwrap();
            let again = request.to_command();
            let by_name = |command: &Command| -> BTreeMap<Name, Name> {
                command.header.ext_fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
            };
            assert_eq!((again.header.code, by_name(&again)), (R::CODE.0, by_name(&sent)), "{}", capture.id());

            let (command, body) = answer(&capture);
            let ext_fields = command.header.ext_fields.iter();
            let ext_fields = ext_fields.map(|(key, value)| (key.to_string(), value.to_string())).collect();
            let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
            let found = match Answer::from_response(command) {
                Ok(success) => {
                    let response = R::from_answer(&success).unwrap();
                    // What a server of ours would write says the same.
                    for dialect in [Dialect::Standard, Dialect::Legacy] {
                        let written = R::to_answer(&response, dialect);
                        assert_eq!(R::from_answer(&written).as_ref(), Ok(&response), "{}", capture.id());
                    }
                    Ok(response)
                }
                Err(refusal) => {
                    assert_eq!(refusal.code, ResponseCode::QUERY_NOT_FOUND, "{}", capture.id());
                    Err(refusal.remark.expect("a remark").to_string())
                }
            };
            let expected = if found.is_err() {
                let of = |field: &str| capture.ext_fields.get(field).cloned();
                let key = of("key").map(|key| format!(" Key: {key}")).unwrap_or_default();
                Err(format!("No config item, Namespace: {}{key}", of("namespace").unwrap()))
            } else {
                Ok(expected(&ext_fields, &body))
            };
            assert_eq!(found, expected, "{}", capture.id());
        })
        .count()
}

fn nothing(ext_fields: &Fields, body: &Value) {
    assert!(ext_fields.is_empty() && body.is_null(), "{ext_fields:?} {body}");
}

fn topics(_: &Fields, body: &Value) -> TopicList {
    let texts = body["topicList"].as_array().unwrap().iter().map(|topic| Name::from(topic.as_str().unwrap()));
    let broker_addr = body.get("brokerAddr").map(|address| Name::from(address.as_str().unwrap()));
    TopicList { topic_list: texts.collect(), broker_addr }
}

#[test]
fn every_captured_request_and_answer_says_what_its_text_says() {
    let counts = [
        check::<PutKvConfig>(nothing),
        check::<GetKvConfig>(|ext_fields, _| Name::from(&*ext_fields["value"])),
        check::<DeleteKvConfig>(nothing),
        check::<GetKvListByNamespace>(|_, body| {
            let table = body["table"].as_object().unwrap().iter();
            let table = table.map(|(key, value)| (Name::from(&**key), Name::from(value.as_str().unwrap())));
            KvTable { table: table.collect() }
        }),
        check::<WipeWritePermOfBroker>(|ext_fields, _| ext_fields["wipeTopicCount"].parse().unwrap()),
        check::<AddWritePermOfBroker>(|ext_fields, _| ext_fields["addTopicCount"].parse().unwrap()),
        check::<GetAllTopicListFromNameserver>(topics),
        check::<GetTopicsByCluster>(topics),
        check::<GetSystemTopicListFromNs>(topics),
        check::<GetUnitTopicList>(topics),
        check::<GetHasUnitSubTopicList>(topics),
        check::<GetHasUnitSubUnunitTopicList>(topics),
        check::<DeleteTopicInNamesrv>(nothing),
    ];
    assert_eq!(counts, [4, 4, 2, 4, 4, 2, 2, 6, 2, 4, 4, 4, 4]);
}

#[test]
fn the_lists_are_those_of_the_servers() {
    for (server, state) in captures::initial_state() {
        let capture = |name: &str| {
            let mut all = captures::manifest().into_iter();
            all.find(|capture| capture.server == server && capture.name == name).unwrap()
        };
        let list = |name: &str| TopicList::from_bytes(answer(&capture(name)).1.as_bytes()).unwrap();
        let known: Vec<&str> = state.brokers.iter().map(|broker| &*broker.broker_name).collect();
        let system = list("system-topics");
        for broker in known {
            assert!(system.topic_list.iter().any(|topic| topic == broker), "{server}: {broker}");
        }
        assert!(system.broker_addr.is_some());
        assert!(list("topic-list").topic_list.len() >= 1_000);
        assert_eq!(list("topic-list").broker_addr, None);
        assert_eq!(list("unit-topics-one").topic_list, ["unit-ü"]);
    }
}

#[test]
fn an_argument_that_is_missing_is_named() {
    fn missing<R: Request + Debug>(fields: &[(&'static str, &str)], expected: &'static str) {
        let command = Command::request(R::CODE, ExtFields::from_iter(fields.iter().copied()), "");
        assert_eq!(R::from_command(&command).unwrap_err().reason, Reason::Missing(expected), "{command:?}");
    }
    missing::<PutKvConfig>(&[("namespace", "n"), ("key", "k")], "value");
    missing::<PutKvConfig>(&[("namespace", "n"), ("value", "v")], "key");
    missing::<GetKvConfig>(&[("key", "k")], "namespace");
    missing::<DeleteKvConfig>(&[("namespace", "n")], "key");
    missing::<GetKvListByNamespace>(&[], "namespace");
    missing::<WipeWritePermOfBroker>(&[], "brokerName");
    missing::<AddWritePermOfBroker>(&[], "brokerName");
    missing::<GetTopicsByCluster>(&[("clusterName", "c")], "cluster");
    missing::<DeleteTopicInNamesrv>(&[("clusterName", "c")], "topic");
}

#[test]
fn an_empty_cluster_means_all_clusters() {
    let fields = ExtFields::from_iter([("topic", "T"), ("clusterName", "")]);
    let request =
        DeleteTopicInNamesrv::from_command(&Command::request(DeleteTopicInNamesrv::CODE, fields, ""));
    assert_eq!(request, Ok(DeleteTopicInNamesrv { topic: Name::from("T"), cluster_name: None }));
}

#[test]
fn an_answer_without_its_result_is_refused() {
    #[allow(clippy::needless_pass_by_value, reason = "the table reads better without references")]
    fn refused<R: Request>(ext_fields: &[(&'static str, &str)], body: &'static str, expected: Reason)
    where
        R::Response: Debug,
    {
        let ext_fields = ExtFields::from_iter(ext_fields.iter().copied());
        let answer = Answer { ext_fields, body: body.into() };
        assert_eq!(R::from_answer(&answer).unwrap_err().reason, expected, "{answer:?}");
    }
    refused::<GetKvConfig>(&[], "", Reason::Missing("value"));
    refused::<WipeWritePermOfBroker>(&[("addTopicCount", "1")], "", Reason::Missing("wipeTopicCount"));
    refused::<AddWritePermOfBroker>(&[("addTopicCount", "many")], "", Reason::Expected("a whole number"));
    refused::<AddWritePermOfBroker>(&[("addTopicCount", "-1")], "", Reason::Expected("a whole number"));
    refused::<GetAllTopicListFromNameserver>(&[], "", Reason::Empty);
    refused::<GetTopicsByCluster>(&[], r#"{"topicList":{}}"#, Reason::Expected("a list"));
    refused::<GetKvListByNamespace>(&[], r#"{"table":[]}"#, Reason::Expected("an object"));
}

#[test]
fn a_list_of_topics_has_the_names_of_the_wire() {
    let list = TopicList { topic_list: vec![Name::from("主题"), Name::from("b")], broker_addr: None };
    assert_eq!(serde_json::to_value(&list).unwrap(), json!({"topicList": ["主题", "b"]}));
    let list = TopicList { broker_addr: Some(Name::from("10.0.0.1:10911")), ..list };
    let text = json!({"brokerAddr": "10.0.0.1:10911", "topicList": ["主题", "b"]});
    assert_eq!(serde_json::to_value(&list).unwrap(), text);
    assert_eq!(serde_json::from_value::<TopicList>(text).unwrap(), list);
    assert_eq!(TopicList::from_bytes(&list.to_bytes()).unwrap(), list);
    let lenient = br#"{"topicList":["a",null,"b"],"brokerAddr":null,"more":[1]}"#;
    assert_eq!(TopicList::from_bytes(lenient).unwrap().topic_list, ["a", "b"]);
}
