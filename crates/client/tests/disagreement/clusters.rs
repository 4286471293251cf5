//! Brokers and clusters at every server.

use rocketmq_nameserver::AllClusters;

use crate::world::Server::{self, Down, Says};
use crate::world::{all_short, client, failures};

const TWO: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false},"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["a","b"]}}"#;
const TWO_SWAPPED: &str = r#"{"clusterAddrTable":{"C":["b","a"]},"brokerAddrTable":{"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false},"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}}}"#;
const TWO_OLD: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C"},"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C"}},"clusterAddrTable":{"C":["a","b"]}}"#;
const ZONED: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false},"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false,"zoneName":"z"}},"clusterAddrTable":{"C":["a","b"]}}"#;
const ONE: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["a"]}}"#;
const MOVED: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:9"},"brokerName":"a","cluster":"C","enableActingMaster":false},"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["a","b"]}}"#;
const IN_TWO_CLUSTERS: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false},"b":{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false}},"clusterAddrTable":{"C":["a","b"],"D":["b"]}}"#;

/// `b ns-0: h:2 in C / ns-1: none`.
fn differences(clusters: &AllClusters) -> String {
    let shown = clusters.differences().into_iter().map(|difference| {
        let opinions = difference.opinions.into_iter().map(|opinion| {
            let master = opinion.broker.and_then(|broker| broker.broker_addresses.master().cloned());
            let listed: String = opinion.listed_in.iter().map(|cluster| format!(" in {cluster}")).collect();
            format!("{}: {}{listed}", all_short(&opinion.servers), master.as_deref().unwrap_or("none"))
        });
        format!("{} {}", difference.broker_name, opinions.collect::<Vec<_>>().join(" / "))
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[tokio::test(start_paused = true)]
async fn each_broker_group_that_is_not_the_same_everywhere_is_told() {
    let cases: &[(&[Server], &str)] = &[
        (&[Says(TWO), Says(TWO_SWAPPED)], ""),
        (&[Says(TWO), Says(TWO_OLD)], ""),
        (&[Says(TWO_OLD), Says(ZONED)], ""),
        (&[Says(TWO), Says(ZONED)], "b ns-0: h:2 in C / ns-1: h:2 in C"),
        (&[Says(TWO), Says(ONE)], "b ns-0: h:2 in C / ns-1: none"),
        (&[Says(ONE), Says(TWO), Says(TWO)], "b ns-1+ns-2: h:2 in C / ns-0: none"),
        (&[Says(TWO), Says(MOVED)], "a ns-0: h:1 in C / ns-1: h:9 in C"),
        (&[Says(MOVED), Says(ONE)], "a ns-0: h:9 in C / ns-1: h:1 in C | b ns-0: h:2 in C / ns-1: none"),
        (&[Says(TWO), Says(IN_TWO_CLUSTERS)], "b ns-0: h:2 in C / ns-1: h:2 in C in D"),
        (&[Says("{}"), Says(ONE)], "a ns-0: none / ns-1: h:1 in C"),
    ];
    for (servers, expected) in cases {
        let (client, _) = client(servers);
        let clusters = client.query_all_clusters().await;
        assert_eq!(differences(&clusters), *expected, "{servers:?}");
        assert_eq!(clusters.failed().count(), 0);
    }
    let (client, _) = client(&[Says(TWO), Down, Says(MOVED)]);
    let clusters = client.query_all_clusters().await;
    assert_eq!(differences(&clusters), "a ns-0: h:1 in C / ns-2: h:9 in C");
    assert_eq!(
        (failures(clusters.failed()), clusters.broker_names().join(" ")),
        ("ns-1 Connection".into(), "a b".into())
    );
}
