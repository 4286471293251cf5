//! Brokers and clusters at every server.

use std::collections::BTreeSet;

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, BrokerData, Name};

use super::opinion::{as_any_release_says, grouped, is_mixed};
use crate::error::NameServerError;
use crate::per_server::PerServer;

/// Which brokers and clusters every server knows: [`query_all_clusters`](crate::AsyncNameServerClient::query_all_clusters).
#[derive(Debug, Clone)]
#[must_use = "the servers may disagree"]
pub struct AllClusters {
    answers: PerServer<BrokerClusterInfo>,
}

/// A broker group about which servers say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDifference {
    /// The group.
    pub broker_name: Name,
    /// What is said about it, two opinions or more: what most servers say first.
    pub opinions: Vec<BrokerOpinion>,
}

/// What some servers say about a broker group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerOpinion {
    /// Who says it, in the order of the client's servers.
    pub servers: Vec<Name>,
    /// The group with its cluster and its addresses; `None` if they do not describe it.
    pub broker: Option<BrokerData>,
    /// The clusters that list it, sorted. Its own as a rule, none where it is not known; a group that has registered for
    /// another cluster is in the lists of both.
    pub listed_in: Vec<Name>,
}

impl AllClusters {
    pub(super) fn new(answers: PerServer<BrokerClusterInfo>) -> Self {
        AllClusters { answers }
    }

    /// What each server said.
    pub fn answers(&self) -> &PerServer<BrokerClusterInfo> {
        &self.answers
    }

    /// All broker groups that any server knows, sorted.
    pub fn broker_names(&self) -> Vec<Name> {
        let infos = || self.answers.succeeded().map(|(_, info)| info);
        let described = infos().flat_map(|info| info.broker_addr_table.keys());
        let listed = infos().flat_map(|info| info.cluster_addr_table.values().flatten());
        described.chain(listed).collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// The servers that gave no answer, with the reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&Name, &NameServerError)> {
        self.answers.failed()
    }

    /// The broker groups about which servers say different things, sorted. What a 4.x server has no words for (zones, acting
    /// masters) is left out if such a server is among them.
    pub fn differences(&self) -> Vec<ClusterDifference> {
        let infos = || self.answers.succeeded().map(|(_, info)| info);
        let is_mixed = is_mixed(infos().flat_map(|info| info.broker_addr_table.values()));
        let comparable =
            |broker: &BrokerData| if is_mixed { as_any_release_says(broker) } else { broker.clone() };
        let of_broker = |broker_name: Name| {
            let said = self.answers.succeeded().map(|(server, info)| {
                let broker = info.broker_addr_table.get(&broker_name).map(comparable);
                (server.clone(), (broker, listed_in(info, &broker_name)))
            });
            let opinion = |(servers, (broker, listed_in))| BrokerOpinion { servers, broker, listed_in };
            let opinions: Vec<_> = grouped(said).into_iter().map(opinion).collect();
            ClusterDifference { broker_name, opinions }
        };
        let differences = self.broker_names().into_iter().map(of_broker);
        differences.filter(|difference| difference.opinions.len() > 1).collect()
    }
}

/// The clusters that list a group, sorted.
fn listed_in(info: &BrokerClusterInfo, broker_name: &Name) -> Vec<Name> {
    let lists = info.cluster_addr_table.iter().filter(|(_, brokers)| brokers.contains(broker_name));
    lists.map(|(cluster, _)| cluster.clone()).collect()
}
