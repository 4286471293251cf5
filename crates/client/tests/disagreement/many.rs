//! Many topics at every server: in order, over the client's own connections, and a dead server costs little.

use std::time::Duration;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{ErrorKind, Perm, SyncNameServerClient};
use rocketmq_nameserver_server::{Fault, NameServer};
use rocketmq_nameserver_testkit::behaviour::registration;
use tokio::time::Instant;

use crate::world::Server::{Down, NotFound, NotReady, Says, SaysOnce, Silent};
use crate::world::{LIMIT, all_short, client_with, failures};

const ROUTE: &str = r#"{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"a","cluster":"C"}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4}]}"#;

#[test]
fn each_topic_has_what_each_server_says_about_it_in_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let servers = runtime.block_on(async {
        let start = || NameServer::builder().listen("127.0.0.1:0").start();
        [start().await.unwrap(), start().await.unwrap()]
    });
    for (at, server) in servers.iter().enumerate() {
        // Every third topic is only at the first one.
        let topics = (0..1_000).filter(|number| at == 0 || number % 3 > 0);
        let topics =
            topics.map(|number| TopicConfig::new(format!("t{number}"), number + 1, Perm::READ_WRITE));
        server.register(registration("C", "a", 0, "10.0.0.1:10911", topics.collect())).unwrap();
    }
    let addresses = servers.iter().map(|server| server.address().to_string()).collect::<Vec<_>>().join(";");
    let client = SyncNameServerClient::builder().servers(addresses).build_sync().unwrap();
    let topics: Vec<String> = (0..1_000).map(|number| format!("t{number}")).collect();
    let all = client.query_all_many(&topics);
    assert_eq!(all.len(), topics.len());
    for (number, routes) in all.iter().enumerate() {
        assert_eq!(routes.topic(), &topics[number]);
        let opinions = routes.opinions();
        assert_eq!(
            (opinions.len(), routes.failed().count()),
            (if number % 3 == 0 { 2 } else { 1 }, 0),
            "{number}"
        );
        let route = opinions[0].route.as_ref().expect("the first server has it");
        assert_eq!(route.queue_data_list[0].read_queue_nums as usize, number + 1);
        let single = client.query_all(&topics[number]);
        assert_eq!(single.opinions(), opinions, "as one by one");
    }
    let stats = client.stats();
    let connects: Vec<u64> = stats.servers.iter().map(|server| server.connects).collect();
    assert_eq!(connects, [1, 1], "the connections are those of all other calls");
    assert!(servers[0].server().faults().is_empty());
    servers[1].server().set_fault(Fault::Disagree);
    assert!(client.query_all_many(["t1"])[0].is_disagreement());
    runtime.block_on(async {
        for server in servers {
            server.shutdown().await;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_dead_server_costs_one_call_however_many_topics_there_are() {
    let topics: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    for (server, kind, most_asked, limit) in [
        (Silent, ErrorKind::Timeout, 64 * 4, LIMIT * 3),
        (Down, ErrorKind::Connection, 0, Duration::from_secs(1)),
        (SaysOnce(ROUTE), ErrorKind::Timeout, 64 * 4, LIMIT * 3),
        // These answer, so they are asked for each.
        (NotReady, ErrorKind::Response, 2_000, Duration::from_secs(1)),
        (Says("{"), ErrorKind::DataParse, 2_000, Duration::from_secs(1)),
    ] {
        let (client, asked) =
            client_with(&[Says(ROUTE), server, NotFound], |builder| builder.batch_in_flight(64));
        let started = Instant::now();
        let all = client.query_all_many(&topics).await;
        assert!(started.elapsed() <= limit, "{server:?}: {:?}", started.elapsed());
        assert_eq!(all.len(), topics.len());
        let failed = format!("ns-1 {kind:?}");
        let skipped = usize::from(matches!(server, SaysOnce(_)));
        for (routes, topic) in all.iter().zip(&topics).skip(skipped) {
            assert_eq!(routes.topic(), topic);
            assert_eq!(failures(routes.failed()), failed, "{server:?}");
            let opinions = routes.opinions();
            let shown: Vec<_> = opinions.iter().map(|opinion| all_short(&opinion.servers)).collect();
            assert_eq!(shown, ["ns-0", "ns-2"], "{server:?}");
            let errors: Vec<_> = routes.failed().map(|(_, error)| error.topic()).collect();
            assert_eq!(errors, [Some(topic.as_str())]);
        }
        assert!(asked[1].count() <= most_asked, "{server:?} was asked {}", asked[1].count());
        assert_eq!((asked[0].count(), asked[2].count()), (2_000, 2_000), "the others are asked for each");
    }
}

#[tokio::test(start_paused = true)]
async fn no_topics_are_no_work() {
    let (client, asked) = client_with(&[Says(ROUTE), Silent], |builder| builder);
    assert!(client.query_all_many(Vec::<&str>::new()).await.is_empty());
    assert!(asked.iter().all(|asked| asked.count() == 0));
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_ends_what_is_under_way() {
    let (client, _) = client_with(&[Silent, Silent], |builder| builder);
    let started = Instant::now();
    let asking = client.query_all_many(["a", "b"]);
    let (all, ()) = tokio::join!(asking, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        client.disconnect().await;
    });
    assert_eq!(started.elapsed().as_millis(), 10);
    assert!(all.iter().all(|routes| failures(routes.failed()) == "ns-0 Connection, ns-1 Connection"));
}
