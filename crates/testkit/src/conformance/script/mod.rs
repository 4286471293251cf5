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
        rule: "filter-servers",
        reason: "A route of a 5.x server has the filter servers of an address once, those of the group that comes last in hash order: only addresses that are always in one group have some.",
    },
    Known {
        rule: "unannounced-zlib",
        reason: "A stock 5.x broker with compressed registrations does not say that they are, and no Java server reads them: the embedded server does, so the script announces what it compresses.",
    },
    Known {
        rule: "old-zlib",
        reason: "Before version 37 a body is never compressed, and Java's JSON reader takes what starts like a zlib stream for a literal of its own and not for an error: such old versions do not compress.",
    },
    Known {
        rule: "nameless-broker",
        reason: "A broker that registers without its name or its cluster's leaves a null in a Java server's tables, where later requests fail or not, in hash order: no broker registers without them.",
    },
    Known {
        rule: "no-address",
        reason: "A broker that registers without its address leaves a null in the members of its group, where cleaning up behind a closed connection fails if it meets that group first, in hash order: no broker registers without it.",
    },
    Known {
        rule: "name-in-two-clusters",
        reason: "When a connection closes, a 4.x server takes the broker's name out of one cluster that has it, the first in hash order: the connection of a name that has registered in two is not closed there.",
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
        reason: "What makes a Java server close the connection, such as a header that is no JSON, is asked over connections of its own (`broken_frames`).",
    },
    Known {
        rule: "header-without-utf8-4",
        reason: "A 4.x server answers a request whose JSON header is no UTF-8, a 5.x server closes the connection: the embedded one closes as both generations, so 4.x is not asked.",
    },
];

/// Which connection of a broker: a 5.x server keeps brokers by cluster and address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokerConnection {
    /// The cluster that it registers in over this connection.
    pub cluster: String,
    /// Its address.
    pub address: String,
}

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
            Step::Close(BrokerConnection { cluster, address }) => {
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
    /// Address → the names that it has registered under.
    names: BTreeMap<String, BTreeSet<String>>,
    /// Name → the clusters that it has registered in.
    clusters: BTreeMap<String, BTreeSet<String>>,
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
            clusters: BTreeMap::new(),
        }
    }

    fn registration(&mut self) -> Step {
        let broker = Broker::any(&mut self.random);
        let mut request = register(&broker, &mut self.versions, &mut self.random);
        for (key, value) in
            [("brokerName", broker.name), ("clusterName", broker.cluster), ("brokerAddr", broker.address)]
        {
            request = request.with_at_least(key, value);
        }
        let said = |key: &str| request.said(key).unwrap_or_default().to_owned();
        let (cluster, name, address) = (said("clusterName"), said("brokerName"), said("brokerAddr"));
        self.names.entry(address.clone()).or_default().insert(name.clone());
        self.clusters.entry(name).or_default().insert(cluster.clone());
        let connection = BrokerConnection { cluster, address };
        self.open.insert(connection.clone());
        Step::Register(connection, request)
    }

    /// Closes one of which every server knows what to clean up.
    fn close(&mut self) -> Option<Step> {
        let all: Vec<&BrokerConnection> = self.open.iter().filter(|open| self.may_close(open)).collect();
        if all.is_empty() {
            return None;
        }
        let connection = self.random.pick(&all).clone();
        self.open.remove(&connection);
        Some(Step::Close(connection))
    }

    fn may_close(&self, connection: &BrokerConnection) -> bool {
        let mut names = self.names.get(&connection.address).into_iter().flatten();
        let (Some(name), None) = (names.next(), names.next()) else { return false };
        let in_one = self.clusters.get(name).is_some_and(|clusters| clusters.len() == 1);
        in_one || self.generation == Generation::Five
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
