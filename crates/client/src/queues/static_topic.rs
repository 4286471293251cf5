//! Static topics (5.x): logical queues, and the brokers that hold them (`docs/wire.md` §4.8).

use std::collections::BTreeMap;
use std::iter::FusedIterator;

use rocketmq_nameserver_protocol::model::{Name, TopicQueueMappingInfo, TopicRouteData};

use super::{MAX_QUEUES, MessageQueue};
use crate::java_order::bucket_of_text;

/// How the names of brokers begin that are none, but stand for all brokers of a static topic.
pub const LOGICAL_QUEUE_MOCK_BROKER_PREFIX: &str = "__syslo__";

/// The broker of a logical queue that no broker holds.
pub const LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST: &str = "__syslo__none__";

/// Mappings older than this do not say how many queues there are.
const FIRST_EPOCH: i64 = -1;

/// The logical queues of a static topic, each with the broker that holds it, or with
/// [`LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST`]: by queue id, then by name. None for other topics.
///
/// Each scope (`__global__` as a rule) has as many queues as the largest `total_queues` of its mappings. Where several brokers
/// say that they hold a queue, the one with the highest epoch does; of equal epochs, the one that Java's hash table has last. At
/// most [`MAX_QUEUES`] are yielded.
///
/// A mapping without `bname` holds its queues nowhere; Java's client fails there.
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, static_topic_endpoints};
///
/// let route = TopicRouteData::from_bytes(br#"{"topicQueueMappingByBroker":{
///     "a":{"bname":"a","currIdMap":{0:0},"epoch":7,"scope":"__global__","totalQueues":2}}}"#).unwrap();
/// let queues: Vec<_> = static_topic_endpoints("T", &route)
///     .map(|(queue, broker)| format!("{} {} at {broker}", queue.broker_name, queue.queue_id))
///     .collect();
/// assert_eq!(queues, ["__syslo__global__ 0 at a", "__syslo__global__ 1 at __syslo__none__"]);
/// ```
pub fn static_topic_endpoints<'a>(topic: &str, route: &'a TopicRouteData) -> StaticEndpoints<'a> {
    let mut scopes: BTreeMap<Name, Scope<'a>> = BTreeMap::new();
    for info in in_java_order(route) {
        scopes.entry(mock_broker_name(&info.scope)).or_default().add(info);
    }
    let claimed = scopes.values().map(|scope| u64::from(scope.total)).sum();
    let scopes = scopes.into_iter().collect();
    StaticEndpoints {
        topic: Name::from(topic),
        scopes,
        queue_id: 0,
        at: 0,
        claimed,
        left: claimed.min(MAX_QUEUES),
    }
}

/// Where a message to that queue goes. If the topic is static: to the broker that holds the queue, `None` if none does. A static
/// topic has no other queues than its logical ones, so it is `None` too for those of an `order_topic_conf`; Java's client finds no
/// broker for them either. If it is not static: to the queue's own broker.
///
/// Each call goes through all mappings of the route. For all queues of a topic take [`static_topic_endpoints`], which yields the
/// broker beside each.
///
/// ```
/// use rocketmq_nameserver::{TopicRouteData, physical_broker, publish_queues};
///
/// let route = TopicRouteData::from_bytes(br#"{"topicQueueMappingByBroker":{
///     "a":{"bname":"a","currIdMap":{0:0},"epoch":7,"scope":"__global__","totalQueues":2}}}"#).unwrap();
/// let brokers: Vec<_> = publish_queues("T", &route).map(|queue| physical_broker(&route, &queue)).collect();
/// assert_eq!(brokers, [Some("a".into()), None]);
/// ```
pub fn physical_broker(route: &TopicRouteData, queue: &MessageQueue) -> Option<Name> {
    let infos = in_java_order(route);
    if infos.iter().all(|info| info.claims() == 0) {
        return Some(queue.broker_name.clone());
    }
    let mut scope = Scope::default();
    for info in infos.iter().filter(|info| mock_broker_name(&info.scope) == queue.broker_name) {
        scope.count(info);
        if i32::try_from(queue.queue_id).is_ok_and(|id| info.curr_id_map.contains_key(&id)) {
            scope.hold(queue.queue_id, info);
        }
    }
    if queue.queue_id >= scope.total {
        return None;
    }
    scope.broker_of(queue.queue_id)
}

