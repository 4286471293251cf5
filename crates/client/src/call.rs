//! Stop 9 of the trip: one call, and whether its answer is the answer or another server is asked. Before it comes
//! [`link`](crate::link), which answers; behind it [`client`](crate::client), which asks.
//!
//! The rules, in the order in which they meet a call:
//!
//! 1. One deadline for everything. With several servers to go, an attempt may take its equal share of what is left, so
//!    that a server which swallows everything leaves time for the others.
//! 2. Servers are tried in the order of [`health`](crate::health), each once. Only failures of a server or of the
//!    way to it move on, and the answers "busy" and "not ready" (`Failure::is_worth_another_server` in
//!    [`failure`](crate::failure)); any other answer is the answer.
//! 3. When a connection that was there before the call dies before the answer, a read is asked once more of the same
//!    server over a new one: it may have been closed for idleness just then, or given up for another call's sake. The
//!    same, for reads and writes, when the server says that it goes away.
//! 4. "Topic not found" is asked of one more server before it is believed, if there is one whose last attempt did not
//!    fail.
//!
//! 5. What a 4.x server never answers is sent only over a connection on which the server has said a later release; if it
//!    has said nothing yet, it is asked something cheap first.
//!
//! A request that goes to every server is one call at each of them, all at the same time, each with the whole time, by
//! rules 3 and 5.

mod visit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::request::Request;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::config::ClientConfig;
use crate::dial::{share_of, within};
use crate::endpoint::Endpoint;
use crate::error::{NameServerError, Result};
use crate::failure::{Attempt, Failure, Phase};
use crate::health::Health;
use crate::link::{Broken, Link};
use crate::per_server::PerServer;
use crate::question::Question;
use crate::stats::ClientStats;

/// All servers of a client.
pub(crate) struct Servers {
    config: ClientConfig,
    endpoints: Vec<Endpoint>,
    health: Health,
    closed: AtomicBool,
    /// Counts disconnects: a call from before one must not connect again.
    epoch: AtomicU64,
}

/// One call under way: where it runs, since which epoch and when, until when, and what it has tried.
#[derive(Clone)]
struct Call {
    runtime: Handle,
    epoch: u64,
    started: Instant,
    deadline: Option<Instant>,
    attempts: Vec<Attempt>,
}

impl Call {
    /// When the attempt that is about to be made starts: the first one with the call.
    fn attempt_starts(&self) -> Instant {
        if self.attempts.is_empty() { self.started } else { Instant::now() }
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// One server has said "not found", and another one is asked for its opinion.
    fn is_doubted(&self) -> bool {
        self.attempts.iter().any(|attempt| is_not_found(&attempt.failure))
    }

    fn failed(&mut self, endpoint: &Endpoint, started: Instant, broken: Broken) -> Failure {
        match broken.failure {
            Failure::Refused(_) => endpoint.counters().refused(),
            // Nothing was sent.
            Failure::Unsupported(_) => {}
            _ => endpoint.counters().failed(),
        }
        let Broken { phase, failure } = broken;
        let (server, elapsed) = (endpoint.name(), started.elapsed());
        self.attempts.push(Attempt { server, phase, elapsed, failure: failure.clone() });
        failure
    }
}

impl Servers {
    pub(crate) fn new(config: ClientConfig) -> Self {
        let endpoints: Vec<Endpoint> = config.servers.iter().map(Endpoint::new).collect();
        let health = Health::new(endpoints.len());
        Servers { config, endpoints, health, closed: AtomicBool::new(false), epoch: AtomicU64::new(0) }
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
        let mut call = self.begin(timeout)?;
        for (at, server) in self.order().enumerate() {
            let Some(endpoint) = self.endpoints.get(server) else { continue };
            if call.is_doubted() && self.health.is_failed(server) {
                continue;
            }
            let doubted = call.is_doubted();
            match self.try_server(&mut call, server, endpoint, request, self.endpoints.len() - at).await {
                Ok(response) => return Ok(response),
                Err(failure) if failure.is_worth_another_server() => {}
                Err(failure) if is_not_found(&failure) && !doubted => {}
                Err(_) => break,
            }
            if call.is_over() {
                break;
            }
        }
        Err(question.failed(call.attempts))
    }

