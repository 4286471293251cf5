//! 206, 216, 217, 224, 304 and 311 to 313: lists of topics; a topic comes or goes (`docs/wire.md` §2.3, §2.5, §2.7).

use std::collections::BTreeMap;

use rocketmq_nameserver_protocol::model::{Name, QueueData, TopicList};

use super::Table;
use super::hash_order::in_hash_order;

/// The bit of `topicSysFlag` that says: belongs to a unit.
const UNIT: i32 = 1;
/// The bit of `topicSysFlag` that says: a unit has subscribed to it.
const UNIT_SUB: i32 = 2;

/// Which topics of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnitTopics {
    /// 311: they belong to one.
    Unit,
    /// 312: one has subscribed to them.
    UnitSub,
    /// 313: one has subscribed to them, and they belong to none.
    UnitSubUnunit,
}

impl UnitTopics {
    fn holds(self, flag: i32) -> bool {
        let (unit, sub) = (flag & UNIT != 0, flag & UNIT_SUB != 0);
        match self {
            UnitTopics::Unit => unit,
            UnitTopics::UnitSub => sub,
            UnitTopics::UnitSubUnunit => sub && !unit,
        }
    }
}

impl Table {
    /// 206
    pub(crate) fn all_topics(&self) -> TopicList {
        list(self.topics.keys())
    }

    /// All topics with their queues.
    pub(crate) fn queues_by_topic(&self) -> BTreeMap<Name, Vec<QueueData>> {
        self.topics
            .iter()
            .map(|(topic, queues)| (topic.clone(), queues.values().cloned().collect()))
            .collect()
    }

    /// 224: topics with queues on any broker of the cluster.
    pub(crate) fn topics_by_cluster(&self, cluster: &Name) -> TopicList {
        let Some(names) = self.clusters.get(cluster) else {
            return TopicList::default();
        };
        list(
            self.topics
                .iter()
                .filter(|(_, queues)| queues.keys().any(|broker_name| names.contains(broker_name)))
                .map(|(topic, _)| topic),
        )
    }

    /// 304: every cluster and every broker is a topic, too; and the address of a broker that may know more.
    pub(crate) fn system_topics(&self) -> TopicList {
        let clusters =
            self.clusters.iter().flat_map(|(cluster, names)| std::iter::once(cluster).chain(names));
        let mut topics = list(clusters);
        topics.topic_list.dedup();
        topics.broker_addr = self.groups.values().find_map(|group| group.members.values().next()).cloned();
        topics
    }

    /// 311 to 313: what a topic's first queue entry says decides.
    pub(crate) fn unit_topics(&self, which: UnitTopics) -> TopicList {
        let first = |queues: &BTreeMap<Name, QueueData>| {
            in_hash_order(queues).first().is_some_and(|(_, queue)| which.holds(queue.topic_syn_flag))
        };
        list(self.topics.iter().filter(|(_, queues)| first(queues)).map(|(topic, _)| topic))
    }

    /// 216: without a cluster everywhere, else on the brokers of that cluster. Static mappings stay.
    pub(crate) fn delete_topic(&mut self, topic: &Name, cluster: Option<&Name>) {
        self.routes_changed = true;
        let Some(cluster) = cluster else {
            self.topics.remove(topic);
            return;
        };
        let (Some(names), Some(queues)) = (self.clusters.get(cluster), self.topics.get_mut(topic)) else {
            return;
        };
        queues.retain(|broker_name, _| !names.contains(broker_name));
        if queues.is_empty() {
            self.topics.remove(topic);
        }
    }

    /// 217: queues of a topic on brokers that are registered. Ends at the first broker that is not: a known topic keeps
    /// what came before it, a new one is not stored at all.
    pub(crate) fn register_topic(&mut self, topic: &Name, queues: Vec<QueueData>) {
        if queues.is_empty() {
            return;
        }
        let known = self.topics.contains_key(topic);
        let all = queues.len();
        let registered: Vec<QueueData> =
            queues.into_iter().take_while(|queue| self.groups.contains_key(&queue.broker_name)).collect();
        if registered.is_empty() || (!known && registered.len() < all) {
            return;
        }
        self.routes_changed = true;
        let stored = self.topics.entry(topic.clone()).or_default();
        for queue in registered {
            stored.insert(queue.broker_name.clone(), queue);
        }
    }
}

/// Sorted, so that the same table gives the same answer.
fn list<'a>(topics: impl Iterator<Item = &'a Name>) -> TopicList {
    let mut topic_list: Vec<Name> = topics.cloned().collect();
    topic_list.sort_unstable();
    TopicList { topic_list, broker_addr: None }
}
