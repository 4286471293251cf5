//! Connections come when they are needed and go when they are told to; failover; several servers; blocking use.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{
    AsyncNameServerClient, ConnectionState, ErrorKind, Failure, Phase, SyncNameServerClient, Version,
    create_async_client, create_sync_client,
};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, ScriptedPeer, route_body};

const AMPLE: Duration = Duration::from_secs(30);

async fn honest_peer() -> ScriptedPeer {
    ScriptedPeer::start(|mut peer| async move { peer.answer_all().await }).await
}

async fn peer_that_refuses(code: ResponseCode, remark: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |mut peer: PeerConnection| async move {
        while let Some((opaque, _)) = peer.topic().await {
            peer.refuse(opaque, code, remark).await;
        }
    })
    .await
}

async fn peer_that_answers_nonsense() -> ScriptedPeer {
    ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, _)) = peer.topic().await {
            peer.answer(opaque, "nonsense").await;
        }
    })
    .await
}

/// An address that refuses connections.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn client_of(servers: &[String]) -> AsyncNameServerClient {
    AsyncNameServerClient::builder().servers(servers.join(";")).timeout(AMPLE).build().unwrap()
}

#[tokio::test]
async fn the_contract_in_the_order_of_its_example() {
    let peer = honest_peer().await;
    let address = peer.address();
    let client = create_async_client("127.0.0.1", address.port(), AMPLE).await.unwrap();
    assert!(!client.is_connected(), "nothing is connected before it is needed");
    client.connect().await.unwrap();
    assert!(client.is_connected());
    let route = client.query_topic_route_info("broker-x").await.unwrap();
    assert_eq!(route.broker_data_list[0].broker_name, "broker-x");
    client.disconnect().await;
    assert!(!client.is_connected());
    assert_eq!(client.stats().servers[0].connection, ConnectionState::Idle);
    client.query_topic_route_info("broker-y").await.expect("the next call connects again");
    assert_eq!(peer.accepted(), 2);
    client.close().await;
    let error = client.query_topic_route_info("broker-x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(client.clone().connect().await.unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn the_blocking_client_does_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let peer = runtime.block_on(honest_peer());
    let client = create_sync_client("127.0.0.1", peer.address().port(), AMPLE).unwrap();
    client.connect().unwrap();
    assert!(client.is_connected());
    let routes = client.query_topic_route_infos(["a", "b"]).unwrap();
    assert_eq!(routes[1].as_ref().unwrap().broker_data_list[0].broker_name, "b");
    let threads: Vec<_> = (0..16)
        .map(|thread| {
            let client = client.clone();
            std::thread::spawn(move || {
                for call in 0..50 {
                    let topic = format!("t{thread}-{call}");
                    let route = client.query_topic_route_info(&topic).unwrap();
                    assert_eq!(route.broker_data_list[0].broker_name, topic.as_str());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    client.disconnect().unwrap();
    assert!(!client.is_connected());
    client.query_topic_route_info("again").unwrap();
    assert_eq!(peer.accepted(), 2);
    client.close().unwrap();
    assert_eq!(client.query_topic_route_info("x").unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn a_blocking_call_inside_a_runtime_is_a_usage_error_and_no_panic() {
    let client = create_sync_client("127.0.0.1", 1, AMPLE).unwrap();
    assert_eq!(client.query_topic_route_info("T").unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(client.disconnect().unwrap_err().kind(), ErrorKind::Usage);
    let inside = tokio::task::spawn_blocking(move || client.connect().unwrap_err().kind());
    assert_eq!(inside.await.unwrap(), ErrorKind::Usage);
}

#[test]
fn an_async_call_outside_of_a_runtime_is_a_usage_error_and_no_panic() {
    let client = AsyncNameServerClient::builder().servers("127.0.0.1:1").build().unwrap();
    let error =
        futures_util::FutureExt::now_or_never(client.query_topic_route_info("T")).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_client_outlives_the_runtime_that_its_connection_lived_on() {
    let serving = tokio::runtime::Runtime::new().unwrap();
    let peer = serving.block_on(honest_peer());
    let client = client_of(&[peer.address().to_string()]);
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime
            .block_on(client.query_topic_route_info("a"))
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    assert_eq!(peer.accepted(), 3);
}

#[test]
fn a_connection_on_a_runtime_that_nobody_drives_times_out_instead_of_hanging() {
    let serving = tokio::runtime::Runtime::new().unwrap();
    let peer = serving.block_on(honest_peer());
    let client = client_of(&[peer.address().to_string()]).with_timeout(Duration::from_millis(200));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (stopped, other) = (runtime(), runtime());
    stopped.block_on(client.query_topic_route_info("a")).unwrap();
    let error = other.block_on(client.query_topic_route_info("a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    other.block_on(client.query_topic_route_info("a")).expect("a new connection on the runtime that runs");
    assert_eq!(peer.accepted(), 2);
    drop(stopped);
}

#[tokio::test]
async fn two_hundred_calls_at_once_share_one_connection() {
    let peer = honest_peer().await;
    let client = client_of(&[peer.address().to_string()]);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200 {
        let client = client.clone();
        calls.spawn(async move {
            let topic = format!("t{number}");
            let route = client.query_topic_route_info(&topic).await.unwrap();
            assert_eq!(route.broker_data_list[0].broker_name, topic.as_str());
        });
    }
    assert_eq!(calls.join_all().await.len(), 200);
    assert_eq!(peer.accepted(), 1);
    let stats = client.stats();
    assert_eq!((stats.connections(), stats.requests(), stats.errors()), (1, 200, 0));
    let server = &stats.servers[0];
    assert_eq!((server.connects, server.in_flight, server.version), (1, 0, Some(Version::V5_3_3)));
    assert!(matches!(server.connection, ConnectionState::Connected { .. }));
}

#[tokio::test]
async fn a_server_that_is_down_is_passed_over_and_named_when_all_are() {
    let peer = honest_peer().await;
    let (down, up) = (closed_port(), peer.address().to_string());
    let client = client_of(&[down.clone(), up]);
    for _ in 0..3 {
        client.query_topic_route_info("a").await.unwrap();
    }
    assert_eq!(
        client.stats().servers[0].errors,
        1,
        "the one that is down is tried once, then the other is kept"
    );
    client.connect().await.unwrap();

    let other = closed_port();
    let client = client_of(&[down.clone(), other.clone()]);
    for error in [client.query_topic_route_info("a").await.unwrap_err(), client.connect().await.unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Connection);
        let mut servers: Vec<_> = error.attempts().iter().map(|attempt| attempt.server.to_string()).collect();
        servers.sort();
        let mut expected = vec![down.clone(), other.clone()];
        expected.sort();
        assert_eq!(servers, expected);
        for attempt in error.attempts() {
            assert_eq!(attempt.phase, Phase::Connect);
            assert!(
                matches!(&attempt.failure, Failure::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_to_connect_dials_anew() {
    for _ in 0..200 {
        let dials = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&dials);
        let refuse = move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err(std::io::ErrorKind::ConnectionRefused.into()))
        };
        let client = AsyncNameServerClient::builder().servers("peer").connector(refuse).build().unwrap();
        for attempt in 1..=3 {
            assert_eq!(client.connect().await.unwrap_err().kind(), ErrorKind::Connection);
            assert_eq!(dials.load(Ordering::SeqCst), attempt, "an old failure must not be served again");
        }
    }
}

#[tokio::test]
async fn not_ready_and_busy_servers_are_passed_over() {
    let good = honest_peer().await;
    for (code, remark) in
        [(ResponseCode::SYSTEM_ERROR, "name server not ready"), (ResponseCode::SYSTEM_BUSY, "[OVERLOAD]")]
    {
        let bad = peer_that_refuses(code, remark).await;
        let client = client_of(&[bad.address().to_string(), good.address().to_string()]);
        client.query_topic_route_info("a").await.unwrap();
        let alone = client_of(&[bad.address().to_string(), closed_port()]);
        let error = alone.query_topic_route_info("a").await.unwrap_err();
        assert_eq!(error.code(), Some(code), "the server that answered tells more than the one that is down");
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn not_found_is_believed_when_a_second_server_says_so() {
    let empty = peer_that_refuses(ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
    let also_empty = peer_that_refuses(ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
    let third = honest_peer().await;
    let full = honest_peer().await;
    let address = |peer: &ScriptedPeer| peer.address().to_string();

    let client = client_of(&[address(&empty), address(&full)]);
    client.query_topic_route_info("a").await.expect("the second server knows it");
    let client = client_of(&[address(&empty), address(&also_empty), address(&third)]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert!(error.is_topic_not_found());
    assert_eq!(error.attempts().len(), 2, "two are enough");
    assert_eq!(third.accepted(), 0);
    let alone = client_of(&[address(&empty)]);
    assert!(alone.query_topic_route_info("a").await.unwrap_err().is_topic_not_found());
    let (down, broken) = (closed_port(), peer_that_answers_nonsense().await);
    let client = client_of(&[address(&empty), down.clone(), address(&also_empty), address(&third)]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert!(error.is_topic_not_found());
    assert_eq!(
        (error.attempts().len(), third.accepted()),
        (3, 0),
        "two opinions are enough, whoever is down"
    );
    let client = client_of(&[address(&empty), address(&broken)]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DataParse, "the second server has the topic, but cannot say so");
    let with_one_down = client_of(&[address(&empty), closed_port()]);
    assert!(with_one_down.query_topic_route_info("a").await.unwrap_err().is_topic_not_found());
}

#[tokio::test]
async fn another_answer_is_final() {
    let broken = peer_that_refuses(ResponseCode::SYSTEM_ERROR, "java.lang.NullPointerException").await;
    let good = honest_peer().await;
    let client = client_of(&[broken.address().to_string(), good.address().to_string()]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!(
        (error.code(), error.remark()),
        (Some(ResponseCode(1)), Some("java.lang.NullPointerException"))
    );
    assert_eq!(good.accepted(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_connection_error_in_its_phase() {
    let client = client_of(&["no-such-host.invalid:9876".to_owned()]);
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()[0].phase), (ErrorKind::Connection, Phase::Resolve));
}

#[test]
fn wrong_settings_are_usage_errors() {
    let builder = AsyncNameServerClient::builder;
    for (name, result) in [
        ("no server", builder().build()),
        ("bad list", builder().servers("a:1;b:x").build()),
        ("empty list beside a server", builder().server("a", 1).servers(" ").build()),
        ("bad host", builder().server("a b", 1).build()),
        ("port in the host", builder().server("127.0.0.1:9876", 9876).build()),
        ("port 0", builder().server("a", 0).build()),
        ("tiny frames", builder().servers("a").max_frame_size(10).build()),
        ("no time", builder().servers("a").timeout(Duration::ZERO).build()),
        ("no time to connect", builder().servers("a").connect_timeout(Duration::ZERO).build()),
        ("no query in flight", builder().servers("a").batch_in_flight(0).build()),
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Usage, "{name}");
    }
    let both = SyncNameServerClient::builder().server("a", 1).servers("a:1,b:2").build_sync().unwrap();
    let servers: Vec<_> = both.stats().servers.iter().map(|server| server.server.to_string()).collect();
    assert_eq!(servers, ["a:1", "b:2"]);
}

#[test]
fn no_call_is_lost_between_disconnects() {
    let serving = tokio::runtime::Runtime::new().unwrap();
    let peer = serving.block_on(honest_peer());
    let client = create_sync_client("127.0.0.1", peer.address().port(), AMPLE).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut calls = 0;
                while !stop.load(Ordering::Relaxed) {
                    if let Err(error) = client.query_topic_route_info("a") {
                        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
                    }
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for _ in 0..3000 {
        client.disconnect().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.join().unwrap() > 0);
    }
    // The last answer may be handed out before its turn is over, and then nobody drives the runtime for a moment.
    let deadline = std::time::Instant::now() + AMPLE;
    while client.stats().servers[0].in_flight > 0 {
        assert!(std::time::Instant::now() < deadline, "{:?}", client.stats());
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_closes_after_each_answer_is_never_an_error() {
    let serving = tokio::runtime::Runtime::new().unwrap();
    let peer = serving.block_on(ScriptedPeer::start(|mut peer| async move {
        if let Some((opaque, topic)) = peer.topic().await {
            peer.answer(opaque, &route_body(&topic)).await;
        }
    }));
    let client = create_sync_client("127.0.0.1", peer.address().port(), AMPLE).unwrap();
    for call in 0..5000 {
        client.query_topic_route_info("a").unwrap_or_else(|error| panic!("call {call}: {error}"));
    }
}

#[tokio::test]
async fn a_close_reaches_calls_on_connections_that_were_sent_away() {
    // The first connection is sent away by its second request, while the first one waits on it.
    let peer = ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, topic)) = peer.topic().await {
            match (topic.as_str(), peer.number) {
                ("waits", _) => {}
                (_, 0) => peer.refuse(opaque, ResponseCode::GO_AWAY, "please go away").await,
                _ => peer.answer(opaque, &route_body(&topic)).await,
            }
        }
    })
    .await;
    let client = client_of(&[peer.address().to_string()]);
    let waits = tokio::spawn({
        let client = client.clone();
        async move { client.query_topic_route_info("waits").await }
    });
    while client.stats().servers[0].in_flight == 0 {
        tokio::task::yield_now().await;
    }
    client.query_topic_route_info("sent away").await.unwrap();
    assert_eq!(peer.accepted(), 2);
    client.close().await;
    let error = tokio::time::timeout(AMPLE / 10, waits).await.expect("at once").unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(!client.is_connected());
    assert_eq!(peer.accepted(), 2, "nothing connects after a close");
    assert_eq!(client.stats().servers[0].in_flight, 0);
}