    /// Asks every server once.
    pub(crate) async fn ask_every<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
        question: &Question,
    ) -> PerServer<R::Response> {
        let call = match self.begin(timeout) {
            Ok(call) => call,
            Err(error) => return self.not_asked(&error),
        };
        let asked = self.endpoints.iter().enumerate().map(|(server, endpoint)| {
            let mut call = call.clone();
            async move {
                let answer = self.try_server(&mut call, server, endpoint, request, 1).await;
                (endpoint.name(), answer.map_err(|_| question.failed(call.attempts)))
            }
        });
        PerServer::new(join_all(asked).await)
    }

    /// A call that cannot be made, as the result of every server.
    pub(crate) fn not_asked<T>(&self, error: &NameServerError) -> PerServer<T> {
        PerServer::not_asked(self.endpoints.iter().map(Endpoint::name), error)
    }

    /// Opens a connection to the first server that takes one.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<()> {
        let mut call = self.begin(timeout)?;
        for (at, server) in self.order().enumerate() {
            let Some(endpoint) = self.endpoints.get(server) else { continue };
            let started = Instant::now();
            let opened = match self.link(&call, endpoint) {
                Ok((link, _)) => within(share_of(call.deadline, self.endpoints.len() - at), link.connected())
                    .await
                    .unwrap_or(Err(Broken::new(Phase::Connect, Failure::Deadline))),
                Err(broken) => Err(broken),
            };
            let Err(broken) = opened else {
                self.health.answered(server);
                return Ok(());
            };
            if call.failed(endpoint, started, broken).is_worth_another_server() {
                self.health.failed(server);
            }
            if call.is_over() {
                break;
            }
        }
        Err(Question::new("get", "a connection").failed(call.attempts))
    }

    /// Closes every connection; calls that wait fail, and do not connect again.
    pub(crate) async fn disconnect(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let links: Vec<Arc<Link>> = self.endpoints.iter().flat_map(Endpoint::take_links).collect();
        // All at once, so that none is left if this future is dropped while it waits.
        links.iter().for_each(|link| link.close());
        for link in links {
            link.ended().await;
        }
    }

    /// As [`disconnect`](Self::disconnect), and for good.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.disconnect().await;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.endpoints.iter().any(Endpoint::is_connected)
    }

    pub(crate) fn stats(&self) -> ClientStats {
        ClientStats { servers: self.endpoints.iter().map(Endpoint::stats).collect() }
    }

    fn begin(&self, timeout: Duration) -> Result<Call> {
        // In this order: a call that sees the epoch of a close also sees the close.
        let epoch = self.epoch.load(Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            return Err(NameServerError::usage("the client was closed; create a new one"));
        }
        let runtime = current_runtime()?;
        let started = Instant::now();
        Ok(Call { runtime, epoch, started, deadline: started.checked_add(timeout), attempts: Vec::new() })
    }

    /// The order in which to try the servers. A connection that died without anybody noticing counts as a failure.
    fn order(&self) -> impl Iterator<Item = usize> + '_ {
        if self.endpoints.len() > 1 {
            for (server, endpoint) in self.endpoints.iter().enumerate() {
                if endpoint.take_silent() {
                    self.health.failed(server);
                }
            }
        }
        self.health.order()
    }

    /// The open connection or a new one, and whether it was there before. A call from before a disconnect gets none.
    fn link(&self, call: &Call, endpoint: &Endpoint) -> std::result::Result<(Arc<Link>, bool), Broken> {
        endpoint.link(&self.config, &call.runtime, || self.epoch.load(Ordering::SeqCst) == call.epoch)
    }
}

fn is_not_found(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == ResponseCode::TOPIC_NOT_EXIST)
}

fn current_runtime() -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        NameServerError::usage(
            "the async client works inside a Tokio runtime only; outside of one use SyncNameServerClient",
        )
    })
}
