//! Descriptors and tasks before and after: nothing is left of what has ended.
//!
//! The only test in its program, because it counts what the whole process has open.

use std::net::TcpListener;
use std::time::Duration;

use rocketmq_nameserver::AsyncNameServerClient;
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use tokio::runtime::Handle;

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("Linux").count()
}

/// What runs and what is open, once the peer has noticed what the client did.
async fn settled(expected: (usize, usize)) -> (usize, usize) {
    let count = || (Handle::current().metrics().num_alive_tasks(), open_descriptors());
    for _ in 0..1000 {
        if count() == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    count()
}

#[tokio::test]
async fn disconnect_dropped_calls_and_failed_connects_leave_nothing_open_or_running() {
    let peer = ScriptedPeer::start(|mut peer| async move { peer.answer_all().await }).await;
    let silent = ScriptedPeer::start(|mut peer| async move { peer.swallow().await }).await;
    let client_of = |address: String| {
        AsyncNameServerClient::builder().servers(address).timeout(Duration::from_secs(30)).build().unwrap()
    };
    let before = (Handle::current().metrics().num_alive_tasks(), open_descriptors());

    let client = client_of(peer.address().to_string());
    for round in 0..20 {
        client.query_topic_route_info("a").await.unwrap();
        let tasks = Handle::current().metrics().num_alive_tasks();
        client.disconnect().await;
        // The client's own end is gone when disconnect returns; the peer's ends a moment later.
        assert!(Handle::current().metrics().num_alive_tasks() < tasks, "round {round}");
    }
    assert_eq!(settled(before).await, before, "disconnect");

    let other = client_of(peer.address().to_string());
    other.query_topic_route_info("a").await.unwrap();
    drop(other);
    assert_eq!(settled(before).await, before, "the last clone was dropped");

    let client = client_of(silent.address().to_string());
    for _ in 0..100 {
        let dropped =
            tokio::time::timeout(Duration::from_millis(1), client.query_topic_route_info("a")).await;
        assert!(dropped.is_err());
    }
    client.connect().await.unwrap();
    let with_link = (before.0 + 2, before.1 + 2);
    assert_eq!(
        settled(with_link).await,
        with_link,
        "one connection, whose ends are a task and a descriptor each"
    );
    for _ in 0..1000 {
        if client.stats().servers[0].in_flight == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.stats().servers[0].in_flight, 0, "dropped calls are forgotten");
    client.disconnect().await;
    assert_eq!(settled(before).await, before, "dropped calls");

    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client_of(refused.to_string());
    for _ in 0..100 {
        assert!(client.query_topic_route_info("a").await.is_err());
    }
    assert_eq!(settled(before).await, before, "failed connects");

    let never =
        AsyncNameServerClient::builder().servers("a").connector(|_| std::future::pending()).build().unwrap();
    let call = tokio::time::timeout(Duration::from_millis(5), never.query_topic_route_info("a")).await;
    assert!(call.is_err());
    never.disconnect().await;
    assert_eq!(settled(before).await, before, "disconnect while connecting");
}
