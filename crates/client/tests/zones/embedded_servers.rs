//! What a client of a zone gets, by every way to a route. A 5.x server filters, a 4.x server does not know zones.

use std::time::Duration;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{
    AddressRewriting, AsyncNameServerClient, CachedRoute, Change, ClientBuilder, Perm, Result, RouteCache,
    TopicRouteData, UnregisterBroker,
};
use rocketmq_nameserver_server::{NameServer, NameServerHandle, Personality};
use rocketmq_nameserver_testkit::behaviour::registration;
use rocketmq_nameserver_testkit::route_changes::in_short;

/// Far beyond what anything here takes.
const AMPLE: Duration = Duration::from_secs(60);

fn register(server: &NameServerHandle, name: &str, id: i64, zone: Option<&str>, topics: &[&str]) {
    let topics = topics.iter().map(|topic| TopicConfig::new(*topic, 4, Perm::READ_WRITE)).collect();
    let mut broker = registration("C", name, id, &format!("{name}{id}:10911"), topics);
    broker.zone_name = zone.map(Into::into);
    broker.body.filter_server_list = Some(vec![format!("filter-of-{name}").into()]);
    server.register(broker).unwrap();
}

/// `a` in zone z, `b` in zone y, `n` in none, and `s`, a slave of zone y whose master has gone.
async fn server(personality: Personality) -> NameServerHandle {
    let server = NameServer::builder().listen("127.0.0.1:0").personality(personality).start().await.unwrap();
    register(&server, "a", 0, Some("z"), &["all", "both", "in z", "slave and z"]);
    register(&server, "b", 0, Some("y"), &["all", "both", "in y", "slave and y"]);
    register(&server, "n", 0, None, &["all"]);
    for id in [0, 1] {
        register(&server, "s", id, Some("y"), &["all", "slave", "slave and y", "slave and z"]);
    }
    server.unregister(UnregisterBroker {
        cluster_name: "C".into(),
        broker_name: "s".into(),
        broker_addr: "s0:10911".into(),
        broker_id: 0,
    });
    server
}

fn builder(server: &NameServerHandle) -> ClientBuilder {
    AsyncNameServerClient::builder().servers(server.address().to_string()).timeout(AMPLE)
}

/// The names of the brokers; their queues and filter servers are those of the same ones.
fn brokers(route: &Result<impl AsRef<TopicRouteData>>) -> String {
    let route = match route {
        Ok(route) => route.as_ref(),
        Err(error) => {
            return if error.is_topic_not_found() { "not found".to_owned() } else { error.to_string() };
        }
    };
    let mut brokers: Vec<&str> = route.broker_data_list.iter().map(|broker| &*broker.broker_name).collect();
    brokers.sort_unstable();
    let mut queues: Vec<&str> = route.queue_data_list.iter().map(|queue| &*queue.broker_name).collect();
    queues.sort_unstable();
    assert_eq!(queues, brokers);
    let filtered: Vec<&str> = route.filter_server_table.keys().map(|address| &address[..1]).collect();
    assert_eq!(filtered, brokers);
    brokers.join(" ")
}

/// Topic, zone, what a server that filters leads to, and in how many questions.
const CASES: [(&str, &str, &str, u64); 15] = [
    ("both", "z", "a", 1),
    ("both", "Z", "a", 1),
    ("both", "y", "b", 1),
    ("both", "x", "a b", 2),
    ("in z", "z", "a", 1),
    ("in z", "y", "a", 2),
    ("in y", "y", "b", 1),
    ("all", "z", "a s", 1),
    ("all", "y", "b s", 1),
    ("all", "x", "a b n s", 2),
    ("slave", "y", "s", 1),
    // Nothing was left out, but that cannot be seen.
    ("slave", "z", "s", 2),
    ("slave and y", "z", "b s", 2),
    ("slave and z", "z", "a s", 1),
    ("missing", "z", "not found", 1),
];

/// What a server leads to that leaves nothing out and names no zone.
fn whole(topic: &str) -> &'static str {
    match topic {
        "all" => "a b n s",
        "both" => "a b",
        "in z" => "a",
        "in y" => "b",
        "slave" => "s",
        "slave and y" => "b s",
        "slave and z" => "a s",
        _ => "not found",
    }
}

#[tokio::test]
async fn a_5x_server_filters_and_is_asked_for_the_rest_where_nothing_is_left() {
    let server = server(Personality::V5).await;
    for (topic, zone, expected, questions) in CASES {
        let client = builder(&server).zone(zone).build().unwrap();
        assert_eq!(brokers(&client.query_topic_route_info(topic).await), expected, "{topic} in {zone}");
        assert_eq!(client.stats().servers[0].requests, questions, "{topic} in {zone}");
    }
}

#[tokio::test]
async fn a_4x_server_knows_no_zones_so_all_brokers_are_used_at_once() {
    let server = server(Personality::V4).await;
    for (topic, zone, ..) in CASES {
        let client = builder(&server).zone(zone).build().unwrap();
        assert_eq!(brokers(&client.query_topic_route_info(topic).await), whole(topic), "{topic} in {zone}");
        // It may have left out the others of a group without a master, for all that can be seen.
        let questions = if topic == "slave" { 2 } else { 1 };
        assert_eq!(client.stats().servers[0].requests, questions, "{topic} in {zone}");
    }
}

