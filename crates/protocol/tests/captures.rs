//! The real answers to 103, 104, 105 and 106, field by field.
//!
//! What must come out is never taken from the crate: it is the initial state of the servers, changed by the requests
//! of the manifest (`independent/replay.rs`), and the body's own text as `serde_json` reads it once its bare integer
//! keys are in quotes (`independent/quoting.rs`).

#[path = "independent/by_hand.rs"]
mod by_hand;
#[path = "../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;
#[path = "independent/header.rs"]
mod header;
#[path = "independent/mutation.rs"]
mod mutation;
#[path = "independent/quoting.rs"]
mod quoting;
#[path = "independent/replay.rs"]
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::request::{
    Answer as Success, GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UnregisterBroker,
};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};
use serde_json::{Value, json};

use by_hand::{same, sorted};
use captures::Capture;
use mutation::{Change, changes};
use replay::{Answer, Expected, NameServer};

/// One answer to 103, 104, 105 or 106, and what it must hold.
struct Witness {
    request: Capture,
    frame: Vec<u8>,
    expected: Expected,
}

/// All of them. The request for 217 that 4.9.7 never answered is replayed as one that changed nothing.
fn witnesses() -> Vec<Witness> {
    let mut servers: BTreeMap<_, _> = (captures::initial_state().iter())
        .map(|(server, state)| (server.clone(), NameServer::new(server, state)))
        .collect();
    let mut witnesses = Vec::new();
    for request in captures::manifest() {
        let server = servers.get_mut(&request.server).expect("a known server");
        if let (Some(expected), Some(frame)) = (server.take(&request), request.frame()) {
            witnesses.push(Witness { request, frame, expected });
        }
    }
    assert_eq!(witnesses.len(), 50, "answers to 103, 104, 105 and 106");
    witnesses
}

/// Opens a frame as the crate does.
fn open(frame: &[u8]) -> Result<(SerializeType, Command), String> {
    let mut buffer = BytesMut::from(frame);
    let frame = frame::cut(&mut buffer, DEFAULT_MAX_FRAME_SIZE).map_err(|error| error.to_string())?;
    let frame = frame.filter(|_| buffer.is_empty()).ok_or("not one whole frame")?;
    let serialize_type = frame.serialize_type;
    let command = Command::from_frame(frame).map_err(|error| error.to_string())?;
    Ok((serialize_type, command))
}

/// Whether the crate reads from this frame what is expected: every field of the header, every value of the body, and
/// the names under which serde has them.
fn check(frame: &[u8], expected: &Expected) -> Result<(), String> {
    let (serialize_type, command) = open(frame)?;
    check_header(serialize_type, &command, expected)?;
    check_values(&command, &expected.answer)?;
    check_names(&command, &expected.answer)
}

fn check_header(serialize_type: SerializeType, command: &Command, expected: &Expected) -> Result<(), String> {
    same("serialize type", &json!(expected.serialize_type), &json!(serialize_type.wire_byte()))?;
    let mut fields = expected.header.clone();
    // An empty map cannot be told from a missing one.
    if fields["extFields"] == json!({}) {
        fields.as_object_mut().expect("an object").remove("extFields");
    }
    same("header", &fields, &header::fields_of(serialize_type, &command.header))
}

/// Whether the body, as its request reads it, holds the values that are expected.
fn check_values(command: &Command, expected: &Answer) -> Result<(), String> {
    match expected {
        Answer::Refused => {
            let refusal = command.refusal().ok_or("not refused")?;
            let whole = refusal.code == ResponseCode::TOPIC_NOT_EXIST
                && refusal.remark == command.header.remark
                && command.body.is_empty();
            whole.then_some(()).ok_or(format!("{refusal}"))
        }
        Answer::Route(route) => {
            let found = answer::<GetRouteInfo>(command)?;
            same("route", route, &sorted(by_hand::route(&found)))
        }
        Answer::Cluster(info) => {
            let found = answer::<GetBrokerClusterInfo>(command)?;
            same("cluster info", info, &sorted(by_hand::cluster(&found)))
        }
        Answer::Registered(table) => {
            let found = answer::<RegisterBroker>(command)?;
            let no_master = found.ha_server_addr.is_none() && found.master_addr.is_none();
            no_master.then_some(()).ok_or("a master")?;
            let found = found.kv_table.unwrap_or_default().into_iter();
            let found = found.map(|(topic, conf)| (topic.to_string(), json!(conf.as_str())));
            same("order configurations", table, &Value::Object(found.collect()))
        }
        Answer::Unregistered => {
            answer::<UnregisterBroker>(command)?;
            command.body.is_empty().then_some(()).ok_or("a body".to_owned())
        }
    }
}

