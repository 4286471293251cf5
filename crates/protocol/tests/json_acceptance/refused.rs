//! Bodies that must be refused, each at its place.

use rocketmq_nameserver_protocol::error::{DataParseError, Reason};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, DataVersion, KvTable, QueueData, RegisterBrokerBody, TopicConfig,
    TopicQueueMappingInfo, TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{
    Answer, GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, RegisterBrokerResult, Request,
    UnregisterBroker,
};

use super::refuses;
use Reason::{
    BadEscape, ControlCharacter, Empty, Expected, Missing, Negative, OutOfRange, Reference, TrailingBytes,
    UnexpectedEnd,
};

const KEY_OF_64_BITS: Reason = Expected("a whole number of 64 bits as key");
const KEY_OF_32_BITS: Reason = Expected("a whole number of 32 bits as key");
const WHOLE: Reason = Expected("a whole number");
const STRING: Reason = Expected("a string");
const OBJECT: Reason = Expected("an object");
const LIST: Reason = Expected("a list");

#[test]
fn nothing_and_less_than_an_object() {
    let rows = [
        ("↓", Empty),
        (" \n↓", UnexpectedEnd),
        ("\u{feff}↓", UnexpectedEnd),
        ("↓[]", OBJECT),
        ("↓\"{}\"", OBJECT),
        ("↓1", OBJECT),
        (" ↓null", OBJECT),
        ("↓true", OBJECT),
        ("\u{feff}↓\u{feff}{}", OBJECT),
    ];
    refuses(TopicRouteData::from_bytes, rows.clone());
    refuses(BrokerClusterInfo::from_bytes, rows.clone());
    refuses(BrokerData::from_bytes, rows.clone());
    refuses(QueueData::from_bytes, rows.clone());
    refuses(TopicQueueMappingInfo::from_bytes, rows.clone());
    refuses(TopicConfig::from_bytes, rows.clone());
    refuses(RegisterBrokerBody::from_bytes, rows.clone());
    refuses(DataVersion::from_bytes, rows.clone());
    refuses(KvTable::from_bytes, rows);
}

#[test]
fn a_successful_answer_without_the_body_that_its_request_promises() {
    let nothing = Answer::default();
    let empty = DataParseError { offset: 0, reason: Empty, excerpt: String::new() };
    assert_eq!(GetRouteInfo::from_answer(&nothing), Err(empty.clone()));
    assert_eq!(GetBrokerClusterInfo::from_answer(&nothing), Err(empty));
    // These two promise none.
    assert_eq!(RegisterBroker::from_answer(&nothing), Ok(RegisterBrokerResult::default()));
    assert_eq!(UnregisterBroker::from_answer(&nothing), Ok(()));
}

