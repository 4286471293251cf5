//! What both clients make of a route, side by side.

use std::fmt;

use rocketmq_nameserver::{
    LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST, OrderConfItemError, OrderConfItemProblem, TopicRouteData,
    publish_queues,
};
use serde_json::{Map, Value};

use crate::routes::Case;

/// What was compared so far.
#[derive(Default)]
pub(crate) struct Comparison {
    publish_lists: usize,
    subscribe_sets: usize,
    endpoint_tables: usize,
    queues: usize,
    addresses: usize,
    physical_brokers: usize,
    capped_routes: usize,
    /// Values that Java's client does not get to, because something is malformed.
    java_threw: usize,
    ordered: usize,
    of_static_topics: usize,
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    pub(crate) fn add(&mut self, case: &Case, ours: &Value, java: &Value) {
        let route = &case.route;
        self.ordered += usize::from(!route.order_topic_conf.is_empty());
        self.of_static_topics += usize::from(!route.topic_queue_mapping_by_broker.is_empty());
        for field in ["publish", "found", "foundByDefault"] {
            self.publish_lists += 1;
            self.published(case, field, &ours[field], &java[field]);
        }
        self.subscribe_sets += 1;
        self.set(case, "subscribe", &ours["subscribe"], &java["subscribe"]);
        self.endpoint_tables += 1;
        self.set(case, "endpoints", &ours["endpoints"], &java["endpoints"]);
        for field in ["inPublish", "inSubscribe", "inAdmin", "selected"] {
            self.addresses += entries(&ours[field]).len();
            if field != "selected" {
                self.same(case, field, &ours[field], &java[field]);
                continue;
            }
            for (name, address) in entries(&java[field]) {
                let ours = &ours[field][name.as_str()];
                if threw(address).is_some() {
                    // Of a broker without members.
                    self.java_threw += 1;
                    self.same(case, &format!("{field} {name}"), ours, &Value::Null);
                } else {
                    self.same(case, &format!("{field} {name}"), ours, address);
                }
            }
        }
        self.physical(case, &ours["physical"], &java["physical"]);
        for (nums, queues) in entries(&java["capped"]) {
            self.capped_routes += 1;
            // Java sorts them on the way.
            self.same(
                case,
                &format!("capped to {nums}"),
                &sorted(&ours["capped"][nums.as_str()]),
                &sorted(queues),
            );
        }
    }

    /// Whether the generated routes were of all kinds.
    pub(crate) fn assert_reach(&self) {
        for (what, count) in [
            ("ordered topics", self.ordered),
            ("static topics", self.of_static_topics),
            ("exceptions in Java", self.java_threw),
        ] {
            assert!(count >= 20, "only {count} {what}");
        }
        assert!(self.queues >= 5_000 && self.addresses >= 5_000, "{self}");
    }

    fn published(&mut self, case: &Case, field: &str, ours: &Value, java: &Value) {
        let route = &case.route;
        let queues = publish_queues(&case.topic, route);
        let is_ordered = queues.is_order_topic();
        if threw(java).is_some() {
            self.java_threw += 1;
            let is_wrong =
                if is_ordered { queues.wrong_items().iter().any(throws) } else { is_nameless(route) };
            if !is_wrong {
                self.differences
                    .push(format!("{field} of {case:?}: Java threw {java}, and nothing is wrong"));
            }
            return;
        }
        let tolerated = [OrderConfItemProblem::Negative, OrderConfItemProblem::NoBroker];
        if queues.wrong_items().iter().any(|wrong| throws(wrong) || !tolerated.contains(&wrong.problem)) {
            self.differences
                .push(format!("{field} of {case:?}: wrong is {:?}, Java {java}", queues.wrong_items()));
        }
        self.same(case, field, &ours["isOrderTopic"], &java["isOrderTopic"]);
        // Queues of a broker without a name, which nobody can reach, are malformed here.
        let (ours, java) = (list(&ours["queues"]), list(&java["queues"]));
        let mut java: Vec<Value> =
            java.iter().filter(|queue| !is_ordered || queue[1] != "").cloned().collect();
        if !is_ordered && !route.topic_queue_mapping_by_broker.is_empty() {
            // By id in both; those of one id in Java's hash order.
            assert!(java.is_sorted_by_key(|queue| queue[2].as_u64()), "{java:?}");
            java.sort_by_key(|queue| (queue[2].as_u64(), queue[1].to_string()));
        }
        self.queues += ours.len();
        self.same(case, field, &Value::from(ours.to_vec()), &Value::from(java));
    }

    /// Which brokers hold queues, logical ones and others.
    fn physical(&mut self, case: &Case, ours: &Value, java: &Value) {
        if is_nameless(&case.route) {
            // Java's client threw before it knew.
            return;
        }
        let (ours, java) = (entries(ours), entries(java));
        assert_eq!(ours.len(), java.len());
        for (queue, broker) in java {
            self.physical_brokers += 1;
            // A broker that is none stands for none.
            let java = if broker == LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST { &Value::Null } else { broker };
            self.same(case, &format!("physical {queue}"), &ours[queue], java);
        }
    }

    /// Where Java's order is that of a hash table.
    fn set(&mut self, case: &Case, field: &str, ours: &Value, java: &Value) {
        if threw(java).is_some() {
            self.java_threw += 1;
            if !is_nameless(&case.route) {
                self.differences
                    .push(format!("{field} of {case:?}: Java threw {java}, and nothing is wrong"));
            }
            return;
        }
        self.queues += list(ours).len();
        self.same(case, field, &sorted(ours), &sorted(java));
    }

    fn same(&mut self, case: &Case, field: &str, ours: &Value, java: &Value) {
        if ours != java {
            self.differences.push(format!("{field} of {case:?}:\n  ours {ours}\n  Java {java}"));
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} publish lists, {} subscribe sets and {} endpoint tables with {} queues, {} addresses, {} brokers of queues, \
             {} capped routes compared, {} differ; {} times Java threw ({} ordered, {} static topics)",
            self.publish_lists,
            self.subscribe_sets,
            self.endpoint_tables,
            self.queues,
            self.addresses,
            self.physical_brokers,
            self.capped_routes,
            self.differences.len(),
            self.java_threw,
            self.ordered,
            self.of_static_topics,
        )
    }
}

/// Whether a mapping has no broker's name, which Java's tables cannot hold.
fn is_nameless(route: &TopicRouteData) -> bool {
    route.topic_queue_mapping_by_broker.values().any(|info| info.bname.is_none())
}

/// Whether it is such an item that Java's client throws. Of others it makes no queues, or those of a broker without a name.
fn throws(wrong: &OrderConfItemError) -> bool {
    wrong.item.split(':').nth(1).is_none_or(|count| count.parse::<i32>().is_err())
}

fn threw(value: &Value) -> Option<&Value> {
    value.get("exception")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value}"))
}

fn entries(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value}"))
}

fn sorted(value: &Value) -> Value {
    let mut all = list(value).to_vec();
    all.sort_by_cached_key(Value::to_string);
    all.into()
}
