//! `nsctl cluster`: which brokers form which cluster.

use rocketmq_nameserver::{AsyncNameServerClient, BrokerAddresses, BrokerClusterInfo};

use super::{Failed, advertised, printed};
use crate::args::Format;
use crate::out::{counted, table};

pub(crate) async fn run(client: &AsyncNameServerClient, format: Format) -> Result<String, Failed> {
    let info = client.get_broker_cluster_info().await?;
    printed(&advertised::Clusters(&info), format, |info| cluster_table(info.0))
}

/// One row per member of a group. A group without members, or one that is listed but not described, has one row.
fn cluster_table(info: &BrokerClusterInfo) -> String {
    let mut rows: Vec<[String; 5]> = Vec::new();
    for (cluster, brokers) in &info.cluster_addr_table {
        for broker in brokers {
            let data = info.broker_addr_table.get(broker).filter(|data| !data.broker_addresses.is_empty());
            let row = |id: String, role: &str, address: String| {
                [cluster.to_string(), broker.to_string(), id, role.to_owned(), address]
            };
            match data {
                None => rows.push(row("-".to_owned(), "-", "(none)".to_owned())),
                Some(data) => {
                    rows.extend(data.broker_addresses.iter().map(|(id, used)| {
                        row(id.to_string(), role(id), advertised::address(data, id, used))
                    }));
                }
            }
        }
    }
    let clusters = counted(info.cluster_addr_table.len(), "cluster");
    let summary = format!("{clusters}, {}\n", counted(info.broker_addr_table.len(), "broker"));
    summary + &table(["CLUSTER", "BROKER", "ID", "ROLE", "ADDRESS"], rows)
}

/// The same as a tree, for the demo.
pub(crate) fn cluster_tree(info: &BrokerClusterInfo) -> String {
    let mut text = String::new();
    for (cluster, brokers) in &info.cluster_addr_table {
        text += &format!("{cluster}\n");
        for (at, name) in brokers.iter().enumerate() {
            let last = at + 1 == brokers.len();
            text += &format!("{} {name}\n", if last { "└─" } else { "├─" });
            let members = info.broker_addr_table.get(name).map(|broker| &broker.broker_addresses);
            let count = members.map_or(0, BrokerAddresses::len);
            for (at, (id, address)) in members.into_iter().flat_map(BrokerAddresses::iter).enumerate() {
                let trunk = if last { "   " } else { "│  " };
                let branch = if at + 1 == count { "└─" } else { "├─" };
                text += &format!("{trunk} {branch} {address}  {} (id {id})\n", role(id));
            }
        }
    }
    text
}

fn role(id: i64) -> &'static str {
    if id == 0 { "master" } else { "slave" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_a_row_and_an_empty_group_one() {
        let body = br#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1",1:"h:2"},"brokerName":"a","cluster":"C"},
            "b":{"brokerAddrs":{},"brokerName":"b","cluster":"C"}},"clusterAddrTable":{"C":["a","b","gone"]}}"#;
        let info = BrokerClusterInfo::from_bytes(body).unwrap();
        let text = cluster_table(&info);
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "1 cluster, 2 brokers",
                "CLUSTER BROKER ID ROLE ADDRESS",
                "C a 0 master h:1",
                "C a 1 slave h:2",
                "C b - - (none)",
                "C gone - - (none)",
            ]
        );
        assert_eq!(
            cluster_tree(&info),
            "C\n├─ a\n│   ├─ h:1  master (id 0)\n│   └─ h:2  slave (id 1)\n├─ b\n└─ gone\n"
        );
    }
}