/// What [`static_topic_endpoints`] returns: logical queues and their brokers.
#[derive(Clone, Debug)]
pub struct StaticEndpoints<'a> {
    topic: Name,
    /// Those that have a queue with the id that is next.
    scopes: Vec<(Name, Scope<'a>)>,
    queue_id: u32,
    /// Which scope is next.
    at: usize,
    claimed: u64,
    left: u64,
}

impl StaticEndpoints<'_> {
    /// How many queues the route claims.
    pub fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Whether the route claims more than the [`MAX_QUEUES`] that are yielded.
    pub fn is_capped(&self) -> bool {
        self.claimed > MAX_QUEUES
    }
}

impl Iterator for StaticEndpoints<'_> {
    type Item = (MessageQueue, Name);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        if self.at >= self.scopes.len() {
            self.at = 0;
            self.queue_id = self.queue_id.checked_add(1)?;
        }
        if self.at == 0 {
            // So each further step yields a queue, however many scopes there are.
            self.scopes.retain(|(_, scope)| scope.total > self.queue_id);
        }
        let (mock_broker, scope) = self.scopes.get(self.at)?;
        self.at += 1;
        let broker = scope.broker_of(self.queue_id);
        let queue = MessageQueue {
            topic: self.topic.clone(),
            broker_name: mock_broker.clone(),
            queue_id: self.queue_id,
        };
        Some((queue, broker.unwrap_or(Name::from_static(LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for StaticEndpoints<'_> {}
impl FusedIterator for StaticEndpoints<'_> {}

/// What the mappings of one scope say.
#[derive(Clone, Debug, Default)]
struct Scope<'a> {
    total: u32,
    held: BTreeMap<u32, &'a TopicQueueMappingInfo>,
}

impl<'a> Scope<'a> {
    fn add(&mut self, info: &'a TopicQueueMappingInfo) {
        self.count(info);
        for id in info.curr_id_map.keys() {
            // What is beyond is never yielded.
            if let Some(id) = u32::try_from(*id).ok().filter(|id| u64::from(*id) < MAX_QUEUES) {
                self.hold(id, info);
            }
        }
    }

    fn count(&mut self, info: &TopicQueueMappingInfo) {
        self.total = self.total.max(info.claims());
    }

    fn hold(&mut self, id: u32, info: &'a TopicQueueMappingInfo) {
        let holder = self.held.entry(id).or_insert(info);
        if holder.epoch <= info.epoch {
            *holder = info;
        }
    }

    fn broker_of(&self, id: u32) -> Option<Name> {
        self.held.get(&id)?.bname.clone()
    }
}

/// How many queues a mapping says that there are.
trait Claims {
    fn claims(&self) -> u32;
}

impl Claims for TopicQueueMappingInfo {
    fn claims(&self) -> u32 {
        if self.epoch >= FIRST_EPOCH { self.total_queues } else { 0 }
    }
}

/// The mappings in the order in which Java's client goes through those of each scope, which decides between equal epochs.
fn in_java_order(route: &TopicRouteData) -> Vec<&TopicQueueMappingInfo> {
    let mappings = &route.topic_queue_mapping_by_broker;
    let mut of_scope: BTreeMap<&str, usize> = BTreeMap::new();
    for info in mappings.values() {
        *of_scope.entry(&info.scope).or_default() += 1;
    }
    // From the route's table they come into a table of their scope.
    let place = |(broker, info): &(&Name, &TopicQueueMappingInfo)| {
        let in_scope = of_scope.get(&*info.scope).copied().unwrap_or_default();
        (bucket_of_text(broker, in_scope), bucket_of_text(broker, mappings.len()))
    };
    let mut infos: Vec<_> = mappings.iter().collect();
    infos.sort_by_cached_key(place);
    infos.into_iter().map(|(_, info)| info).collect()
}

/// The broker name under which the queues of a scope are addressed.
fn mock_broker_name(scope: &Name) -> Name {
    let scope = if *scope == TopicQueueMappingInfo::GLOBAL_SCOPE { "global__" } else { scope.as_str() };
    Name::from(format!("{LOGICAL_QUEUE_MOCK_BROKER_PREFIX}{scope}"))
}

#[cfg(test)]
mod tests;
