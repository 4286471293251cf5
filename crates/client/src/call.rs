//! Stop 9 of the trip: one call, and whether its answer is the answer or another server is asked. Before it comes
//! [`link`](crate::link), which answers; behind it [`client`](crate::client), which asks.
//!
//! The rules, in the order in which they meet a call:
//!
//! 1. One deadline for everything. With several servers to go, an attempt may take its equal share of what is left, so
//!    that a server which swallows everything leaves time for the others.
//! 2. Servers are tried in the order of [`health`](crate::health), each once. Only failures of a server or of the
//!    way to it move on, and the answers "busy" and "not ready" (`Failure::is_worth_another_server` in
//!    [`failure`](crate::failure)); any other answer is the answer. A connection that does not open within
//!    [`connect_race_delay`](crate::ClientBuilder::connect_race_delay) races the next server's (`race`): whichever opens
//!    first gets the request, the other goes on opening, and is suspected if it had more time.
//! 3. When a connection that was there before the call dies before the answer, a read is asked once more of the same
//!    server over a new one: it may have been closed for idleness just then, or given up for another call's sake. The
//!    same, for reads and writes, when the server says that it goes away.
//! 4. "Topic not found" is asked of one more server before it is believed, if there is one that is not known to fail. A
//!    server that is only suspected, because nothing came from it while another one answered, is asked: it may be slow.
//! 5. What a 4.x server never answers is sent only over a connection on which the server has said a later release; if it
//!    has said nothing yet, it is asked something cheap first.
//! 6. A read whose answer is late is asked of the next server that is not known to fail, too: it is *hedged*
//!    (`pursuit`). `pace` says when an answer is late, and allows one hedge in ten calls; a server that others have found
//!    to fail meanwhile is left without asking `pace`. The first answer wins, and the other request is forgotten. A server
//!    that was asked earlier and has said nothing at all since is suspected: later calls go elsewhere, and it is probed.
//! 7. Only an answer wins. A hedge that is refused is one opinion: two servers that do not find the topic are believed as
//!    by rule 4; every other refusal, and one "not found", waits for what the server asked earlier says, because it may
//!    merely be slow. It is the answer if that one fails, and as soon as it is known to fail because a probe had no answer
//!    either.
//! 8. A server that failed or is suspected, and has others beside it, is asked something cheap in the background, again and
//!    again, until it answers as a healthy one does (`probe`). Then it is used again if the one in use fails; nothing else
//!    makes a client leave a server that works.
//!
//! A request that goes to every server is one call at each of them, all at the same time, each with the whole time, by
//! rules 3 and 5.

mod candidates;
mod one_by_one;
mod pace;
mod pipeline;
mod probe;
mod pursuit;
mod race;
mod set;
#[cfg(test)]
mod tests;
mod under_way;
mod visit;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::Request;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::address::ServerAddress;
use crate::config::ClientConfig;
use crate::dial::within;
use crate::endpoint::Endpoint;
use crate::error::{NameServerError, Result};
use crate::failure::{Failure, Phase};
use crate::link::{Broken, Link};
use crate::per_server::PerServer;
use crate::question::Question;
use crate::stats::ClientStats;

use candidates::{Candidates, May};
use pace::Pace;
pub(crate) use probe::Probe;
use race::Chosen;
use set::{Member, ServerSet};
use visit::Opened;

/// All servers of a client.
pub(crate) struct Servers {
    config: Arc<ClientConfig>,
    set: RwLock<Arc<ServerSet>>,
    /// Servers that were removed, as long as calls wait on their connections.
    drained: Mutex<Vec<Weak<Endpoint>>>,
    closed: Arc<AtomicBool>,
    /// Counts disconnects: a call from before one must not connect again.
    epoch: Arc<AtomicU64>,
    pace: Pace,
    /// Rings when a server has failed, for whoever looks for others.
    failures: watch::Sender<()>,
}

/// An answer, and the server that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told<T> {
    pub(crate) server: Name,
    pub(crate) answer: T,
    /// A server that works was asked before this one, and may say something else.
    pub(crate) is_second_opinion: bool,
}

/// One call under way: where it runs, since which epoch and when, and until when.
struct Call {
    runtime: Handle,
    epoch: u64,
    started: Instant,
    deadline: Option<Instant>,
}