/// Whether serde gives the model the names and values of the body's text.
fn check_names(command: &Command, expected: &Answer) -> Result<(), String> {
    let by_serde = match expected {
        Answer::Refused | Answer::Unregistered => return Ok(()),
        Answer::Route(_) => json!(answer::<GetRouteInfo>(command)?),
        Answer::Cluster(_) => json!(answer::<GetBrokerClusterInfo>(command)?),
        Answer::Registered(_) => json!({ "table": answer::<RegisterBroker>(command)?.kv_table }),
    };
    same("by serde", &quoting::value(&command.body), &by_serde)
}

/// What the crate reads from the answer to a request.
fn answer<R: Request>(command: &Command) -> Result<R::Response, String> {
    let success = Success::from_response(command.clone()).map_err(|refusal| refusal.to_string())?;
    R::from_answer(&success).map_err(|error| error.to_string())
}

#[test]
fn every_answer_holds_what_its_server_knew() {
    for witness in witnesses() {
        assert_eq!(check(&witness.frame, &witness.expected), Ok(()), "{}", witness.request.id());
    }
}

#[test]
fn the_replayed_state_is_what_the_bytes_say() {
    for Witness { request, frame, expected } in witnesses() {
        let (serialize_type, header, body) = header::parts(&frame);
        assert_eq!(serialize_type, expected.serialize_type, "{}", request.id());
        let fields = header::fields(serialize_type, header);
        assert_eq!(same("header", &expected.header, &fields), Ok(()), "{}", request.id());
        let body = (!body.is_empty()).then(|| sorted(quoting::value(body)));
        assert_eq!(body, expected.answer.body(), "{}", request.id());
    }
}

#[test]
fn every_list_keeps_the_order_of_the_body() {
    for Witness { request, frame, expected } in witnesses() {
        let (_, _, body) = header::parts(&frame);
        let (_, command) = open(&frame).expect("a good frame");
        let found = match &expected.answer {
            Answer::Route(_) => by_hand::route(&answer::<GetRouteInfo>(&command).unwrap()),
            Answer::Cluster(_) => by_hand::cluster(&answer::<GetBrokerClusterInfo>(&command).unwrap()),
            _ => continue,
        };
        assert_eq!(same("body", &quoting::value(body), &found), Ok(()), "{}", request.id());
    }
}

#[test]
fn every_header_of_every_capture_is_opened_as_its_bytes_say() {
    let mut opened = 0;
    for request in captures::manifest() {
        let Some(frame) = request.frame() else { continue };
        let (byte, header, body) = header::parts(&frame);
        let (serialize_type, command) = open(&frame).unwrap();
        let mut expected = header::fields(byte, header);
        if expected["extFields"] == json!({}) {
            expected.as_object_mut().expect("an object").remove("extFields");
        }
        let found = header::fields_of(serialize_type, &command.header);
        assert_eq!(same("header", &expected, &found), Ok(()), "{}", request.id());
        assert_eq!(command.body, body, "{}", request.id());
        assert!(command.header.is_response() && !command.header.is_oneway(), "{}", request.id());
        opened += 1;
    }
    assert_eq!(opened, 112);
}

/// A body with one thing changed, as a frame with the header of the capture.
fn with_body(frame: &[u8], body: &Value) -> Vec<u8> {
    let (serialize_type, header, _) = header::parts(frame);
    header::frame(serialize_type, header, body.to_string().as_bytes())
}

