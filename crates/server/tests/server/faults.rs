//! Faults on demand, over in-memory pairs with paused time: what a peer sees while one is on, and that it is over then. What
//! answers say is in `rules/faults.rs`.

use std::io;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, GetRouteInfo, Request};
use rocketmq_nameserver_server::{Fault, NameServer, Personality};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::peer::{LIMIT, Peer, broker};

/// Longer than any fault here, shorter than [`LIMIT`] and than a connection may idle.
const PATIENCE: Duration = Duration::from_secs(20);

const SLOW: Fault = Fault::Slow(Duration::from_secs(2));

/// All that stay until they are cleared.
const LASTING: [Fault; 9] = [
    Fault::Refuse,
    Fault::GoAway,
    Fault::NotReady,
    Fault::Empty,
    Fault::Disagree,
    Fault::Silent,
    Fault::WrongOpaque,
    SLOW,
    Fault::HalfFrame,
];

fn connect(server: &NameServer) -> (Peer<DuplexStream>, JoinHandle<io::Result<()>>) {
    let (near, far) = duplex(1 << 20);
    (Peer::new(near), tokio::spawn(server.serve_stream(far)))
}

/// A server that knows broker `a`, and the connection of that broker.
async fn server(personality: Personality) -> (NameServer, Peer<DuplexStream>) {
    let server = NameServer::builder().personality(personality).build().unwrap();
    let (mut peer, _serving) = connect(&server);
    peer.call(&broker("a")).await.unwrap();
    (server, peer)
}

fn route(topic: &str) -> Command {
    GetRouteInfo::new(topic).to_command()
}

fn clusters() -> Command {
    GetBrokerClusterInfo.to_command()
}

fn of_version(mut request: Command, version: i32) -> Command {
    request.header.version = Version(version);
    request
}

