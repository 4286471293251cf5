//! The first call, which waits for the first list.

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver::protocol::request::DeleteTopicInNamesrv;
use rocketmq_nameserver::{AsyncNameServerClient, Discovery, ErrorKind, NameServerError};
use tokio::time::Instant;

use crate::world::{Network, Registry, Says, ask, hosts, seen};

async fn call(client: &AsyncNameServerClient, how: &str) -> Result<(), NameServerError> {
    match how {
        "read" => client.query_topic_route_info("t").await.map(drop),
        "connect" => client.connect().await,
        "write" => client.delete_topic_in_namesrv("t", None).await.into_result().map(drop),
        "request" => client.request(&delete()).await,
        _ => client.query_topic_route_infos(["t"]).await.remove(0).map(drop),
    }
}

fn delete() -> DeleteTopicInNamesrv {
    DeleteTopicInNamesrv { topic: "t".into(), cluster_name: None }
}

const CALLS: [&str; 5] = ["read", "connect", "write", "request", "batch"];

#[tokio::test(start_paused = true)]
async fn without_any_list_each_source_says_why() {
    for how in CALLS {
        let (down, empty) = (Registry::new(Says::Fails), Registry::new(Says::Nothing));
        let discovery = down.discovery().or(empty.discovery()).or(Discovery::env_named("NOT_SET_ANYWHERE"));
        let client = Network::default().client(discovery);
        assert!(client.server_list().is_empty());
        for round in 0..3 {
            let started = Instant::now();
            let error = call(&client, how).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection, "{how} {round}: {error}");
            assert!(error.is_retryable() && error.attempts().is_empty());
            for said in ["the registry is down", "empty list", "NOT_SET_ANYWHERE"] {
                assert!(error.to_string().contains(said), "{error}");
            }
            assert!(started.elapsed() <= Duration::from_secs(1), "{how}: {:?}", started.elapsed());
        }
        // It works as soon as there is one.
        empty.says(Says::List("a"));
        call(&client, how).await.unwrap();
        assert_eq!(hosts(&client), "a");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_costs_the_first_call_its_own_limit() {
    for how in CALLS {
        let registry = Registry::new(Says::Hangs);
        let client = Network::default().client(registry.discovery()).with_timeout(Duration::from_secs(2));
        let started = Instant::now();
        let error = call(&client, how).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{how}: {error}");
        assert_eq!(started.elapsed(), Duration::from_secs(2), "{how}");
        assert_eq!(registry.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_first_list_takes_counts_for_the_call() {
    let network = Network::with_mute(&["a"]);
    let slow = Discovery::from_fn(Duration::from_secs(30), || async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        rocketmq_nameserver::ServerAddress::parse_list("a")
    });
    let client = network.client(slow).with_timeout(Duration::from_secs(3));
    let started = Instant::now();
    assert_eq!(call(&client, "read").await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(started.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_wait_for_the_same_list() {
    let registry = Registry::new(Says::List("a;b"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    join_all((0..100).map(|_| ask(&client))).await;
    assert_eq!((registry.asked(), network.seen("a")), (1, seen(1, 100, 0)));
    // A list is there: whatever happens to the source, nobody waits.
    registry.says(Says::Hangs);
    registry.was_asked(2).await;
    let started = Instant::now();
    ask(&client).await;
    assert!(started.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_write_to_one_server_waits_to_know_how_many_there_are() {
    for (list, kind) in [("a", None), ("a;b", Some(ErrorKind::Usage))] {
        let network = Network::default();
        let client = network.client(Registry::new(Says::List(list)).discovery());
        let error = client.request(&delete()).await.err().map(|error| error.kind());
        assert_eq!(error, kind, "{list}");
        assert_eq!(network.seen("b").requests, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_and_close_end_the_wait() {
    for (ends, kind) in [("disconnect", ErrorKind::Connection), ("close", ErrorKind::Usage)] {
        let registry = Registry::new(Says::Hangs);
        let client = Network::default().client(registry.discovery());
        let waiting = tokio::spawn({
            let client = client.clone();
            async move { client.query_topic_route_info("t").await.map(drop) }
        });
        registry.was_asked(1).await;
        let started = Instant::now();
        if ends == "close" {
            client.close().await;
        } else {
            client.disconnect().await;
        }
        assert_eq!(waiting.await.unwrap().unwrap_err().kind(), kind, "{ends}");
        assert!(started.elapsed().is_zero());
        registry.says(Says::List("a"));
        let again = client.query_topic_route_info("t").await.map(drop);
        let again_kind = again.as_ref().err().map(NameServerError::kind);
        assert_eq!(again_kind, (ends == "close").then_some(kind), "{ends}: {again:?}");
    }
}

#[test]
fn a_client_has_servers_or_a_discovery() {
    let discovery = || Discovery::servers("a");
    for (builder, is_good) in [
        (AsyncNameServerClient::builder().discovery(discovery()), true),
        (AsyncNameServerClient::builder().discovery(discovery()).servers("b"), false),
        (AsyncNameServerClient::builder().discovery(Discovery::servers("a:x")), false),
        (AsyncNameServerClient::builder().discovery(Discovery::servers("").or(discovery())), false),
    ] {
        let kind = builder.build().err().map(|error| error.kind());
        assert_eq!(kind, (!is_good).then_some(ErrorKind::Usage));
    }
}

#[test]
fn without_a_runtime_the_call_says_so() {
    let client = Network::default().client(Discovery::servers("a"));
    let error = futures_executor(client.query_topic_route_info("t")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let results = futures_executor(client.delete_topic_in_namesrv("t", None));
    assert_eq!(results.failed().map(|(_, error)| error.kind()).collect::<Vec<_>>(), [ErrorKind::Usage]);
}

/// Runs what does not wait.
fn futures_executor<T>(future: impl Future<Output = T>) -> T {
    crate::world::at_once(future).unwrap()
}
