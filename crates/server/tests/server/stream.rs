//! Over in-memory pairs, with paused time: waiting takes no time here.

use std::io;
use std::time::Duration;

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::request::{
    GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UpdateNamesrvConfig,
};
use rocketmq_nameserver_server::{DEFAULT_IDLE_TIMEOUT, NameServer, Personality};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::peer::{Peer, broker};

const PIPE: usize = 4 * 1024;

fn connect(server: &NameServer) -> (Peer<DuplexStream>, JoinHandle<io::Result<()>>) {
    let (near, far) = duplex(PIPE);
    (Peer::new(near), tokio::spawn(server.serve_stream(far)))
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_after_the_idle_timeout() {
    let half = &[0, 0, 1, 0, 0, 0][..];
    for (limit, sent) in
        [(DEFAULT_IDLE_TIMEOUT, &[][..]), (DEFAULT_IDLE_TIMEOUT, half), (Duration::from_secs(5), half)]
    {
        let server = NameServer::builder().idle_timeout(limit).build().unwrap();
        let (mut peer, serving) = connect(&server);
        let start = Instant::now();
        peer.send_bytes(sent).await;
        let ended = serving.await.unwrap().unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
        let took = start.elapsed();
        assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
        peer.expect_close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn any_byte_keeps_a_connection_alive() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, serving) = connect(&server);
    let request = GetBrokerClusterInfo.to_command().to_frame(SerializeType::Json).unwrap();
    for byte in &request {
        sleep(DEFAULT_IDLE_TIMEOUT - Duration::from_secs(1)).await;
        peer.send_bytes(&[*byte]).await;
    }
    assert_eq!(peer.receive().await.header.code, 0);
    drop(peer);
    assert!(serving.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_while_the_peer_does_not_take_its_answers() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, serving) = connect(&server);
    peer.call(&broker("a")).await.unwrap();
    let request = GetRouteInfo::new("a-1").to_command().to_frame(SerializeType::Json).unwrap();
    let mut sent = 0;
    // The write that does not end any more is broken off by the server's idle timeout.
    while let Ok(written) = peer.stream.write(&request).await {
        sent += written;
    }
    // What the pipe holds, what was being answered, and not a megabyte more.
    assert!(sent <= 3 * PIPE + 16 * 1024, "{sent}");
    assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_an_error_only_inside_a_frame() {
    for (sent, expected) in [
        (&[][..], None),
        (&[0, 0][..], Some(io::ErrorKind::UnexpectedEof)),
        (&[0, 0, 0, 9, 0, 0, 0, 2, b'{'][..], Some(io::ErrorKind::UnexpectedEof)),
        (&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], Some(io::ErrorKind::InvalidData)),
    ] {
        let server = NameServer::builder().build().unwrap();
        let (mut peer, serving) = connect(&server);
        peer.send_bytes(sent).await;
        drop(peer);
        assert_eq!(serving.await.unwrap().err().map(|error| error.kind()), expected, "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_stream_still_gets_its_answers() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, serving) = connect(&server);
    peer.send(&GetBrokerClusterInfo.to_command()).await;
    peer.stream.shutdown().await.unwrap();
    assert_eq!(peer.receive().await.header.code, 0);
    peer.expect_close().await;
    assert!(serving.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn frames_are_limited_both_ways() {
    let limit = 1500;
    let server = NameServer::builder().max_frame_size(limit).build().unwrap();
    let (mut filling, _serving) = connect(&server);
    for number in 0..20 {
        filling.call(&broker(&format!("b{number}"))).await.unwrap();
    }
    // An answer that would be too large is a refusal.
    let refusal = filling.call(&GetBrokerClusterInfo).await.unwrap_err();
    assert_eq!(refusal.code.0, 1);
    assert!(filling.knows("b7-1").await);

    // A request that is too large ends the connection, as soon as its length is there.
    for (size, expected) in [(limit, None), (limit + 1, Some(io::ErrorKind::InvalidData))] {
        let (mut peer, serving) = connect(&server);
        let mut request = GetBrokerClusterInfo.to_command();
        let head = request.to_frame(SerializeType::Json).unwrap().len();
        request.body = vec![0; size - head].into();
        peer.send_bytes(&request.to_frame(SerializeType::Json).unwrap()).await;
        if expected.is_none() {
            assert_eq!(peer.receive().await.header.code, 1);
        }
        drop(peer);
        assert_eq!(serving.await.unwrap().err().map(|error| error.kind()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_registration_and_its_large_answers_arrive_whole() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, _serving) = connect(&server);
    let mut large = broker("a");
    let topics = &mut large.body.topic_config_serialize_wrapper.topic_config_table;
    let template = topics.values().next().cloned().unwrap();
    for number in 0..5000 {
        let name = format!("topic-{number}");
        let mut topic = template.clone();
        topic.topic_name = Some(name.as_str().into());
        topics.insert(name.into(), topic);
    }
    peer.call(&large).await.unwrap();
    assert!(peer.knows("topic-4999").await);

    for number in 0..500 {
        let mut slave = broker("a");
        slave.broker_id = number;
        slave.broker_addr = format!("slave-{number}:10911").into();
        peer.call(&slave).await.unwrap();
    }
    let route = peer.call(&GetRouteInfo::new("topic-4999")).await.unwrap();
    assert_eq!(route.broker("a").unwrap().broker_addresses.len(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_frees_its_brokers() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, serving) = connect(&server);
    let (mut client, _serving) = connect(&server);
    peer.call(&broker("a")).await.unwrap();
    assert_eq!(server.connection_count(), 2);
    serving.abort();
    // Whoever sees the close sees the broker gone.
    peer.expect_close().await;
    assert!(!client.knows("a-1").await);
    assert_eq!(server.connection_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_silent_for_too_long_is_gone_and_its_connection_is_closed() {
    for (personality, own_limit, expected) in [
        (Personality::V4, None, Duration::from_secs(120)),
        (Personality::V4, Some(10_000), Duration::from_secs(120)),
        (Personality::V5, None, Duration::from_secs(120)),
        (Personality::V5, Some(10_000), Duration::from_secs(10)),
    ] {
        let server =
            NameServer::builder().personality(personality).idle_timeout(Duration::MAX).build().unwrap();
        let (mut peer, serving) = connect(&server);
        let start = Instant::now();
        peer.call(&RegisterBroker { heartbeat_timeout_millis: own_limit, ..broker("a") }).await.unwrap();
        // Other traffic does not count as life.
        sleep(expected - Duration::from_secs(1)).await;
        assert!(peer.knows("a-1").await, "{personality:?} {own_limit:?}");
        assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let took = start.elapsed();
        assert!(took >= expected && took <= expected + Duration::from_secs(11), "{took:?}");
        assert!(server.snapshot().topics.is_empty());
        peer.expect_close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_frame_has_to_be_there_within_the_time_of_one_read() {
    let server = NameServer::builder().build().unwrap();
    let (mut peer, serving) = connect(&server);
    let start = Instant::now();
    peer.send_bytes(&[0, 0xff, 0xff, 0xfc, 0, 0, 0, 99]).await;
    peer.send_bytes(&vec![b' '; 100 * 1024]).await;
    let dripping = tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(20)).await;
            peer.send_bytes(b" ").await;
        }
    });
    assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    let took = start.elapsed();
    assert!(took <= DEFAULT_IDLE_TIMEOUT + Duration::from_secs(1), "{took:?}");
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_streams_that_no_listener_has_accepted_too() {
    let handle = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
    let (mut peer, serving) = connect(handle.server());
    peer.call(&broker("a")).await.unwrap();
    handle.shutdown().await;
    assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
}

#[tokio::test(start_paused = true)]
async fn the_interval_of_looking_for_silent_brokers_may_be_long_and_short_again() {
    let server = NameServer::builder().idle_timeout(Duration::MAX).build().unwrap();
    let (mut peer, _serving) = connect(&server);
    for interval in [i64::MAX, 100] {
        let config = [("scanNotActiveBrokerInterval", interval.to_string())].into_iter().collect();
        peer.call(&UpdateNamesrvConfig { config }).await.unwrap();
        sleep(Duration::from_secs(10)).await;
    }
    let (mut other, _serving) = connect(&server);
    other.call(&RegisterBroker { heartbeat_timeout_millis: Some(100), ..broker("a") }).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert!(!peer.knows("a-1").await);
}

#[tokio::test]
async fn a_broker_by_hand_may_have_one_topic() {
    for personality in [Personality::V4, Personality::V5] {
        let server = NameServer::builder().personality(personality).build().unwrap();
        let mut single = broker("a");
        single.body.topic_config_serialize_wrapper.topic_config_table.remove("a-2");
        for _ in 0..2 {
            server.register(single.clone()).unwrap();
            assert_eq!(server.snapshot().topics.keys().collect::<Vec<_>>(), ["a-1"], "{personality:?}");
        }
    }
}
