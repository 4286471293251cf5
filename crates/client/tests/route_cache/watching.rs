//! What a watch tells.

use std::time::Duration;

use futures_util::FutureExt;
use rocketmq_nameserver::{DEFAULT_MAX_STALE, DEFAULT_TTL, RouteChange, RouteWatch};
use rocketmq_nameserver_testkit::route_changes::in_short;

use crate::site::{Says, Site, pass};

fn a() -> Says {
    Says::Route(vec!["a"])
}

fn ab() -> Says {
    Says::Route(vec!["a", "b"])
}

/// All that the watch has to tell now, in short.
fn told(watch: &mut RouteWatch) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(Some(RouteChange { topic, change })) = watch.next().now_or_never() {
        told.push(format!("{topic}: {}", in_short(&change)));
    }
    told
}

/// Longer than it takes to refresh a route.
const ROUND: Duration = DEFAULT_TTL;

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_is_and_then_what_changes() {
    let site = Site::new(&["n1", "n2"], &a());
    let cache = site.cache();
    let mut watch = cache.watch(["T"]).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(told(&mut watch), ["T: found 1"]);
    for (says, expected) in [
        (a(), vec![]),
        (ab(), vec!["T: +b", "T: queues of b"]),
        (Says::Route(vec!["b", "a"]), vec![]),
        (Says::Route(vec!["b"]), vec!["T: -a", "T: queues of a"]),
        (Says::NotFound, vec!["T: gone: not found"]),
        (a(), vec!["T: found 1"]),
    ] {
        site.all_say(&says);
        pass(ROUND).await;
        assert_eq!(told(&mut watch), expected, "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watched_topic_that_does_not_exist_is_found_when_it_does() {
    let site = Site::new(&["ns"], &Says::NotFound);
    let cache = site.cache();
    let mut watch = cache.watch(["T"]).unwrap();
    pass(Duration::from_secs(60)).await;
    assert_eq!(told(&mut watch), Vec::<String>::new());
    assert!((15..=25).contains(&site.asked()), "{}", site.asked());
    site.all_say(&a());
    pass(Duration::from_secs(4)).await;
    assert_eq!(told(&mut watch), ["T: found 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_resynced_to_the_newest_state() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    cache.get_route("T").await.unwrap();
    let mut watch = cache.watch(["T"]).unwrap();
    assert_eq!(told(&mut watch), ["T: found 1"]);
    for _ in 0..1000 {
        site.all_say(&Says::Route(vec!["c"]));
        cache.refresh_route("T").await.unwrap();
        site.all_say(&ab());
        cache.refresh_route("T").await.unwrap();
    }
    assert_eq!(told(&mut watch), ["T: resynced", "T: +b", "T: queues of b"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_a_gap_and_a_long_one_loses_the_topic() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let mut watch = cache.watch(["T"]).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(told(&mut watch), ["T: found 1"]);
    site.all_say(&Says::HangsUp);
    pass(10 * ROUND).await;
    assert_eq!(told(&mut watch), Vec::<String>::new());
    site.all_say(&a());
    pass(2 * ROUND).await;
    assert_eq!(told(&mut watch), ["T: resynced"]);
    site.all_say(&Says::HangsUp);
    pass(DEFAULT_MAX_STALE + 3 * ROUND).await;
    assert_eq!(told(&mut watch), ["T: gone: too old"]);
    site.all_say(&ab());
    pass(2 * ROUND).await;
    assert_eq!(told(&mut watch), ["T: found 2"]);
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_topic_is_looked_at_again_without_being_gone() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let mut watch = cache.watch(["T"]).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(told(&mut watch), ["T: found 1"]);
    for (says, expected) in [(a(), vec![]), (ab(), vec!["T: +b", "T: queues of b"])] {
        site.all_say(&says);
        cache.invalidate("T");
        pass(Duration::from_secs(1)).await;
        assert_eq!(told(&mut watch), expected, "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_watch_is_told_and_a_dropped_one_costs_nothing() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let mut one = cache.watch(["T", "U", "T"]).unwrap();
    let mut other = cache.watch(["U"]).unwrap();
    drop(cache.watch(["V"]).unwrap());
    pass(Duration::from_secs(1)).await;
    assert_eq!(told(&mut one), ["T: found 1", "U: found 1"]);
    assert_eq!(told(&mut other), ["U: found 1"]);
    drop(one);
    site.all_say(&ab());
    pass(ROUND).await;
    assert_eq!(told(&mut other), ["U: +b", "U: queues of b"]);
    pass(20 * ROUND + DEFAULT_MAX_STALE).await;
    assert_eq!(cache.topics(), ["U"], "the others are idle, and V was never there");
}

#[tokio::test(start_paused = true)]
async fn closing_the_cache_ends_its_watches() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let mut watch = cache.watch(["T"]).unwrap();
    let ends = tokio::spawn(async move { while watch.next().await.is_some() {} });
    pass(Duration::from_secs(1)).await;
    assert!(!ends.is_finished());
    cache.close();
    ends.await.unwrap();
}
