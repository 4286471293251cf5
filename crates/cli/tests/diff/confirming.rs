//! A difference of a moment is none: what differs is asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocketmq_nameserver::protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, route_body};

use crate::twins::diff;

const CLUSTER: &str = r#"{"brokerAddrTable":{"a":{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"a","cluster":"C"}},"clusterAddrTable":{"C":["a"]}}"#;

/// A server that knows nothing in its first answers of each kind, so many, and everything from then on. Says how many routes it
/// was asked for.
async fn late(answers: usize) -> (ScriptedPeer, Arc<AtomicUsize>) {
    let asked: [Arc<AtomicUsize>; 3] = Default::default();
    let routes = Arc::clone(&asked[0]);
    let peer = ScriptedPeer::start(move |mut peer| {
        let [routes, lists, clusters] = asked.clone();
        async move {
            while let Some(request) = peer.request().await {
                let opaque = request.header.opaque;
                let (counter, empty, full) = match RequestCode(request.header.code) {
                    RequestCode::GET_ROUTEINFO_BY_TOPIC => (&routes, None, route_body("a")),
                    RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => {
                        (&lists, Some(r#"{"topicList":[]}"#), r#"{"topicList":["orders"]}"#.to_owned())
                    }
                    _ => (&clusters, Some("{}"), CLUSTER.to_owned()),
                };
                match (counter.fetch_add(1, Ordering::Relaxed) < answers, empty) {
                    (true, None) => {
                        peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
                    }
                    (true, Some(empty)) => peer.answer(opaque, empty).await,
                    (false, _) => peer.answer(opaque, &full).await,
                }
            }
        }
    })
    .await;
    (peer, routes)
}

#[tokio::test]
async fn only_what_differs_at_every_look_is_told() {
    for (answers, confirm, code, looks) in [
        (0, None, 0, 1),
        (1, None, 0, 2),
        (2, None, 1, 2),
        (1, Some("0"), 1, 1),
        (2, Some("2"), 0, 3),
        (3, Some("2"), 1, 3),
        // It ends when nothing differs any more.
        (1, Some("1000000"), 0, 2),
    ] {
        for topics in [["orders"].as_slice(), &[]] {
            let ((prompt, _), (late, routes)) = (late(0).await, late(answers).await);
            let servers = [prompt.address().to_string(), late.address().to_string()];
            let mut arguments = vec!["--pause", "1ms"];
            arguments.extend(confirm.iter().flat_map(|times| ["--confirm", times]));
            arguments.extend(topics);
            let (said, lines) = diff(&[&servers[0], &servers[1]], &arguments).await;
            let shown = format!("{answers} late, {confirm:?}, {topics:?}: {lines:#?}");
            assert_eq!(said, Some(code), "{shown}");
            assert_eq!(routes.load(Ordering::Relaxed), looks, "{shown}");
            let differing =
                lines.iter().filter(|line| line.starts_with("1 ") || line.starts_with("Topic ")).count();
            assert_eq!(differing > 0, code == 1, "{shown}");
        }
    }
}

/// A server that tells something else each time.
async fn fickle(lists: &'static [&'static str], clusters: &'static [&'static str]) -> ScriptedPeer {
    let asked: [Arc<AtomicUsize>; 2] = Default::default();
    ScriptedPeer::start(move |mut peer| {
        let asked = asked.clone();
        async move {
            while let Some(request) = peer.request().await {
                let opaque = request.header.opaque;
                let (counter, bodies) = match RequestCode(request.header.code) {
                    RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => (&asked[0], lists),
                    RequestCode::GET_BROKER_CLUSTER_INFO => (&asked[1], clusters),
                    _ => {
                        peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
                        continue;
                    }
                };
                let turn = counter.fetch_add(1, Ordering::Relaxed).min(bodies.len() - 1);
                peer.answer(opaque, bodies[turn]).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_differs_at_another_look_than_the_first_is_not_told() {
    const NO_TOPICS: &str = r#"{"topicList":[]}"#;
    const OTHERS: &str = r#"{"clusterAddrTable":{"C":["b"]}}"#;
    for (name, lists, clusters, code) in [
        ("one topic, then another", [r#"{"topicList":["x"]}"#, r#"{"topicList":["y"]}"#], ["{}", "{}"], 0),
        ("one broker, then another", [NO_TOPICS, NO_TOPICS], [CLUSTER, OTHERS], 0),
        ("one topic, then two", [r#"{"topicList":["x"]}"#, r#"{"topicList":["x","y"]}"#], ["{}", "{}"], 1),
        ("one broker, twice", [NO_TOPICS, NO_TOPICS], [OTHERS, OTHERS], 1),
    ] {
        let (lists, clusters) = (lists.to_vec().leak(), clusters.to_vec().leak());
        let (steady, changing) = (fickle(&[NO_TOPICS], &["{}"]).await, fickle(lists, clusters).await);
        let servers = [steady.address().to_string(), changing.address().to_string()];
        let (said, lines) = diff(&[&servers[0], &servers[1]], &["--pause", "1ms"]).await;
        assert_eq!(said, Some(code), "{name}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("Topic y")), "{name}: {lines:#?}");
    }
}
