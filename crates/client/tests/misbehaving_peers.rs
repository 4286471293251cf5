//! What the client makes of servers that break the rules: a typed error, never a hang, never another call's answer.
//!
//! What says nothing at all is in `dead_peers.rs`, what goes away in `go_away.rs`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{
    AsyncNameServerClient, ErrorKind, Failure, NameServerError, Phase, ServerAddress, Stream,
};
use rocketmq_nameserver_testkit::scripted_peer::{
    PeerConnection, ScriptedPeer, answer_frame, in_memory, route_body,
};

/// No call here needs a tenth of this; it only bounds a test that would hang.
const AMPLE: Duration = Duration::from_secs(30);

fn client_of(peer: &ScriptedPeer) -> AsyncNameServerClient {
    let address = peer.address().to_string();
    AsyncNameServerClient::builder().servers(address).timeout(AMPLE).build().unwrap()
}

fn last_failure(error: &NameServerError) -> &Failure {
    &error.attempts().last().expect("an attempt").failure
}

/// Each script gets one request on each connection; the client's error must be of that kind and pass that test.
macro_rules! peers_that {
    ($($name:ident: $script:expr => $kind:ident, $looks_right:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let script: fn(PeerConnection) -> _ = $script;
            let peer = ScriptedPeer::start(script).await;
            let asked = client_of(&peer);
            let error = tokio::time::timeout(AMPLE, asked.query_topic_route_info("T")).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::$kind, "{error}");
            let looks_right: fn(&Failure) -> bool = $looks_right;
            assert!(looks_right(last_failure(&error)), "{error:?}");
            assert_eq!(error.topic(), Some("T"));
            assert_eq!(error.server(), Some(peer.address().to_string().as_str()));
        })*
    };
}

peers_that! {
    a_peer_that_closes_at_once_is_a_connection_error:
        |peer| async move { drop(peer) } => Connection, |failure| matches!(failure, Failure::Closed | Failure::Io(_));
    a_peer_that_closes_instead_of_answering_is_a_connection_error:
        |mut peer| async move { peer.request().await; } => Connection, |failure| matches!(failure, Failure::Closed | Failure::Io(_));
    half_a_frame_and_the_end_is_a_connection_error:
        |mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            let whole = answer_frame(opaque, "body");
            peer.send(&whole[..whole.len() / 2]).await;
        } => Connection, |failure| matches!(failure, Failure::Closed | Failure::Io(_));
    a_length_over_the_limit_is_a_protocol_error:
        |mut peer| async move {
            peer.request().await;
            peer.send(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]).await;
            peer.swallow().await;
        } => Protocol, |failure| matches!(failure, Failure::Protocol(_));
    a_negative_length_is_a_protocol_error:
        |mut peer| async move {
            peer.request().await;
            peer.send(&[0xff; 4]).await;
            peer.swallow().await;
        } => Protocol, |failure| matches!(failure, Failure::Protocol(_));
    a_peer_that_speaks_http_is_a_protocol_error:
        |mut peer| async move {
            peer.request().await;
            peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            peer.swallow().await;
        } => Protocol, |failure| matches!(failure, Failure::Protocol(_));
    an_unknown_header_form_is_a_protocol_error:
        |mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            let mut bytes = answer_frame(opaque, "body");
            bytes[4] = 9;
            peer.send(&bytes).await;
            peer.swallow().await;
        } => Protocol, |failure| matches!(failure, Failure::Protocol(_));
    a_header_that_is_not_json_is_a_protocol_error:
        |mut peer| async move {
            peer.request().await;
            peer.send(&[0, 0, 0, 6, 0, 0, 0, 2, b'n', b'o']).await;
            peer.swallow().await;
        } => Protocol, |failure| matches!(failure, Failure::Protocol(_));
    an_empty_body_is_a_data_parse_error:
        |mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            peer.answer(opaque, "").await;
            peer.swallow().await;
        } => DataParse, |failure| matches!(failure, Failure::DataParse(error) if error.offset == 0);
    a_broken_body_is_a_data_parse_error_with_its_place:
        |mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            peer.answer(opaque, r#"{"brokerDatas":7}"#).await;
            peer.swallow().await;
        } => DataParse, |failure| matches!(failure, Failure::DataParse(error) if error.offset == 15);
    an_overloaded_server_is_a_response_error:
        |mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            peer.refuse(opaque, ResponseCode::SYSTEM_BUSY, "[OVERLOAD]system busy, start flow control for a while").await;
            peer.swallow().await;
        } => Response, |failure| matches!(failure, Failure::Refused(_));
    a_server_that_always_goes_away_is_a_connection_error:
        |mut peer| async move {
            while let Some((opaque, _)) = peer.topic().await {
                peer.refuse(opaque, ResponseCode::GO_AWAY, "please go away").await;
            }
        } => Connection, |failure| matches!(failure, Failure::GoAway);
}

