//! 105: where is this topic? (`docs/wire.md` §2.2)

use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{BrokerData, MASTER_ID, Name, QueueData, TopicRouteData};

use super::Table;
use super::hash_order::in_hash_order;

/// The topic by which the brokers of a group find each other has this prefix: they want to see who is really there.
const SYNC_BROKER_MEMBER: &str = "rmq_sys_SYNC_BROKER_MEMBER_";
/// The bit of a permission that lets producers write.
const WRITE: i32 = 2;

impl Table {
    /// The route of a topic, `None` if no group that has it is known. With `support_acting_master` the smallest slave of a
    /// group without a master is shown as its master, if its queues cannot be written to.
    pub(crate) fn route(&self, topic: &Name, support_acting_master: bool) -> Option<TopicRouteData> {
        let queues = self.topics.get(topic)?;
        let promote = support_acting_master && !topic.starts_with(SYNC_BROKER_MEMBER);
        let mut route = TopicRouteData::default();
        for (broker_name, queue) in in_hash_order(queues) {
            // The queues of a group that is gone are shown all the same.
            route.queue_data_list.push(queue.clone());
            let Some(group) = self.groups.get(broker_name) else {
                continue;
            };
            for address in group.members.values() {
                let place = self.place(&group.cluster, address);
                // Where two groups have an address, the later one decides, also that there are none.
                match self.filter_servers.get(&place) {
                    Some(list) => route.filter_server_table.insert(place.address, list.clone()),
                    None => route.filter_server_table.remove(&place.address),
                };
            }
            let mut broker = self.to_data(broker_name, group);
            if promote && group.enable_acting_master && !is_writable(queue) {
                show_acting_master(&mut broker);
            }
            route.broker_data_list.push(Arc::new(broker));
        }
        if route.broker_data_list.is_empty() {
            return None;
        }
        if let Some(mapping) = self.mappings.get(topic) {
            route.topic_queue_mapping_by_broker = mapping.clone();
        }
        Some(route)
    }
}

fn is_writable(queue: &QueueData) -> bool {
    queue.perm.0 & WRITE != 0
}

/// Moves the address with the smallest id to id 0, unless that is taken.
fn show_acting_master(broker: &mut BrokerData) {
    let smallest = broker.broker_addresses.iter().next().map(|(id, _)| id);
    let master = broker.broker_addresses.master();
    if let (Some(id), None) = (smallest, master)
        && let Some(address) = broker.broker_addresses.remove(id)
    {
        broker.broker_addresses.insert(MASTER_ID, address);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Step::Register;
    use super::super::sample::{With, after, broker, topics};

    #[test]
    fn a_route_holds_the_groups_that_have_the_topic_with_their_addresses_and_queues() {
        let other = broker("b", 0)
            .with(|broker| broker.body.topic_config_serialize_wrapper = topics(1, &["T2", "T3"], 4));
        let (table, _) =
            after(&[Register(1, broker("a", 0)), Register(2, broker("a", 1)), Register(3, other)]);
        for (topic, expected) in [
            ("T1", vec![("a", 6, vec!["a-0", "a-1"])]),
            ("T2", vec![("a", 6, vec!["a-0", "a-1"]), ("b", 4, vec!["b-0"])]),
            ("T3", vec![("b", 4, vec!["b-0"])]),
        ] {
            let route = table.route(&topic.into(), false).unwrap();
            let found = route.queue_data_list.iter().map(|queue| {
                let group = route.broker(&queue.broker_name).unwrap();
                assert_eq!(group.cluster, "c");
                assert_eq!((queue.read_queue_nums, queue.write_queue_nums), (8, 8));
                let addresses = group.broker_addresses.iter().map(|(_, address)| address.as_str());
                (queue.broker_name.as_str(), queue.perm.0, addresses.collect())
            });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{topic}");
            assert_eq!(route.broker_data_list.len(), expected.len());
        }
        assert_eq!(table.route(&"T4".into(), false), None);
        assert_eq!(table.route(&"".into(), false), None);
    }

    #[test]
    fn filter_servers_are_those_of_the_groups_cluster() {
        let filtered = |cluster: &str| {
            broker("a", 0).with(|broker| {
                broker.cluster_name = cluster.into();
                broker.body.filter_server_list = Some(vec![cluster.into()]);
            })
        };
        let (table, _) = after(&[Register(1, filtered("c")), Register(1, filtered("d"))]);
        let route = table.route(&"T1".into(), false).unwrap();
        assert_eq!(route.filter_server_table["a-0"], ["c"]);
    }
}
