//! Whatever a peer sends, reading it takes memory in proportion to what has arrived, never to what is claimed.

use allocation_counter::measure;
use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::frame::{DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver_protocol::header::Header;
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerMemberGroup, KvTable, NamesrvConfig, RegisterBrokerBody, TopicQueueMappingInfo,
    TopicRouteData, TopicTextFields,
};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

#[path = "../../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;
#[path = "../independent/header.rs"]
#[allow(dead_code, reason = "shared with the tests of the captures")]
mod header;
#[path = "../independent/quoting.rs"]
#[allow(dead_code, reason = "shared with the tests of the captures")]
mod quoting;
#[path = "../properties/texts.rs"]
#[allow(dead_code, reason = "shared with the property tests")]
mod texts;

/// The most memory that was taken at one time.
fn peak(work: impl FnOnce()) -> u64 {
    measure(work).bytes_max
}

type Read = fn(&[u8]);

const MODELS: [(&str, Read); 8] = [
    ("a route", |body| drop(TopicRouteData::from_bytes(body))),
    ("a cluster info", |body| drop(BrokerClusterInfo::from_bytes(body))),
    ("a registration", |body| drop(RegisterBrokerBody::from_bytes(body))),
    ("a queue mapping", |body| drop(TopicQueueMappingInfo::from_bytes(body))),
    ("a KV table", |body| drop(KvTable::from_bytes(body))),
    ("a member group", |body| drop(BrokerMemberGroup::from_bytes(body))),
    ("lines", |body| drop(NamesrvConfig::from_lines(body))),
    ("properties", |body| drop(NamesrvConfig::from_properties(body))),
];

/// The most memory, in bytes, that reading one byte of a body may take, in the worst of shapes. A usual answer takes 2.
const MOST_PER_BYTE: u64 = 24;

/// What even the shortest body may take.
const BASE: u64 = 4 << 10;

/// Reads a body as each model.
fn check(what: &str, body: &[u8]) {
    for (model, read) in MODELS {
        let (taken, arrived) = (peak(|| read(body)), body.len() as u64);
        assert!(
            taken <= BASE + MOST_PER_BYTE * arrived,
            "{what} as {model}: {taken} bytes of memory for {arrived} bytes"
        );
    }
}

/// Many of the same, or nearly.
fn many(piece: fn(usize) -> String) -> String {
    let pieces: Vec<String> = (0..20_000).map(piece).collect();
    pieces.join(",")
}

