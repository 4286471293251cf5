//! A long row of requests, valid and odd, for two servers to be asked in step. A seed says all of it.
//!
//! | file | what |
//! |---|---|
//! | `random.rs` | numbers from a seed |
//! | `pools.rs` | the few names, and the dress of a request: version, form, flag |
//! | `registration.rs`, `packed.rs` | 103, plain and compressed |
//! | `requests.rs` | everything else |

mod packed;
mod pools;
mod random;
mod registration;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(super) use pools::TOPICS;
use random::Random;
use registration::{Broker, DataVersions, register};
use requests::UNREGISTER_BROKER;

use super::known::Known;
use super::request::Request;
use super::server::Generation;

/// The seed of the script that every test run does: the day on which the first one was written.
pub const SEED: u64 = 20_261_124;

/// How many steps every test run does.
pub const STEPS: usize = 500;

/// What the script leaves out, and why: two real servers would differ there too, or the time would decide.
pub const LEFT_OUT: &[Known] = &[
    Known {
        rule: "unit-bits",
        reason: "311 to 313 look at one of a topic's brokers, the first in hash order: a topic has the same unit bits on all of them.",
    },
    Known {
        rule: "address-under-two-names",
        reason: "When a connection closes, a Java server frees one broker group that has the address, the first in hash order: the connection of an address that has registered under two names is never closed.",
    },
    Known {
        rule: "shared-connection",
        reason: "When a connection closes, a Java server frees one of the brokers that registered over it, the first in hash order: each broker has a connection of its own.",
    },
    Known {
        rule: "no-address-4",
        reason: "A 4.x server that has a broker without an address does not clean up behind a closed connection if it meets that broker's group first, in hash order: no broker registers there without an address.",
    },
    Known {
        rule: "expiry",
        reason: "A broker that does not register again expires after 120 s, found by scans of 5 s or 10 s: the script ends earlier, and asks for no shorter time.",
    },
    Known {
        rule: "time-and-place",
        reason: "needWaitForService, clusterTest and notifyMinBrokerIdChanged make a server refuse for some time, ask another server or call brokers: they are not switched on.",
    },
    Known {
        rule: "closing-requests",
        reason: "What makes a Java server close the connection, such as a header that is no JSON, is tested by itself.",
    },
];

/// Which connection of a broker: a 5.x server keeps brokers by cluster and address.
pub type BrokerConnection = (Option<String>, Option<String>);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A request over the one connection for everything that is no registration.
    Ask(Request),
    /// A registration over the broker's own connection.
    Register(BrokerConnection, Request),
    /// That connection is closed.
    Close(BrokerConnection),
}

impl Step {
    /// Whether some server acts on it only after it has answered.
    pub fn takes_effect_later(&self) -> bool {
        match self {
            Step::Ask(request) => request.code == UNREGISTER_BROKER,
            Step::Register(..) => false,
            Step::Close(_) => true,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Ask(request) | Step::Register(_, request) => request.fmt(f),
            Step::Close((cluster, address)) => {
                write!(f, "the connection of {address:?} in {cluster:?} closes")
            }
        }
    }
}

/// The steps of a seed, without an end.
#[derive(Debug, Clone)]
pub struct Script {
    generation: Generation,
    random: Random,
    versions: DataVersions,
    open: BTreeSet<BrokerConnection>,
    names: BTreeMap<Option<String>, BTreeSet<Option<String>>>,
}

impl Script {
    /// The steps of that seed, for servers of that generation.
    pub fn new(generation: Generation, seed: u64) -> Script {
        Script {
            generation,
            random: Random::new(seed),
            versions: DataVersions::default(),
            open: BTreeSet::new(),
            names: BTreeMap::new(),
        }
    }

    fn registration(&mut self) -> Step {
        let broker = Broker::any(&mut self.random);
        let mut request = register(&broker, &mut self.versions, &mut self.random);
        if self.generation == Generation::Four && request.said("brokerAddr").is_none() {
            request = request.with("brokerAddr", broker.address);
        }
        let said = |key: &str| request.said(key).map(str::to_owned);
        let connection = (said("clusterName"), said("brokerAddr"));
        self.names.entry(connection.1.clone()).or_default().insert(said("brokerName"));
        self.open.insert(connection.clone());
        Step::Register(connection, request)
    }

    /// Closes one whose address has only ever had one name.
    fn close(&mut self) -> Option<Step> {
        let names = &self.names;
        let may_close =
            |(_, address): &&BrokerConnection| names.get(address).is_some_and(|names| names.len() == 1);
        let all: Vec<&BrokerConnection> = self.open.iter().filter(may_close).collect();
        if all.is_empty() {
            return None;
        }
        let connection = self.random.pick(&all).clone();
        self.open.remove(&connection);
        Some(Step::Close(connection))
    }
}

impl Iterator for Script {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = match self.random.below(100) {
            0..=27 => self.registration(),
            28..=31 => match self.close() {
                Some(step) => step,
                None => self.registration(),
            },
            _ => Step::Ask(requests::any(&self.versions, &mut self.random)),
        };
        Some(step)
    }
}
