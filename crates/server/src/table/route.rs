//! 105: where is this topic? (`docs/wire.md` §2.2)

use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use super::{Place, Table};

impl Table {
    /// The route of a topic, `None` if no group that has it is known.
    pub(crate) fn route(&self, topic: &Name) -> Option<TopicRouteData> {
        let queues = self.topics.get(topic)?;
        let mut route = TopicRouteData::default();
        for (broker_name, queue) in queues {
            // The queues of a group that is gone are shown all the same.
            route.queue_data_list.push(queue.clone());
            let Some(group) = self.groups.get(broker_name) else {
                continue;
            };
            for member in group.members.values() {
                let place = Place { cluster: group.cluster.clone(), address: member.address.clone() };
                if let Some(list) = self.filter_servers.get(&place) {
                    route.filter_server_table.insert(place.address, list.clone());
                }
            }
            route.broker_data_list.push(Arc::new(group.to_data(broker_name)));
        }
        if route.broker_data_list.is_empty() {
            return None;
        }
        if let Some(mapping) = self.mappings.get(topic) {
            route.topic_queue_mapping_by_broker = mapping.clone();
        }
        // A server with supportActingMaster, which is off by default, would now show the first slave of a read only
        // group as its master, in this copy and not in the table.
        Some(route)
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
            let route = table.route(&topic.into()).unwrap();
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
        assert_eq!(table.route(&"T4".into()), None);
        assert_eq!(table.route(&"".into()), None);
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
        let route = table.route(&"T1".into()).unwrap();
        assert_eq!(route.filter_server_table["a-0"], ["c"]);
    }
}
