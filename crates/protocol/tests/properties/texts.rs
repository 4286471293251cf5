//! Arbitrary bytes and texts: real ones with something changed, and made-up ones in the shape of a body.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{captures, header, quoting};

/// One change to bytes.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Other bits at a place.
    Flip(Index, u8),
    /// Bytes taken out from a place on.
    Cut(Index, usize),
    /// Everything from a place on is gone.
    End(Index),
    /// Bytes put in at a place.
    Insert(Index, Vec<u8>),
    /// Bytes at a place written over.
    Replace(Index, Vec<u8>),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match self {
            Edit::Flip(at, bits) => {
                let at = place(at);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Edit::Cut(at, length) => {
                let start = place(at);
                let end = bytes.len().min(start + length);
                bytes.drain(start..end);
            }
            Edit::End(at) => bytes.truncate(place(at)),
            Edit::Insert(at, new) => {
                let at = place(at);
                bytes.splice(at..at, new.iter().copied());
            }
            Edit::Replace(at, new) => {
                let start = place(at);
                let end = bytes.len().min(start + new.len());
                bytes.splice(start..end, new.iter().copied());
            }
        }
    }
}

/// Any change of any bytes.
fn byte_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        1 => any::<Index>().prop_map(Edit::End),
        1 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, new)| Edit::Insert(at, new)),
        1 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, new)| Edit::Replace(at, new)),
    ]
}

/// A change that has a chance to leave JSON behind.
fn token_edit() -> impl Strategy<Value = Edit> {
    let tokens = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        " ",
        "\n",
        "0",
        "-",
        "1",
        ".5",
        "e1",
        "null",
        "true",
        "false",
        "\\",
        "\\u",
        "\\u00e4",
        "\\ud83d",
        "\\\"",
        "\"a\":",
        "7:",
        "null:",
        "{}",
        "[]",
        "\"\"",
        "\"x\":[1,{}],",
        "null,",
        "ü",
        "\u{7f}",
        "\"$ref\":\"$\",",
        "\"perm\":\"6\",",
        "\u{feff}",
        "\t",
        "\u{b}",
        "//",
        "'",
        "+",
        "L",
        "x",
    ];
    let token = select(tokens).prop_map(|token| token.as_bytes().to_vec());
    prop_oneof![
        1 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        3 => (any::<Index>(), 1..4_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        4 => (any::<Index>(), token.clone()).prop_map(|(at, new)| Edit::Insert(at, new)),
        3 => (any::<Index>(), token).prop_map(|(at, new)| Edit::Replace(at, new)),
    ]
}

