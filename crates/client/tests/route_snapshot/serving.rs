//! What is served from a snapshot, and what becomes of it when servers answer.

use std::time::Duration;

use rocketmq_nameserver::{AddressRewriting, CachedRoute, Change, ErrorKind, SyncRouteCache};
use rocketmq_nameserver_testkit::route_changes::in_short;
use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, route_body};

use crate::folder::{A, Folder, TOPIC, WRITTEN};
use crate::site::{Says, Site, outcome, pass};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_process_starts_and_serves_while_every_server_is_down() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::filled(&site, Duration::from_secs(10)).await;
    let cache = folder.cache(&site);
    assert_eq!((cache.stats().loaded, cache.topics().len()), (1, 1));
    let route = cache.get_route(TOPIC).await.unwrap();
    assert_eq!((outcome(&Ok(route.clone())), route.source()), ("a".into(), "ns:9876"));
    assert!(route.age() >= Duration::from_secs(10) && route.age() < Duration::from_secs(20), "{route:?}");
    assert_eq!(route.broker_data_list[0].broker_addresses.master().unwrap(), "a:10911");
    let explanation = cache.explain(TOPIC);
    assert_eq!(explanation.kept.as_ref().unwrap().loaded_from.as_deref(), Some(&*folder.file()));
    assert!(explanation.to_string().contains(&folder.file().display().to_string()), "{explanation}");
}

#[tokio::test(start_paused = true)]
async fn a_route_is_served_for_max_stale_after_it_was_confirmed_however_often_processes_start() {
    let site = Site::new(&["ns"], A);
    let mut folder = Folder::filled(&site, Duration::ZERO).await;
    // 10 processes of 5 minutes each: nobody makes the route younger.
    for process in 1..=10 {
        let cache = folder.cache(&site);
        pass(5 * MINUTE).await;
        let route = cache.get_route(TOPIC).await.unwrap();
        assert!(route.is_stale() && route.age() >= 5 * process * MINUTE, "{process}: {route:?}");
        cache.save_snapshot().await.unwrap();
        let next = Folder::new();
        std::fs::copy(folder.file(), next.file()).unwrap();
        folder = next;
    }
    let cache = folder.cache(&site);
    pass(9 * MINUTE).await;
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a, stale");
    pass(2 * MINUTE).await;
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "Connection error");
    pass(WRITTEN).await;
    assert!(!folder.has(TOPIC), "and is not kept");
}

