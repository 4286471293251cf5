//! Stop 9 of the trip: one call, and whether its answer is the answer or another server is asked. Before it comes
//! [`link`](crate::link), which answers; behind it [`client`](crate::client), which asks.
//!
//! The rules, in the order in which they meet a call:
//!
//! 1. One deadline for everything. With several servers to go, an attempt may take its equal share of what is left, so
//!    that a server which swallows everything leaves time for the others.
//! 2. Servers are tried in the order of [`endpoints`](crate::endpoints), each once. Only failures of a server or of the
//!    way to it move on, and the answers "busy" and "not ready" (`Failure::is_worth_another_server` in
//!    [`error`](crate::error)); any other answer is the answer.
//! 3. A connection that was there before the call and dies before the answer is made once more to the same server: it may
//!    have been closed for idleness just then. The same when the server says that it goes away.
//! 4. "Topic not found" is asked of one more server before it is believed, if there is one whose last attempt did not
//!    fail.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rocketmq_nameserver_protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::{Answer, Reach, Request};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::address::ServerAddress;
use crate::config::ClientConfig;
use crate::dial;
use crate::endpoints::Health;
use crate::error::{Attempt, Failure, NameServerError, Phase, Result};
use crate::link::{Broken, Link, LinkState};
use crate::stats::{ClientStats, ConnectionState, Counters, ServerStats};

/// One server and the connection to it, if there is one.
struct Endpoint {
    name: Name,
    address: ServerAddress,
    counters: Arc<Counters>,
    link: Mutex<Option<Arc<Link>>>,
}

/// All servers of a client.
pub(crate) struct Servers {
    config: ClientConfig,
    endpoints: Vec<Endpoint>,
    health: Health,
}

/// What a call asks, for its error.
pub(crate) enum Question {
    Route(Name),
    ClusterInfo,
    Connection,
    Other(RequestCode),
}

impl Servers {
    pub(crate) fn new(config: ClientConfig) -> Self {
        let endpoint = |address: &ServerAddress| Endpoint {
            name: Name::from(address.to_string()),
            address: address.clone(),
            counters: Arc::new(Counters::new(address.clone())),
            link: Mutex::new(None),
        };
        let endpoints: Vec<Endpoint> = config.servers.iter().map(endpoint).collect();
        let health = Health::new(endpoints.len());
        Servers { config, endpoints, health }
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Asks until a server answers, by the rules of this module.
    pub(crate) async fn ask<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
        question: &Question,
    ) -> Result<R::Response> {
        let deadline = Instant::now().checked_add(timeout);
        let runtime = current_runtime()?;
        let mut attempts = Vec::new();
        let order = self.health.order();
        for (at, server) in order.iter().enumerate() {
            let Some(endpoint) = self.endpoints.get(*server) else {
                continue;
            };
            let doubted = attempts.last().is_some_and(|last: &Attempt| is_not_found(&last.failure));
            if doubted && self.health.is_failed(*server) {
                continue;
            }
            let share = share_of(deadline, order.len() - at);
            match self.try_server(&runtime, endpoint, request, share, &mut attempts).await {
                Ok(response) => {
                    self.health.answered(*server);
                    return Ok(response);
                }
                Err(failure) if failure.is_worth_another_server() => self.health.failed(*server),
                Err(failure) => {
                    self.health.answered(*server);
                    if !is_not_found(&failure) || doubted {
                        break;
                    }
                }
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
        }
        Err(question.failed(attempts))
    }

    /// Asks one server, a second time where rule 3 says so. Failed attempts go to `attempts`; the last one comes back.
    async fn try_server<R: Request>(
        &self,
        runtime: &Handle,
        endpoint: &Endpoint,
        request: &R,
        deadline: Option<Instant>,
        attempts: &mut Vec<Attempt>,
    ) -> std::result::Result<R::Response, Failure> {
        // A write may have been carried out before the connection died.
        let mut again = R::REACH == Reach::One;
        loop {
            let started = Instant::now();
            let link = endpoint.link(runtime, &self.config);
            let was_connected = link.is_connected();
            let answered = link.call(request.to_command(), deadline).await;
            let Broken { phase, failure } = match answered.and_then(read_answer::<R>) {
                Ok(response) => return Ok(response),
                Err(broken) => broken,
            };
            match &failure {
                Failure::Refused(_) => endpoint.counters.refused(),
                _ => endpoint.counters.failed(),
            }
            let attempt = Attempt {
                server: endpoint.name.clone(),
                phase,
                elapsed: started.elapsed(),
                failure: failure.clone(),
            };
            attempts.push(attempt);
            let lost =
                was_connected && matches!(failure, Failure::Closed | Failure::Io(_) | Failure::RuntimeGone);
            let sent_away = matches!(failure, Failure::GoAway);
            if sent_away {
                endpoint.retire(&link);
            }
            if !(again && (lost || sent_away)) {
                return Err(failure);
            }
            again = false;
        }
    }

    /// Opens a connection to the first server that takes one.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now().checked_add(timeout);
        let runtime = current_runtime()?;
        let mut attempts = Vec::new();
        for server in self.health.order() {
            let Some(endpoint) = self.endpoints.get(server) else {
                continue;
            };
            let started = Instant::now();
            let link = endpoint.link(&runtime, &self.config);
            let opened = match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, link.connected())
                    .await
                    .unwrap_or(Err(Broken::new(Phase::Connect, Failure::Deadline))),
                None => link.connected().await,
            };
            let Err(Broken { phase, failure }) = opened else {
                self.health.answered(server);
                return Ok(());
            };
            self.health.failed(server);
            endpoint.counters.failed();
            attempts.push(Attempt {
                server: endpoint.name.clone(),
                phase,
                elapsed: started.elapsed(),
                failure,
            });
        }
        Err(Question::Connection.failed(attempts))
    }

    /// Closes every connection; calls that wait fail.
    pub(crate) async fn disconnect(&self) {
        let links: Vec<Arc<Link>> =
            self.endpoints.iter().filter_map(|endpoint| endpoint.slot().take()).collect();
        for link in links {
            link.disconnect().await;
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.slot().as_ref().is_some_and(|link| link.is_connected()))
    }

    pub(crate) fn stats(&self) -> ClientStats {
        ClientStats { servers: self.endpoints.iter().map(Endpoint::stats).collect() }
    }
}