#[tokio::test]
async fn a_bad_body_leaves_the_connection_and_its_other_calls_alone() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, topic)) = peer.topic().await {
            let body = if topic == "bad" { "{".to_owned() } else { route_body(&topic) };
            peer.answer(opaque, &body).await;
        }
    })
    .await;
    let client = client_of(&peer);
    let results = client.query_topic_route_infos(["a", "bad", "b"]).await;
    assert_eq!(results[0].as_ref().unwrap().broker_data_list[0].broker_name, "a");
    assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::DataParse);
    assert_eq!(results[2].as_ref().unwrap().broker_data_list[0].broker_name, "b");
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn answers_in_reverse_order_reach_the_right_calls() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        let mut asked = Vec::new();
        for _ in 0..100 {
            asked.push(peer.topic().await.unwrap());
        }
        for (opaque, topic) in asked.into_iter().rev() {
            peer.answer(opaque, &route_body(&topic)).await;
        }
        peer.swallow().await;
    })
    .await;
    let topics: Vec<String> = (0..100).map(|number| format!("topic-{number}")).collect();
    let routes = client_of(&peer).query_topic_route_infos(&topics).await;
    for (topic, route) in topics.iter().zip(routes) {
        assert_eq!(route.unwrap().broker_data_list[0].broker_name, *topic);
    }
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_dropped() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, topic)) = peer.topic().await {
            for stranger in [opaque.wrapping_add(1000), i32::MIN] {
                peer.answer(stranger, &route_body("wrong")).await;
            }
            peer.answer(opaque, &route_body(&topic)).await;
            peer.answer(opaque, &route_body("twice")).await;
        }
    })
    .await;
    let client = client_of(&peer);
    for topic in ["a", "b", "c"] {
        let route = client.query_topic_route_info(topic).await.unwrap();
        assert_eq!(route.broker_data_list[0].broker_name, topic);
    }
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn calls_in_flight_fail_at_once_when_the_connection_dies() {
    let peer = ScriptedPeer::start(|mut peer| async move {
        for _ in 0..50 {
            peer.request().await;
        }
    })
    .await;
    let client = client_of(&peer);
    let topics: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    let results =
        tokio::time::timeout(AMPLE / 10, client.query_topic_route_infos(&topics)).await.expect("at once");
    for result in results {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Connection);
    }
}

#[tokio::test]
async fn a_connection_that_died_between_calls_is_made_anew_without_an_error() {
    // Each connection answers one call and closes, as a server does that was idle for too long.
    let peer = ScriptedPeer::start(|mut peer| async move {
        if let Some((opaque, topic)) = peer.topic().await {
            peer.answer(opaque, &route_body(&topic)).await;
        }
    })
    .await;
    let client = client_of(&peer);
    for _ in 0..20 {
        client.query_topic_route_info("a").await.unwrap();
    }
}

