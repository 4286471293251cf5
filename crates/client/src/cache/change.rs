//! What changes about a topic, and which changes lead from one route to another. Pure: two routes in, a list out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerData, Name, Perm, QueueData, TopicRouteData,
};

/// One change of one topic, with what was before and what is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// The topic.
    pub topic: Name,
    /// What has changed about it.
    pub change: Change,
}

/// What has changed about a topic. Brokers are told apart by their names; the order in which a server lists them is no
/// change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The topic has a route now. Also the first thing that a watch says about a topic that has one when it begins.
    TopicFound {
        /// The whole route.
        after: Arc<TopicRouteData>,
    },
    /// The topic has no route any more.
    TopicGone {
        /// The last route that was known.
        before: Arc<TopicRouteData>,
        /// Why it is believed.
        why: Gone,
    },
    /// One more broker group has the topic.
    BrokerAdded {
        /// The group with its addresses.
        after: Arc<BrokerData>,
    },
    /// A broker group does not have the topic any more.
    BrokerRemoved {
        /// The group as it was.
        before: Arc<BrokerData>,
    },
    /// Members of a broker group came, left or moved.
    AddressesChanged {
        /// The group.
        broker_name: Name,
        /// Broker id → address, as it was.
        before: BrokerAddresses,
        /// Broker id → address, as it is.
        after: BrokerAddresses,
    },
    /// A broker group has another number of queues.
    QueuesChanged {
        /// The group.
        broker_name: Name,
        /// How many queues it had; `None` if none were listed.
        before: Option<QueueCounts>,
        /// How many it has; `None` if none are listed any more.
        after: Option<QueueCounts>,
    },
    /// The permission of a broker group's queues is another one.
    PermChanged {
        /// The group.
        broker_name: Name,
        /// What was allowed.
        before: Perm,
        /// What is allowed.
        after: Perm,
    },
    /// The order of an ordered topic is another one. "" where there is none.
    OrderConfChanged {
        /// As it was.
        before: Name,
        /// As it is.
        after: Name,
    },
    /// Something else: filter servers, static topic mapping, cluster, zone, flags.
    OtherChanged {
        /// The whole route as it was.
        before: Arc<TopicRouteData>,
        /// The whole route as it is.
        after: Arc<TopicRouteData>,
    },
    /// There was a gap: changes came faster than they were taken, or no server could confirm the route for longer than its
    /// `ttl`. States in between may have been missed. This is the newest one, and what it changes follows.
    Resynced {
        /// The route now; `None` if the topic has none.
        after: Option<Arc<TopicRouteData>>,
    },
}

/// Why a route that was known is believed to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gone {
    /// Two servers know no broker that has the topic; or one, and the route was invalidated.
    NotFound,
    /// No server has confirmed it for `max_stale`.
    TooOld,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gone::NotFound => "not found",
            Gone::TooOld => "not confirmed by any server for too long",
        })
    }
}

/// How many queues of a topic a broker group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueCounts {
    /// Queues that consumers may read.
    pub read: u32,
    /// Queues that producers may write.
    pub write: u32,
}

impl From<&QueueData> for QueueCounts {
    fn from(queue: &QueueData) -> Self {
        QueueCounts { read: queue.read_queue_nums, write: queue.write_queue_nums }
    }
}

/// Puts the lists of a route into one order, so that routes which say the same are equal.
pub(crate) fn in_order(mut route: TopicRouteData) -> TopicRouteData {
    route.queue_data_list.sort();
    route.queue_data_list.shrink_to_fit();
    route.broker_data_list.sort();
    route.broker_data_list.shrink_to_fit();
    route
}

/// What leads from one route to the other; both [`in_order`]. Empty only if they are equal.
pub(crate) fn between(before: &Arc<TopicRouteData>, after: &Arc<TopicRouteData>) -> Vec<Change> {
    let mut changes = Vec::new();
    if before == after {
        return changes;
    }
    let mut other = before.filter_server_table != after.filter_server_table
        || before.topic_queue_mapping_by_broker != after.topic_queue_mapping_by_broker;
    let brokers = pairs(&before.broker_data_list, &after.broker_data_list, |broker| &broker.broker_name);
    let queues = pairs(&before.queue_data_list, &after.queue_data_list, |queue| &queue.broker_name);
    for (name, pair) in &brokers {
        match *pair {
            (None, Some(after)) => changes.push(Change::BrokerAdded { after: Arc::clone(after) }),
            (Some(before), None) => changes.push(Change::BrokerRemoved { before: Arc::clone(before) }),
            (Some(before), Some(after)) => {
                if before.broker_addresses != after.broker_addresses {
                    changes.push(Change::AddressesChanged {
                        broker_name: (*name).clone(),
                        before: before.broker_addresses.clone(),
                        after: after.broker_addresses.clone(),
                    });
                }
                other |= before.cluster != after.cluster
                    || before.enable_acting_master != after.enable_acting_master
                    || before.zone_name != after.zone_name;
            }
            (None, None) => {}
        }
    }
    for (name, (before, after)) in queues {
        let counts = (before.map(QueueCounts::from), after.map(QueueCounts::from));
        if counts.0 != counts.1 {
            let (before, after) = counts;
            changes.push(Change::QueuesChanged { broker_name: name.clone(), before, after });
        }
        if let (Some(before), Some(after)) = (before, after) {
            if before.perm != after.perm {
                let (before, after) = (before.perm, after.perm);
                changes.push(Change::PermChanged { broker_name: name.clone(), before, after });
            }
            other |= before.topic_syn_flag != after.topic_syn_flag
                || before.compression_type != after.compression_type;
        }
    }
    if before.order_topic_conf != after.order_topic_conf {
        let (before, after) = (before.order_topic_conf.clone(), after.order_topic_conf.clone());
        changes.push(Change::OrderConfChanged { before, after });
    }
    // A server may list a name twice, of which only one is compared above.
    if other || changes.is_empty() {
        changes.push(Change::OtherChanged { before: Arc::clone(before), after: Arc::clone(after) });
    }
    changes
}

