//! Broker addresses that cannot be reached from here, and what is used in their place: Docker, NAT, Kubernetes.
//!
//! `place.rs` reads hosts and addresses, `rule.rs` is one rule; here is the list of them.

mod place;
mod rule;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, Name, TopicRouteData,
};

use crate::error::{NameServerError, Result};
use rule::{Outcome, Rule};

/// Which addresses are used in place of those that brokers advertise.
///
/// A broker in a container or behind NAT tells NameServers an address that only its neighbours can reach. Rules replace such
/// addresses in every route and in the cluster info that a client returns; nothing changes on any server. The order of the
/// rules is their priority: the first that matches an address counts, and its result is not rewritten again.
///
/// A target is a `host`, which keeps the port, or `host:port`, which replaces both; IPv6 addresses with a port stand in brackets.
/// Hosts are compared in any case, IP addresses by value. What was advertised stays in the answer:
/// [`BrokerData::advertised`](crate::BrokerData::advertised), [`TopicRouteData::as_advertised`](crate::TopicRouteData::as_advertised).
/// Filter servers, and the brokers' addresses under which they are listed, stay as advertised. So does everything that is asked
/// with [`request`](crate::AsyncNameServerClient::request), and what
/// [`query_all`](crate::AsyncNameServerClient::query_all) and its like return.
///
/// ```
/// use rocketmq_nameserver::{AddressRewriting, AsyncNameServerClient};
///
/// let rewriting = AddressRewriting::new()
///     .exact("172.17.0.2:10911", "localhost:20911")
///     .host("broker-b.internal", "10.0.0.9")
///     .cidr("172.17.0.0/16", "localhost")
///     .with(|broker| (broker.cluster == "test").then(|| format!("{}.example.com:10911", broker.broker_name)));
/// let client = AsyncNameServerClient::builder().servers("ns-1").rewrite_addresses(rewriting).build()?;
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
///
/// A rule that cannot be understood is a Usage error when the client is built.
#[derive(Clone, Default)]
#[must_use = "rules do nothing until a client has them"]
pub struct AddressRewriting {
    rules: Vec<Rule>,
    /// The first rule that could not be understood.
    wrong: Option<NameServerError>,
}

/// One address that a broker advertises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdvertisedAddress<'a> {
    /// The cluster of the broker group; empty if it has none.
    pub cluster: &'a str,
    /// The name of the broker group.
    pub broker_name: &'a str,
    /// Which member of the group it is: 0 is the master.
    pub broker_id: i64,
    /// The address, `host:port` as a rule.
    pub address: &'a str,
}

impl AddressRewriting {
    /// No rules: every address is used as it is advertised.
    pub fn new() -> Self {
        AddressRewriting::default()
    }

    /// Replaces one address, `host:port`.
    pub fn exact(self, from: &str, to: &str) -> Self {
        self.and(Rule::exact(from, to))
    }

    /// Replaces one host, whatever the port.
    pub fn host(self, from: &str, to: &str) -> Self {
        self.and(Rule::host(from, to))
    }

    /// Replaces all hosts of a network, such as `172.17.0.0/16` or `fd00::/8`. Host names are in no network: they are not
    /// looked up.
    pub fn cidr(self, from: &str, to: &str) -> Self {
        self.and(Rule::network(from, to))
    }

    /// Asks a function: `Some` is the `host:port` to use, `None` leaves the address to the next rules.
    ///
    /// It is called for each address of each answer that is read, so it must be quick and must not block. It must say the same
    /// of the same address each time: a [`RouteCache`](crate::RouteCache) does not read an answer again that has not changed,
    /// and shares routes between topics. An answer that is not `host:port` is logged once and the address used as advertised; a panic counts as such an answer.
    pub fn with<F>(mut self, rewrite: F) -> Self
    where
        F: Fn(&AdvertisedAddress<'_>) -> Option<String> + Send + Sync + 'static,
    {
        self.rules.push(Rule::asks(rewrite));
        self
    }

    /// Rules as one text, for environment variables and command lines: `FROM=TO`, several separated by `,` or `;`.
    ///
    /// What a rule is follows from its shape: with `/` a network, with a port one address, else a host. A text without any
    /// rule is no rules.
    ///
    /// ```
    /// use rocketmq_nameserver::AddressRewriting;
    ///
    /// let rewriting = AddressRewriting::parse("172.17.0.0/16=localhost, broker-b.internal=10.0.0.9:10911")?;
    /// # Ok::<(), rocketmq_nameserver::NameServerError>(())
    /// ```
    ///
    /// # Errors
    /// Usage, with the rule that cannot be understood and what to write instead.
    pub fn parse(text: &str) -> Result<Self> {
        let entries = text.split([',', ';']).map(str::trim).filter(|entry| !entry.is_empty());
        let rewriting = entries.fold(AddressRewriting::new(), |rules, entry| rules.and(Rule::parse(entry)));
        rewriting.check()?;
        Ok(rewriting)
    }

    fn and(mut self, rule: Result<Rule>) -> Self {
        match rule {
            Ok(rule) => self.rules.push(rule),
            Err(error) => self.wrong = self.wrong.or(Some(error)),
        }
        self
    }

    /// Whether all rules could be understood. For the Python package, which says so at once.
    ///
    /// # Errors
    /// Usage, for the first that could not.
    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        self.wrong.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn route(&self, route: &mut TopicRouteData) {
        if !self.rules.is_empty() {
            for broker in &mut route.broker_data_list {
                // Nobody else has it yet: it was just read.
                self.broker(Arc::make_mut(broker));
            }
        }
    }

    pub(crate) fn cluster_info(&self, info: &mut BrokerClusterInfo) {
        if !self.rules.is_empty() {
            info.broker_addr_table.values_mut().for_each(|broker| self.broker(broker));
        }
    }

    /// Starts from what is advertised, so that the same broker may come a second time. For the Python package, whose functions
    /// must be called in threads of its own.
    #[doc(hidden)]
    pub fn broker(&self, broker: &mut BrokerData) {
        let advertised = broker.advertised();
        let used = advertised.iter().map(|(broker_id, address)| {
            let advertised = AdvertisedAddress {
                cluster: &broker.cluster,
                broker_name: &broker.broker_name,
                broker_id,
                address,
            };
            (broker_id, self.used(&advertised).unwrap_or_else(|| address.clone()))
        });
        let used: BrokerAddresses = used.collect();
        if used == *advertised {
            if let Some(advertised) = broker.advertised_addresses.take() {
                broker.broker_addresses = *advertised;
            }
        } else {
            let before = std::mem::replace(&mut broker.broker_addresses, used);
            broker.advertised_addresses.get_or_insert_with(|| Box::new(before));
        }
    }

    /// What is used in place of this address; `None`: itself.
    fn used(&self, advertised: &AdvertisedAddress<'_>) -> Option<Name> {
        let place = place::Place::advertised(advertised.address);
        for rule in &self.rules {
            match rule.rewrite(advertised, place.as_ref()) {
                Outcome::Use(address) => return Some(address),
                Outcome::Keep => return None,
                Outcome::NoMatch => {}
            }
        }
        None
    }
}

impl fmt::Debug for AddressRewriting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rules).finish()
    }
}
