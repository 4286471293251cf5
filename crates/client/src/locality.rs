//! What is done with every answer that was read: the one place where routes and clusters become those of this machine.

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};

use crate::address_rewriting::AddressRewriting;
use crate::error::Result;
use crate::zone::Zone;

/// Where a client stands: in which zone, and by which addresses it reaches brokers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locality {
    pub(crate) zone: Option<Zone>,
    pub(crate) rewriting: AddressRewriting,
}

impl Locality {
    pub(crate) fn check(&self) -> Result<()> {
        self.zone.as_ref().map_or(Ok(()), Zone::check)?;
        self.rewriting.check()
    }

    /// The zone, if there is one.
    pub(crate) fn zone_name(&self) -> Option<&str> {
        self.zone.as_ref().map(|zone| zone.0.as_str())
    }

    /// A route as it is used: first the brokers, by what servers know of them, then their addresses. The same answer always
    /// leads to the same route, and a route that has gone through stays as it is.
    pub(crate) fn route(&self, route: TopicRouteData) -> TopicRouteData {
        let mut route = match &self.zone {
            Some(zone) => zone.pick(route),
            None => route,
        };
        self.rewriting.route(&mut route);
        route
    }

    /// The clusters as they are used. All brokers of all zones are in it.
    pub(crate) fn cluster_info(&self, mut info: BrokerClusterInfo) -> BrokerClusterInfo {
        self.rewriting.cluster_info(&mut info);
        info
    }
}
