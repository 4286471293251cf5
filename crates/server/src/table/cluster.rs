//! 106 and 901: which brokers form which cluster, and who belongs to one group? (`docs/wire.md` §2.3, §2.5)

use rocketmq_nameserver_protocol::model::{BrokerAddresses, BrokerClusterInfo, Name};

use super::Table;

impl Table {
    /// All groups and clusters, those without members too.
    pub(crate) fn cluster_info(&self) -> BrokerClusterInfo {
        BrokerClusterInfo {
            broker_addr_table: self
                .groups
                .iter()
                .map(|(broker_name, group)| (broker_name.clone(), self.to_data(broker_name, group)))
                .collect(),
            cluster_addr_table: self
                .clusters
                .iter()
                .map(|(cluster, names)| (cluster.clone(), names.iter().cloned().collect()))
                .collect(),
        }
    }

    /// The members of a group by their real ids; none if nobody knows it.
    pub(crate) fn members(&self, broker_name: &Name) -> BrokerAddresses {
        let members = self.groups.get(broker_name).map(|group| group.members.iter());
        members.into_iter().flatten().map(|(id, address)| (*id, address.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Step::{Register, Unregister};
    use super::super::sample::{after, broker, leaving};

    #[test]
    fn a_group_shows_its_members_and_an_unknown_one_has_none() {
        let (table, _) = after(&[Register(1, broker("a", 0)), Register(2, broker("a", 1))]);
        for (name, expected) in [("a", vec![(0, "a-0"), (1, "a-1")]), ("x", vec![]), ("", vec![])] {
            let members = table.members(&name.into());
            let found: Vec<(i64, &str)> =
                members.iter().map(|(id, address)| (id, address.as_str())).collect();
            assert_eq!(found, expected, "{name}");
        }
        let (table, _) = after(&[Register(1, broker("a", 0)), Unregister(leaving("a", 0))]);
        assert!(table.members(&"a".into()).is_empty());
    }
}