#[test]
fn bodies_made_to_take_much_take_a_multiple_of_their_length() {
    let nameless = |_| r#"{"brokerName":""}"#.to_owned();
    let numbered = |number: usize| format!(r#""{number}":"""#);
    for (what, body) in [
        ("names", format!(r#"{{"clusterAddrTable":{{"c":[{}]}}}}"#, many(|_| r#""""#.into()))),
        (
            "short lists",
            format!(r#"{{"clusterAddrTable":{{{}}}}}"#, many(|number| format!(r#""{number}":[""]"#))),
        ),
        (
            "filter servers",
            format!(r#"{{"filterServerTable":{{{}}}}}"#, many(|number| format!(r#""{number}":[]"#))),
        ),
        ("brokers", format!(r#"{{"brokerDatas":[{}]}}"#, many(nameless))),
        ("queues", format!(r#"{{"queueDatas":[{}]}}"#, many(nameless))),
        (
            "addresses",
            format!(
                r#"{{"brokerDatas":[{{"brokerName":"","brokerAddrs":{{{}}}}}]}}"#,
                many(|number| format!(r#"{number}:"""#))
            ),
        ),
        (
            "one address again and again",
            format!(
                r#"{{"brokerDatas":[{{"brokerName":"","brokerAddrs":{{{}}}}}]}}"#,
                many(|_| r#"0:"""#.into())
            ),
        ),
        ("keys and values", format!(r#"{{"table":{{{}}}}}"#, many(numbered))),
        ("queue ids", format!(r#"{{"currIdMap":{{{}}}}}"#, many(|number| format!("{number}:0")))),
        (
            "topics",
            format!(
                r#"{{"topicConfigSerializeWrapper":{{"topicConfigTable":{{{}}}}}}}"#,
                many(|number| format!(r#""{number}":{{}}"#))
            ),
        ),
        ("escapes", format!(r#"{{"orderTopicConf":"{}"}}"#, r"\u0041".repeat(20_000))),
        ("settings", many(|number| format!("{number}=\n")).replace(',', "")),
        ("one long setting", "\u{e4}".repeat(20_000)),
        ("unknown fields", format!("{{{}}}", many(numbered))),
        ("an open end", format!(r#"{{"queueDatas":[{},{{"#, many(nameless))),
        (
            "two thousand million queues",
            r#"{"queueDatas":[{"brokerName":"","readQueueNums":2147483647,"writeQueueNums":2147483647}]}"#
                .into(),
        ),
        ("depth", "[".repeat(20_000)),
    ] {
        check(what, body.as_bytes());
    }
}

/// What inflating needs for itself, whatever comes out.
const INFLATING: u64 = 64 << 10;

/// The most memory, in bytes, that one inflated byte may take. The worst is a topic with one attribute: its map has room for
/// eleven.
const MOST_PER_INFLATED_BYTE: u64 = 28;

/// The memory that reading a compressed registration of these bytes takes.
fn peak_of_compressed(inflated: &[u8]) -> u64 {
    let body = compress_to_vec_zlib(inflated, 1);
    peak(|| drop(RegisterBrokerBody::from_compressed(&body, Version::V5_3_3, TopicTextFields::FiveOrMore)))
}

#[test]
fn a_compressed_body_takes_a_multiple_of_what_it_inflates_to() {
    let section =
        |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let count = |count: u32| count.to_be_bytes().to_vec();
    let topics = |text: fn(usize) -> String| (0..20_000).flat_map(|number| section(&text(number))).collect();
    let mapping = |number| section(&format!(r#"{{"topic":"{number}"}}"#));
    for (what, parts) in [
        ("topics", vec![section("{}"), count(20_000), topics(|number| format!("{number} 0 0 0 MULTI_TAG"))]),
        (
            "one topic again and again",
            vec![section("{}"), count(20_000), topics(|_| " 0 0 0 MULTI_TAG".to_owned())],
        ),
        (
            "attributes",
            vec![
                section("{}"),
                count(20_000),
                topics(|number| format!(r#"{number} 0 0 0 MULTI_TAG {{"":""}}"#)),
            ],
        ),
        (
            "static topics",
            vec![
                section("{}"),
                count(0),
                section("[]"),
                count(20_000),
                (0..20_000).flat_map(mapping).collect(),
            ],
        ),
        ("claimed topics", vec![section("{}"), count(0x7fff_ffff)]),
        ("a claimed length", vec![count(0x7fff_ffff)]),
        ("a claimed topic", vec![section("{}"), count(1), count(0x7fff_ffff)]),
        ("claimed static topics", vec![section("{}"), count(0), section("[]"), count(0x7fff_ffff)]),
    ] {
        let inflated = parts.concat();
        let (taken, size) = (peak_of_compressed(&inflated), inflated.len() as u64);
        assert!(
            taken <= INFLATING + MOST_PER_INFLATED_BYTE * size,
            "{what}: {taken} bytes of memory for {size} inflated bytes"
        );
    }
}

#[test]
fn a_bomb_takes_no_more_than_the_limit_and_the_copy_of_its_last_growth() {
    let bomb = vec![0; RegisterBrokerBody::MAX_INFLATED + 1];
    let taken = peak_of_compressed(&bomb);
    let most = 2 * RegisterBrokerBody::MAX_INFLATED as u64 + INFLATING;
    assert!(taken <= most, "{taken} bytes of memory");
}

/// A stream into a session, as a driver does it. Says how many answers came that nobody waited for: nobody does.
fn read_as_it_arrives(stream: &[u8], piece: usize) -> u64 {
    let mut session: Session<()> = Session::new(SessionConfig::default());
    for piece in stream.chunks(piece) {
        session.input().extend_from_slice(piece);
        session.received(piece.len());
        drop(session.next_answer());
    }
    session.input();
    session.unmatched()
}

#[test]
fn lengths_that_are_only_claimed_take_nothing() {
    let largest = u32::try_from(DEFAULT_MAX_FRAME_SIZE - 4).unwrap();
    for (total, header_word) in [(largest, 100), (largest, largest - 4), (largest, 0x0100_0064), (largest, 0)]
    {
        let head = [total.to_be_bytes(), header_word.to_be_bytes()].concat();
        // Past the room that there is before anything is known.
        let stream = [head, vec![b' '; 20_000]].concat();
        let taken = peak(|| assert_eq!(read_as_it_arrives(&stream, 1000), 0));
        let most = 2 * stream.len() as u64 + (32 << 10);
        assert!(taken <= most, "{taken} bytes of memory for a head of {total} and {header_word:#x}");
    }
    // Code, language, version, opaque and flag; then the lengths of the remark and of the fields, and of a field's name.
    let start = [0; 13];
    for lengths in [
        &i32::MAX.to_be_bytes()[..],
        &[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
        &[0, 0, 0, 0, 0, 0, 0, 9, 0x7f, 0xff],
    ] {
        let header = [&start[..], lengths, &[0; 7]].concat();
        let taken = peak(|| drop(Header::decode(SerializeType::RocketMq, &header)));
        assert!(taken <= BASE, "{taken} bytes of memory for {header:?}");
    }
}

#[test]
fn a_frame_that_arrives_piece_by_piece_takes_its_size_and_the_copy_of_its_last_growth() {
    let stream = header::frame(0, br#"{"code":0,"flag":1,"opaque":1}"#, &vec![b' '; 1 << 20]);
    let taken = peak(|| assert_eq!(read_as_it_arrives(&stream, 1000), 1));
    let most = 2 * stream.len() as u64 + (32 << 10);
    assert!(taken <= most, "{taken} bytes of memory for {}", stream.len());
}

proptest! {
    #[test]
    fn real_bodies_with_tokens_changed(
        route in texts::edited_bodies(105),
        cluster in texts::edited_bodies(106),
        kv in texts::edited_bodies(103),
    ) {
        for body in [route, cluster, kv] {
            check("a real body", &body);
        }
    }

    #[test]
    fn real_frames_with_bytes_changed(stream in texts::edited_frames(), piece in 1..5000_usize) {
        let taken = peak(|| _ = read_as_it_arrives(&stream, piece));
        let most = 2 * stream.len() as u64 + (32 << 10);
        prop_assert!(taken <= most, "{} bytes of memory for {}", taken, stream.len());
    }
}
