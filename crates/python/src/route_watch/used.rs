//! Changes with the addresses that are used, where a rule is a Python function. A change of addresses does not say whose
//! cluster they are in, which a function may want to know: that is kept from what was told before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use rocketmq_nameserver::{BrokerAddresses, BrokerData, Change, Name, RouteChange, TopicRouteData};

use crate::rewriting::{Rewriter, or_logged};

/// Makes changes that are told of changes that the core has found.
pub(super) struct UsedAddresses {
    rewriter: Rewriter,
    /// By topic and broker group. Never locked while Python code may run.
    clusters: Mutex<Clusters>,
}

type Clusters = HashMap<Name, HashMap<Name, Name>>;

impl UsedAddresses {
    pub(super) fn new(rewriter: Rewriter) -> Self {
        UsedAddresses { rewriter, clusters: Mutex::default() }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.rewriter.traverse(visit)
    }

    /// The change as it is told; `None` if nothing has changed about what is used. Where a function fails it is logged, and
    /// the change has the addresses that are advertised.
    pub(super) fn change(&self, py: Python<'_>, change: RouteChange) -> PyResult<Option<RouteChange>> {
        if self.rewriter.does_nothing() {
            return Ok(Some(change));
        }
        let cluster = self.cluster(&change);
        let RouteChange { topic, change } = change;
        let change = match or_logged(py, self.used(py, &change, cluster))? {
            Some(Change::AddressesChanged { before, after, .. }) if before == after => return Ok(None),
            Some(used) => used,
            None => change,
        };
        Ok(Some(RouteChange { topic, change }))
    }

    fn used(&self, py: Python<'_>, change: &Change, cluster: Name) -> PyResult<Change> {
        let route = |route: &Arc<TopicRouteData>| self.rewriter.route(py, route);
        let broker = |broker: &BrokerData| self.rewriter.broker(py, broker).map(Arc::new);
        Ok(match change {
            Change::TopicFound { after } => Change::TopicFound { after: route(after)? },
            Change::TopicGone { before, why } => Change::TopicGone { before: route(before)?, why: *why },
            Change::BrokerAdded { after } => Change::BrokerAdded { after: broker(after)? },
            Change::BrokerRemoved { before } => Change::BrokerRemoved { before: broker(before)? },
            Change::AddressesChanged { broker_name, before, after } => {
                let used = |addresses: &BrokerAddresses| -> PyResult<BrokerAddresses> {
                    let group = BrokerData {
                        cluster: cluster.clone(),
                        broker_name: broker_name.clone(),
                        broker_addresses: addresses.clone(),
                        ..BrokerData::default()
                    };
                    Ok(self.rewriter.broker(py, &group)?.broker_addresses)
                };
                let (before, after) = (used(before)?, used(after)?);
                Change::AddressesChanged { broker_name: broker_name.clone(), before, after }
            }
            Change::OtherChanged { before, after } => {
                Change::OtherChanged { before: route(before)?, after: route(after)? }
            }
            Change::Resynced { after } => Change::Resynced { after: after.as_ref().map(route).transpose()? },
            other => other.clone(),
        })
    }

    /// Learns from a change which clusters there are, and says that of the group whose addresses have changed.
    fn cluster(&self, change: &RouteChange) -> Name {
        let RouteChange { topic, change } = change;
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::TopicFound { after: route }
            | Change::OtherChanged { after: route, .. }
            | Change::Resynced { after: Some(route) } => {
                let groups = route.broker_data_list.iter();
                let groups = groups.map(|group| (group.broker_name.clone(), group.cluster.clone()));
                clusters.insert(topic.clone(), groups.collect());
            }
            Change::TopicGone { .. } | Change::Resynced { after: None } => {
                clusters.remove(topic);
            }
            Change::BrokerAdded { after } => {
                let groups = clusters.entry(topic.clone()).or_default();
                groups.insert(after.broker_name.clone(), after.cluster.clone());
            }
            Change::BrokerRemoved { before } => {
                if let Some(groups) = clusters.get_mut(topic) {
                    groups.remove(&before.broker_name);
                }
            }
            Change::AddressesChanged { broker_name, .. } => {
                let cluster = clusters.get(topic).and_then(|groups| groups.get(broker_name));
                return cluster.cloned().unwrap_or_default();
            }
            _ => {}
        }
        Name::default()
    }
}
