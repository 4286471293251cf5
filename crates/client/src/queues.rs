//! From a route to queues: where a producer may send and what a consumer may read (`docs/wire.md` §4.6, §4.7), by the rules of
//! Java's client.
//!
//! | file | what |
//! |---|---|
//! | `queues/order_conf.rs` | the configuration of an ordered topic |
//! | `queues/static_topic.rs` | logical queues, and which broker holds each |
//! | `queues/lazy.rs` | queues one by one: a route may claim billions of them |

mod lazy;
mod order_conf;
mod static_topic;

use std::collections::HashMap;
use std::iter::FusedIterator;
use std::ops::Range;

use rocketmq_nameserver_protocol::model::{BrokerData, Name, TopicRouteData};

use crate::java_order::compare_texts;

use lazy::Queues;
use order_conf::OrderConf;

pub use order_conf::{MAX_WRONG_ITEMS, OrderConfItemError, OrderConfItemProblem};
pub use static_topic::{
    LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST, LOGICAL_QUEUE_MOCK_BROKER_PREFIX, StaticEndpoints,
    physical_broker, static_topic_endpoints,
};

/// How many queues of a topic are yielded at most, whatever its route claims: 65,536.
///
/// A broker holds a folder of files for each queue, and the largest real topics have some thousand queues; a route that claims
/// more than this is broken or hostile. That many take 4 MiB when they are collected.
pub const MAX_QUEUES: u64 = 65_536;

/// One queue of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageQueue {
    /// The topic.
    pub topic: Name,
    /// The broker group that holds the queue.
    pub broker_name: Name,
    /// Its number on that broker, from 0.
    pub queue_id: u32,
}

/// The queues that a producer may send to (`docs/wire.md` §4.6). The first rule that fits counts:
///
/// 1. An ordered topic has those of its `order_topic_conf`, in its order, whether those brokers are there or not.
/// 2. A static topic (5.x) has its logical queues, by id: [`physical_broker`] says where each is.
/// 3. All others have queues 0 to `write_queue_nums` - 1 of each broker group with write permission and a live master, by broker
///    name in the order of Java's `String`.
///
/// They are made one by one as they are asked for, [`MAX_QUEUES`] at most.
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, publish_queues};
///
/// let route = TopicRouteData::from_bytes(br#"{
///     "brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}],
///     "queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":2}]}"#).unwrap();
/// assert_eq!(publish_queues("T", &route).map(|queue| queue.queue_id).collect::<Vec<_>>(), [0, 1]);
/// ```
pub fn publish_queues<'a>(topic: &str, route: &'a TopicRouteData) -> PublishQueues<'a> {
    if !route.order_topic_conf.is_empty() {
        let conf = OrderConf::new(&route.order_topic_conf);
        let (claimed, wrong_items, wrong_item_count) = conf.clone().survey();
        let queues = Queues::of_order_conf(topic, conf, claimed);
        return PublishQueues { queues, is_order_topic: true, wrong_items, wrong_item_count };
    }
    let queues = if route.topic_queue_mapping_by_broker.is_empty() {
        Queues::of_groups(topic, writable(route))
    } else {
        Queues::of_static_topic(topic, static_topic_endpoints(topic, route))
    };
    PublishQueues { queues, is_order_topic: false, wrong_items: Vec::new(), wrong_item_count: 0 }
}

/// The queues that a consumer may read (`docs/wire.md` §4.7): the logical queues of a static topic (5.x), by id; of other topics
/// queues 0 to `read_queue_nums` - 1 of each broker group with read permission, in the order of the route. A master is not
/// needed: slaves serve consumers too.
///
/// No queue comes twice, also where a route lists a broker twice. They are made one by one as they are asked for,
/// [`MAX_QUEUES`] at most.
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, subscribe_queues};
///
/// let route = TopicRouteData::from_bytes(br#"{"queueDatas":[
///     {"brokerName":"a","perm":4,"readQueueNums":2},{"brokerName":"a","perm":6,"readQueueNums":3}]}"#).unwrap();
/// assert_eq!(subscribe_queues("T", &route).map(|queue| queue.queue_id).collect::<Vec<_>>(), [0, 1, 2]);
/// ```
pub fn subscribe_queues<'a>(topic: &str, route: &'a TopicRouteData) -> SubscribeQueues<'a> {
    let queues = if route.topic_queue_mapping_by_broker.is_empty() {
        Queues::of_groups(topic, readable(route))
    } else {
        Queues::of_static_topic(topic, static_topic_endpoints(topic, route))
    };
    SubscribeQueues { queues }
}

