//! The servers of a client at one moment. A call works on the set that it finds when it begins, to its end.

use std::sync::Arc;

use rocketmq_nameserver_protocol::model::Name;

use crate::address::ServerAddress;
use crate::endpoint::Endpoint;
use crate::health::Health;

/// Servers in order of preference, and which of them to ask.
pub(crate) struct ServerSet {
    endpoints: Vec<Arc<Endpoint>>,
    health: Health,
}

impl ServerSet {
    pub(super) fn new(servers: &[ServerAddress]) -> Self {
        let endpoints: Vec<_> = servers.iter().map(|server| Arc::new(Endpoint::new(server))).collect();
        let health = Health::new(endpoints.iter().map(|endpoint| endpoint.health()).collect());
        ServerSet { endpoints, health }
    }

    /// The set of these servers instead. Those that stay keep their connections, counters and health.
    pub(super) fn replaced(&self, servers: &[ServerAddress]) -> Self {
        let endpoint = |server: &ServerAddress| {
            let stays = self.endpoints.iter().find(|endpoint| endpoint.address() == server);
            stays.cloned().unwrap_or_else(|| Arc::new(Endpoint::new(server)))
        };
        let endpoints: Vec<_> = servers.iter().map(endpoint).collect();
        let health = self.health.with(endpoints.iter().map(|endpoint| endpoint.health()).collect());
        ServerSet { endpoints, health }
    }

    /// A set of each server alone.
    pub(super) fn one_by_one(&self) -> impl Iterator<Item = ServerSet> + '_ {
        let alone = |endpoint: &Arc<Endpoint>| ServerSet {
            endpoints: vec![Arc::clone(endpoint)],
            health: self.health.with(vec![endpoint.health()]),
        };
        self.endpoints.iter().map(alone)
    }

    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn addresses(&self) -> Vec<ServerAddress> {
        self.endpoints.iter().map(|endpoint| endpoint.address().clone()).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.endpoints.iter().map(|endpoint| endpoint.name())
    }

    /// Whether this very endpoint is in it.
    pub(super) fn has(&self, endpoint: &Arc<Endpoint>) -> bool {
        self.endpoints.iter().any(|other| Arc::ptr_eq(other, endpoint))
    }

    /// All servers in order of preference.
    pub(super) fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let member = |(at, endpoint)| Member { set: self, at, endpoint };
        self.endpoints.iter().enumerate().map(member)
    }

    /// The server to ask first.
    pub(super) fn first(&self) -> Option<Member<'_>> {
        self.health.first().and_then(|at| self.member(at))
    }

    /// All servers in the order in which to try them.
    pub(super) fn ranked(&self) -> impl Iterator<Item = Member<'_>> {
        self.health.ranked().into_iter().filter_map(|at| self.member(at))
    }

    pub(super) fn member(&self, at: usize) -> Option<Member<'_>> {
        Some(Member { set: self, at, endpoint: self.endpoints.get(at)? })
    }
}

/// One server of a set.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    set: &'a ServerSet,
    at: usize,
    pub(super) endpoint: &'a Arc<Endpoint>,
}

impl Member<'_> {
    /// Its place in the set.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_same(&self, other: &Member<'_>) -> bool {
        self.at == other.at
    }

    pub(super) fn has_others(&self) -> bool {
        self.set.len() > 1
    }

    /// Whether its last attempt failed.
    pub(super) fn is_failed(&self) -> bool {
        self.set.health.is_failed(self.at)
    }

    /// Whether it is known to fail, and not only suspected.
    pub(super) fn is_down(&self) -> bool {
        self.set.health.is_down(self.at)
    }

    pub(super) fn suspected(&self) {
        self.set.health.suspected(self.at);
    }

    pub(super) fn failed(&self) {
        self.set.health.failed(self.at);
    }

    pub(super) fn answered(&self) {
        self.set.health.answered(self.at);
    }
}
