//! Beginnings and ends: what is left of a cache, a call, a runtime.

use std::time::Duration;

use rocketmq_nameserver::{ErrorKind, RouteCache, SyncRouteCache};

use crate::site::{LIMIT, Says, Site, brokers, pass};

fn a() -> Says {
    Says::Route(vec!["a"])
}

#[tokio::test(start_paused = true)]
async fn a_closed_cache_answers_nothing_and_leaves_nothing_running() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    cache.get_route("T").await.unwrap();
    site.server("ns").hold();
    let waits = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_route("U").await }
    });
    while site.asked() < 2 {
        pass(Duration::from_millis(1)).await;
    }
    cache.close();
    assert_eq!(waits.await.unwrap().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(cache.get_route("T").await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(cache.refresh_route("T").await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(cache.watch(["T"]).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(cache.report_failure("a").unwrap_err().kind(), ErrorKind::Usage);
    site.server("ns").let_go();
    let asked = site.asked();
    pass(Duration::from_secs(600)).await;
    assert_eq!(site.asked(), asked);
    assert!(cache.client().query_topic_route_info("T").await.is_ok(), "the client is another matter");
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_ends_what_runs_behind_it() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    let clone = cache.clone();
    cache.get_route("T").await.unwrap();
    drop(cache);
    pass(Duration::from_secs(60)).await;
    let asked = site.asked();
    assert!(asked > 1, "a clone keeps it going");
    drop(clone);
    pass(Duration::from_secs(600)).await;
    assert_eq!(site.asked(), asked);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_takes_no_answer_from_others() {
    let site = Site::new(&["ns"], &a());
    let cache = site.cache();
    site.server("ns").hold();
    let gives_up = tokio::time::timeout(Duration::from_millis(10), cache.get_route("T"));
    gives_up.await.unwrap_err();
    let waits = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get_route("T").await }
    });
    pass(Duration::from_millis(10)).await;
    site.server("ns").let_go();
    assert_eq!(brokers(&waits.await.unwrap().unwrap()), ["a"]);
    assert_eq!(site.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_ends_with_the_clients_limit() {
    let site = Site::new(&["ns"], &Says::Nothing);
    let cache = site.cache();
    let started = tokio::time::Instant::now();
    assert_eq!(cache.get_route("T").await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(started.elapsed(), LIMIT);
}

#[test]
fn a_cache_outlives_the_runtime_it_was_used_on() {
    use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;

    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let peer = elsewhere.block_on(ScriptedPeer::start(|mut peer| async move { peer.answer_all().await }));
    let client = rocketmq_nameserver::create_sync_client("127.0.0.1", peer.address().port(), LIMIT).unwrap();
    let cache = RouteCache::new(client.to_async());
    for topic in ["T", "U"] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(brokers(&runtime.block_on(cache.get_route(topic)).unwrap()), [topic]);
        assert_eq!(brokers(&runtime.block_on(cache.get_route("T")).unwrap()), ["T"]);
    }
}

#[test]
fn the_blocking_cache_is_the_same_cache() {
    use std::sync::mpsc;

    use rocketmq_nameserver::Change;
    use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;

    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let peer = elsewhere.block_on(ScriptedPeer::start(|mut peer| async move { peer.answer_all().await }));
    let client = rocketmq_nameserver::create_sync_client("127.0.0.1", peer.address().port(), LIMIT).unwrap();
    let cache = SyncRouteCache::of(&client);
    assert_eq!(brokers(&cache.get_route("T").unwrap()), ["T"]);
    assert_eq!(brokers(&cache.get_route("T").unwrap()), ["T"]);
    assert_eq!(brokers(&cache.refresh_route("T").unwrap()), ["T"]);
    assert_eq!(cache.preload(["T", "U"]).unwrap().len(), 2);
    assert_eq!(cache.refresh_routes(["T", "U"]).unwrap().len(), 2);
    assert_eq!(cache.report_failure("T").unwrap(), 1);
    let (tell, told) = mpsc::channel();
    let watch = cache
        .watch(["V"], move |change| {
            let Change::TopicFound { after } = change.change else { panic!("{change:?}") };
            tell.send(after).unwrap();
        })
        .unwrap();
    assert_eq!(brokers(&told.recv_timeout(LIMIT).unwrap()), ["V"]);
    assert!(!watch.has_ended());
    drop(watch);
    assert!(told.recv().is_err(), "the callback is gone");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(cache.get_route("T").is_ok(), "a hit blocks nobody");
        assert_eq!(cache.get_route("W").unwrap_err().kind(), ErrorKind::Usage);
    });
    cache.close();
    assert_eq!(cache.get_route("T").unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn wrong_rules_are_usage_errors() {
    let site = Site::new(&["ns"], &a());
    let zero = Duration::ZERO;
    let builder = || RouteCache::builder(site.client());
    for (name, builder) in [
        ("ttl", builder().ttl(zero)),
        ("max_stale", builder().max_stale(zero)),
        ("negative_ttl", builder().negative_ttl(zero)),
        ("idle_after", builder().idle_after(zero)),
        ("refreshes_per_second", builder().refreshes_per_second(0)),
        ("max_stale", builder().ttl(Duration::from_secs(7200))),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(RouteCache::new(site.client()).report_failure("a").unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn callers_who_never_wait_leave_the_tasks_behind_them_a_turn() {
    use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, route_body};

    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    // Each answer is another route.
    let peer = elsewhere.block_on(ScriptedPeer::start(|mut peer| async move {
        let mut answers = 0;
        while let Some((opaque, _)) = peer.topic().await {
            answers += 1;
            peer.answer(opaque, &route_body(&format!("broker-{answers}"))).await;
        }
    }));
    let client = rocketmq_nameserver::create_sync_client("127.0.0.1", peer.address().port(), LIMIT).unwrap();
    // Every lookup finds a stale route, and none of them waits.
    let cache = SyncRouteCache::builder(&client).ttl(Duration::from_nanos(1)).build_sync().unwrap();
    let first = cache.get_route("T").unwrap();
    let end = std::time::Instant::now() + LIMIT;
    while cache.get_route("T").unwrap().generation() == first.generation() {
        assert!(std::time::Instant::now() < end, "nobody drives the refresh");
    }
}