/// By name, what each side has.
type Pairs<'a, T> = BTreeMap<&'a Name, (Option<&'a T>, Option<&'a T>)>;

fn pairs<'a, T>(before: &'a [T], after: &'a [T], name: impl Fn(&'a T) -> &'a Name) -> Pairs<'a, T> {
    let mut pairs = Pairs::new();
    for item in before {
        pairs.entry(name(item)).or_default().0 = Some(item);
    }
    for item in after {
        pairs.entry(name(item)).or_default().1 = Some(item);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(body: &str) -> Arc<TopicRouteData> {
        Arc::new(in_order(TopicRouteData::from_bytes(body.as_bytes()).unwrap()))
    }

    /// Two broker groups, with the queues of the first as told.
    fn two(queues_of_a: &str) -> String {
        format!(
            r#"{{"brokerDatas":[{{"brokerAddrs":{{0:"h:1"}},"brokerName":"a","cluster":"C"}},{{"brokerAddrs":{{0:"h:2"}},"brokerName":"b","cluster":"C"}}],
            "queueDatas":[{{"brokerName":"a",{queues_of_a}}},{{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4}}]}}"#
        )
    }

    const FOUR: &str = r#""perm":6,"readQueueNums":4,"writeQueueNums":4"#;

    /// The changes without their contents.
    fn kinds(before: &str, after: &str) -> Vec<&'static str> {
        let changes = between(&route(before), &route(after));
        let kind = |change: &Change| match change {
            Change::BrokerAdded { .. } => "broker added",
            Change::BrokerRemoved { .. } => "broker removed",
            Change::AddressesChanged { .. } => "addresses",
            Change::QueuesChanged { .. } => "queues",
            Change::PermChanged { .. } => "perm",
            Change::OrderConfChanged { .. } => "order",
            Change::OtherChanged { .. } => "other",
            Change::TopicFound { .. } | Change::TopicGone { .. } | Change::Resynced { .. } => "topic",
        };
        changes.iter().map(kind).collect()
    }

    #[test]
    fn each_difference_is_told_and_nothing_else() {
        let plain = two(FOUR);
        let moved = plain.replace("h:1", "h:9");
        let one = r#"{"brokerDatas":[{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C"}],
            "queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;
        let swapped = r#"{"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4},{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}],
            "brokerDatas":[{"brokerAddrs":{"0":"h:2"},"brokerName":"b","cluster":"C"},{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C"}]}"#;
        let fewer = two(r#""perm":6,"readQueueNums":4,"writeQueueNums":2"#);
        let read_only = two(r#""perm":4,"readQueueNums":4,"writeQueueNums":4"#);
        let both = two(r#""perm":4,"readQueueNums":8,"writeQueueNums":4"#);
        let unit = two(r#""perm":6,"readQueueNums":4,"writeQueueNums":4,"topicSysFlag":1"#);
        let ordered = plain.replacen('{', r#"{"orderTopicConf":"a:4;b:4","#, 1);
        let other_cluster =
            plain.replace(r#""brokerName":"a","cluster":"C""#, r#""brokerName":"a","cluster":"D""#);
        let acting = plain.replace(r#""cluster":"C""#, r#""cluster":"C","enableActingMaster":true"#);
        let twice = one.replace(
            "[{\"brokerAddrs\"",
            "[{\"brokerAddrs\":{},\"brokerName\":\"b\",\"cluster\":\"B\"},{\"brokerAddrs\"",
        );
        let empty = "{}";
        for (before, after, expected) in [
            (plain.as_str(), plain.as_str(), vec![]),
            (&plain, swapped, vec![]),
            (&plain, &moved, vec!["addresses"]),
            (&plain, one, vec!["broker removed", "queues"]),
            (one, &plain, vec!["broker added", "queues"]),
            (&plain, &fewer, vec!["queues"]),
            (&plain, &read_only, vec!["perm"]),
            (&plain, &both, vec!["queues", "perm"]),
            (&plain, &unit, vec!["other"]),
            (&plain, &ordered, vec!["order"]),
            (&ordered, &plain, vec!["order"]),
            (&plain, &other_cluster, vec!["other"]),
            (&plain, &acting, vec!["other"]),
            (one, &twice, vec!["other"]),
            (&plain, empty, vec!["broker removed", "broker removed", "queues", "queues"]),
        ] {
            assert_eq!(kinds(before, after), expected, "{before} -> {after}");
        }
    }

    #[test]
    fn a_change_says_what_was_and_what_is() {
        let (before, after) =
            (route(&two(FOUR)), route(&two(r#""perm":4,"readQueueNums":8,"writeQueueNums":4"#)));
        let broker_name = Name::from("a");
        let counts = |read, write| Some(QueueCounts { read, write });
        assert_eq!(
            between(&before, &after),
            [
                Change::QueuesChanged {
                    broker_name: broker_name.clone(),
                    before: counts(4, 4),
                    after: counts(8, 4)
                },
                Change::PermChanged { broker_name, before: Perm(6), after: Perm(4) },
            ]
        );
    }
}
