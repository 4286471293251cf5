//! The bodies of registrations as brokers of all times send them, and as nobody should (`docs/wire.md` §2.4). The compressed
//! ones are put together here, section by section.

use std::collections::BTreeMap;

use miniz_oxide::deflate::compress_to_vec_zlib;
use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Reason;
use rocketmq_nameserver_protocol::model::{
    DataVersion, Name, Perm, RegisterBrokerBody, TopicConfig, TopicQueueMappingInfo, TopicTextFields,
};
use rocketmq_nameserver_protocol::request::{RegisterBroker, Request};

use TopicTextFields::{Five, FiveOrMore};

/// The one of §2.4 that both real servers accepted, with this CRC32.
const VECTOR: &str = "78da63606090ae564ace2fcd2b492d52b232d4512ac9cc4d2d2e49cc2d00f26a19181898805838ca50c158c144c14c\
    21d8d3cfddc7353ec4d11d2c6ca4600a143457f00df509f104892a807444c70200975f138d";
const VECTOR_CRC32: &str = "285575654";

fn vector() -> Vec<u8> {
    let digits = VECTOR.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

const VERSION: DataVersion = DataVersion { counter: 1, state_version: 0, timestamp: 1 };

fn topic(name: &str, read: u32, write: u32, perm: i32, filter_type: &str) -> TopicConfig {
    TopicConfig {
        write_queue_nums: write,
        topic_filter_type: Name::from(filter_type),
        ..TopicConfig::new(name, read, Perm(perm))
    }
}

/// What the vector says.
fn expected() -> RegisterBrokerBody {
    let topics = [topic("Z1", 3, 4, 6, "SINGLE_TAG"), topic("Z2", 5, 6, 7, "MULTI_TAG")];
    RegisterBrokerBody::new(VERSION, topics)
}

/// A body of these sections, a count among them being a number.
enum Part<'a> {
    Count(i32),
    Section(&'a str),
}
use Part::{Count, Section};

const DATA_VERSION: Part<'_> = Section(r#"{"counter":1,"timestamp":1}"#);

fn compressed(parts: &[Part<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        match part {
            Count(count) => bytes.extend(count.to_be_bytes()),
            Section(text) => {
                bytes.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    compress_to_vec_zlib(&bytes, 1)
}

/// A body with one topic of that text.
fn one_topic(text: &str) -> Vec<u8> {
    compressed(&[DATA_VERSION, Count(1), Section(text), Section("[]")])
}

fn reason(body: &[u8], version: Version, fields: TopicTextFields) -> Option<Reason> {
    RegisterBrokerBody::from_compressed(body, version, fields).err().map(|error| error.reason)
}

/// A registration with that body and header.
fn command(version: Version, body: Vec<u8>, fields: &[(&str, &str)]) -> Command {
    let broker = RegisterBroker::new("c", "a", 0, "h:1", RegisterBrokerBody::default());
    let mut command = broker.to_command();
    command.header.version = version;
    command.header.ext_fields.remove("bodyCrc32");
    for (key, value) in fields {
        command.header.ext_fields.set(*key, *value);
    }
    command.body = body.into();
    command
}

fn body_of(command: &Command) -> Result<RegisterBrokerBody, Reason> {
    RegisterBroker::from_command(command).map(|broker| broker.body).map_err(|error| error.reason)
}

#[test]
fn a_compressed_body_that_the_real_servers_read_is_read() {
    for fields in [Five, FiveOrMore] {
        let body = RegisterBrokerBody::from_compressed(&vector(), Version(399), fields);
        assert_eq!(body, Ok(expected()), "{fields:?}");
    }
    // Whether it is compressed can be seen: 5.x brokers say that it is not.
    for compressed in ["true", "TRUE", "false"] {
        let fields = [("compressed", compressed), ("bodyCrc32", VECTOR_CRC32)];
        assert_eq!(body_of(&command(Version(399), vector(), &fields)), Ok(expected()), "{compressed}");
    }
    let wrong = [("compressed", "true"), ("bodyCrc32", "285575655")];
    assert_eq!(body_of(&command(Version(399), vector(), &wrong)), Err(Reason::Crc32Mismatch));
    let json = command(Version(399), b"{}".to_vec(), &[("compressed", "true")]);
    assert_eq!(body_of(&json), Err(Reason::Expected("a zlib stream")));
    let old = command(Version(36), vector(), &[("compressed", "true")]);
    assert_eq!(body_of(&old), Err(Reason::NotUtf8), "before 3.0.11 there was no such thing");
}

#[test]
fn topics_have_five_fields_for_a_4x_server_and_five_or_more_for_a_5x_one() {
    let plain = topic("T", 1, 2, 6, "SINGLE_TAG");
    let attributes = BTreeMap::from([(Name::from("k"), Name::from("a b"))]);
    let with_attributes = TopicConfig { attributes, ..plain.clone() };
    let few = Err(Reason::Expected("a topic's five fields"));
    for (text, by_4x, by_5x) in [
        ("T 1 2 6 SINGLE_TAG", true, Ok(&plain)),
        ("T 1 2 6 SINGLE_TAG  ", true, Ok(&plain)),
        ("T +1 02 6 SINGLE_TAG", true, Ok(&plain)),
        ("T 1 2 6 SINGLE_TAG {}", false, Ok(&plain)),
        (r#"T 1 2 6 SINGLE_TAG {"k":"a\u0020b"} more"#, false, Ok(&with_attributes)),
        // Attributes that cannot be read are lost, as all are that Java writes with a blank in them.
        (r#"T 1 2 6 SINGLE_TAG {"k":"a b"}"#, false, Ok(&plain)),
        ("T 1 2 6 SINGLE_TAG null", false, Ok(&plain)),
        ("T 1 2 6", false, few.clone()),
        ("", false, few.clone()),
        ("     ", false, few),
        ("T 1 x 6 SINGLE_TAG", false, Err(Reason::Expected("a whole number of 32 bits"))),
        ("T 1  2 6 SINGLE_TAG", false, Err(Reason::Expected("SINGLE_TAG or MULTI_TAG"))),
        ("T 1 2147483648 6 SINGLE_TAG", false, Err(Reason::Expected("a whole number of 32 bits"))),
        ("T -1 2 6 SINGLE_TAG", false, Err(Reason::Negative)),
        ("T 1 2 6 single_tag", false, Err(Reason::Expected("SINGLE_TAG or MULTI_TAG"))),
    ] {
        let body = one_topic(text);
        let found = RegisterBrokerBody::from_compressed(&body, Version::V4_9_7, FiveOrMore);
        let found = found.map(|body| body.topic_config_serialize_wrapper.topic_config_table);
        let expected = by_5x.map(|topic| BTreeMap::from([(Name::from("T"), topic.clone())]));
        assert_eq!(found.map_err(|error| error.reason), expected, "{text:?}");
        let accepted = reason(&body, Version::V4_9_7, Five).is_none();
        assert_eq!(accepted, by_4x, "{text:?}");
    }
}

#[test]
fn a_5x_broker_sends_static_topics_last_and_a_5x_server_wants_them() {
    let mapping = TopicQueueMappingInfo {
        topic: Some(Name::from("T")),
        bname: Some(Name::from("a")),
        ..TopicQueueMappingInfo::default()
    };
    let mappings = [Count(2), Section(r#"{"bname":"a","topic":"T"}"#), Section("{}")];
    let start = || [DATA_VERSION, Count(0), Section("[]")];
    let body = compressed(&start().into_iter().chain(mappings).collect::<Vec<_>>());
    for (version, fields, count) in [
        (Version::V5_0_0, FiveOrMore, 1),
        (Version(412), FiveOrMore, 0),
        // A 4.x server passes over what follows.
        (Version::V5_0_0, Five, 0),
    ] {
        let read = RegisterBrokerBody::from_compressed(&body, version, fields).unwrap();
        let found = read.topic_config_serialize_wrapper.topic_queue_mapping_info_map;
        assert_eq!(found.into_values().collect::<Vec<_>>(), vec![mapping.clone(); count], "{version}");
    }
    let none = compressed(&start());
    assert_eq!(reason(&none, Version::V5_0_0, FiveOrMore), Some(Reason::UnexpectedEnd));
    assert_eq!(reason(&none, Version::V5_0_0, Five), None);
}

#[test]
fn filter_servers_that_cannot_be_read_are_none_and_hide_nothing_else() {
    for (list, expected) in [
        (r#"["f:1",null]"#, Some(vec![Name::from("f:1")])),
        ("null", None),
        ("[", Some(vec![])),
        ("{}", Some(vec![])),
        ("", Some(vec![])),
    ] {
        let body = compressed(&[DATA_VERSION, Count(1), Section("T 1 2 6 MULTI_TAG"), Section(list)]);
        let read = RegisterBrokerBody::from_compressed(&body, Version::V4_9_7, FiveOrMore).unwrap();
        assert_eq!(read.filter_server_list, expected, "{list}");
        assert_eq!(read.topic_config_serialize_wrapper.topic_config_table.len(), 1, "{list}");
    }
}

#[test]
fn sections_that_are_not_there_are_refused_with_their_place() {
    let huge = i32::MAX;
    for (parts, offset, expected) in [
        (vec![], 0, Reason::UnexpectedEnd),
        (vec![Count(huge)], 0, Reason::BadLength),
        (vec![Count(-1)], 0, Reason::Negative),
        (vec![Section("{}")], 6, Reason::UnexpectedEnd),
        (vec![Section("{\"counter\":x}")], 15, Reason::Expected("a whole number")),
        (vec![Section("")], 4, Reason::Empty),
        (vec![Section("{}"), Count(-1)], 6, Reason::Negative),
        (vec![Section("{}"), Count(huge)], 10, Reason::UnexpectedEnd),
        (vec![Section("{}"), Count(huge), Section("T 1 2 6 MULTI_TAG")], 31, Reason::UnexpectedEnd),
        (vec![Section("{}"), Count(1), Count(huge)], 10, Reason::BadLength),
        (vec![Section("{}"), Count(1), Section("T")], 14, Reason::Expected("a topic's five fields")),
        (vec![Section("{}"), Count(0)], 10, Reason::UnexpectedEnd),
        (vec![Section("{}"), Count(0), Count(1)], 10, Reason::BadLength),
        (vec![Section("{}"), Count(0), Section("[]"), Count(huge)], 20, Reason::UnexpectedEnd),
        (
            vec![Section("{}"), Count(0), Section("[]"), Count(1), Section("[]")],
            24,
            Reason::Expected("an object"),
        ),
    ] {
        let body = compressed(&parts);
        let error = RegisterBrokerBody::from_compressed(&body, Version::V5_3_3, FiveOrMore).unwrap_err();
        assert_eq!((error.offset, error.reason), (offset, expected));
    }
}

#[test]
fn a_stream_that_is_cut_short_or_damaged_is_refused() {
    let whole = vector();
    for end in 0..whole.len() {
        assert_eq!(reason(&whole[..end], Version(399), FiveOrMore), Some(Reason::UnexpectedEnd), "{end}");
    }
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        assert!(reason(&damaged, Version(399), FiveOrMore).is_some(), "{at}");
    }
    // What follows the stream is nobody's.
    let longer = [&whole[..], b"more"].concat();
    assert_eq!(reason(&longer, Version(399), FiveOrMore), None);
}

#[test]
fn a_small_stream_may_not_become_a_large_body() {
    // Four lengths, and the texts of the others.
    let room = RegisterBrokerBody::MAX_INFLATED - 4 * 4 - 2 - 2;
    for (length, expected) in [(room, None), (room + 1, Some(Reason::TooMany("inflated bytes")))] {
        let text = "T 1 2 6 MULTI_TAG";
        let topic = format!("{text}{}", " ".repeat(length - text.len()));
        let body = compressed(&[Section("{}"), Count(1), Section(&topic), Section("[]")]);
        assert!(body.len() < 200_000);
        assert_eq!(reason(&body, Version::V4_9_7, FiveOrMore), expected, "{length}");
    }
}

#[test]
fn a_body_is_compressed_as_a_broker_of_that_version_does_it() {
    let attributes = BTreeMap::from([(Name::from("+k"), Name::from("a b"))]);
    let body = RegisterBrokerBody {
        filter_server_list: Some(vec![Name::from("f:1")]),
        ..RegisterBrokerBody::new(VERSION, [TopicConfig { attributes, ..topic("T", 1, 2, 6, "MULTI_TAG") }])
    };
    let inflated = |version| {
        let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(&body.to_compressed(version)).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(
        inflated(Version::V4_9_7),
        "\0\0\0\x1b{\"counter\":1,\"timestamp\":1}\0\0\0\x01\0\0\0\x12T 1 2 6 MULTI_TAG \0\0\0\x07[\"f:1\"]"
    );
    assert_eq!(
        inflated(Version::V5_3_3),
        "\0\0\0\x2c{\"counter\":1,\"stateVersion\":0,\"timestamp\":1}\0\0\0\x01\
         \0\0\0\x23T 1 2 6 MULTI_TAG {\"+k\":\"a\\u0020b\"}\0\0\0\x07[\"f:1\"]\0\0\0\0"
    );
    let broker = RegisterBroker::new("c", "a", 0, "h:1", body);
    let command = broker.to_compressed_command(Version::V5_3_3);
    assert_eq!(command.header.ext_fields.get("compressed").unwrap(), "true");
    assert_eq!(RegisterBroker::from_command(&command), Ok(broker.clone()));
    let by_4x = RegisterBroker::from_command_with(&command, Five);
    assert_eq!(by_4x.unwrap_err().reason, Reason::TooMany("fields of a topic"));
    let old = broker.to_compressed_command(Version::V4_9_7);
    assert_eq!(old.header.version, Version::V4_9_7);
    assert!(RegisterBroker::from_command_with(&old, Five).is_ok());
}
