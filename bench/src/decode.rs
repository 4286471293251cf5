//! The work on one answer without any waiting: reading its body, beside serde_json, and the steps around it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::TopicRouteData;
use rocketmq_nameserver_protocol::request::{GetRouteInfo, Request};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};
use serde::Deserialize;

use crate::Outcome;
use crate::measure::{Spread, ns_per_item};
use crate::report::Steps;
use crate::rounds::topic;
use crate::stub::ROUTE_FRAME;

/// How many bodies are read in turn: no reader meets one that is still in the processor's nearest cache.
const BODIES: usize = 1_000;

/// The other reader: a route in plain serde types, with the fields that the body has.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainRoute {
    broker_datas: Vec<PlainBroker>,
    queue_datas: Vec<PlainQueue>,
    filter_server_table: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainBroker {
    broker_addrs: BTreeMap<i64, String>,
    broker_name: String,
    cluster: String,
    enable_acting_master: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainQueue {
    broker_name: String,
    perm: u32,
    read_queue_nums: u32,
    topic_sys_flag: i32,
    write_queue_nums: u32,
}

/// One body as servers send it, and as a reader of strict JSON needs it.
#[derive(Debug)]
pub(crate) struct Body {
    as_sent: Bytes,
    quoted: Bytes,
}

/// Reads, encodes and takes apart, in turns, round after round.
pub(crate) fn measure(rounds: usize) -> Outcome<Steps> {
    let bodies = bodies(BODIES)?;
    // Whoever cannot read a body does not take part.
    for body in &bodies {
        same_route(&body.as_sent, &body.quoted)?;
    }
    let topics: Vec<String> = (1..=BODIES).map(topic).collect();
    let answers = answers(&bodies)?;
    let body_bytes = bodies.first().map_or(0, |body| body.as_sent.len());

    let mut figures: [Vec<f64>; 4] = Default::default();
    let [ours, serde_json, request, session_step] = &mut figures;
    for _ in 0..rounds {
        ours.push(ns_per_item(BODIES, || read_ours(&bodies))?);
        serde_json.push(ns_per_item(BODIES, || read_plain(&bodies))?);
        request.push(ns_per_item(BODIES, || encode(&topics))?);
        session_step.push(take_apart(&answers)?);
    }
    let ratio = Spread::of(ours.iter().zip(&*serde_json).map(|(ours, plain)| ours / plain));
    let [ours, serde_json, request, session_step] = figures.map(Spread::of);
    let steps = || {
        Some(Steps {
            bodies: BODIES,
            body_bytes,
            rounds,
            read_ns: ours?.median,
            serde_json_ns: serde_json?.median,
            read_of_serde_json: ratio?,
            encode_request_ns: request?.median,
            session_step_ns: session_step?.median,
        })
    };
    steps().ok_or_else(|| "no round was measured".into())
}

pub(crate) fn read_ours(bodies: &[Body]) -> Outcome<()> {
    for body in bodies {
        black_box(TopicRouteData::from_bytes(black_box(&body.as_sent))?);
    }
    Ok(())
}

fn read_plain(bodies: &[Body]) -> Outcome<()> {
    for body in bodies {
        black_box(serde_json::from_slice::<PlainRoute>(black_box(&body.quoted))?);
    }
    Ok(())
}

pub(crate) fn encode(topics: &[String]) -> Outcome<()> {
    let mut out = BytesMut::with_capacity(1024);
    for topic in topics {
        let command = GetRouteInfo::new(topic.as_str()).to_command();
        command.encode(SerializeType::Json, DEFAULT_MAX_FRAME_SIZE, &mut out)?;
        black_box(&out);
        out.clear();
    }
    Ok(())
}

/// Ns per answer.
fn take_apart(answers: &[BytesMut]) -> Outcome<f64> {
    let mut session = waiting_session(answers.len())?;
    ns_per_item(answers.len(), || take_out(&mut session, answers))
}

/// A session in which that many calls wait, under the opaques from 0 on.
pub(crate) fn waiting_session(calls: usize) -> Outcome<Session<i32>> {
    let mut session = Session::new(SessionConfig::default());
    for (opaque, _) in (0..).zip(0..calls) {
        let request = GetRouteInfo::new("Topic").to_command();
        session
            .call(Instant::now(), opaque, request, None, opaque)
            .map_err(|rejected| format!("{rejected:?}"))?;
        session.output().clear();
    }
    Ok(session)
}

/// One answer at a time into a session and out again, its header opened and its waiter found.
pub(crate) fn take_out(session: &mut Session<i32>, answers: &[BytesMut]) -> Outcome<()> {
    for answer in answers {
        session.feed(answer);
        if black_box(session.next_answer()?).is_none() {
            return Err("an answer found nobody who waits for it".into());
        }
    }
    Ok(())
}

/// The answer with each body, under the opaques from 0 on.
pub(crate) fn answers(bodies: &[Body]) -> Outcome<Vec<BytesMut>> {
    let frames = (0..).zip(bodies).map(|(opaque, body)| {
        let answer = Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), body.as_sent.clone());
        Ok(answer.to_frame(SerializeType::Json)?)
    });
    frames.collect()
}

