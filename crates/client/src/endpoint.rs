//! One server of a client and the connections to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rocketmq_nameserver_protocol::model::Name;
use tokio::runtime::Handle;

use crate::address::ServerAddress;
use crate::call::Probe;
use crate::config::ClientConfig;
use crate::dial;
use crate::failure::{Failure, Phase};
use crate::health::ServerHealth;
use crate::link::{Broken, Link, LinkState};
use crate::stats::{ConnectionState, Counters, ServerStats};

/// One server and the connection to it, if there is one.
pub(crate) struct Endpoint {
    name: Name,
    address: ServerAddress,
    counters: Arc<Counters>,
    health: Arc<ServerHealth>,
    links: Mutex<Links>,
}

/// The connections to one server.
#[derive(Default)]
struct Links {
    /// The one for new calls.
    current: Option<Arc<Link>>,
    /// Out of use, but calls may still wait on them.
    retired: Vec<Weak<Link>>,
    /// Looks after the server since it failed.
    probe: Option<Probe>,
}

impl Links {
    fn retire_current(&mut self) {
        if let Some(link) = self.current.take() {
            self.retired.retain(|retired| retired.strong_count() > 0);
            self.retired.push(Arc::downgrade(&link));
        }
    }
}

impl Endpoint {
    pub(crate) fn new(address: &ServerAddress) -> Self {
        Endpoint {
            name: Name::from(address.to_string()),
            address: address.clone(),
            counters: Arc::new(Counters::new(address.clone())),
            health: Arc::default(),
            links: Mutex::default(),
        }
    }

    /// The server as errors and stats name it.
    pub(crate) fn name(&self) -> Name {
        self.name.clone()
    }

    pub(crate) fn address(&self) -> &ServerAddress {
        &self.address
    }

    pub(crate) fn health(&self) -> Arc<ServerHealth> {
        Arc::clone(&self.health)
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The open connection or a new one on `runtime`, and whether it was there before; none unless `allowed`, which is
    /// asked when no [`take_links`](Self::take_links) can come in between.
    pub(crate) fn link(
        &self,
        config: &ClientConfig,
        runtime: &Handle,
        allowed: impl FnOnce() -> bool,
    ) -> Result<(Arc<Link>, bool), Broken> {
        let mut links = self.links();
        if !allowed() {
            return Err(Broken::new(Phase::Connect, Failure::Disconnected));
        }
        if let Some(link) = links.current.as_ref().filter(|link| link.is_open()) {
            // It may close at this very moment; then it was there all the same.
            return Ok((Arc::clone(link), link.has_connected()));
        }
        let (server, limit) = (self.address.clone(), config.connect_timeout);
        let (session, counters) = (config.session, Arc::clone(&self.counters));
        let link = match &config.connector {
            None => Link::start(runtime, dial::tcp(server, limit), session, counters),
            Some(connector) => {
                let dial = dial::custom(Arc::clone(connector), server, limit);
                Link::start(runtime, dial, session, counters)
            }
        };
        links.current = Some(Arc::clone(&link));
        Ok((link, false))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.links().current.as_ref().is_some_and(|link| link.is_connected())
    }

    /// Takes all links out that are in use by anybody.
    pub(crate) fn take_links(&self) -> Vec<Arc<Link>> {
        let mut links = self.links();
        let retired: Vec<Arc<Link>> = links.retired.drain(..).filter_map(|link| link.upgrade()).collect();
        links.current.take().into_iter().chain(retired).collect()
    }

    /// Starts a probe unless one is at work; not unless `allowed`, which is asked when no
    /// [`take_probe`](Self::take_probe) can come in between.
    pub(crate) fn probe(&self, allowed: impl FnOnce() -> bool, start: impl FnOnce() -> Probe) {
        let mut links = self.links();
        if links.probe.as_ref().is_none_or(Probe::is_over) && allowed() {
            links.probe = Some(start());
        }
    }

    pub(crate) fn take_probe(&self) -> Option<Probe> {
        self.links().probe.take()
    }

    /// Takes the current link out if it has ended because the line was silent.
    pub(crate) fn take_silent(&self) -> bool {
        let mut links = self.links();
        let state = links.current.as_ref().map(|link| link.state());
        let silent = matches!(state, Some(LinkState::Closed(Broken { failure: Failure::Silent, .. })));
        if silent {
            links.current = None;
        }
        silent
    }

    /// Takes a link out of use that is open but no good any more: the server wants it closed, or nobody may be driving
    /// the runtime that it lives on. Calls that still wait on it keep it alive until they are answered.
    pub(crate) fn leave(&self, link: &Arc<Link>, failure: &Failure) {
        let no_good = match failure {
            Failure::GoAway => true,
            Failure::Deadline => !link.lives_here(),
            _ => false,
        };
        let mut links = self.links();
        if no_good && links.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            links.retire_current();
        }
    }

    /// Nobody asks this server any more. Calls that still wait on its link keep it alive until they are answered.
    pub(crate) fn drain(&self) {
        let mut links = self.links();
        links.retire_current();
        links.probe = None;
    }

    pub(crate) fn stats(&self) -> ServerStats {
        let state = self.links().current.as_ref().map(|link| link.state());
        self.counters.stats(match state {
            None | Some(LinkState::Closed(_)) => ConnectionState::Idle,
            Some(LinkState::Connecting) => ConnectionState::Connecting,
            Some(LinkState::Connected(since)) => ConnectionState::Connected { age: since.elapsed() },
        })
    }

    /// Nothing panics while this lock is held, and links in it are whole.
    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
