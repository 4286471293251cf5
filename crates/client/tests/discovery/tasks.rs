//! The task that looks for servers: who ends it, and who starts it again.

use std::time::Duration;

use rocketmq_nameserver::Discovery;
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Instant;

use crate::world::{EVERY, LIMIT, Network, Registry, Says, ask, at_once, hosts, next, until};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_disconnect_close_and_the_last_clone() {
    for ends in ["disconnect", "close", "drop"] {
        let registry = Registry::new(Says::List("a"));
        let client = Network::default().client(registry.discovery());
        let mut changes = client.server_list_changes();
        let before = tasks();
        ask(&client).await;
        assert_eq!(next(&mut changes).await.1, "a");
        drop(client.clone());
        registry.was_asked(3).await;
        assert!(tasks() > before);
        match ends {
            "disconnect" => client.disconnect().await,
            "close" => client.close().await,
            _ => drop(client),
        }
        until("nothing is left", || tasks() == before).await;
        let asked = registry.asked();
        tokio::time::advance(EVERY * 10).await;
        tokio::task::yield_now().await;
        assert_eq!(registry.asked(), asked, "{ends}");
        assert_eq!(at_once(changes.changed()), (ends != "disconnect").then_some(None), "{ends}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_disconnect_the_next_call_starts_it_again_and_does_not_wait_for_it() {
    let registry = Registry::new(Says::List("a"));
    let client = Network::default().client(registry.discovery());
    ask(&client).await;
    client.disconnect().await;
    tokio::time::advance(EVERY * 2).await;
    registry.says(Says::List("b"));
    let mut changes = client.server_list_changes();
    assert_eq!(hosts(&client), "a");
    ask(&client).await;
    assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_asked_again_by_the_next_call() {
    let registry = Registry::new(Says::List("a"));
    let (bad, good) = (registry.clone(), registry.discovery());
    let panics = Discovery::from_fn(EVERY, move || {
        assert!(bad.asked() > 0, "on purpose");
        async { rocketmq_nameserver::ServerAddress::parse_list("b") }
    });
    let client = Network::default().client(good.and(panics));
    tokio::time::timeout(LIMIT, ask(&client)).await.unwrap();
    assert_eq!(hosts(&client), "a;b");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

#[test]
fn it_starts_again_where_its_runtime_is_gone() {
    let registry = Registry::new(Says::List("a"));
    let client = Network::default().client(registry.discovery());
    let first = runtime();
    first.block_on(ask(&client));
    drop(first);
    registry.says(Says::List("b"));
    runtime().block_on(async {
        let mut changes = client.server_list_changes();
        ask(&client).await;
        assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
    });
}

#[test]
fn it_starts_again_where_nobody_drives_its_runtime() {
    let registry = Registry::new(Says::List("a"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    let undriven = runtime();
    undriven.block_on(ask(&client));
    registry.says(Says::List("b"));
    runtime().block_on(async {
        let mut changes = client.server_list_changes();
        // It is late by more than 10 s.
        tokio::time::advance(EVERY + Duration::from_secs(11)).await;
        // The connection lives on the other runtime, too.
        let quick = client.with_timeout(Duration::from_secs(1));
        assert!(quick.query_topic_route_info("t").await.is_err());
        assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
        ask(&client).await;
    });
    let asked = registry.asked();
    undriven.block_on(async { tokio::time::sleep(EVERY * 10).await });
    assert_eq!(registry.asked(), asked, "the old one does nothing any more");
}

#[test]
fn failures_are_heard_where_the_task_is_driven() {
    let registry = Registry::new(Says::List("a"));
    let network = Network::default();
    network.is_down(&["a"]);
    let client = network.client(registry.discovery());
    let undriven = runtime();
    undriven.block_on(async {
        assert!(client.connect().await.is_err());
        // The task has asked for the sake of that failure, and waits for the next one.
        registry.was_asked(2).await;
        tokio::time::sleep(EVERY / 2).await;
    });
    runtime().block_on(async {
        tokio::time::advance(EVERY * 2).await;
        let mut changes = client.server_list_changes();
        assert!(client.connect().await.is_err());
        registry.was_asked(3).await;
        registry.says(Says::List("b"));
        let started = Instant::now();
        assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
        assert!(started.elapsed() <= Duration::from_secs(1), "{:?}", started.elapsed());
    });
}

#[test]
fn a_first_call_does_not_wait_for_a_runtime_that_nobody_drives_twice() {
    let registry = Registry::new(Says::List("a"));
    let client = Network::default().client(registry.discovery());
    let undriven = runtime();
    undriven.block_on(async { assert!(at_once(client.query_topic_route_info("t")).is_none()) });
    runtime().block_on(async {
        let quick = client.with_timeout(Duration::from_secs(1));
        assert!(quick.query_topic_route_info("t").await.unwrap_err().is_timeout());
        ask(&quick).await;
    });
}

#[test]
fn blocking_clients_find_servers_and_see_changes() {
    let elsewhere = Runtime::new().unwrap();
    let [one, other] = [(); 2]
        .map(|()| elsewhere.block_on(ScriptedPeer::start(|mut peer| async move { peer.answer_all().await })));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    std::fs::write(&path, one.address().to_string()).unwrap();
    let discovery = Discovery::file(&path).every(Duration::from_millis(10));
    let client =
        rocketmq_nameserver::SyncNameServerClient::builder().discovery(discovery).build_sync().unwrap();
    let mut changes = client.server_list_changes();
    client.query_topic_route_info("t").unwrap();
    let change = changes.blocking_changed().unwrap().unwrap();
    assert_eq!((change.before, change.after.clone()), (vec![], client.server_list()));
    let beside = folder.path().join("new");
    std::fs::write(&beside, other.address().to_string()).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    let next = changes.blocking_changed().unwrap().unwrap();
    assert_eq!((next.before, next.after[0].port()), (change.after, other.address().port()));
    client.query_topic_route_info("t").unwrap();
    client.close().unwrap();
    assert_eq!(changes.blocking_changed().unwrap(), None);
}
