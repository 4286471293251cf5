//! The same faults at the embedded server, over TCP. Time is real here, so times are short and everything is waited for.

use std::time::Duration;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{AsyncNameServerClient, Perm, RouteCache, RouteWatch};
use rocketmq_nameserver_server::{Fault, NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::{eventually, registration};

use rocketmq_nameserver_testkit::route_changes::in_short;

use crate::play::TOPIC;
use crate::site::outcome;

/// Far beyond what anything here takes.
const AMPLE: Duration = Duration::from_secs(60);

async fn server(address: &str, brokers: &[&str]) -> NameServerHandle {
    let server = NameServer::builder().listen(address).start().await.unwrap();
    register(&server, brokers);
    server
}

fn register(server: &NameServerHandle, brokers: &[&str]) {
    for broker in brokers {
        let topics = vec![TopicConfig::new(TOPIC, 4, Perm::READ_WRITE)];
        server.register(registration("C", broker, 0, &format!("{broker}:10911"), topics)).unwrap();
    }
}

/// A cache whose routes are stale soon, and fresh again soon.
fn cache(servers: &[&NameServerHandle], hedged: bool) -> RouteCache {
    let list: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
    let client = AsyncNameServerClient::builder()
        .servers(list.join(";"))
        .timeout(AMPLE)
        .hedged_reads(hedged)
        .build()
        .unwrap();
    let times = RouteCache::builder(client).ttl(Duration::from_millis(300));
    times.negative_ttl(Duration::from_millis(50)).build().unwrap()
}

async fn next(watch: &mut RouteWatch) -> String {
    let change = tokio::time::timeout(AMPLE, watch.next()).await.expect("a change").expect("an open cache");
    in_short(&change.change)
}

/// The next that is not the end of a gap: a busy machine makes gaps of its own.
async fn next_change(watch: &mut RouteWatch) -> String {
    loop {
        let change = next(watch).await;
        if change != "resynced" {
            return change;
        }
    }
}

/// Waits until `get_route` says so.
async fn served(cache: &RouteCache, expected: &str) {
    let served = || async {
        let outcome = outcome(&cache.get_route(TOPIC).await);
        if outcome == expected { Ok(()) } else { Err(outcome) }
    };
    eventually(expected, served).await;
}

/// The route is served while the fault lasts, its end is a gap in the watch, and the route is fresh again.
async fn outlasted(cache: &RouteCache, watch: &mut RouteWatch, mut end: impl AsyncFnMut()) {
    served(cache, "a, stale").await;
    let asked = cache.stats().questions;
    end().await;
    assert_eq!(next(watch).await, "resynced");
    served(cache, "a").await;
    // A question that was under way, its repetition, and refreshes since.
    assert!(cache.stats().questions > asked);
}

#[tokio::test]
async fn each_fault_of_the_only_server_is_outlasted() {
    for fault in [Fault::NotReady, Fault::Empty, Fault::Refuse] {
        let ns = server("127.0.0.1:0", &["a"]).await;
        let cache = cache(&[&ns], true);
        let mut watch = cache.watch([TOPIC]).unwrap();
        assert_eq!(next(&mut watch).await, "found 1");
        ns.set_fault(fault);
        outlasted(&cache, &mut watch, async || ns.clear_faults()).await;
    }
}

#[tokio::test]
async fn a_restarted_server_is_found_again_although_it_is_empty_at_first() {
    let ns = server("127.0.0.1:0", &["a"]).await;
    let (cache, address) = (cache(&[&ns], true), ns.address().to_string());
    let mut watch = cache.watch([TOPIC]).unwrap();
    assert_eq!(next(&mut watch).await, "found 1");
    ns.shutdown().await;
    let mut restarted = None;
    outlasted(&cache, &mut watch, async || {
        let empty = server(&address, &[]).await;
        let doubted = || async {
            let history = cache.explain(TOPIC).history;
            let doubted = |what: &str| what.starts_with("kept, although one server does not know it");
            if history.iter().any(|event| doubted(&event.what)) {
                Ok(())
            } else {
                Err(format!("{history:?}"))
            }
        };
        eventually("the empty server was asked", doubted).await;
        served(&cache, "a, stale").await;
        register(&empty, &["a"]);
        restarted = Some(empty);
    })
    .await;
    assert!(restarted.is_some());
}

#[tokio::test]
async fn twins_that_disagree_change_the_route_once() {
    let (n1, n2) = (server("127.0.0.1:0", &["a", "b"]).await, server("127.0.0.1:0", &["a", "b"]).await);
    n2.set_fault(Fault::Disagree);
    // On a busy machine the one in use may be late, and would be left for the other one.
    let cache = cache(&[&n1, &n2], false);
    let mut watch = cache.watch([TOPIC]).unwrap();
    assert_eq!(next(&mut watch).await, "found 2");
    for _ in 0..20 {
        assert_eq!(outcome(&cache.refresh_route(TOPIC).await), "a b");
    }
    n1.set_fault(Fault::NotReady);
    assert_eq!(next_change(&mut watch).await, "-b");
    assert_eq!(next_change(&mut watch).await, "queues of b");
    n1.clear_faults();
    let recovered = || async {
        let probed = cache.client().stats().servers[0].probes_answered;
        if probed > 0 { Ok(()) } else { Err("not found well yet".to_owned()) }
    };
    eventually("the first server works again", recovered).await;
    for _ in 0..20 {
        assert_eq!(outcome(&cache.refresh_route(TOPIC).await), "a");
    }
    assert_eq!(cache.stats().changed, 1);
}

#[tokio::test]
async fn a_silent_or_slow_server_is_left_and_the_other_one_answers() {
    for fault in [Fault::Silent, Fault::Slow(AMPLE)] {
        let (n1, n2) = (server("127.0.0.1:0", &["a"]).await, server("127.0.0.1:0", &["a"]).await);
        n1.set_fault(fault);
        let cache = cache(&[&n1, &n2], true);
        let mut watch = cache.watch([TOPIC]).unwrap();
        assert_eq!(next(&mut watch).await, "found 1");
        for _ in 0..20 {
            let route = cache.refresh_route(TOPIC).await.unwrap();
            assert_eq!(route.source(), n2.address().to_string());
        }
        let servers = cache.client().stats().servers;
        // The first question, and looks whether it is back.
        assert!(servers[0].requests - servers[0].probes <= 1, "{fault}: {servers:?}");
        assert!(servers[1].requests > 20, "{fault}");
    }
}
