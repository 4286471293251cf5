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

mod pipeline;
mod set;
#[cfg(test)]
mod tests;
mod visit;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::Request;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::address::ServerAddress;
use crate::config::ClientConfig;
use crate::dial::{share_of, within};
use crate::endpoint::Endpoint;
use crate::error::{NameServerError, Result};
use crate::failure::{Attempt, Failure, Phase};
use crate::link::{Broken, Link};
use crate::per_server::PerServer;
use crate::question::Question;
use crate::stats::ClientStats;

use set::{Member, ServerSet};

/// All servers of a client.
pub(crate) struct Servers {
    config: ClientConfig,
    set: RwLock<Arc<ServerSet>>,
    /// Servers that were removed, as long as calls wait on their connections.
    drained: Mutex<Vec<Weak<Endpoint>>>,
    closed: AtomicBool,
    /// Counts disconnects: a call from before one must not connect again.
    epoch: AtomicU64,
}

/// An answer, and the server that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told<T> {
    pub(crate) server: Name,
    pub(crate) answer: T,
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
        let set = RwLock::new(Arc::new(ServerSet::new(&config.servers)));
        let (drained, closed, epoch) = (Mutex::default(), AtomicBool::new(false), AtomicU64::new(0));
        Servers { config, set, drained, closed, epoch }
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// How many servers there are now.
    pub(crate) fn len(&self) -> usize {
        self.set().len()
    }

    /// The servers of now, `host:port`, in order of preference.
    pub(crate) fn names(&self) -> Vec<Name> {
        self.set().names().collect()
    }

    /// From now on these servers are asked, in this order of preference; calls under way stay with those that they began
    /// with. Servers that stay keep their connections, counters and health. Those that are not among them are drained:
    /// their connections close as soon as no call waits on them. Says what the servers were before and are now, or
    /// nothing if that is the same. A list of none changes nothing.
    #[allow(dead_code, reason = "who finds servers uses it")]
    pub(crate) fn replace_servers(
        &self,
        mut servers: Vec<ServerAddress>,
    ) -> Option<(Vec<ServerAddress>, Vec<ServerAddress>)> {
        let mut seen = HashSet::new();
        servers.retain(|server| seen.insert(server.clone()));
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        let before = set.addresses();
        if servers.is_empty() || servers == before {
            return None;
        }
        let next = Arc::new(set.replaced(&servers));
        let mut drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        drained.retain(|endpoint| endpoint.strong_count() > 0);
        for removed in set.members().filter(|member| !next.has(member.endpoint)) {
            drained.push(Arc::downgrade(removed.endpoint));
            removed.endpoint.drain();
        }
        *set = next;
        Some((before, servers))
    }

    /// Asks until a server answers, by the rules of this module.
    pub(crate) async fn ask<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
        question: &Question,
    ) -> Result<R::Response> {
        self.ask_told(request, timeout, question).await.map(|told| told.answer)
    }

    /// As [`ask`](Self::ask), and says which server answered.
    pub(crate) async fn ask_told<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
        question: &Question,
    ) -> Result<Told<R::Response>> {
        let mut call = self.begin(timeout)?;
        let set = self.set();
        for (at, server) in set.order().enumerate() {
            let doubted = call.is_doubted();
            if doubted && server.is_failed() {
                continue;
            }
            match self.try_server(&mut call, server, request, set.len() - at).await {
                Ok(answer) => return Ok(Told { server: server.endpoint.name(), answer }),
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
        let set = self.set();
        let asked = set.members().map(|server| {
            let mut call = call.clone();
            async move {
                let answer = self.try_server(&mut call, server, request, 1).await;
                (server.endpoint.name(), answer.map_err(|_| question.failed(call.attempts)))
            }
        });
        PerServer::new(join_all(asked).await)
    }

    /// A call that cannot be made, as the result of every server.
    pub(crate) fn not_asked<T>(&self, error: &NameServerError) -> PerServer<T> {
        PerServer::not_asked(self.set().names(), error)
    }

    /// Opens a connection to the first server that takes one.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<()> {
        let mut call = self.begin(timeout)?;
        let set = self.set();
        for (at, server) in set.order().enumerate() {
            let started = Instant::now();
            let opened = match self.link(&call, server) {
                Ok((link, _)) => within(share_of(call.deadline, set.len() - at), link.connected())
                    .await
                    .unwrap_or(Err(Broken::new(Phase::Connect, Failure::Deadline))),
                Err(broken) => Err(broken),
            };
            let Err(broken) = opened else {
                server.answered();
                return Ok(());
            };
            if call.failed(server.endpoint, started, broken).is_worth_another_server() {
                server.failed();
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
        let links = self.take_links();
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
        self.set().members().any(|member| member.endpoint.is_connected())
    }

    pub(crate) fn stats(&self) -> ClientStats {
        ClientStats { servers: self.set().members().map(|member| member.endpoint.stats()).collect() }
    }

    fn set(&self) -> Arc<ServerSet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes out all links that are in use by anybody, those to removed servers included.
    fn take_links(&self) -> Vec<Arc<Link>> {
        // First the set: what is removed meanwhile stands in both.
        let set = self.set();
        let drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let drained = drained.iter().filter_map(Weak::upgrade).flat_map(|endpoint| endpoint.take_links());
        set.members().flat_map(|member| member.endpoint.take_links()).chain(drained).collect()
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

    /// The open connection or a new one, and whether it was there before. A call from before a disconnect gets none.
    fn link(&self, call: &Call, server: Member<'_>) -> std::result::Result<(Arc<Link>, bool), Broken> {
        server.endpoint.link(&self.config, &call.runtime, || self.epoch.load(Ordering::SeqCst) == call.epoch)
    }
}

fn is_not_found(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == ResponseCode::TOPIC_NOT_EXIST)
}

pub(crate) fn current_runtime() -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        NameServerError::usage(
            "the async client works inside a Tokio runtime only; outside of one use SyncNameServerClient",
        )
    })
}
