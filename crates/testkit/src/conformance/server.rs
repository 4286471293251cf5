//! A server as the script sees it: its connections, what it shows of its tables, and when it has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::body::Body;
use super::connection::{Connection, Expectation};
use super::reply::Reply;
use super::request::Request;
use super::script::{BrokerConnection, Step, TOPICS};

/// How long a request that must not be answered is given. Answers take a millisecond.
const SILENCE: Duration = Duration::from_millis(150);

/// How long a server may take to notice that a connection has closed.
const REST_LIMIT: Duration = Duration::from_secs(5);

/// How often is looked whether it has.
const POLL: Duration = Duration::from_millis(2);

/// Its cluster and name; no broker of the script is called that.
const SENTINEL: &str = "sentinel";

/// What a 4.x server does not answer, beside what no server knows.
const UNKNOWN_TO_4: [i32; 3] = [217, 901, 904];

/// Every code that a 5.x server knows.
const KNOWN: [i32; 23] = [
    100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 312, 313, 318, 319, 322, 327,
    901, 904,
];

/// The two generations of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// 4.9.7.
    Four,
    /// 5.3.3.
    Five,
}

impl Generation {
    fn expectation(self, request: &Request) -> Expectation {
        let is_known = KNOWN.contains(&request.code) && !UNKNOWN_TO_4.contains(&request.code);
        if request.flag & 3 != 0 || self == Generation::Four && !is_known {
            Expectation::SilenceFor(SILENCE)
        } else {
            Expectation::Answer
        }
    }
}

/// What a server shows of its tables: each question with its reply.
pub(super) type Shown = Vec<(Request, Reply)>;

/// One server.
pub(super) struct Server {
    address: SocketAddr,
    generation: Generation,
    admin: Option<Connection>,
    watch: Connection,
    brokers: BTreeMap<BrokerConnection, Connection>,
}

impl Server {
    /// Connects to a server, which must be new.
    ///
    /// # Errors
    /// What connecting says.
    pub(super) fn new(address: SocketAddr, generation: Generation) -> io::Result<Server> {
        let watch = Connection::open(address)?;
        Ok(Server { address, generation, admin: None, watch, brokers: BTreeMap::new() })
    }

    /// Does a step. A connection that the server has closed is opened anew by the next step that needs it.
    ///
    /// # Errors
    /// What connecting says.
    pub(super) fn perform(&mut self, step: &Step) -> io::Result<Reply> {
        let (request, kept) = match step {
            Step::Close(connection) => {
                self.brokers.remove(connection);
                return Ok(Reply::Silence);
            }
            Step::Ask(request) => (request, self.admin.take()),
            Step::Register(connection, request) => (request, self.brokers.remove(connection)),
        };
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(self.address)?,
        };
        let reply = connection.exchange(request, self.generation.expectation(request));
        if matches!(reply, Reply::Answer(_) | Reply::Silence) {
            match step {
                Step::Register(key, _) => drop(self.brokers.insert(key.clone(), connection)),
                _ => self.admin = Some(connection),
            }
        }
        Ok(reply)
    }

    /// Waits until everything that was asked before has taken effect. 5.x servers put leaving brokers and closed
    /// connections in a queue (`docs/wire.md` §2.5): one more broker comes and goes, and is behind them.
    ///
    /// # Errors
    /// If it takes over 5 s.
    pub(super) fn rest(&mut self) -> io::Result<()> {
        let mut sentinel = Connection::open(self.address)?;
        let registration = Request::new(103)
            .with("brokerName", SENTINEL)
            .with("brokerAddr", "10.9.9.9:10911")
            .with("brokerId", 0)
            .with("clusterName", SENTINEL)
            .with("haServerAddr", "10.9.9.9:10912");
        sentinel.exchange(&registration, Expectation::Answer);
        drop(sentinel);
        let end = Instant::now() + REST_LIMIT;
        loop {
            let reply = self.watch.exchange(&Request::new(106), Expectation::Answer);
            match cluster_info(&reply) {
                Some(info) if info["brokerAddrTable"].get(SENTINEL).is_none() => return Ok(()),
                _ if Instant::now() > end => {
                    let shown = reply.to_string();
                    return Err(io::Error::other(format!("a closed connection is not noticed: {shown}")));
                }
                _ => thread::sleep(POLL),
            }
        }
    }

    /// What it shows of its tables: 106, 206, and the route of each topic.
    pub(super) fn shown(&mut self) -> Shown {
        let routes = TOPICS.iter().map(|(topic, _)| Request::new(105).with("topic", topic));
        let questions = [Request::new(106), Request::new(206)].into_iter().chain(routes);
        let ask = |question: Request| {
            let reply = self.watch.exchange(&question, Expectation::Answer);
            (question, reply)
        };
        questions.map(ask).collect()
    }
}

/// The addresses of all brokers that are shown.
pub(super) fn addresses(shown: &Shown) -> BTreeSet<String> {
    let tables = shown.iter().filter_map(|(_, reply)| cluster_info(reply)?["brokerAddrTable"].as_object());
    let brokers =
        tables.flat_map(serde_json::Map::values).filter_map(|broker| broker["brokerAddrs"].as_object());
    brokers
        .flat_map(|brokers| brokers.values())
        .filter_map(|address| address.as_str().map(str::to_owned))
        .collect()
}

fn cluster_info(reply: &Reply) -> Option<&serde_json::Value> {
    match reply {
        Reply::Answer(answer) => match &answer.body {
            Body::Json(json) if json.value.get("brokerAddrTable").is_some() => Some(&json.value),
            _ => None,
        },
        _ => None,
    }
}
