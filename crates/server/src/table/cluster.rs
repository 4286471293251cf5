//! 106: which brokers form which cluster? (`docs/wire.md` §2.3)

use rocketmq_nameserver_protocol::model::BrokerClusterInfo;

use super::Table;

impl Table {
    /// All groups and clusters, those without members too.
    pub(crate) fn cluster_info(&self) -> BrokerClusterInfo {
        BrokerClusterInfo {
            broker_addr_table: self
                .groups
                .iter()
                .map(|(broker_name, group)| (broker_name.clone(), group.to_data(broker_name)))
                .collect(),
            cluster_addr_table: self
                .clusters
                .iter()
                .map(|(cluster, names)| (cluster.clone(), names.iter().cloned().collect()))
                .collect(),
        }
    }
}