#[test]
fn changing_one_thing_of_a_body_makes_its_test_fail() {
    let mut tried = 0;
    let mut by_name_only = BTreeSet::new();
    for Witness { request, frame, expected } in witnesses() {
        let (_, _, body) = header::parts(&frame);
        if body.is_empty() {
            continue;
        }
        let body = quoting::value(body);
        let unchanged = check(&with_body(&frame, &body), &expected);
        assert_eq!(unchanged, Ok(()), "{}: writing it back changes nothing", request.id());
        for (change, place, changed) in changes(&body) {
            let changed = with_body(&frame, &changed);
            let what = format!("{}: {change:?} of {place}", request.id());
            assert!(check(&changed, &expected).is_err(), "{what} goes unnoticed");
            let (_, command) = open(&changed).unwrap();
            if check_values(&command, &expected.answer).is_ok() {
                assert_eq!(change, Change::RenamedKey, "{what} is not in the model");
                by_name_only.insert(place.rsplit('/').next().unwrap_or_default().to_owned());
            }
            tried += 1;
        }
    }
    assert!(tried > 4_000, "{tried} changes");
    // A renamed field leaves its default behind, and in some captures these two hold no more than that.
    assert_eq!(by_name_only, BTreeSet::from(["filterServerTable", "topicSysFlag"].map(String::from)));
}

#[test]
fn changing_one_thing_of_a_header_makes_its_test_fail() {
    for Witness { request, frame, expected } in witnesses() {
        let (serialize_type, header, body) = header::parts(&frame);
        let changed: Vec<(String, Vec<u8>)> = if serialize_type == 0 {
            changes(&header::fields(serialize_type, header))
                .into_iter()
                // Which form it is, the header word says; and a map that is not there is an empty one.
                .filter(|(_, place, _)| !matches!(place.as_str(), "/serializeTypeCurrentRPC" | "/extFields"))
                .map(|(change, place, changed)| {
                    (format!("{change:?} of {place}"), changed.to_string().into())
                })
                .collect()
        } else {
            (0..header.len())
                .map(|at| {
                    let mut changed = header.to_vec();
                    changed[at] ^= 1;
                    (format!("byte {at}"), changed)
                })
                .collect()
        };
        for (what, changed) in changed {
            let failed = check(&header::frame(serialize_type, &changed, body), &expected);
            assert!(failed.is_err(), "{}: {what} goes unnoticed", request.id());
        }
    }
}

/// A session that waits for the answer to this capture's request.
fn waiting(request: &Capture) -> Session<&'static str> {
    let mut session = Session::new(SessionConfig {
        serialize_type: if request.binary_header { SerializeType::RocketMq } else { SerializeType::Json },
        ..SessionConfig::default()
    });
    let fields = request.ext_fields.iter();
    let fields = ExtFields::from_iter(fields.map(|(key, value)| (key.as_str(), value.as_str())));
    let command = Command::request(RequestCode(request.code), fields, request.request_body.clone());
    session.call(some_instant(), 7, command, None, "waiter").expect("a request that can be sent");
    session
}

#[test]
fn an_answer_is_the_same_wherever_the_stream_is_split() {
    for Witness { request, frame, .. } in witnesses() {
        let (_, whole) = open(&frame).unwrap();
        for at in 1..frame.len() {
            let mut session = waiting(&request);
            session.feed(&frame[..at]);
            assert_eq!(session.next_answer(), Ok(None), "{} at {at}", request.id());
            session.feed(&frame[at..]);
            let answer = session.next_answer().unwrap();
            assert_eq!(answer, Some(("waiter", whole.clone())), "{} at {at}", request.id());
            assert_eq!((session.next_answer(), session.end_of_stream()), (Ok(None), Ok(())));
        }
    }
}

#[test]
fn an_answer_is_the_same_if_it_comes_byte_by_byte() {
    for request in captures::manifest() {
        let Some(frame) = request.frame() else { continue };
        let (_, whole) = open(&frame).unwrap();
        let mut session = waiting(&request);
        for (at, byte) in frame.iter().enumerate() {
            assert_eq!(session.next_answer(), Ok(None), "{} at {at}", request.id());
            session.input().extend_from_slice(&[*byte]);
            session.received(1);
        }
        assert_eq!(session.next_answer(), Ok(Some(("waiter", whole))), "{}", request.id());
        assert_eq!(session.in_flight(), 0);
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn some_instant() -> std::time::Instant {
    std::time::Instant::now()
}
