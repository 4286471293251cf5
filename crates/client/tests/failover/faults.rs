//! The embedded server's faults on one of two servers, over real sockets: calls are answered, and by the other one.

use std::time::Duration;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{AsyncNameServerClient, Perm, ServerStats, SyncNameServerClient};
use rocketmq_nameserver_server::{Fault, NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::{HandMadeBroker, Target, registration};
use tokio::time::Instant;

/// How long a call may take here; none needs a tenth of it.
const LIMIT: Duration = Duration::from_secs(20);

async fn server() -> (NameServerHandle, HandMadeBroker) {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
    let target = Target { address: server.address(), restart: Box::new(|| Box::pin(async {})) };
    // A new broker with exactly one topic is refused.
    let topics = ["T", "U"].map(|topic| TopicConfig::new(topic, 4, Perm::READ_WRITE)).into();
    let said = registration("east", "broker", 0, "10.0.0.1:10911", topics);
    let broker = HandMadeBroker::register(&target, said).await.unwrap();
    (server, broker)
}

async fn ask(client: &AsyncNameServerClient, what: &str) {
    let started = Instant::now();
    let route = client.query_topic_route_info("T").await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(route.broker_data_list[0].broker_name, "broker", "{what}");
    assert!(started.elapsed() < LIMIT / 2, "{what}: {:?}", started.elapsed());
}

/// Requests of calls.
fn asked(server: &ServerStats) -> u64 {
    server.requests - server.probes
}

#[tokio::test]
async fn a_fault_of_one_server_is_no_failure_of_a_call_and_after_ten_calls_nobody_asks_it() {
    // It answers probes, so it may be hedged when the good one has to wait for the processor.
    let slow = Fault::Slow(Duration::from_secs(2));
    let faults = [
        Fault::Refuse,
        Fault::GoAway,
        Fault::NotReady,
        Fault::Silent,
        Fault::WrongOpaque,
        slow,
        Fault::HalfFrame,
    ];
    for fault in faults {
        for was_well in [false, true] {
            let what = format!("{fault}, well before: {was_well}");
            let ((bad, _broker), (good, _other)) = (server().await, server().await);
            let builder = AsyncNameServerClient::builder().timeout(LIMIT);
            let builder = builder.servers(bad.address().to_string()).servers(good.address().to_string());
            let client = builder.build().unwrap();
            if was_well {
                ask(&client, &what).await;
            }
            bad.set_fault(fault);
            for _ in 0..10 {
                ask(&client, &what).await;
            }
            let before = client.stats().servers[0].clone();
            for _ in 0..200 {
                ask(&client, &what).await;
            }
            let stats = client.stats();
            let hedges = stats.servers[0].hedges - before.hedges;
            assert!(asked(&stats.servers[0]) <= asked(&before) + hedges, "{what}: {stats:?}");
            assert!(asked(&stats.servers[1]) >= 200, "{what}: {stats:?}");
            client.disconnect().await;
        }
    }
}

#[test]
fn the_blocking_client_leaves_a_silent_server_and_comes_back_when_it_answers_probes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ((bad, _broker), (good, _other)) = runtime.block_on(async { (server().await, server().await) });
    let builder = SyncNameServerClient::builder().timeout(LIMIT);
    let builder = builder.servers(bad.address().to_string()).servers(good.address().to_string());
    let client = builder.build_sync().unwrap();
    bad.set_fault(Fault::Silent);
    for _ in 0..50 {
        client.query_topic_route_info("T").unwrap();
    }
    assert!(asked(&client.stats().servers[1]) >= 50);
    bad.clear_faults();
    // Nobody calls meanwhile: the background thread probes.
    let deadline = std::time::Instant::now() + 5 * LIMIT;
    while client.stats().servers[0].probes_answered == 0 {
        assert!(std::time::Instant::now() < deadline, "{:?}", client.stats());
        std::thread::sleep(Duration::from_millis(5));
    }
    good.set_fault(Fault::Refuse);
    let before = asked(&client.stats().servers[0]);
    for _ in 0..50 {
        client.query_topic_route_info("T").unwrap();
    }
    assert!(asked(&client.stats().servers[0]) >= before + 50);
    client.close().unwrap();
}

#[tokio::test]
async fn a_server_that_lost_what_it_knew_is_not_believed() {
    for fault in [Fault::Empty, Fault::Disagree, Fault::ForgetEverything] {
        let ((bad, _broker), (good, _other)) = (server().await, server().await);
        let builder = AsyncNameServerClient::builder().timeout(LIMIT);
        let builder = builder.servers(bad.address().to_string()).servers(good.address().to_string());
        let client = builder.build().unwrap();
        ask(&client, "well").await;
        bad.set_fault(fault);
        for _ in 0..20 {
            ask(&client, &fault.to_string()).await;
        }
        assert_eq!(client.stats().servers[0].probes, 0, "{fault}: it works, and is only wrong");
    }
}
