//! What is written is read back as it was.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, BrokerMemberGroup, DataVersion, KvTable, NamesrvConfig, QueueData,
    RegisterBrokerBody, TopicConfig, TopicList, TopicQueueMappingInfo, TopicRouteData, TopicTextFields,
};
use rocketmq_nameserver_protocol::request::{
    AddWritePermOfBroker, Answer, BrokerHeartbeat, DeleteKvConfig, DeleteTopicInNamesrv,
    GetAllTopicListFromNameserver, GetBrokerClusterInfo, GetBrokerMemberGroup, GetHasUnitSubTopicList,
    GetHasUnitSubUnunitTopicList, GetKvConfig, GetKvListByNamespace, GetNamesrvConfig, GetRouteInfo,
    GetSystemTopicListFromNs, GetTopicsByCluster, GetUnitTopicList, PutKvConfig, QueryDataVersion,
    RegisterBroker, RegisterTopicInNamesrv, Request, UnregisterBroker, UpdateNamesrvConfig,
    WipeWritePermOfBroker,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{header, quoting, upkeep, values};

const FORMS: [SerializeType; 2] = [SerializeType::Json, SerializeType::RocketMq];
const DIALECTS: [Dialect; 2] = [Dialect::Standard, Dialect::Legacy];

/// The command as the other end reads it.
fn sent(command: &Command, form: SerializeType) -> Command {
    let mut bytes = command.to_frame(form).expect("a command that fits");
    let frame = frame::cut(&mut bytes, DEFAULT_MAX_FRAME_SIZE).expect("a good frame").expect("a whole frame");
    assert!(bytes.is_empty(), "one frame and no more");
    Command::from_frame(frame).expect("a good header")
}

/// A request crosses the wire in either form and means the same.
fn check_request<R: Request + Debug + PartialEq>(request: &R) {
    let command = request.to_command();
    assert_eq!(R::from_command(&command).as_ref(), Ok(request));
    for form in FORMS {
        assert_eq!(R::from_command(&sent(&command, form)).as_ref(), Ok(request), "{form:?}");
    }
}

/// A response crosses the wire in either form and either dialect and means the same.
fn check_response<R: Request>(response: &R::Response)
where
    R::Response: Debug + PartialEq,
{
    for dialect in DIALECTS {
        let answer = R::to_answer(response, dialect);
        assert_eq!(R::from_answer(&answer).as_ref(), Ok(response), "{dialect:?}");
        for form in FORMS {
            let command = sent(&answer.clone().into_response(7), form);
            assert_eq!(Answer::from_response(command).as_ref(), Ok(&answer), "{form:?}");
        }
    }
}

/// A model has all its spellings back, and the two dialects say the same as serde does.
fn check_model<T>(model: &T, read: fn(&[u8]) -> Result<T, DataParseError>)
where
    T: Serialize + DeserializeOwned + Debug + PartialEq,
{
    let by_serde = serde_json::to_value(model).unwrap();
    let standard = to_bytes(model, Dialect::Standard);
    let legacy = to_bytes(model, Dialect::Legacy);
    assert_eq!(read(&standard).as_ref(), Ok(model));
    assert_eq!(read(&legacy).as_ref(), Ok(model));
    assert_eq!(serde_json::from_slice::<T>(&standard).unwrap(), *model);
    assert_eq!(serde_json::from_value::<T>(by_serde.clone()).unwrap(), *model);
    assert!(standard.iter().all(|byte| (b' '..0x7f).contains(byte)), "standard JSON is plain ASCII");
    let escaped =
        |character| matches!(character, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
    assert!(!std::str::from_utf8(&legacy).unwrap().contains(escaped), "what Java escapes in either dialect");
    assert_eq!(quoting::value(&standard), with_large_numbers_as_text(by_serde.clone()));
    assert_eq!(quoting::value(&legacy), by_serde);
}

/// What the standard dialect makes of numbers that need more than 53 bits.
fn with_large_numbers_as_text(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number.unsigned_abs() >= 1 << 53) => {
            Value::String(number.to_string())
        }
        Value::Array(items) => items.into_iter().map(with_large_numbers_as_text).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, with_large_numbers_as_text(value))).collect()
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn commands_with_a_json_header(header in values::json_header(), body in vec(any::<u8>(), 0..40)) {
        let command = Command { header, body: Bytes::from(body) };
        prop_assert_eq!(&sent(&command, SerializeType::Json), &command);
        // An independent reader sees the same.
        let frame = command.to_frame(SerializeType::Json).unwrap();
        let (form, head, body) = header::parts(&frame);
        prop_assert_eq!((form, body), (0, &command.body[..]));
        let expected = header::fields_of(SerializeType::Json, &command.header);
        prop_assert_eq!(header::fields(0, head), expected);
    }

    #[test]
    fn commands_with_a_binary_header(header in values::binary_header(), body in vec(any::<u8>(), 0..40)) {
        let command = Command { header, body: Bytes::from(body) };
        prop_assert_eq!(&sent(&command, SerializeType::RocketMq), &command);
    }

    #[test]
    fn commands_in_one_buffer(
        commands in vec((values::binary_header(), vec(any::<u8>(), 0..20), any::<bool>()), 0..6),
    ) {
        let mut buffer = BytesMut::new();
        let mut written = Vec::new();
        for (mut header, body, binary) in commands {
            header.language.0 %= 14;
            let command = Command { header, body: Bytes::from(body) };
            command.encode(FORMS[usize::from(binary)], DEFAULT_MAX_FRAME_SIZE, &mut buffer).unwrap();
            written.push(command);
        }
        let mut read = Vec::new();
        while let Some(frame) = frame::cut(&mut buffer, DEFAULT_MAX_FRAME_SIZE).unwrap() {
            read.push(Command::from_frame(frame).unwrap());
        }
        prop_assert_eq!(read, written);
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn requests(
        register in values::register_broker(),
        unregister in values::unregister_broker(),
        get in values::get_route_info(),
        [namespace, key, value] in [values::name(), values::name(), values::name()],
        cluster in option::of(values::name().prop_filter("an empty one means none", |name| !name.is_empty())),
    ) {
        check_request(&register);
        check_request(&unregister);
        check_request(&get);
        check_request(&GetBrokerClusterInfo);
        check_request(&GetKvConfig { namespace: namespace.clone(), key: key.clone() });
        check_request(&DeleteKvConfig { namespace: namespace.clone(), key: key.clone() });
        check_request(&GetKvListByNamespace { namespace: namespace.clone() });
        check_request(&PutKvConfig { namespace, key: key.clone(), value: value.clone() });
        check_request(&WipeWritePermOfBroker { broker_name: key.clone() });
        check_request(&AddWritePermOfBroker { broker_name: key.clone() });
        check_request(&GetTopicsByCluster { cluster: key });
        check_request(&DeleteTopicInNamesrv { topic: value, cluster_name: cluster });
        check_request(&GetAllTopicListFromNameserver);
        check_request(&GetSystemTopicListFromNs);
        check_request(&GetUnitTopicList);
        check_request(&GetHasUnitSubTopicList);
        check_request(&GetHasUnitSubUnunitTopicList);
    }

    #[test]
    fn requests_about_membership_and_configuration(
        [topic, cluster_name, broker_name] in [values::name(), values::name(), values::name()],
        route in values::route(),
        config in upkeep::config(),
        query in upkeep::query_data_version(),
        heartbeat in upkeep::heartbeat(),
    ) {
        check_request(&RegisterTopicInNamesrv { topic, route });
        check_request(&UpdateNamesrvConfig { config });
        check_request(&GetNamesrvConfig);
        check_request(&query);
        check_request(&GetBrokerMemberGroup { cluster_name, broker_name });
        check_request(&heartbeat);
    }

    #[test]
    fn responses_about_membership_and_configuration(
        config in upkeep::config_of_lines(),
        version in upkeep::query_data_version_result(),
        group in upkeep::member_group(),
    ) {
        check_response::<RegisterTopicInNamesrv>(&());
        check_response::<UpdateNamesrvConfig>(&());
        check_response::<GetNamesrvConfig>(&config);
        check_response::<QueryDataVersion>(&version);
        check_response::<GetBrokerMemberGroup>(&group);
        check_response::<BrokerHeartbeat>(&());
        check_model(&group, BrokerMemberGroup::from_bytes);
    }

    #[test]
    fn compressed_registrations(body in upkeep::compressible_body()) {
        let read = |version, fields| {
            RegisterBrokerBody::from_compressed(&body.to_compressed(version), version, fields)
        };
        let new = read(Version::V5_3_3, TopicTextFields::FiveOrMore);
        prop_assert_eq!(new.as_ref(), Ok(&body));
        // A 4.x broker sends less of it, and a 4.x server reads all that it sends.
        let old = read(Version::V4_9_7, TopicTextFields::FiveOrMore);
        prop_assert!(old.is_ok());
        prop_assert_eq!(read(Version::V4_9_7, TopicTextFields::Five), old);
    }

    #[test]
    fn configurations(config in upkeep::config(), of_lines in upkeep::config_of_lines()) {
        let properties = config.to_properties();
        prop_assert!(properties.is_ascii());
        prop_assert_eq!(NamesrvConfig::from_properties(&properties), Ok(config));
        prop_assert_eq!(NamesrvConfig::from_lines(&of_lines.to_lines()), Ok(of_lines));
    }

    #[test]
    fn responses(
        registered in values::register_broker_result(),
        route in values::route(),
        cluster in values::cluster(),
        kv in values::kv_table(),
        topics in values::topic_list(),
        value in values::name(),
        count in any::<u32>(),
    ) {
        check_response::<RegisterBroker>(&registered);
        check_response::<UnregisterBroker>(&());
        check_response::<GetRouteInfo>(&route);
        check_response::<GetBrokerClusterInfo>(&cluster);
        check_response::<PutKvConfig>(&());
        check_response::<GetKvConfig>(&value);
        check_response::<DeleteKvConfig>(&());
        check_response::<GetKvListByNamespace>(&kv);
        check_response::<WipeWritePermOfBroker>(&count);
        check_response::<AddWritePermOfBroker>(&count);
        check_response::<GetAllTopicListFromNameserver>(&topics);
        check_response::<GetTopicsByCluster>(&topics);
        check_response::<DeleteTopicInNamesrv>(&());
    }

    #[test]
    fn models_of_answers(
        route in values::route(),
        cluster in values::cluster(),
        broker in values::broker(),
        queue in values::queue(),
        mapping in values::mapping(),
        topics in values::topic_list(),
    ) {
        check_model(&topics, TopicList::from_bytes);
        check_model(&route, TopicRouteData::from_bytes);
        check_model(&cluster, BrokerClusterInfo::from_bytes);
        check_model(&broker, BrokerData::from_bytes);
        check_model(&queue, QueueData::from_bytes);
        check_model(&mapping, TopicQueueMappingInfo::from_bytes);
    }

    #[test]
    fn models_of_registrations(
        body in values::registration_body(),
        topic in values::topic_config(),
        version in values::data_version(),
        kv in values::kv_table(),
    ) {
        check_model(&body, RegisterBrokerBody::from_bytes);
        check_model(&topic, TopicConfig::from_bytes);
        check_model(&version, DataVersion::from_bytes);
        check_model(&kv, KvTable::from_bytes);
    }
}