#[test]
fn text_that_ends_too_early() {
    refuses(
        TopicRouteData::from_bytes,
        [
            ("{↓", UnexpectedEnd),
            (r#"{"brokerDatas"↓"#, UnexpectedEnd),
            (r#"{"brokerDatas":↓"#, UnexpectedEnd),
            (r#"{"brokerDatas":[↓"#, UnexpectedEnd),
            (r#"{"brokerDatas":[{"brokerName":"a"}↓"#, UnexpectedEnd),
            (r#"{"brokerDatas":[]↓"#, UnexpectedEnd),
            (r#"{"brokerDatas":[],↓"#, UnexpectedEnd),
            (r#"{"orderTopicConf":"a:4↓"#, UnexpectedEnd),
            (r#"{"orderTopicConf":"a:4\"↓"#, UnexpectedEnd),
            (r#"{"orderTopicConf":"a:4↓\"#, UnexpectedEnd),
            (r#"{"orderTop↓"#, UnexpectedEnd),
            (r#"{"orderTopicConf":"a↓\u00"#, BadEscape),
            (r#"{"new":[1,2↓"#, UnexpectedEnd),
            (r#"{"new":{"a":↓"#, UnexpectedEnd),
            (r#"{"new":↓tru"#, Expected("a value")),
        ],
    );
    // Wherever a body is cut, it is refused.
    let body = r#"{"brokerDatas":[{"brokerAddrs":{0:"h:1","1":"ü\u00fc"},"brokerName":"a","cluster":"c",
        "enableActingMaster":true}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":"4"}],"x":-1.5e2}"#;
    assert!(TopicRouteData::from_bytes(body.as_bytes()).is_ok());
    for length in 0..body.len() {
        let cut = &body.as_bytes()[..length];
        let error = TopicRouteData::from_bytes(cut).unwrap_err();
        assert!(error.offset <= length, "{} of {length}: {error:?}", error.offset);
    }
}

#[test]
fn bytes_behind_the_object() {
    refuses(
        TopicRouteData::from_bytes,
        [
            ("{}↓x", TrailingBytes),
            ("{} \n↓{}", TrailingBytes),
            ("{}↓}", TrailingBytes),
            ("{}↓,", TrailingBytes),
            ("{}↓\0", TrailingBytes),
            ("{}↓\u{feff}", TrailingBytes),
        ],
    );
}

#[test]
fn bytes_that_are_not_utf8() {
    for (before, bad) in [
        (&br#"{"orderTopicConf":"a"#[..], &b"\xff"[..]),
        (br#"{"orderTopicConf":""#, b"\xc0\x80"),
        (br#"{"orderTopicConf":""#, b"\xed\xa0\xbd"),
        (br#"{"new":""#, b"\xe4\xb8"),
        (b"{", b"\x80"),
    ] {
        let body = [before, bad, br#""}"#].concat();
        let error = TopicRouteData::from_bytes(&body).unwrap_err();
        assert_eq!((error.reason, error.offset), (Reason::NotUtf8, before.len()), "{bad:02x?}");
    }
}

#[test]
fn strings_that_json_does_not_have() {
    refuses(
        TopicRouteData::from_bytes,
        [
            ("{\"orderTopicConf\":\"a↓\nb\"}", ControlCharacter),
            ("{\"orderTopicConf\":\"a↓\0b\"}", ControlCharacter),
            ("{\"a↓\tb\":1}", ControlCharacter),
            (r#"{"orderTopicConf":"a↓\x41"}"#, BadEscape),
            (r#"{"orderTopicConf":"a↓\'"}"#, BadEscape),
            (r#"{"orderTopicConf":"↓\u12G4"}"#, BadEscape),
            (r#"{"orderTopicConf":"\\↓\u 123"}"#, BadEscape),
        ],
    );
}

#[test]
fn numbers_that_do_not_fit() {
    refuses(
        QueueData::from_bytes,
        [
            (r#"{"brokerName":"a","perm":↓2147483648}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","perm":↓-2147483649}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","perm":↓"2147483648"}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","readQueueNums": ↓2147483648}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","writeQueueNums":↓99999999999999999999}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","topicSysFlag":↓4294967296}"#, OutOfRange("32 bits")),
            (r#"{"brokerName":"a","readQueueNums":↓-1}"#, Negative),
            (r#"{"brokerName":"a","writeQueueNums":↓"-1"}"#, Negative),
            (r#"{"brokerName":"a","writeQueueNums":↓-2147483648}"#, Negative),
        ],
    );
    refuses(
        TopicQueueMappingInfo::from_bytes,
        [
            (r#"{"epoch":↓9223372036854775808}"#, OutOfRange("64 bits")),
            (r#"{"epoch":↓"-9223372036854775809"}"#, OutOfRange("64 bits")),
            (r#"{"totalQueues":↓-1}"#, Negative),
            (r#"{"currIdMap":{0:↓2147483648}}"#, OutOfRange("32 bits")),
            (r#"{"currIdMap":{↓2147483648:0}}"#, KEY_OF_32_BITS),
        ],
    );
    refuses(
        BrokerData::from_bytes,
        [
            (r#"{"brokerName":"a","brokerAddrs":{↓9223372036854775808:"h:1"}}"#, KEY_OF_64_BITS),
            (r#"{"brokerName":"a","brokerAddrs":{0:"h:1",↓"-9223372036854775809":"h:1"}}"#, KEY_OF_64_BITS),
        ],
    );
}

#[test]
fn numbers_that_are_not_whole_numbers() {
    for text in [
        "6.0", "6.5", "6e0", "6E1", "0x6", "06", "-", "-a", "+6", ".5", "true", "NaN", "Infinity", "{}",
        "[]", r#""""#, r#""a""#, r#"" 6""#, r#""6 ""#, r#""+6""#, r#""06""#, r#""6.0""#, r#""6L""#,
        r#""0x6""#, r#""-""#,
    ] {
        for field in ["perm", "readQueueNums", "topicSysFlag", "topicSynFlag"] {
            let body = format!(r#"{{"brokerName":"a","{field}":↓{text}}}"#);
            refuses(QueueData::from_bytes, [(body, WHOLE)]);
        }
        let body = format!(r#"{{"epoch": ↓{text}}}"#);
        refuses(TopicQueueMappingInfo::from_bytes, [(body, WHOLE)]);
    }
}

#[test]
fn broker_ids_that_are_not_whole_numbers() {
    let rows = [
        (r#"↓"a":"h:1""#, KEY_OF_64_BITS),
        (r#"0:"h:1",↓"":"h:2""#, KEY_OF_64_BITS),
        (r#"↓"1.5":"h:1""#, KEY_OF_64_BITS),
        (r#"↓" 0":"h:1""#, KEY_OF_64_BITS),
        (r#"↓"+0":"h:1""#, KEY_OF_64_BITS),
        (r#"↓"00":"h:1""#, KEY_OF_64_BITS),
        (r#"↓"null":"h:1""#, KEY_OF_64_BITS),
        (r#"↓0x1:"h:1""#, WHOLE),
        (r#"↓1.5:"h:1""#, WHOLE),
        (r#"↓1e0:"h:1""#, WHOLE),
        (r#"↓01:"h:1""#, WHOLE),
        (r#"↓-:"h:1""#, WHOLE),
        (r#"↓+0:"h:1""#, Expected("a key")),
        (r#"↓a:"h:1""#, Expected("a key")),
        (r#"↓nul:"h:1""#, Expected("a key")),
        (r#"↓nulls:"h:1""#, Expected("a key")),
        (r#"0↓L:"h:1""#, Expected("':'")),
        (r#"0 ↓1:"h:1""#, Expected("':'")),
    ];
    refuses(
        BrokerData::from_bytes,
        rows.map(|(text, reason)| (format!(r#"{{"brokerName":"a","brokerAddrs":{{{text}}}}}"#), reason)),
    );
}

#[test]
fn values_of_the_wrong_kind() {
    refuses(
        TopicRouteData::from_bytes,
        [
            (r#"{"brokerDatas":↓{}}"#, LIST),
            (r#"{"brokerDatas":↓"[]"}"#, LIST),
            (r#"{"queueDatas":↓{"a":1}}"#, LIST),
            (r#"{"queueDatas":↓0}"#, LIST),
            (r#"{"queueDatas":[↓1]}"#, OBJECT),
            (r#"{"queueDatas":[null,↓"a"]}"#, OBJECT),
            (r#"{"brokerDatas":[↓[]]}"#, OBJECT),
            (r#"{"brokerDatas":[↓true]}"#, OBJECT),
            (r#"{"filterServerTable":↓[]}"#, OBJECT),
            (r#"{"filterServerTable":{"h:1":↓"f:1"}}"#, LIST),
            (r#"{"filterServerTable":{"h:1":[↓1]}}"#, STRING),
            (r#"{"orderTopicConf":↓1}"#, STRING),
            (r#"{"orderTopicConf":↓{}}"#, STRING),
            (r#"{"topicQueueMappingByBroker":↓[]}"#, OBJECT),
            (r#"{"topicQueueMappingInfo":{"a":↓"b"}}"#, OBJECT),
        ],
    );
    refuses(
        BrokerData::from_bytes,
        [
            (r#"{"brokerName":"a","brokerAddrs":{0:↓1}}"#, STRING),
            (r#"{"brokerName":"a","brokerAddrs":{0:"h:1",1:↓{}}}"#, STRING),
            (r#"{"brokerName":"a","brokerAddrs":{0:↓["h:1"]}}"#, STRING),
            (r#"{"brokerName":"a","brokerAddrs":{0:↓true}}"#, STRING),
            (r#"{"brokerName":"a","brokerAddrs":↓[]}"#, OBJECT),
            (r#"{"brokerName":"a","brokerAddrs":↓"{}"}"#, OBJECT),
            (r#"{"brokerName":↓1}"#, STRING),
            (r#"{"brokerName":"a","cluster":↓false}"#, STRING),
            (r#"{"brokerName":"a","enableActingMaster":↓"true"}"#, Expected("true or false")),
            (r#"{"brokerName":"a","enableActingMaster":↓1}"#, Expected("true or false")),
            (r#"{"brokerName":"a","enableActingMaster":↓truely}"#, Expected("true or false")),
            (r#"{"brokerName":"a","zoneName":↓[]}"#, STRING),
        ],
    );
    refuses(
        BrokerClusterInfo::from_bytes,
        [
            (r#"{"brokerAddrTable":↓[]}"#, OBJECT),
            (r#"{"brokerAddrTable":{"a":↓"b"}}"#, OBJECT),
            (r#"{"clusterAddrTable":↓[]}"#, OBJECT),
            (r#"{"clusterAddrTable":{"c":↓"a"}}"#, LIST),
            (r#"{"clusterAddrTable":{"c":["a",↓1]}}"#, STRING),
        ],
    );
    refuses(KvTable::from_bytes, [(r#"{"table":{"k":↓1}}"#, STRING)]);
}

#[test]
fn a_route_without_a_broker_name() {
    refuses(
        TopicRouteData::from_bytes,
        [
            (r#"{"brokerDatas":[↓{"cluster":"c","brokerAddrs":{}}]}"#, Missing("brokerName")),
            (r#"{"brokerDatas":[{"brokerName":"a"},↓{"brokerName":null}]}"#, Missing("brokerName")),
            (r#"{"queueDatas":[ ↓{"perm":6}]}"#, Missing("brokerName")),
            (r#"{"queueDatas":[↓{"brokerName":null,"perm":6}]}"#, Missing("brokerName")),
        ],
    );
}

#[test]
fn references_to_elsewhere_in_the_document() {
    refuses(
        TopicRouteData::from_bytes,
        [
            (r#"{↓"$ref":"$"}"#, Reference),
            (r#"{"brokerDatas":[{"brokerName":"a"},{↓"$ref":"$.brokerDatas[0]"}]}"#, Reference),
            (r#"{"queueDatas":[{"brokerName":"a",↓"$ref":".."}]}"#, Reference),
            (r#"{"topicQueueMappingByBroker":{"a":{↓"$ref":"@"}}}"#, Reference),
            (r#"{"brokerDatas":[{"brokerName":"a","brokerAddrs":{↓"$ref":"@"}}]}"#, KEY_OF_64_BITS),
            (r#"{"filterServerTable":{"$ref":↓"$"}}"#, LIST),
        ],
    );
    refuses(
        BrokerClusterInfo::from_bytes,
        [
            (r#"{"brokerAddrTable":{"a":{↓"$ref":"$"}}}"#, Reference),
            (r#"{"brokerAddrTable":{"$ref":↓"$"}}"#, OBJECT),
            (r#"{"clusterAddrTable":{"$ref":↓"$"}}"#, LIST),
        ],
    );
}

#[test]
fn what_fastjson_would_let_pass() {
    refuses(
        TopicRouteData::from_bytes,
        [
            (r#"{↓brokerDatas:[]}"#, Expected("a key")),
            (r#"{↓'brokerDatas':[]}"#, Expected("a key")),
            (r#"{"orderTopicConf":↓'a'}"#, STRING),
            (r#"{"brokerDatas":[],↓}"#, Expected("a key")),
            (r#"{"brokerDatas":[{"brokerName":"a"},↓]}"#, OBJECT),
            (r#"{"filterServerTable":{"a":["b",↓]}}"#, STRING),
            (r#"{"new":[1,↓]}"#, Expected("a value")),
            (r#"{↓,"brokerDatas":[]}"#, Expected("a key")),
            (r#"{"brokerDatas":[↓,]}"#, OBJECT),
            (r#"{"brokerDatas":[] ↓"queueDatas":[]}"#, Expected("',' or '}'")),
            (r#"{"brokerDatas":[{"brokerName":"a"}↓{"brokerName":"b"}]}"#, Expected("',' or ']'")),
            (r#"{↓/* brokers */"brokerDatas":[]}"#, Expected("a key")),
            ("{\"brokerDatas\":[]↓// end\n}", Expected("',' or '}'")),
            ("↓// start\n{}", OBJECT),
            ("{}↓// end", TrailingBytes),
            (r#"{"queueDatas":[{"brokerName":"a","perm":6↓L}]}"#, Expected("',' or '}'")),
            (r#"{"new":↓1L}"#, Expected("a number")),
            (r#"{"new":↓0x1F}"#, Expected("a number")),
            (r#"{"new":↓01}"#, Expected("a number")),
            (r#"{"new":↓1.}"#, Expected("a number")),
            (r#"{"new":↓1e}"#, Expected("a number")),
            (r#"{"new":↓-}"#, Expected("a number")),
            (r#"{"new":↓.5}"#, Expected("a value")),
            (r#"{"new":↓+1}"#, Expected("a value")),
            (r#"{"new":↓NaN}"#, Expected("a value")),
            (r#"{"new":↓-Infinity}"#, Expected("a number")),
            (r#"{"new":↓undefined}"#, Expected("a value")),
            (r#"{"new":↓nulls}"#, Expected("a value")),
            (r#"{"new":↓True}"#, Expected("a value")),
            (r#"{"brokerDatas"↓=[]}"#, Expected("':'")),
        ],
    );
}

#[test]
fn an_error_shows_its_surroundings_and_no_more() {
    let (before, behind) = ("x".repeat(500), "y".repeat(500));
    let body = format!(r#"{{"new":"{before}","perm":q,"newer":"{behind}"}}"#);
    let error = QueueData::from_bytes(body.as_bytes()).unwrap_err();
    assert_eq!(error.offset, body.find("q,").unwrap());
    assert!(error.excerpt.contains(r#""perm":q,"newer""#), "{}", error.excerpt);
    assert!(error.excerpt.len() <= DataParseError::EXCERPT, "{}", error.excerpt.len());
}
