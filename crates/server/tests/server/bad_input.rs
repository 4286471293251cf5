//! Whatever comes in: the connection is closed or answered as a Java server does, and the others are served.

use std::io;
use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, RegisterBroker, Request};
use rocketmq_nameserver_server::{NameServer, Personality};
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::peer::{Peer, broker};

fn connect(server: &NameServer) -> (Peer<DuplexStream>, JoinHandle<io::Result<()>>) {
    let (near, far) = duplex(64 * 1024);
    (Peer::new(near), tokio::spawn(server.serve_stream(far)))
}

fn with(mut command: Command, fields: &[(&'static str, &'static str)]) -> Command {
    for (key, value) in fields {
        command.header.ext_fields.set(*key, *value);
    }
    command
}

fn with_body(mut command: Command, body: &'static [u8]) -> Command {
    command.body = body.into();
    with(command, &[("bodyCrc32", "0")])
}

#[tokio::test]
async fn a_bad_registration_is_answered_and_its_connection_stays() {
    let good = broker("a").to_command();
    let large = with_body(good.clone(), b"{\"topicConfigSerializeWrapper\":{\"topicConfigTable\":{\"T\":{\"topicName\":\"T\",\"readQueueNums\":99999999999}}}}");
    for personality in [Personality::V4, Personality::V5] {
        let server = NameServer::builder().personality(personality).build().unwrap();
        let (mut peer, _serving) = connect(&server);
        for (name, request, code) in [
            ("no JSON", with_body(good.clone(), b"garbage"), 1),
            ("cut short", with_body(good.clone(), b"{\"topicConfigSerializeWrapper\":{"), 1),
            ("a number that is too large", large.clone(), 1),
            ("no zlib", with(with_body(good.clone(), b"{}"), &[("compressed", "true")]), 1),
            ("another checksum", with(good.clone(), &[("bodyCrc32", "1")]), 1),
            ("an id that is none", with(good.clone(), &[("brokerId", "first")]), 1),
            ("an id beyond 64 bits", with(good.clone(), &[("brokerId", "9223372036854775808")]), 1),
            ("nothing wrong", good.clone(), 0),
        ] {
            peer.send(&request).await;
            assert_eq!(peer.receive().await.header.code, code, "{personality:?}: {name}");
            assert_eq!(server.snapshot().topics.is_empty(), code != 0, "{personality:?}: {name}");
        }
    }
}

#[tokio::test]
async fn a_registration_that_contradicts_itself_is_taken_as_java_takes_it() {
    // The key of a topic and the name inside it differ: the name counts. Two registrations claim one address with two ids:
    // the later one counts.
    let twice = |id: i64| RegisterBroker { broker_id: id, ..broker("a") };
    for personality in [Personality::V4, Personality::V5] {
        let server = NameServer::builder().personality(personality).build().unwrap();
        let (mut peer, _serving) = connect(&server);
        let mut renamed = broker("a");
        let table = &mut renamed.body.topic_config_serialize_wrapper.topic_config_table;
        table.get_mut("a-1").unwrap().topic_name = Some("inside".into());
        peer.call(&renamed).await.unwrap();
        assert!(peer.knows("inside").await && !peer.knows("a-1").await);
        for id in [0, 3, -1] {
            peer.call(&twice(id)).await.unwrap();
            let group = &server.snapshot().clusters.broker_addr_table["a"];
            assert_eq!(group.broker_addresses.iter().map(|(id, _)| id).collect::<Vec<_>>(), [id]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_drip_neither_ends_nor_holds_up_others() {
    let server = NameServer::builder().build().unwrap();
    let (mut slow, serving) = connect(&server);
    let (mut other, _serving) = connect(&server);
    // A frame that claims to be as large as a frame may be, a byte at a time.
    let head = [0, 0xff, 0xff, 0xfc, 0, 0, 0, 99, b'{'];
    for byte in head.iter().chain([b' '; 40].iter()) {
        slow.send_bytes(&[*byte]).await;
        sleep(Duration::from_secs(60)).await;
        other.call(&GetBrokerClusterInfo).await.unwrap();
    }
    drop(slow);
    assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn unfinished_requests_come_out_of_one_budget() {
    let server = NameServer::builder().max_buffered(1 << 20).build().unwrap();
    let (mut other, _serving) = connect(&server);
    other.call(&broker("a")).await.unwrap();
    let mut hoarders = Vec::new();
    let mut closed = Vec::new();
    for _ in 0..6 {
        let (mut hoarder, serving) = connect(&server);
        hoarder.send_bytes(&[0, 0xff, 0xff, 0xfc, 0, 0, 0, 99]).await;
        // Half a budget each: the pipe ends where the server closes it.
        let sent = tokio::io::AsyncWriteExt::write_all(&mut hoarder.stream, &[b' '; 450 << 10]).await;
        match sent {
            Ok(()) => hoarders.push(hoarder),
            Err(_) => closed.push(serving),
        }
        assert!(other.knows("a-1").await);
    }
    assert!(!hoarders.is_empty() && closed.len() >= 3, "{} {}", hoarders.len(), closed.len());
    for serving in closed {
        assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
    // What they have taken comes back with their end.
    drop(hoarders);
    let (mut large, _serving) = connect(&server);
    let mut registration = broker("b");
    registration.ha_server_addr = "x".repeat(300 << 10).into();
    while large.call(&registration).await.is_err() {}
    assert!(other.knows("b-1").await);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_stay() {
    let server = NameServer::builder().max_connections(2).build().unwrap();
    let (mut first, _first) = connect(&server);
    let (second, second_serving) = connect(&server);
    first.call(&GetBrokerClusterInfo).await.unwrap();
    tokio::task::yield_now().await;
    let (mut third, serving) = connect(&server);
    assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    third.expect_close().await;
    drop(second);
    second_serving.await.unwrap().unwrap();
    let (mut fourth, _serving) = connect(&server);
    fourth.call(&GetBrokerClusterInfo).await.unwrap();
    assert_eq!(server.connection_count(), 2);
}
