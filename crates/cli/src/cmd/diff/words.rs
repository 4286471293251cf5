//! The comparison in words.

use std::collections::BTreeMap;

use rocketmq_nameserver::{
    AllRoutes, BrokerAddresses, BrokerOpinion, Change, ClusterDifference, Difference, Name, QueueCounts,
};

use super::{Failure, Report};
use crate::out::counted;

/// How many topics with the same differences are named. All of them are in the JSON.
const NAMED: usize = 10;

/// How much differs, then what, then who did not answer.
pub(super) fn text(report: &Report) -> String {
    let incomplete = if report.failed.is_empty() { "" } else { ", of which not all answered" };
    let between = format!("between {}{incomplete}", counted(report.servers.len(), "NameServer"));
    let mut lines = vec![format!("{} {between}", part(report.routes.len(), report.topics, "topic"))];
    if let Some(brokers) = report.brokers {
        lines.push(part(report.broker_differences.len(), brokers, "broker"));
        lines.push(format!("{} not listed everywhere", counted(report.list_differences.len(), "topic")));
    }
    if !report.unknown.is_empty() {
        let all = if report.failed.is_empty() { "any of them" } else { "those that answered" };
        lines.push(format!("Not found at {all}: {}", names(&report.unknown)));
    }
    // One missing broker is missing in all its topics.
    let mut alike: BTreeMap<Vec<String>, Vec<Name>> = BTreeMap::new();
    for routes in &report.routes {
        alike.entry(of_routes(routes)).or_default().push(routes.topic().clone());
    }
    for (differences, topics) in alike {
        lines.push(format!("\nTopic {}", names(&topics)));
        lines.extend(differences);
    }
    for difference in &report.broker_differences {
        lines.push(format!("\nBroker {}", shown(&difference.broker_name)));
        lines.extend(of_broker(difference));
    }
    let mut listed: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    for difference in report.of_lists_alone() {
        let (listed_at, missing_at) = (all(&difference.listed_at), all(&difference.missing_at));
        let where_it_is = format!("  listed at {listed_at}, not at {missing_at}; the routes are the same");
        listed.entry(where_it_is).or_default().push(difference.topic.clone());
    }
    for (where_it_is, topics) in listed {
        lines.push(format!("\nTopic {}", names(&topics)));
        lines.push(where_it_is);
    }
    if !report.failed.is_empty() {
        lines.push(String::new());
    }
    lines.extend(report.failed.iter().map(of_failure));
    lines.join("\n")
}

/// `2 of 5 topics differ`.
fn part(some: usize, of: usize, noun: &str) -> String {
    format!("{some} of {} differ{}", counted(of, noun), if some == 1 || of == 1 { "s" } else { "" })
}

fn of_routes(routes: &AllRoutes) -> Vec<String> {
    let of_difference = |difference: Difference| {
        let (servers, than) = (all(&difference.servers), all(&difference.than));
        let gone: Vec<Name> = difference.changes.iter().filter_map(moved_broker).collect();
        let told = difference.changes.into_iter().filter(|change| !follows(change, &gone));
        told.map(|change| format!("  {servers}: {}", of_change(&change, &than))).collect::<Vec<_>>()
    };
    routes.differences().into_iter().flat_map(of_difference).collect()
}

fn moved_broker(change: &Change) -> Option<Name> {
    match change {
        Change::BrokerAdded { after: broker } | Change::BrokerRemoved { before: broker } => {
            Some(broker.broker_name.clone())
        }
        _ => None,
    }
}

/// A broker that is not there has no queues, which need not be said.
fn follows(change: &Change, gone: &[Name]) -> bool {
    matches!(change, Change::QueuesChanged { broker_name, .. } if gone.contains(broker_name))
}

/// What some servers say, and what those others say.
fn of_change(change: &Change, than: &str) -> String {
    match change {
        Change::TopicGone { before, .. } => {
            format!("topic not found; {than} knows {}", counted(before.broker_data_list.len(), "broker"))
        }
        Change::TopicFound { after } => {
            format!("topic with {}; not found at {than}", counted(after.broker_data_list.len(), "broker"))
        }
        Change::BrokerRemoved { before } => format!(
            "{} missing; {} at {than}",
            shown(&before.broker_name),
            of_addresses(&before.broker_addresses)
        ),
        Change::BrokerAdded { after } => format!(
            "{} with {}; missing at {than}",
            shown(&after.broker_name),
            of_addresses(&after.broker_addresses)
        ),
        Change::AddressesChanged { broker_name, before, after } => {
            let (before, after) = (of_addresses(before), of_addresses(after));
            format!("addresses of {}: {after}; {before} at {than}", shown(broker_name))
        }
        Change::QueuesChanged { broker_name, before, after } => {
            let (before, after) = (of_queues(*before), of_queues(*after));
            format!("queues of {}: {after}; {before} at {than}", shown(broker_name))
        }
        Change::PermChanged { broker_name, before, after } => {
            format!("permission of {}: {after}; {before} at {than}", shown(broker_name))
        }
        Change::OrderConfChanged { before, after } => {
            format!("order {:?}; {:?} at {than}", after.as_str(), before.as_str())
        }
        _ => format!("other cluster, zone, flags, filter servers or mapping than {than}; see -o json"),
    }
}

