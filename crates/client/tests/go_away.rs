//! A server that is about to end says so in place of an answer (`GO_AWAY`, code 1500): the call moves to another
//! connection, and from there to another server, within its own deadline.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::protocol::request::UnregisterBroker;
use rocketmq_nameserver::{AsyncNameServerClient, ErrorKind, Failure};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, ScriptedPeer, in_memory, route_body};
use tokio::sync::Notify;

/// No call here needs a tenth of this; it only bounds a test that would hang.
const AMPLE: Duration = Duration::from_secs(30);

fn client_of(peers: &[&ScriptedPeer]) -> AsyncNameServerClient {
    let builder = AsyncNameServerClient::builder().timeout(AMPLE);
    peers.iter().fold(builder, |builder, peer| builder.servers(peer.address().to_string())).build().unwrap()
}

async fn send_away(peer: &mut PeerConnection) {
    let (opaque, _) = peer.topic().await.unwrap();
    peer.refuse(opaque, ResponseCode::GO_AWAY, "please go away").await;
}

/// Sends away the first request of each of its first `connections` connections; answers everything else.
async fn peer_that_sends_away_from(connections: usize) -> ScriptedPeer {
    ScriptedPeer::start(move |mut peer| async move {
        if peer.number < connections {
            send_away(&mut peer).await;
        }
        peer.answer_all().await;
    })
    .await
}

#[tokio::test]
async fn a_server_that_goes_away_is_asked_again_on_a_new_connection() {
    let peer = peer_that_sends_away_from(1).await;
    let route = client_of(&[&peer]).query_topic_route_info("a").await.unwrap();
    assert_eq!(route.broker_data_list[0].broker_name, "a");
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_server_that_always_goes_away_is_asked_twice_and_not_once_more() {
    let peer = peer_that_sends_away_from(usize::MAX).await;
    let client = client_of(&[&peer]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.is_retryable());
    assert_eq!(error.attempts().len(), 2);
    assert!(error.attempts().iter().all(|attempt| matches!(attempt.failure, Failure::GoAway)), "{error}");
    assert_eq!((peer.accepted(), client.stats().requests()), (2, 2));
}

#[tokio::test]
async fn another_server_is_asked_when_the_second_connection_is_sent_away_too() {
    let leaves = peer_that_sends_away_from(usize::MAX).await;
    let stays = peer_that_sends_away_from(0).await;
    let client = client_of(&[&leaves, &stays]);
    for topic in ["a", "b", "c"] {
        let route = client.query_topic_route_info(topic).await.unwrap();
        assert_eq!(route.broker_data_list[0].broker_name, topic);
    }
    assert_eq!((leaves.accepted(), stays.accepted()), (2, 1), "later calls go to the one that stays");
}

#[tokio::test]
async fn a_write_moves_as_a_read_does() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        if peer.number == 0 {
            send_away(&mut peer).await;
        }
        while let Some(request) = peer.request().await {
            peer.answer(request.header.opaque, "").await;
        }
    })
    .await;
    client_of(&[&peer]).request(&UnregisterBroker::default()).await.unwrap();
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_sent_away_keeps_its_deadline() {
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(Duration::from_secs(5))
        .connector(in_memory(|mut peer| async move {
            if peer.number == 0 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                send_away(&mut peer).await;
            }
            peer.swallow().await;
        }))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 5));
    assert!(matches!(error.attempts()[0].failure, Failure::GoAway), "{error}");
}

#[tokio::test]
async fn all_calls_that_are_sent_away_share_the_next_connection() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        if peer.number == 0 {
            for _ in 0..50 {
                send_away(&mut peer).await;
            }
        }
        peer.answer_all().await;
    })
    .await;
    let topics: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    let routes = client_of(&[&peer]).query_topic_route_infos(&topics).await;
    for (topic, route) in topics.iter().zip(routes) {
        assert_eq!(route.unwrap().broker_data_list[0].broker_name, *topic);
    }
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_connection_that_was_left_still_answers_who_waits_on_it_and_is_closed_then() {
    let (moved, closed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let events = (Arc::clone(&moved), Arc::clone(&closed));
    let peer = ScriptedPeer::start(move |mut peer| {
        let (moved, closed) = events.clone();
        async move {
            let (opaque, topic) = peer.topic().await.unwrap();
            if peer.number == 0 {
                send_away(&mut peer).await;
                moved.notified().await;
                peer.answer(opaque, &route_body(&topic)).await;
                peer.swallow().await;
                closed.notify_one();
            } else {
                peer.answer(opaque, &route_body(&topic)).await;
                moved.notify_one();
                peer.swallow().await;
            }
        }
    })
    .await;
    let client = client_of(&[&peer]);
    let (waits, moves) =
        tokio::join!(client.query_topic_route_info("waits"), client.query_topic_route_info("moves"));
    assert_eq!(waits.unwrap().broker_data_list[0].broker_name, "waits");
    assert_eq!(moves.unwrap().broker_data_list[0].broker_name, "moves");
    tokio::time::timeout(AMPLE, closed.notified()).await.expect("the first connection is closed");
    assert!(client.is_connected());
    assert_eq!((peer.accepted(), client.stats().errors()), (2, 1));
}