#[tokio::test(start_paused = true)]
async fn what_was_loaded_is_asked_for_at_once_and_the_answer_counts() {
    for (says, then) in [(A, "a"), (Says::Route(&["b"]), "b"), (Says::NotReady, "a"), (Says::Nothing, "a")] {
        let site = Site::new(&["ns"], A);
        let folder = Folder::filled(&site, Duration::ZERO).await;
        site.all_say(says);
        let asked = site.asked();
        let cache = folder.cache(&site);
        site.server("ns").was_asked(asked + 1).await;
        assert_eq!(cache.stats().hits, 0, "nobody has wanted it");
        pass(Duration::from_millis(10)).await;
        let route = cache.get_route(TOPIC).await;
        assert_eq!(outcome(&route), then, "{says:?}");
        assert_eq!(route.unwrap().confirmations(), u32::from(says == A));
        assert_eq!(cache.explain(TOPIC).kept.unwrap().loaded_from.is_some(), !matches!(says, Says::Route(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_loaded_is_asked_for_within_the_budget() {
    let topics: Vec<String> = (0..300).map(|number| format!("T{number}")).collect();
    let entries: Vec<_> = topics.iter().map(|topic| (topic.as_str(), "a", -1000)).collect();
    let folder = Folder::with(&entries);
    let site = Site::new(&["ns"], A);
    let cache = folder.builder(site.client()).refreshes_per_second(100).build().unwrap();
    assert_eq!(cache.stats().loaded, 300);
    pass(Duration::from_secs(1)).await;
    assert!((100..=111).contains(&site.asked()), "{}", site.asked());
    pass(Duration::from_secs(2)).await;
    assert_eq!(site.asked(), 300, "each of them once");
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_two_servers_do_not_know_is_dropped_and_does_not_come_back() {
    let site = Site::new(&["ns-1", "ns-2"], A);
    let folder = Folder::filled(&site, Duration::ZERO).await;
    assert!(folder.has(TOPIC));
    site.server("ns-1").says(Says::NotFound);
    site.server("ns-2").says(A);
    let cache = folder.cache(&site);
    pass(WRITTEN).await;
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a", "one server is not enough");
    assert!(folder.has(TOPIC));
    site.server("ns-2").says(Says::NotFound);
    assert_eq!(outcome(&cache.refresh_route(TOPIC).await), "not found");
    pass(WRITTEN).await;
    assert!(!folder.has(TOPIC));
    let next = folder.cache(&site);
    assert_eq!((next.stats().loaded, outcome(&next.get_route(TOPIC).await)), (0, "not found".into()));
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_was_invalidated_is_not_kept() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::filled(&site, Duration::ZERO).await;
    let cache = folder.cache(&site);
    assert!(cache.invalidate(TOPIC));
    pass(WRITTEN).await;
    assert!(!folder.has(TOPIC));
}

#[tokio::test(start_paused = true)]
async fn a_watch_begins_with_the_snapshot_and_tells_what_has_changed_since() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::filled(&site, Duration::ZERO).await;
    let cache = folder.cache(&site);
    let mut watch = cache.watch([TOPIC]).unwrap();
    let found = watch.next().await.unwrap().change;
    assert!(matches!(&found, Change::TopicFound { after } if after.broker("a").is_some()), "{found:?}");
    site.all_say(Says::Route(&["a", "b"]));
    let mut told = Vec::new();
    while told.last().map(String::as_str) != Some("queues of b") {
        told.push(in_short(&watch.next().await.unwrap().change));
    }
    told.retain(|told| told != "resynced");
    assert_eq!(told, ["+b", "queues of b"]);
}

#[test]
fn a_cache_that_was_built_outside_of_a_runtime_begins_to_ask_with_its_first_hit() {
    let folder = Folder::with(&[(TOPIC, "a", -1000)]);
    let site = Site::new(&["ns"], A);
    let cache = folder.cache(&site);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
        assert_eq!(cache.stats().hits, 1);
        site.server("ns").was_asked(1).await;
    });
    cache.close();
    let closed = runtime.block_on(cache.get_route(TOPIC));
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn the_blocking_cache_loads_asks_and_saves() {
    let limit = Duration::from_secs(60);
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let (asked, is_asked) = std::sync::mpsc::channel();
    let peer = elsewhere.block_on(ScriptedPeer::start(move |mut peer| {
        let asked = asked.clone();
        async move {
            while let Some((opaque, topic)) = peer.topic().await {
                peer.answer(opaque, &route_body(&topic)).await;
                // The test may be over.
                let _gone = asked.send(topic);
            }
        }
    }));
    let client = rocketmq_nameserver::create_sync_client("127.0.0.1", peer.address().port(), limit).unwrap();
    let folder = Folder::with(&[(TOPIC, "a", -1000)]);
    let cache = SyncRouteCache::builder(&client).snapshot(folder.file()).build_sync().unwrap();
    assert_eq!((cache.stats().loaded, outcome(&cache.get_route(TOPIC))), (1, "a".into()));
    while is_asked.recv_timeout(limit).unwrap() != TOPIC {}
    assert_eq!(outcome(&cache.get_route("U")), "U");
    cache.save_snapshot().unwrap();
    assert!(folder.has("U"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert_eq!(cache.save_snapshot().unwrap_err().kind(), ErrorKind::Usage);
        let another = SyncRouteCache::builder(&client).snapshot(folder.file()).build_sync().unwrap();
        assert_eq!(another.get_route("U").unwrap().topic(), "U", "a hit blocks nobody");
    });
    assert_eq!(outcome(&cache.get_route("V")), "V");
    cache.close();
    assert!(folder.has("V"), "a program that ends at once leaves it");
    std::fs::remove_file(folder.file()).unwrap();
    cache.close();
    assert!(!folder.file().exists(), "once");
}

#[tokio::test(start_paused = true)]
async fn the_file_has_what_brokers_advertise_and_each_process_its_own_addresses() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache_with = |rules: &str| {
        let rules = AddressRewriting::parse(rules).unwrap();
        let client = site.builder().servers("ns").rewrite_addresses(rules);
        folder.builder(client.build().unwrap()).build().unwrap()
    };
    let used = |route: &CachedRoute| route.broker_data_list[0].broker_addresses.master().unwrap().to_string();
    let cache = cache_with("a=127.0.0.1");
    assert_eq!(used(&cache.get_route(TOPIC).await.unwrap()), "127.0.0.1:10911");
    cache.save_snapshot().await.unwrap();
    assert!(!folder.text().contains("127.0.0.1"), "{}", folder.text());
    site.all_say(Says::Down);
    for (rules, expected) in [("a=127.0.0.1", "127.0.0.1:10911"), ("a=b:1", "b:1"), ("", "a:10911")] {
        let route = cache_with(rules).get_route(TOPIC).await.unwrap();
        let advertised = route.broker_data_list[0].advertised().master().unwrap();
        assert_eq!((used(&route).as_str(), advertised.as_str()), (expected, "a:10911"), "{rules:?}");
    }
}
