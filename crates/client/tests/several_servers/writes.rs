//! A write goes to every server at the same time, once, and what became of it at each is told.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::protocol::request::{GetAllTopicListFromNameserver, PutKvConfig};
use rocketmq_nameserver::{AsyncNameServerClient, ErrorKind, Failure, Name, PerServer};
use rocketmq_nameserver_testkit::scripted_peer::PeerConnection;
use tokio::sync::Barrier;
use tokio::time::Instant;

use crate::peers::{LIMIT, Peers, kinds, obey};

async fn put(client: &AsyncNameServerClient) -> PerServer<()> {
    client.put_kv_config("n", "k", "v").await
}

#[tokio::test(start_paused = true)]
async fn all_servers_are_asked_at_the_same_time_and_stand_in_their_order() {
    // No server answers before all are asked, and the first one answers last.
    let all_asked = Arc::new(Barrier::new(3));
    let mut peers = Peers::default();
    for (host, delay) in [("ns-1", 3), ("ns-2", 2), ("ns-3", 1)] {
        let all_asked = Arc::clone(&all_asked);
        peers = peers.with(host, move |mut peer| {
            let all_asked = Arc::clone(&all_asked);
            async move {
                let request = peer.request().await.unwrap();
                all_asked.wait().await;
                tokio::time::sleep(Duration::from_millis(delay)).await;
                peer.answer(request.header.opaque, "").await;
                peer.swallow().await;
            }
        });
    }
    let client = peers.client();
    // From another task, which a future must be fit for.
    let results = tokio::spawn(async move { put(&client).await }).await.unwrap();
    assert!(results.is_complete());
    assert_eq!(kinds(&results), [("ns-1:9876", None), ("ns-2:9876", None), ("ns-3:9876", None)]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_failed_somewhere_says_where_and_why_and_where_it_was_done() {
    let client = Peers::default()
        .with_none_at("down")
        .with("obeys", obey)
        .with("refuses", |mut peer| async move {
            while let Some(request) = peer.request().await {
                peer.refuse(request.header.opaque, ResponseCode::SYSTEM_ERROR, "read only").await;
            }
        })
        .client();
    let results = put(&client).await;
    assert_eq!(
        kinds(&results),
        [
            ("down:9876", Some(ErrorKind::Connection)),
            ("obeys:9876", None),
            ("refuses:9876", Some(ErrorKind::Response))
        ]
    );
    for (server, error) in results.failed() {
        let servers: Vec<&Name> = error.attempts().iter().map(|attempt| &attempt.server).collect();
        assert_eq!(servers, [server], "each error has the attempts at its own server");
        assert!(error.to_string().starts_with(r#"cannot put KV config "k" of namespace "n": "#), "{error}");
    }
    let error = results.into_result().unwrap_err();
    assert_eq!((error.kind(), error.server()), (ErrorKind::Connection, Some("down:9876")));
    assert_eq!(error.done_at(), [Name::from("obeys:9876")]);
    assert_eq!(error.attempts().len(), 2);
    let stats = client.stats();
    let counted: Vec<_> = stats.servers.iter().map(|server| (server.errors, server.refusals)).collect();
    assert_eq!(counted, [(1, 0), (0, 0), (0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_takes_no_time_from_the_others_and_has_all_of_it() {
    let silent = |mut peer: PeerConnection| async move { peer.swallow().await };
    let client = Peers::default().with("a-silent", silent).with("b-obeys", obey).client();
    let started = Instant::now();
    let results = put(&client).await;
    assert_eq!(kinds(&results), [("a-silent:9876", Some(ErrorKind::Timeout)), ("b-obeys:9876", None)]);
    assert_eq!(started.elapsed().as_secs(), LIMIT.as_secs());
}

/// A server that answers the first request of each of its connections, and hangs up instead of answering the second. It
/// counts the requests.
fn hangs_up(
    requests: Arc<AtomicUsize>,
) -> impl Fn(PeerConnection) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    move |mut peer| {
        let requests = Arc::clone(&requests);
        Box::pin(async move {
            for answers in [true, false] {
                let request = peer.request().await.unwrap();
                requests.fetch_add(1, Ordering::SeqCst);
                if answers {
                    peer.answer(request.header.opaque, r#"{"topicList":[]}"#).await;
                }
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_not_repeated_after_a_lost_connection_but_a_read_is() {
    for (is_write, expected_kind, expected_requests) in
        [(true, Some(ErrorKind::Connection), 2), (false, None, 3)]
    {
        let requests = Arc::new(AtomicUsize::new(0));
        let client = Peers::default().with("a", hangs_up(Arc::clone(&requests))).with("b", obey).client();
        assert!(put(&client).await.is_complete());
        let kind = if is_write {
            kinds(&put(&client).await)[0].1
        } else {
            kinds(&client.request_every(&GetAllTopicListFromNameserver).await)[0].1
        };
        assert_eq!(kind, expected_kind);
        assert_eq!(requests.load(Ordering::SeqCst), expected_requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_once_at_a_server_that_goes_away() {
    for (connections_that_go_away, expected) in [(1, None), (usize::MAX, Some(ErrorKind::Connection))] {
        let values = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&values);
        let client = Peers::default()
            .with("a", move |mut peer| {
                let seen = Arc::clone(&seen);
                async move {
                    while let Some(request) = peer.request().await {
                        seen.lock().unwrap().push(request.header.ext_fields.get("value").cloned());
                        if peer.number < connections_that_go_away {
                            peer.refuse(request.header.opaque, ResponseCode::GO_AWAY, "go away").await;
                        } else {
                            peer.answer(request.header.opaque, "").await;
                        }
                    }
                }
            })
            .with("b", obey)
            .client();
        let results = put(&client).await;
        assert_eq!(kinds(&results), [("a:9876", expected), ("b:9876", None)]);
        let sent = vec![Some(Name::from("v")); 2];
        assert_eq!(*values.lock().unwrap(), sent, "never a third time");
        for (_, error) in results.failed() {
            assert!(error.attempts().iter().all(|attempt| matches!(attempt.failure, Failure::GoAway)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_write_has_learnt_of_the_servers_helps_the_next_read() {
    let client = Peers::default()
        .with_none_at("a-down")
        .with("b-works", |mut peer| async move {
            let request = peer.request().await.unwrap();
            peer.answer(request.header.opaque, "").await;
            peer.answer_all().await;
        })
        .client();
    assert!(!put(&client).await.is_complete());
    client.query_topic_route_info("T").await.unwrap();
    let errors: Vec<u64> = client.stats().servers.iter().map(|server| server.errors).collect();
    assert_eq!(errors, [1, 0], "the read did not try the server that is down");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_made_is_a_usage_error_at_every_server() {
    let client = Peers::default().with("a", obey).with("b", obey).client();
    let request = PutKvConfig { namespace: "n".into(), key: "k".into(), value: "v".into() };
    let error = client.request(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("request_every"), "{error}");
    let blocking = AsyncNameServerClient::builder().servers("a;b").build_sync().unwrap();
    client.close().await;
    for results in [put(&client).await, blocking.put_kv_config("n", "k", "v")] {
        let usage = Some(ErrorKind::Usage);
        assert_eq!(kinds(&results), [("a:9876", usage), ("b:9876", usage)]);
        assert_eq!(results.into_result().unwrap_err().kind(), ErrorKind::Usage);
    }
}