fn edited(
    original: impl Strategy<Value = Vec<u8>>,
    edits: impl Strategy<Value = Vec<Edit>>,
) -> impl Strategy<Value = Vec<u8>> {
    (original, edits).prop_map(|(mut bytes, edits)| {
        for edit in &edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

/// Some answers of the real servers, whole frames.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let frames: Vec<_> = captures::manifest().iter().filter_map(captures::Capture::frame).collect();
    select(frames)
}

/// Real frames with bytes changed.
pub(crate) fn edited_frames() -> impl Strategy<Value = Vec<u8>> {
    edited(frames(), vec(byte_edit(), 1..5))
}

/// Real bodies of those requests, in both dialects, with tokens changed. The short ones: a change in the tenth broker
/// is none that the first does not have.
pub(crate) fn edited_bodies(code: i32) -> impl Strategy<Value = Vec<u8>> {
    let bodies = captures::manifest().into_iter().filter(|request| request.code == code);
    let bodies = bodies.filter_map(|request| request.frame());
    let mut bodies: Vec<_> = bodies.map(|frame| header::parts(&frame).2.to_vec()).collect();
    bodies.retain(|body| !body.is_empty());
    bodies.sort_by_key(Vec::len);
    bodies.truncate(12);
    let quoted: Vec<_> = bodies.iter().map(|body| quoting::quoted(body).into_bytes()).collect();
    edited(select([bodies, quoted].concat()), vec(token_edit(), 1..4))
}

/// Texts in the shape of a route: mostly right, each part sometimes of another kind, null, twice or not there.
pub(crate) fn route_text() -> impl Strategy<Value = String> {
    object(vec![
        field("brokerDatas", list(broker_text())),
        field("queueDatas", list(queue_text())),
        field("filterServerTable", map(names(), list(names()))),
        field("orderTopicConf", names()),
        field("topicQueueMappingByBroker", map(names(), mapping_text())),
        field("topicQueueMappingInfo", map(names(), mapping_text())),
    ])
}

/// Texts in the shape of a cluster info.
pub(crate) fn cluster_text() -> impl Strategy<Value = String> {
    object(vec![
        field("brokerAddrTable", map(names(), broker_text())),
        field("clusterAddrTable", map(names(), list(names()))),
    ])
}

type Text = BoxedStrategy<String>;

fn broker_text() -> Text {
    object(vec![
        field("brokerName", names()),
        field("cluster", names()),
        field("brokerAddrs", map(ids(), names())),
        field("enableActingMaster", select(vec!["true", "false"]).prop_map(String::from).boxed()),
        field("zoneName", names()),
    ])
}

fn queue_text() -> Text {
    object(vec![
        field("brokerName", names()),
        field("perm", numbers()),
        field("readQueueNums", numbers()),
        field("writeQueueNums", numbers()),
        field("topicSysFlag", numbers()),
        field("topicSynFlag", numbers()),
        field("compressionType", names()),
    ])
}

fn mapping_text() -> Text {
    object(vec![
        field("bname", names()),
        field("currIdMap", map(ids(), numbers())),
        field("dirty", select(vec!["true", "false"]).prop_map(String::from).boxed()),
        field("epoch", numbers()),
        field("scope", names()),
        field("topic", names()),
        field("totalQueues", numbers()),
    ])
}

fn spelled(spellings: &[&'static str]) -> Text {
    select(spellings.to_vec()).prop_map(String::from).boxed()
}

fn names() -> Text {
    spelled(&[
        r#""""#,
        r#""a""#,
        r#""b""#,
        r#""h:1""#,
        r#""\u00fc\/""#,
        r#""主""#,
        r#""\uD83D\uDE00""#,
        r#""{0:""#,
    ])
}

fn ids() -> Text {
    spelled(&[
        "0",
        "1",
        "-1",
        "7",
        r#""0""#,
        r#""-1""#,
        r#""\u0030""#,
        "9223372036854775807",
        "-9223372036854775808",
    ])
}

fn numbers() -> Text {
    spelled(&[
        "0",
        "1",
        "6",
        "2147483647",
        r#""6""#,
        r#""0""#,
        "9007199254740993",
        "-1",
        "2147483648",
        r#""-2147483648""#,
    ])
}

/// Anything, of whatever kind.
fn anything() -> Text {
    spelled(&[
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "1.5",
        "1e3",
        "2147483648",
        "-9223372036854775809",
        "18446744073709551616",
        r#""""#,
        r#""a""#,
        r#""6""#,
        r#""06""#,
        r#""+6""#,
        "[]",
        "{}",
        "[null]",
        r#"[{"a":[]}]"#,
        r#"{"$ref":"$"}"#,
        r#"{0:"h:1",null:"x"}"#,
        r#"{"0":1}"#,
        "nul",
        "01",
        "+1",
        "'a'",
        "[1,]",
        r#""\x""#,
        "1L",
        r#""\uD83D""#,
    ])
}

fn field(name: &'static str, value: Text) -> Text {
    let value = prop_oneof![20 => value, 1 => spelled(&["null"]), 1 => anything()];
    (value, spaces()).prop_map(move |(value, space)| format!(r#""{name}"{space}:{space}{value}"#)).boxed()
}

/// White space, mostly none.
fn spaces() -> Text {
    prop_oneof![9 => Just(String::new()), 1 => spelled(&[" ", "\n\t", "\r "])].boxed()
}

/// The fields in any number and order, some more than once, with others that nobody knows.
fn object(fields: Vec<Text>) -> Text {
    let unknown = (spelled(&[r#""new""#, "7", "null", r#""$ref""#, r#""""#]), anything());
    let unknown = unknown.prop_map(|(key, value)| format!("{key}:{value}")).boxed();
    let count = fields.len();
    let any_field = prop_oneof![30 => select(fields).prop_flat_map(|field| field), 1 => unknown];
    (vec(any_field, 0..=count), spaces())
        .prop_map(|(fields, space)| format!("{{{space}{}{space}}}", fields.join(&format!("{space},"))))
        .boxed()
}

fn list(element: Text) -> Text {
    let element = prop_oneof![20 => element, 1 => spelled(&["null"]), 1 => anything()];
    vec(element, 0..3).prop_map(|elements| format!("[{}]", elements.join(","))).boxed()
}

fn map(key: Text, value: Text) -> Text {
    let key = prop_oneof![20 => key, 1 => spelled(&["null", r#""a""#, "1.5", "0x1", r#""01""#])];
    let value = prop_oneof![20 => value, 1 => spelled(&["null"]), 1 => anything()];
    let entry = (key, value).prop_map(|(key, value)| format!("{key}:{value}"));
    vec(entry, 0..3).prop_map(|entries| format!("{{{}}}", entries.join(","))).boxed()
}