impl Question {
    fn failed(&self, attempts: Vec<Attempt>) -> NameServerError {
        let topic = match self {
            Question::Route(topic) => Some(topic.clone()),
            Question::ClusterInfo | Question::Connection | Question::Other(_) => None,
        };
        NameServerError::failed(self.to_string(), topic, attempts)
    }
}

/// As the object of "cannot get …".
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Route(topic) => write!(f, "the route of topic {topic:?}"),
            Question::ClusterInfo => f.write_str("the cluster info"),
            Question::Connection => f.write_str("a connection"),
            Question::Other(code) => write!(f, "an answer to request {code}"),
        }
    }
}

impl Endpoint {
    /// The open connection, or a new one.
    fn link(&self, runtime: &Handle, config: &ClientConfig) -> Arc<Link> {
        let mut slot = self.slot();
        if let Some(link) = slot.as_ref().filter(|link| link.is_open()) {
            return Arc::clone(link);
        }
        let (server, limit) = (self.address.clone(), config.connect_timeout);
        let counters = Arc::clone(&self.counters);
        let link = match &config.connector {
            None => Link::start(runtime, dial::tcp(server, limit), config.session, counters),
            Some(connector) => {
                let dial = dial::custom(Arc::clone(connector), server, limit);
                Link::start(runtime, dial, config.session, counters)
            }
        };
        *slot = Some(Arc::clone(&link));
        link
    }

    /// Takes a link out of use. Calls that still wait on it keep it alive until they are answered.
    fn retire(&self, link: &Arc<Link>) {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            *slot = None;
        }
    }

    fn stats(&self) -> ServerStats {
        let state = self.slot().as_ref().map(|link| link.state());
        self.counters.stats(match state {
            None | Some(LinkState::Closed(_)) => ConnectionState::Idle,
            Some(LinkState::Connecting) => ConnectionState::Connecting,
            Some(LinkState::Connected(since)) => ConnectionState::Connected { age: since.elapsed() },
        })
    }

    /// Nothing panics while this lock is held, and a link in it is whole.
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Link>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_answer<R: Request>(response: Command) -> std::result::Result<R::Response, Broken> {
    let answer = Answer::from_response(response).map_err(|refusal| match refusal {
        Refusal { code: ResponseCode::GO_AWAY, .. } => Broken::new(Phase::Wait, Failure::GoAway),
        refusal => Broken::new(Phase::Wait, Failure::Refused(refusal)),
    })?;
    R::from_answer(&answer).map_err(|error| Broken::new(Phase::Decode, Failure::DataParse(error)))
}

fn is_not_found(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == ResponseCode::TOPIC_NOT_EXIST)
}

/// The deadline of an attempt when that many servers, this one included, are still to be tried.
fn share_of(deadline: Option<Instant>, servers_left: usize) -> Option<Instant> {
    let now = Instant::now();
    let left = deadline?.saturating_duration_since(now);
    Some(now + left / u32::try_from(servers_left.max(1)).unwrap_or(u32::MAX))
}

fn current_runtime() -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        NameServerError::usage(
            "the async client works inside a Tokio runtime only; outside of one use SyncNameServerClient",
        )
    })
}
