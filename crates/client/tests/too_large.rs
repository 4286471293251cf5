//! An answer over the frame limit: the error says how large it is, how large it may be, and which setting to raise.

use rocketmq_nameserver::protocol::error::ProtocolError;
use rocketmq_nameserver::{AsyncNameServerClient, ErrorKind, Failure};
use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, answer_frame, route_body};

/// Answers with the route of a broker whose name has so many characters as the topic says.
async fn peer_with_long_names() -> ScriptedPeer {
    ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, topic)) = peer.topic().await {
            peer.answer(opaque, &route_body(&"x".repeat(topic.parse().unwrap()))).await;
        }
    })
    .await
}

fn client_of(peer: &ScriptedPeer, limit: usize) -> AsyncNameServerClient {
    let address = peer.address().to_string();
    AsyncNameServerClient::builder().servers(address).max_frame_size(limit).build().unwrap()
}

#[tokio::test]
async fn the_error_names_the_size_the_limit_and_the_setting_which_then_lets_the_answer_through() {
    let peer = peer_with_long_names().await;
    let long = 3000;
    // What a client asks first has the opaque 1.
    let size = answer_frame(1, &route_body(&"x".repeat(long))).len();
    for limit in [1024, size - 1] {
        let error = client_of(&peer, limit).query_topic_route_info(&long.to_string()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(!error.is_retryable());
        let Failure::Protocol(ProtocolError::FrameTooLarge { size: named, limit: by }) =
            error.attempts()[0].failure
        else {
            panic!("{error:?}")
        };
        assert_eq!((named, by), (size as u64, limit));
        let text = error.to_string();
        for part in [&format!("{size} bytes"), &format!("limit of {limit}"), "max_frame_size"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    let route = client_of(&peer, size).query_topic_route_info(&long.to_string()).await.unwrap();
    assert_eq!(route.broker_data_list[0].broker_name.len(), long);
}

#[tokio::test]
async fn the_next_call_has_a_new_connection_and_its_answer() {
    let peer = peer_with_long_names().await;
    let client = client_of(&peer, 1024);
    for connects in 1..=3 {
        assert_eq!(client.query_topic_route_info("3000").await.unwrap_err().kind(), ErrorKind::Protocol);
        assert!(!client.is_connected(), "where the next answer starts is not known");
        let route = client.query_topic_route_info("10").await.unwrap();
        assert_eq!(route.broker_data_list[0].broker_name.len(), 10);
        assert_eq!(client.stats().servers[0].connects, connects + 1);
    }
}