fn in_memory_client<F, Fut>(timeout: Duration, script: F) -> AsyncNameServerClient
where
    F: Fn(PeerConnection) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(timeout)
        .connector(in_memory(script))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_deadline_is_dropped_and_the_next_call_gets_its_own() {
    let client = in_memory_client(Duration::from_secs(30), |mut peer| async move {
        // The second request keeps the line alive while the first is late.
        let (late, _) = peer.topic().await.unwrap();
        let (quick, topic) = peer.topic().await.unwrap();
        peer.answer(quick, &route_body(&topic)).await;
        let (next, topic) = peer.topic().await.unwrap();
        peer.answer(late, &route_body("late")).await;
        peer.answer(next, &route_body(&topic)).await;
        peer.swallow().await;
    });
    let hasty = client.with_timeout(Duration::from_secs(1));
    let (late, quick) =
        tokio::join!(hasty.query_topic_route_info("late"), client.query_topic_route_info("quick"));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(quick.unwrap().broker_data_list[0].broker_name, "quick");
    assert_eq!(client.query_topic_route_info("next").await.unwrap().broker_data_list[0].broker_name, "next");
    assert_eq!(client.stats().servers[0].connects, 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_behind_a_request_that_the_peer_does_not_take() {
    let client = in_memory_client(Duration::from_secs(30), |unread| async move {
        std::future::pending::<()>().await;
        drop(unread);
    });
    let long = "x".repeat(600_000);
    let behind = async {
        tokio::task::yield_now().await;
        let started = tokio::time::Instant::now();
        let error =
            client.with_timeout(Duration::from_millis(100)).query_topic_route_info("b").await.unwrap_err();
        (error.kind(), started.elapsed())
    };
    let (ahead, (kind, elapsed)) = tokio::join!(client.query_topic_route_info(&long), behind);
    assert_eq!(kind, ErrorKind::Timeout);
    assert!(elapsed < Duration::from_millis(200), "{elapsed:?}");
    assert_eq!(ahead.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn three_thousand_deadlines_are_kept_while_connecting() {
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(Duration::from_millis(200))
        .batch_in_flight(3000)
        .connector(|_| std::future::pending())
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let topics = (0..3000).map(|number| number.to_string());
    for result in client.query_topic_route_infos(topics).await {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    }
    assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
}

/// Always has something to read, and never anything that somebody waits for.
struct Babbler(BytesMut);

impl tokio::io::AsyncRead for Babbler {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.0.is_empty() {
            self.0 = answer_frame(-1, "");
        }
        let count = self.0.len().min(buffer.remaining());
        buffer.put_slice(&self.0.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Babbler {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_peer_that_sends_without_end_does_not_keep_calls_from_their_deadlines() {
    let connect = |_| std::future::ready(Ok(Box::new(Babbler(BytesMut::new())) as Box<dyn Stream>));
    let limit = Duration::from_millis(200);
    let client =
        AsyncNameServerClient::builder().servers("peer").timeout(limit).connector(connect).build().unwrap();
    let error = tokio::time::timeout(AMPLE, client.query_topic_route_info("a")).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    client.disconnect().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_open_is_a_connection_error_that_is_a_timeout() {
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .connect_timeout(Duration::from_secs(2))
        .connector(|_| std::future::pending())
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Connection, true));
    assert_eq!(error.attempts()[0].phase, Phase::Connect);
    assert_eq!(started.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_calls_deadline_counts_while_connecting() {
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(Duration::from_secs(1))
        .connector(|_| std::future::pending())
        .build()
        .unwrap();
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.attempts()[0].phase, Phase::Connect);
    let error = client.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_stops_calls_at_their_deadline_with_bounded_output() {
    let topics: Vec<String> = (0..5000).map(|number| format!("{number:0>200}")).collect();
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(Duration::from_secs(5))
        .batch_in_flight(topics.len())
        .connector(in_memory(|unread| async move {
            std::future::pending::<()>().await;
            drop(unread);
        }))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    for result in client.query_topic_route_infos(&topics).await {
        assert!(result.unwrap_err().is_retryable());
    }
    assert!(started.elapsed() <= Duration::from_secs(6), "{:?}", started.elapsed());
}

#[tokio::test]
async fn limits_without_end_are_limits_without_end() {
    let client = AsyncNameServerClient::builder()
        .servers("peer")
        .timeout(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .connector(in_memory(|mut peer| async move { peer.answer_all().await }))
        .build()
        .unwrap();
    client.query_topic_route_info("a").await.unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let real = AsyncNameServerClient::builder()
        .server("127.0.0.1", port)
        .connect_timeout(Duration::MAX)
        .build()
        .unwrap();
    let error = real.query_topic_route_info("a").await.unwrap_err();
    assert!(matches!(last_failure(&error), Failure::Io(_)), "{error:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_server_leaves_the_others_their_share_of_the_time() {
    let connect = |server: ServerAddress| async move {
        if server.host() == "hangs" {
            std::future::pending::<()>().await;
        }
        in_memory(|mut peer| async move { peer.answer_all().await })(server).await
    };
    let client_of = || {
        AsyncNameServerClient::builder()
            .servers("hangs;answers")
            .timeout(Duration::from_secs(2))
            .connect_timeout(Duration::from_secs(60))
            .connector(connect)
            .build()
            .unwrap()
    };
    client_of().connect().await.unwrap();
    client_of().query_topic_route_info("a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_256_queries_under_way_and_no_more() {
    let client = in_memory_client(Duration::from_secs(30), |mut peer| async move {
        let mut asked = Vec::new();
        while asked.len() < 256 {
            asked.push(peer.topic().await.unwrap());
        }
        let more = tokio::time::timeout(Duration::from_secs(1), peer.topic()).await;
        assert!(more.is_err(), "a query too many: {more:?}");
        for (opaque, topic) in asked {
            peer.answer(opaque, &route_body(&topic)).await;
        }
        peer.answer_all().await;
    });
    let topics: Vec<String> = (0..600).map(|number| format!("t{number}")).collect();
    let routes = client.query_topic_route_infos(&topics).await;
    for (topic, route) in topics.iter().zip(routes) {
        assert_eq!(route.unwrap().broker_data_list[0].broker_name, *topic);
    }
}
