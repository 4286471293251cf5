//! A list that changes while the client works.

use std::time::Duration;

use rocketmq_nameserver::protocol::request::GetKvConfig;
use rocketmq_nameserver::{Discovery, ServerAddress};
use tokio::time::Instant;

use crate::world::{EVERY, LIMIT, Network, Registry, Says, ask, at_once, hosts, next, seen, until};

#[tokio::test(start_paused = true)]
async fn a_new_list_is_in_use_at_once_and_servers_that_stay_keep_their_connections() {
    let registry = Registry::new(Says::List("a;b"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    let mut changes = client.server_list_changes();
    ask(&client).await;
    let started = Instant::now();
    assert_eq!(next(&mut changes).await, (String::new(), "a;b".into()));
    for (round, (list, asked)) in (1_u32..).zip([("c;a", "a"), ("a", "a"), ("d;b", "d"), ("b;d;e", "d")]) {
        registry.says(Says::List(list));
        let before = hosts(&client);
        assert_eq!(next(&mut changes).await, (before, list.into()));
        assert_eq!(started.elapsed(), EVERY * round, "the source's interval, and nothing else");
        let requests = network.seen(asked).requests;
        ask(&client).await;
        assert_eq!((hosts(&client).as_str(), network.seen(asked).requests), (list, requests + 1), "{list}");
    }
    assert_eq!(network.seen("d"), seen(1, 2, 0), "a client stays with a server that stays");
    assert_eq!(network.seen("b"), seen(0, 0, 0));
    until("the connection to a removed server closes", || network.seen("a") == seen(1, 3, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_server_answers_what_it_was_asked_and_nothing_more() {
    let registry = Registry::new(Says::List("a"));
    let network = Network::with_mute(&["a"]);
    let client = network.client(registry.discovery());
    let mut changes = client.server_list_changes();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.query_topic_route_info("t").await.map(drop) }
    });
    network.waits.notified().await;
    assert_eq!(next(&mut changes).await, (String::new(), "a".into()));
    registry.says(Says::List("b"));
    assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
    for _ in 0..3 {
        ask(&client).await;
    }
    assert_eq!((network.seen("a"), network.seen("b")), (seen(1, 1, 0), seen(1, 3, 0)));
    network.answers.notify_one();
    waiting.await.unwrap().unwrap();
    until("the connection closes", || network.seen("a").closed == 1).await;
    ask(&client).await;
    assert_eq!((network.seen("a"), network.seen("b")), (seen(1, 1, 1), seen(1, 4, 0)));
    let stats = client.stats();
    assert_eq!(stats.servers.iter().map(|server| server.server.as_str()).collect::<Vec<_>>(), ["b:9876"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_gives_nothing_any_more_takes_nothing_away() {
    for says in [Says::Nothing, Says::Fails, Says::Hangs] {
        let registry = Registry::new(Says::List("a"));
        let network = Network::default();
        let client = network.client(registry.discovery());
        ask(&client).await;
        registry.says(says.clone());
        registry.was_asked(10).await;
        ask(&client).await;
        assert_eq!((hosts(&client).as_str(), network.seen("a")), ("a", seen(1, 2, 0)), "{says:?}");
        // It comes back.
        let mut changes = client.server_list_changes();
        registry.says(Says::List("b"));
        assert_eq!(next(&mut changes).await, ("a".into(), "b".into()), "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_servers_in_another_order_are_no_change() {
    let registry = Registry::new(Says::List("a;b"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    ask(&client).await;
    let mut changes = client.server_list_changes();
    registry.says(Says::List("b;a"));
    registry.was_asked(5).await;
    assert!(at_once(changes.changed()).is_none());
    assert_eq!(hosts(&client), "a;b");
}

#[tokio::test(start_paused = true)]
async fn failed_calls_have_the_source_asked_but_at_most_once_per_second() {
    let registry = Registry::new(Says::List("a"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    ask(&client).await;
    client.disconnect().await;
    ask(&client).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    let asked = registry.asked();
    network.is_down(&["a"]);
    client.disconnect().await;
    let started = Instant::now();
    for _ in 0..100 {
        client.query_topic_route_info("t").await.unwrap_err();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let elapsed = started.elapsed().as_secs() as usize;
    let for_failures = registry.asked() - asked;
    assert!((elapsed - 1..=elapsed + 2).contains(&for_failures), "{for_failures} times in {elapsed} s");
    // The servers have moved: the next failure finds them.
    registry.says(Says::List("b"));
    let mut changes = client.server_list_changes();
    let started = Instant::now();
    client.query_topic_route_info("t").await.unwrap_err();
    assert_eq!(next(&mut changes).await, ("a".into(), "b".into()));
    assert!(started.elapsed() <= Duration::from_secs(1), "{:?}", started.elapsed());
    ask(&client).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_is_no_reason_to_look_for_others() {
    let registry = Registry::new(Says::List("a"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    ask(&client).await;
    for _ in 0..10 {
        client.request(&GetKvConfig { namespace: "n".into(), key: "k".into() }).await.unwrap_err();
    }
    tokio::time::advance(EVERY / 2).await;
    ask(&client).await;
    assert_eq!(registry.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_sees_the_newest_list_and_what_it_saw_last() {
    let registry = Registry::new(Says::List("a;z"));
    let client = Network::default().client(registry.discovery());
    ask(&client).await;
    let (mut slow, mut watching) = (client.server_list_changes(), client.server_list_changes());
    for list in ["b", "c", "z;a", "d"] {
        registry.says(Says::List(list));
        watching.changed().await.unwrap();
        if list == "z;a" {
            assert!(at_once(slow.changed()).is_none(), "there and back again");
        }
    }
    assert_eq!(next(&mut slow).await, ("a;z".into(), "d".into()));
    assert!(at_once(slow.changed()).is_none());
}

#[tokio::test(start_paused = true)]
async fn sources_work_together() {
    let fixed = || Discovery::servers("x;y");
    // Each row: the whole, the first list, and the list once the registry has another one.
    for (says, whole, first, then) in [
        (Says::List("a"), "registry or fixed", "a", "b"),
        (Says::Fails, "registry or fixed", "x;y", "b"),
        (Says::Nothing, "registry or fixed", "x;y", "b"),
        (Says::Hangs, "registry or fixed", "x;y", "b"),
        (Says::List("a"), "registry and fixed", "a;x;y", "b;x;y"),
        (Says::List("x"), "registry and fixed", "x;y", "b;x;y"),
        (Says::Fails, "registry and fixed", "x;y", "b;x;y"),
        (Says::Hangs, "fixed and registry", "x;y", "x;y;b"),
    ] {
        let registry = Registry::new(says.clone());
        let discovery = match whole {
            "registry or fixed" => registry.discovery().or(fixed()),
            "registry and fixed" => registry.discovery().and(fixed()),
            _ => fixed().and(registry.discovery()),
        };
        let client = Network::default().client(discovery);
        ask(&client).await;
        assert_eq!(hosts(&client), first, "{says:?} {whole}");
        registry.says(Says::List("b"));
        let mut changes = client.server_list_changes();
        assert_eq!(next(&mut changes).await, (first.into(), then.into()), "{says:?} {whole}");
    }
    let registry = Registry::new(Says::List("a"));
    let client = Network::default().client(fixed().or(registry.discovery()));
    tokio::time::timeout(LIMIT, ask(&client)).await.unwrap();
    assert_eq!((hosts(&client).as_str(), registry.asked()), ("x;y", 0), "what is not needed is not asked");
}

#[tokio::test(start_paused = true)]
async fn one_server_that_fails_is_reason_enough_even_if_another_one_answers() {
    let registry = Registry::new(Says::List("a;b"));
    let network = Network::default();
    let client = network.client(registry.discovery());
    ask(&client).await;
    tokio::time::advance(Duration::from_secs(5)).await;
    client.disconnect().await;
    network.is_down(&["a"]);
    registry.says(Says::List("c;b"));
    let mut changes = client.server_list_changes();
    let started = Instant::now();
    ask(&client).await;
    assert_eq!(next(&mut changes).await, ("a;b".into(), "c;b".into()));
    assert!(started.elapsed() <= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_first_list_of_several_sources_is_whole() {
    let slow = Discovery::from_fn(EVERY, || async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        ServerAddress::parse_list("a")
    });
    let client = Network::default().client(Discovery::servers("x;y").and(slow));
    // A write that came between would not reach every server.
    let results = client.delete_topic_in_namesrv("t", None).await;
    let servers: Vec<&str> = results.succeeded().map(|(server, ())| server.as_str()).collect();
    assert_eq!(servers, ["x:9876", "y:9876", "a:9876"]);
}