/// Bodies that differ in broker names, addresses and queue counts, each as long as the captured one.
pub(crate) fn bodies(count: usize) -> Outcome<Vec<Body>> {
    let mut captured = BytesMut::from(ROUTE_FRAME);
    let frame =
        frame::cut(&mut captured, DEFAULT_MAX_FRAME_SIZE)?.ok_or("the capture is not a whole frame")?;
    let captured = str::from_utf8(&frame.body)?;
    let vary = |number: usize| {
        let text = captured
            .replace("\"broker-00", &format!("\"broker-{:02}", number % 100))
            .replace("\"10.0.", &format!("\"10.{}.", number % 10))
            .replace(":10911\"", &format!(":{}\"", 10_000 + number))
            .replace("QueueNums\":8", &format!("QueueNums\":{}", 1 + number % 9));
        Body {
            // The only bare keys are the broker ids 0 and 1.
            quoted: text.replace("{0:\"", "{\"0\":\"").replace(",1:\"", ",\"1\":\"").into(),
            as_sent: text.into(),
        }
    };
    Ok((0..count).map(vary).collect())
}

/// Fails unless both readers find the same in a body.
fn same_route(as_sent: &[u8], quoted: &[u8]) -> Outcome<()> {
    let ours = TopicRouteData::from_bytes(as_sent)?.to_bytes();
    let ours: PlainRoute = serde_json::from_slice(&ours)?;
    let plain: PlainRoute = serde_json::from_slice(quoted)?;
    if ours == plain { Ok(()) } else { Err("the two readers do not agree".into()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_bodies_are_all_different_and_as_long_as_the_captured_one() {
        let bodies = bodies(BODIES).unwrap();
        let distinct: BTreeSet<&[u8]> = bodies.iter().map(|body| &body.as_sent[..]).collect();
        assert_eq!(distinct.len(), BODIES);
        for body in &bodies {
            // Sixteen broker ids get two quotes each.
            assert_eq!((body.as_sent.len(), body.quoted.len()), (1831, 1831 + 32));
        }
    }

    #[test]
    fn both_readers_find_the_same_and_notice_if_they_do_not() {
        let bodies = bodies(10).unwrap();
        for body in &bodies {
            same_route(&body.as_sent, &body.quoted).unwrap();
        }
        assert!(same_route(&bodies[0].as_sent, &bodies[1].quoted).is_err());
    }

    #[test]
    fn every_figure_of_the_steps_is_there() {
        let steps = measure(1).unwrap();
        for figure in [steps.read_ns, steps.serde_json_ns, steps.encode_request_ns, steps.session_step_ns] {
            assert!(figure > 0.0, "{steps:?}");
        }
    }
}
