//! From a route to queues: where a producer may send and what a consumer may read (`docs/wire.md` §4.6, §4.7).
//!
//! These are the rules for ordinary topics. Queues are made one by one as they are asked for: a route may claim
//! billions of them.

use rocketmq_nameserver_protocol::model::{Name, QueueData, TopicRouteData};

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

/// The queues that a producer may send to: of each broker group with write permission and a live master, queues 0 to
/// `write_queue_nums` - 1, by broker name (rule 3 of `docs/wire.md` §4.6).
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, publish_queues};
///
/// let route = TopicRouteData::from_bytes(br#"{
///     "brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"a","cluster":"C"}],
///     "queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":2}]}"#).unwrap();
/// assert_eq!(publish_queues("T", &route).map(|queue| queue.queue_id).collect::<Vec<_>>(), [0, 1]);
/// ```
pub fn publish_queues<'a>(
    topic: &str,
    route: &'a TopicRouteData,
) -> impl Iterator<Item = MessageQueue> + use<'a> {
    let has_master = |queue: &QueueData| {
        route.broker(&queue.broker_name).is_some_and(|broker| broker.broker_addresses.master().is_some())
    };
    let mut writable: Vec<&QueueData> =
        route.queue_data_list.iter().filter(|queue| queue.perm.is_writable() && has_master(queue)).collect();
    writable.sort_by(|one, other| one.broker_name.cmp(&other.broker_name));
    queues(topic, writable, |queue| queue.write_queue_nums)
}

/// The queues that a consumer may read: of each broker group with read permission, queues 0 to `read_queue_nums` - 1, in
/// the order of the route. A master is not needed: slaves serve consumers too.
pub fn subscribe_queues<'a>(
    topic: &str,
    route: &'a TopicRouteData,
) -> impl Iterator<Item = MessageQueue> + use<'a> {
    let readable = route.queue_data_list.iter().filter(|queue| queue.perm.is_readable()).collect();
    queues(topic, readable, |queue| queue.read_queue_nums)
}

fn queues<'a>(
    topic: &str,
    groups: Vec<&'a QueueData>,
    count: fn(&QueueData) -> u32,
) -> impl Iterator<Item = MessageQueue> + use<'a> {
    let topic = Name::from(topic);
    groups.into_iter().flat_map(move |queue| {
        let topic = topic.clone();
        (0..count(queue)).map(move |queue_id| MessageQueue {
            topic: topic.clone(),
            broker_name: queue.broker_name.clone(),
            queue_id,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(brokers: &str, queues: &str) -> TopicRouteData {
        TopicRouteData::from_bytes(
            format!(r#"{{"brokerDatas":[{brokers}],"queueDatas":[{queues}]}}"#).as_bytes(),
        )
        .unwrap()
    }

    fn shown(queues: impl Iterator<Item = MessageQueue>) -> String {
        queues.map(|queue| format!("{}{}", queue.broker_name, queue.queue_id)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn permissions_masters_and_order_decide() {
        let a = r#"{"brokerAddrs":{0:"h:1",1:"h:2"},"brokerName":"a","cluster":"C"}"#;
        let slave_only = r#"{"brokerAddrs":{1:"h:2"},"brokerName":"a","cluster":"C"}"#;
        let b = r#"{"brokerAddrs":{0:"h:3"},"brokerName":"b","cluster":"C"}"#;
        let queue = |name, perm, read, write| {
            format!(
                r#"{{"brokerName":"{name}","perm":{perm},"readQueueNums":{read},"writeQueueNums":{write}}}"#
            )
        };
        let check = |name: &str, route: TopicRouteData, publish: &str, subscribe: &str| {
            assert_eq!(shown(publish_queues("T", &route)), publish, "{name}: publish");
            assert_eq!(shown(subscribe_queues("T", &route)), subscribe, "{name}: subscribe");
        };
        check("read and write", route(a, &queue("a", 6, 3, 2)), "a0 a1", "a0 a1 a2");
        check("read only", route(a, &queue("a", 4, 2, 2)), "", "a0 a1");
        check("write only", route(a, &queue("a", 2, 2, 2)), "a0 a1", "");
        check("inherit", route(a, &queue("a", 7, 1, 1)), "a0", "a0");
        check("no permission", route(a, &queue("a", 1, 1, 1)), "", "");
        check("no master", route(slave_only, &queue("a", 6, 1, 1)), "", "a0");
        check("no broker data", route("", &queue("a", 6, 1, 1)), "", "a0");
        check("no queues", route(a, ""), "", "");
        let both = format!("{},{}", queue("b", 6, 1, 1), queue("a", 6, 1, 1));
        check("publish by broker name", route(&format!("{b},{a}"), &both), "a0 b0", "b0 a0");
    }

    #[test]
    fn a_huge_count_costs_nothing_until_it_is_walked() {
        let huge = route(
            r#"{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C"}"#,
            r#"{"brokerName":"a","perm":6,"readQueueNums":2147483647,"writeQueueNums":2147483647}"#,
        );
        assert_eq!(shown(publish_queues("T", &huge).take(2)), "a0 a1");
        assert_eq!(shown(subscribe_queues("T", &huge).take(2)), "a0 a1");
    }
}
