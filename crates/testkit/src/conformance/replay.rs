//! The captures once more: any server is brought into the state that they start from, gets the same requests in the same
//! order, and what it answers is compared with what the real server answered then.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Form};
use super::compare::{Difference, compare};
use super::connection::{Connection, Expectation};
use super::known::{Against, Rules};
use super::reply::Reply;
use super::request::Request;
use crate::captures::{Broker, Capture, DataVersion, State, initial_state, manifest};

/// How long a server that must not answer is given for an answer.
const SILENCE: Duration = Duration::from_millis(300);

const REGISTER_BROKER: i32 = 103;
const UNREGISTER_BROKER: i32 = 104;

/// What came of it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// How many answers were compared, silence included.
    pub compared: usize,
    /// What differs, each behind the name of its capture.
    pub differences: Vec<(String, Difference)>,
}

/// Replays the captures of a server, `rocketmq-4.9.7` or `rocketmq-5.3.3`, on the one at that address, which must be new.
///
/// The registrations are not repeated while it runs: it takes seconds, a broker lives for two minutes, and an unchanged
/// registration changes nothing.
///
/// # Errors
/// If it cannot be connected to, or does not register the brokers of the initial state.
pub fn replay(server: &str, address: SocketAddr) -> io::Result<Replayed> {
    let states = initial_state();
    let state = states.get(server).ok_or_else(|| io::Error::other(format!("no state of {server}")))?;
    // The brokers are there as long as their connections are.
    let _brokers = register(state, address)?;
    let addresses = addresses(state);
    let rules = Rules { addresses: &addresses, against: Against::Captures };
    let mut registration = None;
    let mut replayed = Replayed::default();
    for capture in manifest().iter().filter(|capture| capture.server == server) {
        let expected = captured(capture);
        let expectation = match expected {
            Reply::Silence => Expectation::SilenceFor(SILENCE),
            _ => Expectation::Answer,
        };
        let mut connection = Connection::open(address)?;
        let found = connection.exchange(&request(capture), expectation);
        replayed.compared += 1;
        let differences = compare(&expected, &found, &rules);
        replayed.differences.extend(differences.into_iter().map(|difference| (capture.id(), difference)));
        match capture.code {
            REGISTER_BROKER => registration = Some(connection),
            UNREGISTER_BROKER => registration = None,
            _ => {}
        }
    }
    drop(registration);
    Ok(replayed)
}

/// What the real server answered then.
///
/// # Panics
/// If it cannot be read.
pub fn captured(capture: &Capture) -> Reply {
    let Some(frame) = capture.frame() else { return Reply::Silence };
    let answer = Answer::cut(&frame, capture.code);
    Reply::Answer(Box::new(answer.unwrap_or_else(|why| panic!("{}: {why}", capture.id()))))
}

/// What was asked then.
pub fn request(capture: &Capture) -> Request {
    Request {
        code: capture.code,
        version: capture.request_version,
        flag: 0,
        ext_fields: capture.ext_fields.clone(),
        body: capture.request_body.clone().into_bytes(),
        form: if capture.binary_header { Form::Binary } else { Form::Json },
    }
}

/// The address of every broker in a state.
pub fn addresses(state: &State) -> BTreeSet<String> {
    state.brokers.iter().flat_map(|broker| broker.broker_addrs.values().cloned()).collect()
}

/// Registers every member of every broker group, each over a connection of its own.
fn register(state: &State, address: SocketAddr) -> io::Result<Vec<Connection>> {
    let mut connections = Vec::new();
    for broker in &state.brokers {
        for (id, member) in &broker.broker_addrs {
            let mut connection = Connection::open(address)?;
            match connection.exchange(&registration(broker, *id, member), Expectation::Answer) {
                Reply::Answer(answer) if answer.code == 0 => connections.push(connection),
                other => {
                    let name = &broker.broker_name;
                    return Err(io::Error::other(format!("{name} {id} is not registered: {other}")));
                }
            }
        }
    }
    Ok(connections)
}

fn registration(broker: &Broker, id: i64, address: &str) -> Request {
    let topic = |(name, queues): (String, crate::captures::Queues)| {
        let config = json!({
            "order": false,
            "perm": queues.perm,
            "readQueueNums": queues.read_queue_nums,
            "topicFilterType": "SINGLE_TAG",
            "topicName": name,
            "topicSysFlag": queues.topic_sys_flag,
            "writeQueueNums": queues.write_queue_nums,
        });
        (name, config)
    };
    let topics: Value = broker.topics.each().into_iter().map(topic).collect();
    let version = broker.data_version.unwrap_or(DataVersion { timestamp: 1, counter: 1, state_version: 0 });
    let body = json!({
        "filterServerList": [],
        "topicConfigSerializeWrapper": {
            "dataVersion": {
                "counter": version.counter,
                "stateVersion": version.state_version,
                "timestamp": version.timestamp,
            },
            "topicConfigTable": topics,
        },
    });
    let request = Request::new(REGISTER_BROKER)
        .with("brokerName", &broker.broker_name)
        .with("brokerAddr", address)
        .with("brokerId", id)
        .with("clusterName", &broker.cluster_name)
        .with("haServerAddr", address)
        .with_body(body.to_string());
    match broker.enable_acting_master {
        Some(said) => request.with("enableActingMaster", said),
        None => request,
    }
}
