//! What a client has done so far, in numbers.

use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::model::Name;

use crate::address::ServerAddress;

/// A client's numbers at one moment: [`AsyncNameServerClient::stats`](crate::AsyncNameServerClient::stats).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// One entry per server, in the order in which they were given.
    pub servers: Vec<ServerStats>,
}

impl ClientStats {
    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.servers
            .iter()
            .filter(|server| matches!(server.connection, ConnectionState::Connected { .. }))
            .count()
    }

    /// How many requests were sent to all servers.
    pub fn requests(&self) -> u64 {
        self.servers.iter().map(|server| server.requests).sum()
    }

    /// How many requests or attempts to connect failed at all servers.
    pub fn errors(&self) -> u64 {
        self.servers.iter().map(|server| server.errors).sum()
    }

    /// How many reads were asked of one more server because the answer was late.
    pub fn hedges(&self) -> u64 {
        self.servers.iter().map(|server| server.hedges).sum()
    }

    /// How many of these answered first.
    pub fn hedges_won(&self) -> u64 {
        self.servers.iter().map(|server| server.hedges_won).sum()
    }
}

/// One server's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// The server, `host:port`.
    pub server: Name,
    /// The state of its connection.
    pub connection: ConnectionState,
    /// How many connections were opened to it.
    pub connects: u64,
    /// How many requests were sent to it, probes and hedges included.
    pub requests: u64,
    /// How many requests wait for its answer.
    pub in_flight: usize,
    /// How many times it said no (such as "topic not found").
    pub refusals: u64,
    /// How many attempts got no usable answer: no connection, connection lost, deadline passed, bad bytes, or not a
    /// word before another server answered. Probes are not among them.
    pub errors: u64,
    /// How many reads it was asked because the answer of another server was late.
    pub hedges: u64,
    /// How many of these it answered first.
    pub hedges_won: u64,
    /// How often it was asked in the background, after it had failed, whether it works again.
    pub probes: u64,
    /// How often it did.
    pub probes_answered: u64,
    /// Its release, as its latest answer said; `None` before the first answer.
    pub version: Option<Version>,
}

/// The state of the connection to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is none; the next call makes one.
    Idle,
    /// It is being opened.
    Connecting,
    /// It is open.
    Connected {
        /// Since how long.
        age: Duration,
    },
}

/// One server's numbers as they are counted; they outlive its connections.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) server: ServerAddress,
    connects: AtomicU64,
    requests: AtomicU64,
    in_flight: AtomicUsize,
    refusals: AtomicU64,
    errors: AtomicU64,
    hedges: AtomicU64,
    hedges_won: AtomicU64,
    probes: AtomicU64,
    probes_answered: AtomicU64,
    /// Answers of any kind.
    answers: AtomicU64,
    /// 0 until the first answer.
    version: AtomicI32,
}

impl Counters {
    pub(crate) fn new(server: ServerAddress) -> Self {
        let zero = || AtomicU64::new(0);
        Counters {
            server,
            connects: zero(),
            requests: zero(),
            in_flight: AtomicUsize::new(0),
            refusals: zero(),
            errors: zero(),
            hedges: zero(),
            hedges_won: zero(),
            probes: zero(),
            probes_answered: zero(),
            answers: zero(),
            version: AtomicI32::new(0),
        }
    }

    pub(crate) fn connected(&self) {
        self.connects.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn requested(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// One of the server's connections now has `now` calls in flight instead of `before`.
    pub(crate) fn change_in_flight(&self, before: usize, now: usize) {
        match now.cmp(&before) {
            std::cmp::Ordering::Greater => drop(self.in_flight.fetch_add(now - before, Ordering::Relaxed)),
            std::cmp::Ordering::Less => drop(self.in_flight.fetch_sub(before - now, Ordering::Relaxed)),
            std::cmp::Ordering::Equal => {}
        }
    }

    pub(crate) fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hedged(&self) {
        self.hedges.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn hedge_won(&self) {
        self.hedges_won.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn probed(&self) {
        self.probes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn probe_answered(&self) {
        self.probes_answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered_by(&self, version: Version) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.version.store(version.0, Ordering::Relaxed);
    }

    /// How many answers have come from it, of whatever kind.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self, connection: ConnectionState) -> ServerStats {
        let version = self.version.load(Ordering::Relaxed);
        ServerStats {
            server: Name::from(self.server.to_string()),
            connection,
            connects: self.connects.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            refusals: self.refusals.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            hedges: self.hedges.load(Ordering::Relaxed),
            hedges_won: self.hedges_won.load(Ordering::Relaxed),
            probes: self.probes.load(Ordering::Relaxed),
            probes_answered: self.probes_answered.load(Ordering::Relaxed),
            version: (version != 0).then_some(Version(version)),
        }
    }
}