/// What a request brings, in short.
async fn sees(peer: &mut Peer<DuplexStream>, request: &Command) -> String {
    let start = Instant::now();
    // Where the server has closed the connection already, reading says so too.
    let _closed = peer.stream.write_all(&request.to_frame(SerializeType::Json).unwrap()).await;
    let frame = match timeout(PATIENCE, peer.next_frame()).await {
        Err(_) => return "nothing".to_owned(),
        Ok(Err(_)) if peer.is_inside_a_frame() => return "half a frame".to_owned(),
        Ok(Err(_)) => return "the end".to_owned(),
        Ok(Ok(frame)) => frame,
    };
    let header = Command::from_frame(frame).unwrap().header;
    let mut seen = header.code.to_string();
    if header.opaque != request.header.opaque {
        seen += &format!(", opaque {:+}", header.opaque - request.header.opaque);
    }
    if !start.elapsed().is_zero() {
        seen += &format!(", after {:?}", start.elapsed());
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_seen_while_it_is_on_and_not_afterwards() {
    for (faults, request, expected) in [
        (vec![Fault::Refuse], route("a-1"), "the end"),
        (vec![Fault::GoAway], of_version(route("a-1"), 476), "1500"),
        (vec![Fault::GoAway], of_version(clusters(), 476), "1500"),
        (vec![Fault::GoAway], of_version(route("a-1"), 475), "0"),
        (vec![Fault::NotReady], route("a-1"), "1"),
        (vec![Fault::NotReady], clusters(), "0"),
        (vec![Fault::Empty], route("a-1"), "17"),
        (vec![Fault::Empty], clusters(), "0"),
        (vec![Fault::Disagree], route("a-1"), "17"),
        (vec![Fault::Disagree], clusters(), "0"),
        (vec![Fault::Silent], route("a-1"), "nothing"),
        (vec![Fault::WrongOpaque], route("a-1"), "0, opaque +1"),
        (vec![Fault::WrongOpaque], route("none"), "17, opaque +1"),
        (vec![SLOW], route("a-1"), "0, after 2s"),
        (vec![SLOW], broker("b").to_command(), "0, after 2s"),
        (vec![Fault::HalfFrame], route("a-1"), "half a frame"),
        (vec![Fault::HalfFrame], route("none"), "half a frame"),
        // Several at a time: each where those before it have left something to do.
        (vec![Fault::NotReady, Fault::Empty], route("a-1"), "1"),
        (vec![Fault::NotReady, Fault::GoAway], of_version(route("a-1"), 476), "1500"),
        (vec![SLOW, Fault::WrongOpaque, Fault::Empty], route("a-1"), "17, opaque +1, after 2s"),
        (vec![SLOW, Fault::Silent, Fault::HalfFrame], route("a-1"), "nothing"),
        (vec![SLOW, Fault::HalfFrame], route("a-1"), "half a frame"),
        (LASTING.to_vec(), route("a-1"), "the end"),
    ] {
        for personality in [Personality::V4, Personality::V5] {
            let (server, mut owner) = server(personality).await;
            let [mut open, mut other] = [connect(&server).0, connect(&server).0];
            for peer in [&mut open, &mut other] {
                assert_eq!(sees(peer, &clusters()).await, "0");
            }
            faults.iter().for_each(|fault| server.set_fault(*fault));
            let code = request.header.code;
            assert_eq!(sees(&mut open, &request).await, expected, "{faults:?}: {code}, open before");
            assert_eq!(sees(&mut connect(&server).0, &request).await, expected, "{faults:?}: {code}, new");
            server.clear_faults();
            let closed = ["the end", "half a frame"].contains(&expected);
            let again = if closed { expected } else { "0" };
            assert_eq!(sees(&mut open, &clusters()).await, again, "{faults:?} are over");
            // Who asked nothing meanwhile has noticed nothing.
            for peer in [&mut owner, &mut other, &mut connect(&server).0] {
                assert_eq!(sees(peer, &route("a-1")).await, "0", "{faults:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_stays_open_with_every_fault() {
    for fault in LASTING {
        let (server, mut owner) = server(Personality::V5).await;
        server.set_fault(fault);
        sleep(Duration::from_secs(60)).await;
        server.clear_faults();
        assert!(owner.knows("a-1").await, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_server_was_told_has_taken_effect() {
    let (server, _owner) = server(Personality::V5).await;
    let (mut peer, _serving) = connect(&server);
    server.set_fault(Fault::Silent);
    assert_eq!(sees(&mut peer, &broker("b").to_command()).await, "nothing");
    server.clear_faults();
    assert!(peer.knows("b-1").await);
}

#[tokio::test(start_paused = true)]
async fn late_answers_come_in_their_order_and_no_connection_waits_for_another() {
    let (server, _owner) = server(Personality::V5).await;
    server.set_fault(SLOW);
    let start = Instant::now();
    let mut peers = [connect(&server).0, connect(&server).0];
    for peer in &mut peers {
        for opaque in 1..=3 {
            let mut request = route("a-1");
            request.header.opaque = opaque;
            peer.send(&request).await;
        }
    }
    for peer in &mut peers {
        for opaque in 1..=3 {
            assert_eq!(peer.receive().await.header.opaque, opaque);
            assert_eq!(start.elapsed(), Duration::from_secs(2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_leaves_when_the_fault_is_cleared() {
    let (server, _owner) = server(Personality::V5).await;
    server.set_fault(Fault::Slow(Duration::MAX));
    let (mut peer, _serving) = connect(&server);
    let (start, request) = (Instant::now(), route("a-1"));
    let (seen, ()) = tokio::join!(sees(&mut peer, &request), async {
        sleep(Duration::from_secs(5)).await;
        server.clear_faults();
    });
    assert_eq!((seen.as_str(), start.elapsed().as_secs()), ("0, after 5s", 5));
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_is_the_first_half_of_the_first_answer() {
    let (server, _owner) = server(Personality::V5).await;
    let request = route("a-1").to_frame(SerializeType::Json).unwrap();
    let mut read = Vec::new();
    for faults in [vec![], vec![Fault::HalfFrame]] {
        server.replace_faults(faults);
        let (mut peer, serving) = connect(&server);
        peer.send_bytes(&request).await;
        peer.send_bytes(&request).await;
        peer.stream.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        timeout(LIMIT, peer.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        read.push((bytes, serving.await.unwrap().map_err(|error| error.kind())));
    }
    let [(whole, well), (half, ended)] = &read[..] else { panic!("two") };
    assert_eq!((well, ended), (&Ok(()), &Err(io::ErrorKind::ConnectionAborted)));
    assert_eq!(half[..], whole[..whole.len() / 4]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_everything_with_every_fault() {
    for fault in [LASTING.as_slice(), &[Fault::Slow(Duration::MAX)]].concat() {
        let handle = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
        let [(mut asking, asked), (_idle, idle)] = [connect(handle.server()), connect(handle.server())];
        assert_eq!(sees(&mut asking, &clusters()).await, "0");
        handle.set_fault(fault);
        asking.send(&clusters()).await;
        sleep(Duration::from_secs(1)).await;
        timeout(LIMIT, handle.shutdown()).await.unwrap_or_else(|_| panic!("{fault}"));
        for serving in [asked, idle] {
            assert_eq!(serving.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_keeps_its_port() {
    let handle = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
    handle.set_fault(Fault::Refuse);
    Peer::connect(handle.address()).await.expect_close().await;
    assert!(tokio::net::TcpListener::bind(handle.address()).await.is_err());
    handle.clear_faults();
    assert!(!Peer::connect(handle.address()).await.knows("a-1").await);
    handle.shutdown().await;
}
