//! One rule: which addresses it replaces, and by what.

use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocketmq_nameserver_protocol::model::Name;

use super::AdvertisedAddress;
use super::place::{Host, Place};
use crate::error::{NameServerError, Result};

type Rewrite = dyn Fn(&AdvertisedAddress<'_>) -> Option<String> + Send + Sync;

#[derive(Clone)]
pub(super) enum Rule {
    Replace { from: Replaced, to: Place },
    Ask(Arc<Ask>),
}

/// What a rule replaces.
#[derive(Debug, Clone)]
pub(super) enum Replaced {
    Address(Host, u16),
    Host(Host),
    Network(Network),
}

/// All addresses whose first bits are these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    ip: IpAddr,
    bits: u8,
}

/// A function of the user.
pub(super) struct Ask {
    rewrite: Box<Rewrite>,
    has_complained: AtomicBool,
}

/// What a rule says to an address.
pub(super) enum Outcome {
    NoMatch,
    Use(Name),
    /// As it is, and no other rule is asked.
    Keep,
}

impl Rule {
    pub(super) fn exact(from: &str, to: &str) -> Result<Rule> {
        let place = Place::parse(from).map_err(|why| bad(from, to, why))?;
        let port = place.port.ok_or_else(|| {
            bad(from, to, "the address to replace has no port: write host:port, or use a rule for the host")
        })?;
        Rule::replace(Replaced::Address(place.host, port), from, to)
    }

    pub(super) fn host(from: &str, to: &str) -> Result<Rule> {
        let place = Place::parse(from).map_err(|why| bad(from, to, why))?;
        if place.port.is_some() {
            return Err(bad(
                from,
                to,
                "the host to replace has a port: leave it out, or use a rule for the address",
            ));
        }
        Rule::replace(Replaced::Host(place.host), from, to)
    }

    pub(super) fn network(from: &str, to: &str) -> Result<Rule> {
        let network = Network::parse(from).ok_or_else(|| {
            bad(
                from,
                to,
                "write a network as an IP address, '/' and how many bits count, such as 172.17.0.0/16 (at most 32) or \
                 fd00::/8 (at most 128)",
            )
        })?;
        Rule::replace(Replaced::Network(network), from, to)
    }

    pub(super) fn asks(
        rewrite: impl Fn(&AdvertisedAddress<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Rule {
        Rule::Ask(Arc::new(Ask { rewrite: Box::new(rewrite), has_complained: AtomicBool::new(false) }))
    }

    /// Reads `FROM=TO`.
    pub(super) fn parse(entry: &str) -> Result<Rule> {
        let (from, to) = entry.split_once('=').ok_or_else(|| {
            NameServerError::usage(format!(
                "bad address rewriting rule {entry:?}: write FROM=TO, such as 172.17.0.0/16=localhost, \
                 broker-b=10.0.0.9 or 172.17.0.2:10911=localhost:20911"
            ))
        })?;
        let (from, to) = (from.trim(), to.trim());
        if from.contains('/') {
            Rule::network(from, to)
        } else if Place::parse(from).is_ok_and(|place| place.port.is_some()) {
            Rule::exact(from, to)
        } else {
            Rule::host(from, to)
        }
    }

    fn replace(replaced: Replaced, from: &str, to: &str) -> Result<Rule> {
        let to = Place::parse(to).map_err(|why| bad(from, to, why))?;
        Ok(Rule::Replace { from: replaced, to })
    }

    /// `place` is the address taken apart, if it could be.
    pub(super) fn rewrite(&self, advertised: &AdvertisedAddress<'_>, place: Option<&Place>) -> Outcome {
        match (self, place) {
            (Rule::Replace { from, to }, Some(Place { host, port: Some(port) })) if from.has(host, *port) => {
                Outcome::Use(Name::from(to.host.at(to.port.unwrap_or(*port))))
            }
            (Rule::Replace { .. }, _) => Outcome::NoMatch,
            (Rule::Ask(ask), _) => ask.rewrite(advertised),
        }
    }
}

impl Replaced {
    fn has(&self, host: &Host, port: u16) -> bool {
        match self {
            Replaced::Address(replaced, at) => *at == port && replaced.is(host),
            Replaced::Host(replaced) => replaced.is(host),
            Replaced::Network(network) => host.ip.is_some_and(|ip| network.has(ip)),
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (ip, bits) = text.split_once('/')?;
        let ip: IpAddr = ip.parse().ok()?;
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 =
            bits.parse().ok().filter(|bits| digits && *bits <= if ip.is_ipv4() { 32 } else { 128 })?;
        // Hosts of the form ::ffff:172.17.0.2 count as IPv4, so networks of them do too.
        let ipv4 =
            if ip.is_ipv6() { bits.checked_sub(96).map(|bits| (ip.to_canonical(), bits)) } else { None };
        let (ip, bits) = ipv4.filter(|(ip, _)| ip.is_ipv4()).unwrap_or((ip, bits));
        Some(Network { ip, bits })
    }

    fn has(self, ip: IpAddr) -> bool {
        // A shift by the whole width is no shift, so no bits at all are a case of their own.
        match (self.ip, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => (net.to_bits() ^ ip.to_bits())
                .checked_shr(32 - u32::from(self.bits))
                .is_none_or(|rest| rest == 0),
            (IpAddr::V6(net), IpAddr::V6(ip)) => (net.to_bits() ^ ip.to_bits())
                .checked_shr(128 - u32::from(self.bits))
                .is_none_or(|rest| rest == 0),
            _ => false,
        }
    }
}

impl Ask {
    fn rewrite(&self, advertised: &AdvertisedAddress<'_>) -> Outcome {
        // A question of the cache that panics is asked again and again, so a panic must not leave here.
        let answer = match catch_unwind(AssertUnwindSafe(|| (self.rewrite)(advertised))) {
            Ok(None) => return Outcome::NoMatch,
            Ok(Some(answer)) => Some(answer),
            Err(_panic) => None,
        };
        let place = answer.as_deref().and_then(|answer| Place::parse(answer.trim()).ok());
        if let Some(Place { host, port: Some(port) }) = place {
            return Outcome::Use(Name::from(host.at(port)));
        }
        if !self.has_complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                broker = advertised.broker_name,
                address = advertised.address,
                answer = answer.as_deref().unwrap_or("a panic"),
                "a function that rewrites addresses must return host:port; the advertised address is used, and more of \
                 this is not logged"
            );
        }
        Outcome::Keep
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Replace { from, to } => write!(f, "{from:?} -> {to:?}"),
            Rule::Ask(_) => f.write_str("a function"),
        }
    }
}

fn bad(from: &str, to: &str, why: &str) -> NameServerError {
    NameServerError::usage(format!("bad address rewriting rule {from:?} to {to:?}: {why}"))
}