/// What [`publish_queues`] returns.
#[derive(Clone, Debug)]
pub struct PublishQueues<'a> {
    queues: Queues<'a>,
    is_order_topic: bool,
    wrong_items: Vec<OrderConfItemError>,
    wrong_item_count: u64,
}

impl PublishQueues<'_> {
    /// Whether the topic is ordered: its queues come from its `order_topic_conf`.
    pub fn is_order_topic(&self) -> bool {
        self.is_order_topic
    }

    /// The items of `order_topic_conf` that could not be read and give no queues: the first [`MAX_WRONG_ITEMS`] of them.
    pub fn wrong_items(&self) -> &[OrderConfItemError] {
        &self.wrong_items
    }

    /// How many items of `order_topic_conf` could not be read, all of them counted.
    pub fn wrong_item_count(&self) -> u64 {
        self.wrong_item_count
    }

    /// How many queues the route claims, those included that were yielded already.
    pub fn claimed(&self) -> u64 {
        self.queues.claimed()
    }

    /// Whether the route claims more than the [`MAX_QUEUES`] that are yielded.
    pub fn is_capped(&self) -> bool {
        self.claimed() > MAX_QUEUES
    }
}

impl Iterator for PublishQueues<'_> {
    type Item = MessageQueue;

    fn next(&mut self) -> Option<MessageQueue> {
        self.queues.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.queues.size_hint()
    }
}

impl ExactSizeIterator for PublishQueues<'_> {}
impl FusedIterator for PublishQueues<'_> {}

/// What [`subscribe_queues`] returns.
#[derive(Clone, Debug)]
pub struct SubscribeQueues<'a> {
    queues: Queues<'a>,
}

impl SubscribeQueues<'_> {
    /// How many queues the route claims, those included that were yielded already.
    pub fn claimed(&self) -> u64 {
        self.queues.claimed()
    }

    /// Whether the route claims more than the [`MAX_QUEUES`] that are yielded.
    pub fn is_capped(&self) -> bool {
        self.claimed() > MAX_QUEUES
    }
}

impl Iterator for SubscribeQueues<'_> {
    type Item = MessageQueue;

    fn next(&mut self) -> Option<MessageQueue> {
        self.queues.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.queues.size_hint()
    }
}

impl ExactSizeIterator for SubscribeQueues<'_> {}
impl FusedIterator for SubscribeQueues<'_> {}

/// The broker groups that take messages, and their queues, in order.
fn writable(route: &TopicRouteData) -> Vec<(&Name, Range<u32>)> {
    // A map, because a large route must not be walked for each of its queues; of two groups of one name the first one counts.
    let mut brokers: HashMap<&str, &BrokerData> = HashMap::with_capacity(route.broker_data_list.len());
    for broker in &route.broker_data_list {
        brokers.entry(&broker.broker_name).or_insert(broker);
    }
    let has_master =
        |name: &Name| brokers.get(&**name).is_some_and(|broker| broker.broker_addresses.master().is_some());
    let queues = route.queue_data_list.iter();
    let mut writable: Vec<_> = queues
        .filter(|queue| queue.perm.is_writable() && has_master(&queue.broker_name))
        .map(|queue| (&queue.broker_name, 0..queue.write_queue_nums))
        .collect();
    writable.sort_by(|(one, _), (other, _)| compare_texts(one, other));
    writable
}

/// The broker groups that may be read, and of their queues those that no entry before has.
fn readable(route: &TopicRouteData) -> Vec<(&Name, Range<u32>)> {
    let mut known: HashMap<&str, u32> = HashMap::with_capacity(route.queue_data_list.len());
    let readable = route.queue_data_list.iter().filter(|queue| queue.perm.is_readable());
    readable
        .map(|queue| {
            let known = known.entry(&queue.broker_name).or_default();
            let new = *known..queue.read_queue_nums;
            *known = new.end.max(*known);
            (&queue.broker_name, new)
        })
        .collect()
}

#[cfg(test)]
mod tests;