#[tokio::test]
async fn without_a_zone_every_broker_is_there() {
    for personality in [Personality::V4, Personality::V5] {
        let server = server(personality).await;
        let client = builder(&server).build().unwrap();
        for (topic, ..) in CASES {
            assert_eq!(brokers(&client.query_topic_route_info(topic).await), whole(topic), "{topic}");
        }
    }
}

#[tokio::test]
async fn a_batch_has_the_same_and_asks_again_for_those_topics_alone() {
    for personality in [Personality::V5, Personality::V4] {
        let server = server(personality).await;
        for zone in ["z", "y", "x"] {
            let cases: Vec<_> = CASES.into_iter().filter(|(_, of, ..)| *of == zone).collect();
            let client = builder(&server).zone(zone).batch_in_flight(2).build().unwrap();
            let routes = client.query_topic_route_infos(cases.iter().map(|(topic, ..)| topic)).await;
            assert_eq!(routes.len(), cases.len());
            let filters = personality == Personality::V5;
            for ((topic, _, in_zone, _), route) in cases.iter().zip(&routes) {
                let expected = if filters { in_zone } else { whole(topic) };
                assert_eq!(brokers(route), expected, "{topic} in {zone}");
            }
            if filters {
                let questions: u64 = cases.iter().map(|(.., questions)| questions).sum();
                assert_eq!(client.stats().servers[0].requests, questions, "{zone}");
            }
        }
    }
}

#[tokio::test]
async fn the_cache_has_the_same_and_knows_an_unchanged_answer_by_its_bytes() {
    for personality in [Personality::V5, Personality::V4] {
        let server = server(personality).await;
        for zone in ["z", "y", "x"] {
            let cases: Vec<_> = CASES.into_iter().filter(|(_, of, ..)| *of == zone).collect();
            let cache = RouteCache::new(builder(&server).zone(zone).build().unwrap());
            let topics: Vec<&str> = cases.iter().map(|(topic, ..)| *topic).collect();
            let mut ways = vec![cache.preload(&topics).await];
            let decoded = cache.stats().decoded;
            ways.push(cache.refresh_routes(&topics).await);
            let mut singly = Vec::new();
            for topic in &topics {
                singly.push(cache.refresh_route(topic).await);
            }
            ways.push(singly);
            for ((at, (topic, _, in_zone, _)), routes) in
                ways.iter().flat_map(|routes| cases.iter().enumerate().map(move |case| (case, routes)))
            {
                let expected = if personality == Personality::V5 { in_zone } else { whole(topic) };
                let route = routes[at].as_ref().map(CachedRoute::route).map_err(Clone::clone);
                assert_eq!(brokers(&route), expected, "{topic} in {zone}");
            }
            let known = topics.iter().filter(|topic| **topic != "missing").count() as u64;
            let stats = cache.stats();
            assert_eq!((stats.decoded, stats.unchanged), (decoded, 2 * known), "{zone}");
        }
    }
}

#[tokio::test]
async fn a_watch_tells_when_the_zone_gets_a_broker_and_loses_it_again() {
    let server = server(Personality::V5).await;
    let cache = RouteCache::new(builder(&server).zone("x").build().unwrap());
    let mut watch = cache.watch(["both"]).unwrap();
    let mut next = async || {
        let change = tokio::time::timeout(AMPLE, watch.next()).await.expect("a change").expect("open");
        match &change.change {
            Change::TopicFound { after } => brokers(&Ok(after)),
            change => in_short(change),
        }
    };
    assert_eq!(next().await, "a b");
    for (zone, expected) in [("x", ["-b", "queues of b"]), ("z", ["+b", "queues of b"])] {
        register(&server, "a", 0, Some(zone), &["both", "in z"]);
        cache.refresh_route("both").await.unwrap();
        let mut changes = Vec::new();
        // Where the zone's broker is the only one, its zone name and the other's filter servers are another change.
        while changes.last().is_none_or(|last: &String| !last.starts_with("OtherChanged")) {
            changes.push(next().await);
        }
        assert_eq!(changes[..changes.len() - 1], expected, "{zone}");
    }
}

#[test]
fn the_blocking_client_has_a_zone_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server(Personality::V5));
    let client = builder(&server).zone("z").build_sync().unwrap();
    assert_eq!(brokers(&client.query_topic_route_info("both")), "a");
    assert_eq!(brokers(&client.query_topic_route_infos(["all"]).unwrap()[0]), "a s");
    let elsewhere = builder(&server).zone("x").build_sync().unwrap();
    assert_eq!(brokers(&elsewhere.query_topic_route_info("both")), "a b");
}

#[tokio::test]
async fn the_zone_counts_before_addresses_are_rewritten() {
    let server = server(Personality::V5).await;
    let rewriting = AddressRewriting::parse("a0=localhost,b0=localhost").unwrap();
    for (zone, expected) in [("z", "a"), ("x", "a b")] {
        let client = builder(&server).zone(zone).rewrite_addresses(rewriting.clone()).build().unwrap();
        let route = client.query_topic_route_info("both").await;
        assert_eq!(brokers(&route), expected);
        for broker in &route.unwrap().broker_data_list {
            assert_eq!(broker.broker_addresses.master().unwrap(), "localhost:10911");
            assert_eq!(*broker.advertised().master().unwrap(), *format!("{}0:10911", broker.broker_name));
        }
    }
}
