//! What is served, and what is asked for it.

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver::{
    DEFAULT_IDLE_AFTER, DEFAULT_MAX_STALE, DEFAULT_NEGATIVE_TTL, DEFAULT_TTL, ErrorKind, RouteCache,
};

use crate::site::{LIMIT, Says, Site, brokers, pass};

const SECOND: Duration = Duration::from_secs(1);

fn a() -> Says {
    Says::Route(vec!["a"])
}

fn ab() -> Says {
    Says::Route(vec!["a", "b"])
}

/// Routes are refreshed only when somebody wants them, so that a test can count.
fn unscheduled(site: &Site) -> RouteCache {
    RouteCache::builder(site.client()).scheduled_refresh(false).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fresh_route_is_served_without_asking() {
    let site = Site::new(&["ns"], &a());
    let cache = unscheduled(&site);
    cache.get_route("T").await.unwrap();
    for pause in [0, 1, 28] {
        pass(SECOND * pause).await;
        let route = cache.get_route("T").await.unwrap();
        assert_eq!((brokers(&route), route.is_stale(), route.source()), (vec!["a"], false, "ns:9876"));
    }
    assert_eq!(site.asked(), 1);
    let stats = cache.stats();
    assert_eq!((stats.topics, stats.hits, stats.misses, stats.questions), (1, 3, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stale_route_is_served_at_once_and_refreshed_behind() {
    let site = Site::new(&["ns"], &a());
    let cache = unscheduled(&site);
    cache.get_route("T").await.unwrap();
    site.all_say(&ab());
    pass(DEFAULT_TTL + SECOND).await;
    let route = cache.get_route("T").await.unwrap();
    assert_eq!((brokers(&route), route.is_stale(), route.age()), (vec!["a"], true, DEFAULT_TTL + SECOND));
    pass(SECOND).await;
    let route = cache.get_route("T").await.unwrap();
    assert_eq!((brokers(&route), route.is_stale(), site.asked()), (vec!["a", "b"], false, 2));
    assert_eq!((cache.stats().stale_hits, cache.stats().hits), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_shortest_ttl_is_no_endless_loop() {
    let site = Site::new(&["ns"], &a());
    for scheduled in [false, true] {
        let ttl = Duration::from_nanos(1);
        let cache = RouteCache::builder(site.client()).ttl(ttl).scheduled_refresh(scheduled).build().unwrap();
        cache.get_route("T").await.unwrap();
        pass(SECOND / 10).await;
        assert!(cache.get_route("T").await.unwrap().is_stale());
    }
}

#[tokio::test(start_paused = true)]
async fn a_used_topic_is_refreshed_before_it_is_stale() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    cache.get_route("T").await.unwrap();
    for _ in 0..100 {
        pass(5 * SECOND).await;
        let route = cache.get_route("T").await.unwrap();
        assert!(!route.is_stale(), "{route:?}");
    }
    let questions = cache.stats().questions;
    // 500 s at 22.5 to 28.5 s each.
    assert!((18..=23).contains(&questions), "{questions}");
    assert_eq!(cache.stats().unchanged + 1, questions);
    assert_eq!(cache.get_route("T").await.unwrap().confirmations(), u32::try_from(questions - 1).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_nobody_wants_is_dropped() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    cache.preload(["T", "U"]).await;
    for _ in 0..30 {
        pass(DEFAULT_IDLE_AFTER / 20).await;
        cache.get_route("T").await.unwrap();
    }
    assert!(cache.peek("T").is_some() && cache.peek("U").is_none());
    assert_eq!((cache.topics().len(), cache.stats().evicted), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_a_cold_topic_make_one_request() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let routes = join_all((0..1000).map(|_| cache.get_route("T"))).await;
    assert!(routes.iter().all(|route| brokers(route.as_ref().unwrap()) == ["a"]));
    assert_eq!(site.asked(), 1);
    assert_eq!((cache.stats().misses, cache.stats().joined), (1, 999));
}

#[tokio::test(start_paused = true)]
async fn a_missing_topic_is_known_to_be_missing_for_a_while() {
    let site = Site::new(&["ns"], &Says::NotFound);
    let cache = site.cache();
    for expected in [1, 1, 1] {
        assert!(cache.get_route("T").await.unwrap_err().is_topic_not_found());
        assert_eq!(site.asked(), expected);
    }
    site.all_say(&a());
    pass(DEFAULT_NEGATIVE_TTL - SECOND).await;
    assert!(cache.get_route("T").await.unwrap_err().is_topic_not_found());
    pass(SECOND).await;
    assert_eq!(brokers(&cache.get_route("T").await.unwrap()), ["a"]);
    assert_eq!((site.asked(), cache.stats().negative_hits), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn refreshing_asks_although_the_topic_is_known_to_be_missing() {
    let site = Site::new(&["ns"], &Says::NotFound);
    let cache = site.cache();
    cache.get_route("T").await.unwrap_err();
    site.all_say(&a());
    assert_eq!(brokers(&cache.refresh_route("T").await.unwrap()), ["a"]);
    assert_eq!(brokers(&cache.get_route("T").await.unwrap()), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn one_servers_word_does_not_drop_a_route_and_twos_do() {
    for (servers, dropped) in [(&["ns"][..], false), (&["n1", "n2"], true)] {
        let site = Site::new(servers, &a());
        let cache = unscheduled(&site);
        cache.get_route("T").await.unwrap();
        site.all_say(&Says::NotFound);
        assert!(cache.refresh_route("T").await.unwrap_err().is_topic_not_found());
        assert_eq!(cache.get_route("T").await.is_err(), dropped, "{servers:?}");
        pass(DEFAULT_MAX_STALE + SECOND).await;
        assert!(cache.get_route("T").await.unwrap_err().is_topic_not_found(), "too old now");
        assert!(cache.peek("T").is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn while_no_server_answers_a_known_route_is_served_and_an_unknown_topic_fails() {
    for (says, kind) in [
        (Says::Nothing, ErrorKind::Timeout),
        (Says::HangsUp, ErrorKind::Connection),
        (Says::NotReady, ErrorKind::Response),
        (Says::Garbage, ErrorKind::DataParse),
    ] {
        let site = Site::new(&["ns"], &a());
        let cache = site.cache();
        cache.get_route("T").await.unwrap();
        site.all_say(&says);
        for _ in 0..60 {
            pass(DEFAULT_MAX_STALE / 61).await;
            let route = cache.get_route("T").await.unwrap();
            assert_eq!(brokers(&route), ["a"], "{says:?}");
            assert!(route.is_stale(), "{says:?}");
        }
        let error = cache.get_route("U").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{says:?}: {error}");
        // Pauses grow: an hour of failures is no storm of questions.
        assert!(site.asked() < 500, "{says:?}: {}", site.asked());
        site.all_say(&ab());
        pass(DEFAULT_TTL * 2 + LIMIT).await;
        assert_eq!(brokers(&cache.get_route("T").await.unwrap()), ["a", "b"], "{says:?}");
        assert!(!cache.get_route("T").await.unwrap().is_stale(), "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_another_order_is_no_change() {
    let site = Site::new(&["ns"], &ab());
    let cache = site.cache();
    let first = cache.get_route("T").await.unwrap();
    site.all_say(&Says::Route(vec!["b", "a"]));
    let second = cache.refresh_route("T").await.unwrap();
    assert!(std::sync::Arc::ptr_eq(first.route(), second.route()));
    assert_eq!((second.confirmations(), second.generation(), cache.stats().changed), (1, 1, 0));
    let third = cache.refresh_route("T").await.unwrap();
    assert_eq!((third.confirmations(), cache.stats().unchanged, cache.stats().decoded), (2, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_shrinks_is_believed() {
    let site = Site::new(&["ns"], &ab());
    let cache = site.cache();
    assert_eq!(brokers(&cache.get_route("T").await.unwrap()), ["a", "b"]);
    site.all_say(&a());
    let route = cache.refresh_route("T").await.unwrap();
    assert_eq!((brokers(&route), route.generation()), (vec!["a"], 2));
}

#[tokio::test(start_paused = true)]
async fn refreshing_asks_after_the_call_and_at_most_once_more() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    site.server("ns").hold();
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_route("T").await }
    });
    while site.asked() < 1 {
        pass(Duration::from_millis(1)).await;
    }
    // The first answer is on its way, and is older than what comes now.
    site.all_say(&ab());
    let later: Vec<_> = (0..100)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.refresh_route("T").await })
        })
        .collect();
    pass(Duration::from_millis(1)).await;
    site.server("ns").let_go();
    assert_eq!(brokers(&first.await.unwrap().unwrap()), ["a"]);
    for later in later {
        assert_eq!(brokers(&later.await.unwrap().unwrap()), ["a", "b"]);
    }
    assert_eq!(site.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_invalidated_does_not_come_back_with_an_old_answer() {
    let site = Site::new(&["ns"], &a());
    let cache = unscheduled(&site);
    site.server("ns").hold();
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_route("T").await }
    });
    while site.asked() < 1 {
        pass(Duration::from_millis(1)).await;
    }
    cache.invalidate("T");
    site.all_say(&ab());
    let second = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_route("T").await }
    });
    pass(Duration::from_millis(1)).await;
    site.server("ns").let_go();
    assert_eq!(brokers(&first.await.unwrap().unwrap()), ["a"], "the answer to what was asked");
    assert_eq!(brokers(&second.await.unwrap().unwrap()), ["a", "b"]);
    assert_eq!(brokers(&cache.get_route("T").await.unwrap()), ["a", "b"]);
    assert_eq!(site.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reported_broker_has_its_topics_refreshed_once_a_second() {
    let site = Site::new(&["ns"], &ab());
    let cache = site.cache();
    cache.preload(["T", "U"]).await;
    site.all_say(&a());
    assert_eq!(cache.report_failure("nobody").unwrap(), 0);
    assert_eq!(cache.report_failure("b").unwrap(), 2);
    assert_eq!(cache.report_failure("b").unwrap(), 0, "just reported");
    assert_eq!(cache.report_failure("a:10911").unwrap(), 2, "by its address");
    pass(Duration::from_millis(100)).await;
    assert_eq!(brokers(&cache.peek("T").unwrap()), ["a"]);
    assert_eq!(brokers(&cache.peek("U").unwrap()), ["a"]);
    assert_eq!(site.asked(), 4);
    pass(SECOND).await;
    assert_eq!(cache.report_failure("b").unwrap(), 0, "no topic has it any more");
}

#[tokio::test(start_paused = true)]
async fn scheduled_refreshes_keep_to_their_budget() {
    let site = Site::new(&["ns"], &a());
    let cache = RouteCache::builder(site.client()).refreshes_per_second(10).build().unwrap();
    let topics: Vec<String> = (0..1000).map(|topic| format!("T{topic}")).collect();
    cache.preload(&topics).await;
    assert_eq!(site.asked(), 1000);
    pass(DEFAULT_TTL + 60 * SECOND).await;
    let background = cache.stats().background;
    assert!((600..=690).contains(&background), "{background}");
}

#[tokio::test(start_paused = true)]
async fn topics_with_the_same_route_share_it() {
    let site = Site::new(&["ns"], &ab());
    let cache = site.cache();
    let routes = cache.preload(["T", "U"]).await;
    let [one, other] = [routes[0].as_ref().unwrap(), routes[1].as_ref().unwrap()];
    assert!(std::sync::Arc::ptr_eq(one.route(), other.route()));
    assert_eq!((one.topic(), other.topic()), ("T", "U"));
    assert_eq!(cache.stats().decoded, 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_route_ends_when_it_is_as_wanted_or_too_late() {
    let site = Site::new(&["ns"], &Says::NotFound);
    let cache = site.cache();
    let two = |route: &rocketmq_nameserver::TopicRouteData| route.broker_data_list.len() == 2;
    let error = cache.wait_for_route("T", two, 3 * SECOND).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let waits = tokio::spawn({
        let cache = cache.clone();
        async move { cache.wait_for_route("T", two, 60 * SECOND).await }
    });
    pass(5 * SECOND).await;
    site.all_say(&a());
    pass(5 * SECOND).await;
    assert!(!waits.is_finished());
    site.all_say(&ab());
    pass(2 * SECOND).await;
    assert!(waits.is_finished());
    assert_eq!(brokers(&waits.await.unwrap().unwrap()), ["a", "b"]);
    assert!(site.asked() < 30, "{}", site.asked());
}

#[tokio::test(start_paused = true)]
async fn what_is_known_can_be_explained() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    assert!(cache.explain("T").kept.is_none());
    cache.get_route("T").await.unwrap();
    site.all_say(&ab());
    cache.refresh_route("T").await.unwrap();
    site.all_say(&Says::NotFound);
    for _ in 0..3 {
        cache.refresh_route("T").await.unwrap_err();
    }
    let explanation = cache.explain("T");
    assert_eq!(explanation.failures, 3);
    let history: Vec<(u32, &str)> =
        explanation.history.iter().map(|event| (event.times, event.what.as_str())).collect();
    assert_eq!(history[0].0, 1);
    assert!(history[0].1.contains("2 changes, said ns:9876"), "{history:?}");
    assert_eq!(history[1].0, 3);
    assert!(history[1].1.starts_with("kept, although one server does not know it"), "{history:?}");
    assert!(explanation.to_string().starts_with("topic T: fresh route of 2 brokers"), "{explanation}");
}
