//! Which address of a broker to talk to (`docs/wire.md` §4.7), by the rules of Java's client.
//!
//! Each function answers from one route. So there is no second table of addresses that could be older or newer than the queues.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{BrokerAddresses, BrokerData, MASTER_ID, Name, TopicRouteData};

use crate::java_order::bucket_of_long;

/// A member of a broker group that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindBrokerResult {
    /// Its address, `host:port`.
    pub broker_addr: Name,
    /// Whether it is a slave.
    pub slave: bool,
}

/// Where messages for a broker are sent: its master. `None` if it has no master or does not stand in the route.
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, find_broker_address_in_publish};
///
/// let route = TopicRouteData::from_bytes(
///     br#"{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}]}"#).unwrap();
/// assert_eq!(find_broker_address_in_publish(&route, "a").unwrap(), "10.0.0.1:10911");
/// assert_eq!(find_broker_address_in_publish(&route, "b"), None);
/// ```
pub fn find_broker_address_in_publish<'a>(route: &'a TopicRouteData, broker_name: &str) -> Option<&'a Name> {
    addresses(route, broker_name)?.master()
}

/// Where messages of a broker are read: the member with that id. If a slave was wanted and is not there, the one with the next id;
/// then, unless only this one will do, the first member as Java's hash table has them: of ids from 0 to 15 the smallest.
///
/// `slave` says whether a slave was wanted, and of a member that was not wanted whether it is one.
///
/// ```
/// use rocketmq_nameserver::{FindBrokerResult, TopicRouteData, find_broker_address_in_subscribe};
///
/// let route = TopicRouteData::from_bytes(
///     br#"{"brokerDatas":[{"brokerAddrs":{0:"h:1",2:"h:2"},"brokerName":"a","cluster":"C"}]}"#).unwrap();
/// let find = |id, only_this| find_broker_address_in_subscribe(&route, "a", id, only_this);
/// assert_eq!(find(1, true), Some(FindBrokerResult { broker_addr: "h:2".into(), slave: true }));
/// assert_eq!(find(3, false), Some(FindBrokerResult { broker_addr: "h:1".into(), slave: false }));
/// assert_eq!(find(3, true), None);
/// ```
pub fn find_broker_address_in_subscribe(
    route: &TopicRouteData,
    broker_name: &str,
    broker_id: i64,
    only_this_broker: bool,
) -> Option<FindBrokerResult> {
    let addresses = addresses(route, broker_name)?;
    let slave = broker_id != MASTER_ID;
    let next = || addresses.get(broker_id.wrapping_add(1)).filter(|_| slave);
    if let Some(address) = addresses.get(broker_id).or_else(next) {
        return Some(FindBrokerResult { broker_addr: address.clone(), slave });
    }
    first(addresses).filter(|_| !only_this_broker)
}

/// Where an operator's question to a broker goes: to any member, the first as Java's hash table has them: of ids from 0 to 15 the
/// smallest, so the master if there is one.
pub fn find_broker_address_in_admin(route: &TopicRouteData, broker_name: &str) -> Option<FindBrokerResult> {
    first(addresses(route, broker_name)?)
}

/// The master of a broker group; where there is none one of its slaves, another one each time. `None` if it has no members: Java's
/// client fails there.
pub fn select_broker_addr(broker: &BrokerData) -> Option<&Name> {
    select_from(broker, random_below)
}

/// A broker that can be asked about the topic: any broker group of the route, another one each time, and of it the member that
/// [`select_broker_addr`] selects. Groups without members are left out, where Java's client fails. `None` if no group has any.
pub fn find_broker_addr_by_topic(route: &TopicRouteData) -> Option<&Name> {
    find_by_topic(route, random_below)
}

fn select_from(broker: &BrokerData, pick: impl FnOnce(usize) -> usize) -> Option<&Name> {
    let addresses = &broker.broker_addresses;
    let any = || addresses.iter().nth(pick(addresses.len())).map(|(_, address)| address);
    addresses.master().or_else(any)
}

fn find_by_topic(route: &TopicRouteData, mut pick: impl FnMut(usize) -> usize) -> Option<&Name> {
    let has_members = |broker: &&Arc<BrokerData>| !broker.broker_addresses.is_empty();
    let brokers = || route.broker_data_list.iter().filter(has_members);
    let count = brokers().count();
    select_from(brokers().nth(pick(count))?, pick)
}

/// The members of a broker group. Of two groups of one name the last one counts, as in the table that Java's client fills from
/// a route.
fn addresses<'a>(route: &'a TopicRouteData, broker_name: &str) -> Option<&'a BrokerAddresses> {
    let mut brokers = route.broker_data_list.iter().rev();
    brokers.find(|broker| broker.broker_name == broker_name).map(|broker| &broker.broker_addresses)
}

/// The member that stands first in Java's hash table.
fn first(addresses: &BrokerAddresses) -> Option<FindBrokerResult> {
    let (id, address) = addresses.iter().min_by_key(|(id, _)| bucket_of_long(*id, addresses.len()))?;
    Some(FindBrokerResult { broker_addr: address.clone(), slave: id != MASTER_ID })
}