impl Call {
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

impl Servers {
    pub(crate) fn new(config: ClientConfig) -> Self {
        let set = RwLock::new(Arc::new(ServerSet::new(&config.servers)));
        let (drained, closed) = (Mutex::default(), Arc::default());
        Servers {
            config: Arc::new(config),
            set,
            drained,
            closed,
            epoch: Arc::default(),
            pace: Pace::new(),
            failures: watch::Sender::default(),
        }
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Rings when a server has failed from now on.
    pub(crate) fn failures(&self) -> watch::Receiver<()> {
        self.failures.subscribe()
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
        let call = self.begin(timeout)?;
        let set = self.set();
        self.look_after(&call, &set);
        self.pursue(&call, &set, request).await.map_err(|attempts| question.failed(attempts))
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
        let call = &call;
        let asked = set.members().map(|server| async move {
            let answer = self.visit(call, server, None, request, call.deadline, call.started).await;
            (server.endpoint.name(), answer.map_err(|attempts| question.failed(attempts)))
        });
        PerServer::new(join_all(asked).await)
    }

    /// A call that cannot be made, as the result of every server.
    pub(crate) fn not_asked<T>(&self, error: &NameServerError) -> PerServer<T> {
        PerServer::not_asked(self.set().names(), error)
    }

    /// Opens a connection to the first server that takes one.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<()> {
        let call = self.begin(timeout)?;
        let set = self.set();
        self.look_after(&call, &set);
        let (mut candidates, mut attempts) = (Candidates::of(&set), Vec::new());
        while let Some(Chosen { server, opened, started }) =
            self.choose(&call, &mut candidates, May::Any, &mut attempts).await
        {
            // A single server has nobody to race, and may still be opening it.
            let connected = within(call.deadline, opened.link.connected()).await;
            let broken = match connected.unwrap_or(Err(Broken::new(Phase::Connect, Failure::Deadline))) {
                Ok(()) => {
                    server.answered();
                    return Ok(());
                }
                Err(broken) => broken,
            };
            self.note(&call, server, started, broken, &mut attempts);
            if call.is_over() {
                break;
            }
        }
        Err(Question::new("get", "a connection").failed(attempts))
    }

    /// Closes every connection; calls that wait fail, and do not connect again.
    pub(crate) async fn disconnect(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        let (links, probes) = self.take_links();
        // All at once, so that none is left if this future is dropped while it waits.
        links.iter().for_each(|link| link.close());
        for link in links {
            link.ended().await;
        }
        for probe in probes {
            probe.ended().await;
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

    /// Takes out all links that are in use by anybody and what probes, those of removed servers included.
    fn take_links(&self) -> (Vec<Arc<Link>>, Vec<Probe>) {
        // First the set: what is removed meanwhile stands in both.
        let set = self.set();
        let drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let drained: Vec<_> = drained.iter().filter_map(Weak::upgrade).collect();
        let endpoints = || set.members().map(|member| member.endpoint).chain(&drained);
        // Dropping a probe ends it, so that none goes on if nobody waits for its end.
        let probes = endpoints().filter_map(|endpoint| endpoint.take_probe()).collect();
        (endpoints().flat_map(|endpoint| endpoint.take_links()).collect(), probes)
    }

    /// A server has failed: others are asked before it, and one that has others is probed.
    fn failed(&self, call: &Call, server: Member<'_>) {
        server.failed();
        self.failures.send_modify(|()| ());
        self.probe(call, server);
    }

    fn probe(&self, call: &Call, server: Member<'_>) {
        if server.has_others() {
            let allowed = || self.epoch.load(Ordering::SeqCst) == call.epoch;
            server.endpoint.probe(allowed, || {
                let (endpoint, config) = (Arc::downgrade(server.endpoint), Arc::clone(&self.config));
                Probe::start(&call.runtime, endpoint, config, Arc::clone(&self.epoch), call.epoch)
            });
        }
    }

    /// What is known of the servers before a call goes to one. A connection that died without anybody noticing counts as a
    /// failure; a server that failed is probed, wherever the last probe has gone.
    fn look_after(&self, call: &Call, set: &ServerSet) {
        if set.len() > 1 {
            for member in set.members() {
                if member.endpoint.take_silent() {
                    self.failed(call, member);
                } else if member.is_failed() {
                    self.probe(call, member);
                }
            }
        }
    }

    fn begin(&self, timeout: Duration) -> Result<Call> {
        // In this order: a call that sees the epoch of a close also sees the close.
        let epoch = self.epoch.load(Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            return Err(NameServerError::usage("the client was closed; create a new one"));
        }
        let runtime = current_runtime()?;
        let started = Instant::now();
        Ok(Call { runtime, epoch, started, deadline: started.checked_add(timeout) })
    }

    /// The open connection or a new one. A call from before a disconnect gets none.
    fn link(&self, call: &Call, server: Member<'_>) -> std::result::Result<Opened, Broken> {
        let allowed = || self.epoch.load(Ordering::SeqCst) == call.epoch;
        let (link, was_connected) = server.endpoint.link(&self.config, &call.runtime, allowed)?;
        Ok(Opened { link, was_connected })
    }
}

pub(crate) fn current_runtime() -> Result<Handle> {
    Handle::try_current().map_err(|_| {
        NameServerError::usage(
            "the async client works inside a Tokio runtime only; outside of one use SyncNameServerClient",
        )
    })
}
