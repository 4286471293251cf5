//! One topic at every server.

use rocketmq_nameserver::{
    AllRoutes, BrokerAddresses, Change, ErrorKind, Gone, Name, Perm, QueueCounts, SyncNameServerClient,
};
use tokio::time::Instant;

use crate::world::Server::{self, Down, NotFound, NotReady, Says, Silent};
use crate::world::{LIMIT, all_short, client, failures};

/// Two broker groups.
const TWO: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false},{"brokerAddrs":{"0":"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4},{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;
/// The same in another order.
const TWO_SWAPPED: &str = r#"{"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4},{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}],"brokerDatas":[{"brokerAddrs":{"0":"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false},{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}]}"#;
/// The same from a 4.x server.
const TWO_OLD: &str = r#"{"brokerDatas":[{"brokerAddrs":{0:"h:1"},"brokerName":"a","cluster":"C"},{"brokerAddrs":{0:"h:2"},"brokerName":"b","cluster":"C"}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4},{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;
/// The same from a 5.x server that knows zones, and an acting master.
const TWO_ZONED: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":true,"zoneName":"z"},{"brokerAddrs":{"0":"h:2"},"brokerName":"b","cluster":"C","enableActingMaster":false}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4},{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;
/// Without the second group.
const ONE: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C","enableActingMaster":false}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;
/// Without the second group, and the first has moved and lost its queues for writing.
const MOVED: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:9"},"brokerName":"a","cluster":"C","enableActingMaster":false}],"queueDatas":[{"brokerName":"a","perm":4,"readQueueNums":4,"writeQueueNums":2}]}"#;
const NONSENSE: &str = "{";

/// Who says what: `ns-0+ns-2: a b | ns-1: not found`.
fn opinions(routes: &AllRoutes) -> String {
    let shown = routes.opinions().into_iter().map(|opinion| {
        let says = opinion.route.map_or("not found".to_owned(), |route| {
            route
                .broker_data_list
                .iter()
                .map(|broker| broker.broker_name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        });
        format!("{}: {says}", all_short(&opinion.servers))
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[tokio::test(start_paused = true)]
async fn every_server_has_its_opinion_and_they_are_compared() {
    let cases: &[(&[Server], &str, &str)] = &[
        // Servers, opinions, failures.
        (&[Says(TWO)], "ns-0: a b", ""),
        (&[NotFound], "ns-0: not found", ""),
        (&[Says(TWO), Says(TWO)], "ns-0+ns-1: a b", ""),
        (&[Says(TWO), Says(TWO_SWAPPED)], "ns-0+ns-1: a b", ""),
        (&[NotFound, NotFound], "ns-0+ns-1: not found", ""),
        (&[Says(ONE), Says(TWO)], "ns-0: a | ns-1: a b", ""),
        (&[Says(TWO), Says(ONE)], "ns-0: a b | ns-1: a", ""),
        (&[Says(ONE), Says(TWO), Says(TWO)], "ns-1+ns-2: a b | ns-0: a", ""),
        (&[Says(TWO), NotFound], "ns-0: a b | ns-1: not found", ""),
        (&[NotFound, Says(TWO), Says(TWO)], "ns-1+ns-2: a b | ns-0: not found", ""),
        (&[NotFound, Says(ONE), Says(TWO)], "ns-0: not found | ns-1: a | ns-2: a b", ""),
        // What a 4.x server has no words for.
        (&[Says(TWO_OLD), Says(TWO)], "ns-0+ns-1: a b", ""),
        (&[Says(TWO_ZONED), Says(TWO_OLD)], "ns-0+ns-1: a b", ""),
        (&[Says(TWO_OLD), Says(ONE)], "ns-0: a b | ns-1: a", ""),
        (&[Says(TWO_ZONED), Says(TWO)], "ns-0: a b | ns-1: a b", ""),
        // No opinion.
        (&[Says(TWO), Down], "ns-0: a b", "ns-1 Connection"),
        (&[Silent, Says(TWO)], "ns-1: a b", "ns-0 Timeout"),
        (&[Says(TWO), NotReady], "ns-0: a b", "ns-1 Response"),
        (&[Says(TWO), Says(NONSENSE)], "ns-0: a b", "ns-1 DataParse"),
        (&[Says(TWO), NotFound, Down], "ns-0: a b | ns-1: not found", "ns-2 Connection"),
        (&[Down, Silent, NotReady], "", "ns-0 Connection, ns-1 Timeout, ns-2 Response"),
    ];
    for (servers, expected, failed) in cases {
        let (client, asked) = client(servers);
        let started = Instant::now();
        let routes = client.query_all("orders").await;
        assert_eq!(opinions(&routes), *expected, "{servers:?}");
        assert_eq!(failures(routes.failed()), *failed, "{servers:?}");
        assert_eq!(routes.is_disagreement(), expected.contains('|'), "{servers:?}");
        let agree = !expected.contains('|') && failed.is_empty();
        assert_eq!(routes.agree(), agree, "{servers:?}");
        let others = expected.split(" | ").count() - 1;
        assert_eq!(routes.differences().len(), others, "{servers:?}");
        assert_eq!((routes.topic().as_str(), routes.answers().len()), ("orders", servers.len()));
        // Those that fail are probed besides.
        let well = |server: &Server| matches!(server, Says(_) | NotFound);
        for (_, asked) in servers.iter().zip(asked).filter(|(server, _)| well(server)) {
            assert_eq!(asked.count(), 1, "{servers:?}: nobody stands in for another");
        }
        let is_silent = servers.iter().any(|server| matches!(server, Silent));
        assert_eq!(started.elapsed().as_secs(), if is_silent { LIMIT.as_secs() } else { 0 }, "{servers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_raw_but_in_one_order() {
    let (client, _) = client(&[Says(TWO_ZONED), Says(TWO_SWAPPED), Says(TWO_OLD), Says(TWO)]);
    let routes = client.query_all("orders").await;
    let answers: Vec<_> = routes.answers().succeeded().map(|(_, route)| route).collect();
    let acting: Vec<_> = answers.iter().map(|route| route.broker_data_list[0].enable_acting_master).collect();
    assert_eq!(acting, [Some(true), Some(false), None, Some(false)]);
    assert_eq!(answers[0].broker_data_list[0].zone_name.as_deref(), Some("z"));
    assert_eq!(answers[1], answers[3]);
    assert!(std::sync::Arc::ptr_eq(answers[1], answers[3]), "one copy of what is said twice");
}

#[tokio::test(start_paused = true)]
async fn differences_lead_from_what_most_say_to_what_the_others_say() {
    let (client, _) = client(&[Says(MOVED), Says(TWO), NotFound, Says(TWO)]);
    let differences = client.query_all("orders").await.differences();
    let [moved, not_found] = differences.as_slice() else { panic!("{differences:?}") };
    for (difference, servers) in [(moved, "ns-0"), (not_found, "ns-2")] {
        assert_eq!(
            (all_short(&difference.servers), all_short(&difference.than)),
            (servers.into(), "ns-1+ns-3".into())
        );
    }
    let counts = |read, write| Some(QueueCounts { read, write });
    let at = |address: &str| BrokerAddresses::from_iter([(0, address)]);
    let (a, b) = (Name::from("a"), Name::from("b"));
    let [addresses, Change::BrokerRemoved { before }, rest @ ..] = moved.changes.as_slice() else {
        panic!("{moved:?}")
    };
    let (before_it, after) = (at("h:1"), at("h:9"));
    assert_eq!(*addresses, Change::AddressesChanged { broker_name: a.clone(), before: before_it, after });
    assert_eq!(before.broker_name, b);
    assert_eq!(
        rest,
        [
            Change::QueuesChanged { broker_name: a.clone(), before: counts(4, 4), after: counts(4, 2) },
            Change::PermChanged { broker_name: a, before: Perm(6), after: Perm(4) },
            Change::QueuesChanged { broker_name: b, before: counts(4, 4), after: None },
        ]
    );
    let [Change::TopicGone { before, why: Gone::NotFound }] = not_found.changes.as_slice() else {
        panic!("{not_found:?}")
    };
    assert_eq!(before.broker_data_list.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_only_the_others_know_is_found() {
    let (client, _) = client(&[NotFound, Says(ONE)]);
    let differences = client.query_all("orders").await.differences();
    assert!(matches!(differences[0].changes.as_slice(), [Change::TopicFound { .. }]), "{differences:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_made_has_failed_at_every_server() {
    let (client, asked) = client(&[Says(TWO), Says(TWO)]);
    client.close().await;
    let kinds = "ns-0 Usage, ns-1 Usage";
    assert_eq!(failures(client.query_all("orders").await.failed()), kinds);
    for routes in client.query_all_many(["orders", "payments"]).await {
        assert_eq!(failures(routes.failed()), kinds);
        assert!(!routes.agree() && !routes.is_disagreement());
    }
    assert_eq!(failures(client.query_all_topics().await.failed()), kinds);
    assert_eq!(failures(client.query_all_clusters().await.failed()), kinds);
    assert!(asked.iter().all(|asked| asked.count() == 0));
}

#[tokio::test]
async fn inside_a_runtime_the_blocking_client_has_failed_at_every_server() {
    let client = SyncNameServerClient::builder().servers("127.0.0.1:1,127.0.0.1:2").build_sync().unwrap();
    let kinds = |failed: Vec<ErrorKind>| assert_eq!(failed, [ErrorKind::Usage; 2]);
    kinds(client.query_all("orders").failed().map(|(_, error)| error.kind()).collect());
    let many = client.query_all_many(["orders"]);
    kinds(many[0].failed().map(|(_, error)| error.kind()).collect());
    kinds(client.query_all_topics().failed().map(|(_, error)| error.kind()).collect());
    kinds(client.query_all_clusters().failed().map(|(_, error)| error.kind()).collect());
}