/// A number below `end` that nobody can tell beforehand; 0 if there is none.
fn random_below(end: usize) -> usize {
    // Each state has keys of its own, which come from the system's source of randomness.
    let random = RandomState::new().hash_one(());
    u64::try_from(end)
        .ok()
        .and_then(|end| random.checked_rem(end))
        .and_then(|below| usize::try_from(below).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn group(name: &str, ids: &[i64]) -> Arc<BrokerData> {
        let broker_addresses = ids.iter().map(|id| (*id, format!("{name}{id}"))).collect();
        Arc::new(BrokerData { broker_name: name.into(), broker_addresses, ..Default::default() })
    }

    fn route(groups: &[(&str, &[i64])]) -> TopicRouteData {
        let broker_data_list = groups.iter().map(|(name, ids)| group(name, ids)).collect();
        TopicRouteData { broker_data_list, ..Default::default() }
    }

    /// `a1s` for a slave, `a0m` for a master, "" for nothing.
    fn shown(found: Option<FindBrokerResult>) -> String {
        found.map_or(String::new(), |found| {
            format!("{}{}", found.broker_addr, if found.slave { 's' } else { 'm' })
        })
    }

    #[test]
    fn rule_4_7_in_publish_the_master_alone_will_do() {
        let route = route(&[("a", &[0, 1]), ("b", &[1]), ("c", &[]), ("d", &[0]), ("d", &[1])]);
        for (name, expected) in
            [("a", Some("a0")), ("b", None), ("c", None), ("d", None), ("x", None), ("", None)]
        {
            assert_eq!(find_broker_address_in_publish(&route, name).map(Name::as_str), expected, "{name}");
        }
    }

    #[test]
    fn rule_4_7_in_subscribe_the_wanted_then_the_next_then_the_first() {
        let check = |ids: &[i64], wanted: i64, only_this: &str, any: &str| {
            let route = route(&[("a", ids)]);
            let find = |only| shown(find_broker_address_in_subscribe(&route, "a", wanted, only));
            assert_eq!((find(true).as_str(), find(false).as_str()), (only_this, any), "{wanted} of {ids:?}");
        };
        check(&[0, 1], 0, "a0m", "a0m");
        check(&[0, 1], 1, "a1s", "a1s");
        check(&[0, 2], 1, "a2s", "a2s");
        check(&[0, 3], 1, "", "a0m");
        check(&[1, 2], 0, "", "a1s");
        check(&[2], 0, "", "a2s");
        check(&[0], -1, "a0s", "a0s");
        check(&[], 0, "", "");
        check(&[], 1, "", "");
        check(&[0], i64::MAX, "", "a0m");
        check(&[i64::MIN], i64::MAX, "a-9223372036854775808s", "a-9223372036854775808s");
        let other = route(&[("b", &[0])]);
        assert_eq!(find_broker_address_in_subscribe(&other, "a", 0, false), None);
    }

    #[test]
    fn rule_4_7_in_admin_the_first_of_javas_hash_table() {
        for (ids, expected) in [
            (&[0, 1, 2][..], "a0m"),
            (&[2, 7], "a2s"),
            // 17 stands in the bucket of 1, -3 in that of 2.
            (&[3, 17], "a17s"),
            (&[-3, 1], "a1s"),
            (&[-3, 3], "a-3s"),
            (&[], ""),
        ] {
            assert_eq!(shown(find_broker_address_in_admin(&route(&[("a", ids)]), "a")), expected, "{ids:?}");
        }
    }

    #[test]
    fn rule_4_7_the_master_is_selected_else_any_slave() {
        let never = |_| unreachable!("there is a master");
        assert_eq!(select_from(&group("a", &[1, 0]), never).unwrap(), "a0");
        let slaves = group("a", &[3, 1, 2]);
        let picked: Vec<_> = (0..3).map(|at| select_from(&slaves, |count| (at + count) % count)).collect();
        assert_eq!(picked.iter().map(|name| name.unwrap().as_str()).collect::<Vec<_>>(), ["a1", "a2", "a3"]);
        assert_eq!(select_broker_addr(&group("a", &[])), None);
    }

    #[test]
    fn rule_4_7_by_topic_any_group_with_members_is_picked() {
        let route_of = route(&[("a", &[0, 1]), ("b", &[]), ("c", &[1, 2])]);
        assert_eq!(find_by_topic(&route_of, |_| 0).unwrap(), "a0");
        assert_eq!(find_by_topic(&route_of, |count| count - 1).unwrap(), "c2");
        for empty in [route(&[]), route(&[("a", &[]), ("b", &[])])] {
            assert_eq!(find_broker_addr_by_topic(&empty), None);
        }
    }

    #[test]
    fn what_is_picked_at_random_is_each_of_them_in_the_end() {
        let (slaves, topic) = (group("a", &[1, 2, 3]), route(&[("a", &[0]), ("b", &[1, 2])]));
        // Each is missed a thousand times in a row once in 10^176 runs.
        let selected: BTreeSet<_> = (0..1_000).filter_map(|_| select_broker_addr(&slaves)).collect();
        assert_eq!(selected.len(), 3);
        let found: BTreeSet<_> = (0..1_000).filter_map(|_| find_broker_addr_by_topic(&topic)).collect();
        assert_eq!(found.len(), 3);
    }
}