fn of_queues(counts: Option<QueueCounts>) -> String {
    counts.map_or("none".to_owned(), |QueueCounts { read, write }| format!("{read} read, {write} write"))
}

fn of_addresses(addresses: &BrokerAddresses) -> String {
    let members: Vec<String> =
        addresses.iter().map(|(id, address)| format!("{id}={}", shown(address))).collect();
    if members.is_empty() { "no address".to_owned() } else { members.join(" ") }
}

fn of_broker(difference: &ClusterDifference) -> impl Iterator<Item = String> + '_ {
    difference.opinions.iter().map(|BrokerOpinion { servers, broker, listed_in }| {
        let servers = all(servers);
        let Some(broker) = broker else {
            let listed = if listed_in.is_empty() { "" } else { ", but listed in its cluster" };
            return format!("  {servers}: not known{listed}");
        };
        let addresses = of_addresses(&broker.broker_addresses);
        let zone = broker.zone_name.as_ref().map_or(String::new(), |zone| format!(", zone {}", shown(zone)));
        let acting = if broker.enable_acting_master == Some(true) { ", acting master" } else { "" };
        let listed = if listed_in.is_empty() { "none".to_owned() } else { names(listed_in) };
        format!(
            "  {servers}: {addresses}, cluster {}, listed in {listed}{zone}{acting}",
            shown(&broker.cluster)
        )
    })
}

fn of_failure(failure: &Failure) -> String {
    let routes = (failure.routes > 0).then(|| counted(failure.routes, "route"));
    let list = failure.list.then(|| "its list of topics".to_owned());
    let brokers = failure.brokers.then(|| "its brokers".to_owned());
    let missing: Vec<String> = list.into_iter().chain(brokers).chain(routes).collect();
    format!("{} did not tell {}: {}", failure.server, missing.join(", "), failure.error)
}

/// Servers, as the subject or the place of a sentence.
fn all(servers: &[Name]) -> String {
    servers.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

fn names(names: &[Name]) -> String {
    let some = names.iter().take(NAMED).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// A name may be anything, and a terminal obeys some of it.
fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rocketmq_nameserver::{BrokerData, Perm, TopicRouteData};

    use super::*;

    #[test]
    fn every_change_says_what_is_and_what_the_others_say() {
        let name = || Name::from("a");
        let at = |address: &str| BrokerAddresses::from_iter([(0, address), (1, "h:2")]);
        let counts = |read, write| Some(QueueCounts { read, write });
        let group =
            Arc::new(BrokerData { broker_name: name(), broker_addresses: at("h:1"), ..Default::default() });
        let empty = Arc::new(BrokerData { broker_name: name(), ..Default::default() });
        let route =
            Arc::new(TopicRouteData { broker_data_list: vec![Arc::clone(&group)], ..Default::default() });
        let (before, after) = (at("h:1"), BrokerAddresses::default());
        for (change, expected) in [
            (Change::TopicFound { after: Arc::clone(&route) }, "topic with 1 broker; not found at N"),
            (Change::BrokerAdded { after: group }, "a with 0=h:1 1=h:2; missing at N"),
            (Change::BrokerRemoved { before: empty }, "a missing; no address at N"),
            (
                Change::AddressesChanged { broker_name: name(), before, after },
                "addresses of a: no address; 0=h:1 1=h:2 at N",
            ),
            (
                Change::QueuesChanged { broker_name: name(), before: counts(4, 8), after: None },
                "queues of a: none; 4 read, 8 write at N",
            ),
            (
                Change::PermChanged { broker_name: name(), before: Perm(6), after: Perm(4) },
                "permission of a: R--; RW- at N",
            ),
            (
                Change::OrderConfChanged { before: Name::default(), after: Name::from("a:4") },
                r#"order "a:4"; "" at N"#,
            ),
            (
                Change::OtherChanged { before: Arc::clone(&route), after: route },
                "other cluster, zone, flags, filter servers or mapping than N; see -o json",
            ),
        ] {
            assert_eq!(of_change(&change, "N"), expected);
        }
    }

    #[test]
    fn a_broker_is_told_with_everything_that_may_differ() {
        let opinion = |broker: Option<BrokerData>, listed_in: &[&str]| BrokerOpinion {
            servers: vec![Name::from("n:1")],
            broker,
            listed_in: listed_in.iter().map(|cluster| Name::from(*cluster)).collect(),
        };
        let plain = BrokerData { cluster: Name::from("C"), ..Default::default() };
        let zoned = BrokerData {
            zone_name: Some(Name::from("z")),
            enable_acting_master: Some(true),
            ..plain.clone()
        };
        for (opinion, expected) in [
            (opinion(None, &[]), "n:1: not known"),
            (opinion(None, &["C"]), "n:1: not known, but listed in its cluster"),
            (opinion(Some(plain.clone()), &["C", "D"]), "n:1: no address, cluster C, listed in C, D"),
            (opinion(Some(plain), &[]), "n:1: no address, cluster C, listed in none"),
            (opinion(Some(zoned), &["C"]), "n:1: no address, cluster C, listed in C, zone z, acting master"),
        ] {
            let difference = ClusterDifference { broker_name: Name::from("a"), opinions: vec![opinion] };
            assert_eq!(of_broker(&difference).collect::<Vec<_>>(), [format!("  {expected}")]);
        }
    }
}
