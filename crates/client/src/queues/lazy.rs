//! Queues that are made when they are asked for, and no more than [`MAX_QUEUES`] of them.

use std::ops::Range;
use std::vec;

use rocketmq_nameserver_protocol::model::Name;

use super::order_conf::OrderConf;
use super::static_topic::StaticEndpoints;
use super::{MAX_QUEUES, MessageQueue};

/// The queues of one topic.
#[derive(Clone, Debug)]
pub(super) struct Queues<'a> {
    topic: Name,
    source: Source<'a>,
    /// What is left of the broker whose turn it is.
    current: Option<(Name, Range<u32>)>,
    claimed: u64,
    left: u64,
}

/// Where they come from.
#[derive(Clone, Debug)]
enum Source<'a> {
    Groups(vec::IntoIter<(&'a Name, Range<u32>)>),
    OrderConf(OrderConf<'a>),
    Static(StaticEndpoints<'a>),
}

impl<'a> Queues<'a> {
    /// Those of broker groups, group by group.
    pub(super) fn of_groups(topic: &str, groups: Vec<(&'a Name, Range<u32>)>) -> Self {
        let claimed = groups.iter().map(|(_, ids)| u64::from(ids.end.saturating_sub(ids.start))).sum();
        Queues::new(topic, Source::Groups(groups.into_iter()), claimed)
    }

    /// Those of the items of an order configuration that claim so many.
    pub(super) fn of_order_conf(topic: &str, conf: OrderConf<'a>, claimed: u64) -> Self {
        Queues::new(topic, Source::OrderConf(conf), claimed)
    }

    /// Those of a static topic.
    pub(super) fn of_static_topic(topic: &str, endpoints: StaticEndpoints<'a>) -> Self {
        let claimed = endpoints.claimed();
        Queues::new(topic, Source::Static(endpoints), claimed)
    }

    fn new(topic: &str, source: Source<'a>, claimed: u64) -> Self {
        Queues { topic: Name::from(topic), source, current: None, claimed, left: claimed.min(MAX_QUEUES) }
    }

    pub(super) fn claimed(&self) -> u64 {
        self.claimed
    }

    /// The next broker and its queues.
    fn next_group(&mut self) -> Option<(Name, Range<u32>)> {
        match &mut self.source {
            Source::Groups(groups) => groups.next().map(|(broker, ids)| (broker.clone(), ids)),
            Source::OrderConf(conf) => conf.next().map(|(broker, count)| (Name::from(broker), 0..count)),
            Source::Static(_) => None,
        }
    }
}

impl Iterator for Queues<'_> {
    type Item = MessageQueue;

    fn next(&mut self) -> Option<MessageQueue> {
        self.left = self.left.checked_sub(1)?;
        if let Source::Static(endpoints) = &mut self.source {
            return endpoints.next().map(|(queue, _)| queue);
        }
        loop {
            if let Some((broker, ids)) = &mut self.current
                && let Some(queue_id) = ids.next()
            {
                let (topic, broker_name) = (self.topic.clone(), broker.clone());
                return Some(MessageQueue { topic, broker_name, queue_id });
            }
            self.current = Some(self.next_group()?);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}
