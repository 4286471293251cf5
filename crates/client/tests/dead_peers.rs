//! Peers on which nothing at all arrives: a line like that costs the calls that wait on it one deadline, and no later one.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rocketmq_nameserver::{AsyncNameServerClient, DEFAULT_TIMEOUT, ErrorKind, ServerAddress, Stream};
use rocketmq_nameserver_testkit::scripted_peer::{
    PeerConnection, ScriptedPeer, answer_frame, in_memory, route_body,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

/// How a line can be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// The peer takes the connection, reads, and says nothing.
    Silent,
    /// What is sent is lost, and nobody notices.
    Lost,
    /// What is sent is not acknowledged, so that soon no more can be sent.
    Stuck,
    /// There was an answer, but there will be none any more.
    AfterAnAnswer,
    /// The connection does not open.
    DoesNotOpen,
}

const DEATHS: [Death; 5] =
    [Death::Silent, Death::Lost, Death::Stuck, Death::AfterAnAnswer, Death::DoesNotOpen];

/// A stream without another end.
struct NoOtherEnd {
    takes: bool,
}

impl AsyncRead for NoOtherEnd {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for NoOtherEnd {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.takes { Poll::Ready(Ok(bytes.len())) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.takes { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Opens a line that is dead in that way.
async fn dead_line(death: Death, server: ServerAddress) -> io::Result<Box<dyn Stream>> {
    match death {
        Death::Silent => in_memory(|mut peer| async move { peer.swallow().await })(server).await,
        Death::Lost => Ok(Box::new(NoOtherEnd { takes: true })),
        Death::Stuck => Ok(Box::new(NoOtherEnd { takes: false })),
        Death::AfterAnAnswer => {
            let script = |mut peer: PeerConnection| async move {
                if let Some((opaque, topic)) = peer.topic().await {
                    peer.answer(opaque, &route_body(&topic)).await;
                }
                peer.swallow().await;
            };
            in_memory(script)(server).await
        }
        Death::DoesNotOpen => pending().await,
    }
}

async fn good_line(server: ServerAddress) -> io::Result<Box<dyn Stream>> {
    in_memory(|mut peer| async move { peer.answer_all().await })(server).await
}

/// How long a call may take here.
const LIMIT: Duration = Duration::from_secs(5);

/// How long opening a connection may take here.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

fn client_with<F, Fut>(servers: &str, connect: F) -> AsyncNameServerClient
where
    F: Fn(ServerAddress) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Box<dyn Stream>>> + Send + 'static,
{
    let builder =
        AsyncNameServerClient::builder().servers(servers).timeout(LIMIT).connect_timeout(CONNECT_LIMIT);
    builder.connector(connect).build().unwrap()
}

async fn ask(client: &AsyncNameServerClient, topic: &str) {
    let route = client.query_topic_route_info(topic).await.unwrap();
    assert_eq!(route.broker_data_list[0].broker_name, topic);
}

#[tokio::test(start_paused = true)]
async fn calls_on_a_dead_line_fail_together_and_the_next_ones_have_a_new_line() {
    for death in DEATHS {
        let lines = AtomicUsize::new(0);
        let client = client_with("peer", move |server| {
            let is_first = lines.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if is_first { dead_line(death, server).await } else { good_line(server).await } }
        });
        if death == Death::AfterAnAnswer {
            ask(&client, "while it lived").await;
        }
        let started = Instant::now();
        let topics: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
        for result in client.query_topic_route_infos(&topics).await {
            let error = result.unwrap_err();
            let kind = if death == Death::DoesNotOpen { ErrorKind::Connection } else { ErrorKind::Timeout };
            assert_eq!((error.kind(), error.is_timeout()), (kind, true), "{death:?}: {error}");
        }
        let cost = if death == Death::DoesNotOpen { CONNECT_LIMIT } else { LIMIT };
        assert_eq!(started.elapsed().as_secs(), cost.as_secs(), "{death:?}: one deadline for all");
        assert!(!client.is_connected(), "{death:?}");

        let started = Instant::now();
        for topic in &topics {
            ask(&client, topic).await;
        }
        assert_eq!(started.elapsed().as_secs(), 0, "{death:?}: later calls do not pay");
        let stats = client.stats();
        assert_eq!((stats.connections(), stats.servers[0].in_flight), (1, 0), "{death:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_dead_costs_a_part_of_one_call_and_later_calls_pass_it_by() {
    for death in DEATHS {
        let client = client_with("dead;good", move |server| async move {
            if server.host() == "dead" { dead_line(death, server).await } else { good_line(server).await }
        });
        if death == Death::AfterAnAnswer {
            ask(&client, "while it lived").await;
        }
        let started = Instant::now();
        ask(&client, "first").await;
        assert!(started.elapsed() < LIMIT, "{death:?}: within its own deadline");
        let asked = client.stats().servers[0].requests;

        let started = Instant::now();
        for number in 0..100 {
            ask(&client, &format!("t{number}")).await;
        }
        assert_eq!(started.elapsed().as_secs(), 0, "{death:?}: later calls do not pay");
        assert_eq!(client.stats().servers[0].requests, asked, "{death:?}: nor ask it");
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_at_all_is_a_timeout_at_the_deadline_and_ends_the_connection() {
    let client = client_with("peer", in_memory(|mut peer| async move { peer.swallow().await }));
    let started = Instant::now();
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!((error.kind(), error.is_timeout()), (ErrorKind::Timeout, true));
    assert_eq!(started.elapsed().as_secs(), 5);
    assert!(!client.is_connected(), "nothing came since the request: the line is dead");
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_and_silence_is_a_timeout_that_leaves_the_connection() {
    let client = client_with(
        "peer",
        in_memory(|mut peer| async move {
            let (opaque, _) = peer.topic().await.unwrap();
            let whole = answer_frame(opaque, "body");
            peer.send(&whole[..whole.len() / 2]).await;
            peer.swallow().await;
        }),
    );
    let error = client.query_topic_route_info("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(client.is_connected(), "something came, so the request was slow and not the line dead");
}

#[tokio::test(start_paused = true)]
async fn when_a_silent_line_is_given_up_its_other_calls_are_made_once_more() {
    let hasty = client_with(
        "peer",
        in_memory(|mut peer| async move {
            if peer.number == 0 {
                peer.swallow().await;
            }
            peer.answer_all().await;
        }),
    );
    hasty.connect().await.unwrap();
    let patient = hasty.with_timeout(12 * LIMIT);
    let (failed, answered) =
        tokio::join!(hasty.query_topic_route_info("a"), patient.query_topic_route_info("b"));
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(answered.unwrap().broker_data_list[0].broker_name, "b");
    assert_eq!(hasty.stats().servers[0].connects, 2);
}

#[tokio::test(start_paused = true)]
async fn short_limits_do_not_end_a_connection_that_is_only_slow() {
    let client = client_with(
        "peer",
        in_memory(|mut peer| async move {
            while let Some((opaque, topic)) = peer.topic().await {
                if topic == "slow" {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    peer.answer(opaque, &route_body(&topic)).await;
                }
            }
        }),
    );
    client.connect().await.unwrap();
    let hasty = |limit| {
        let client = client.with_timeout(limit);
        async move { client.query_topic_route_info("never").await.unwrap_err().kind() }
    };
    let (slow, zero, short) = tokio::join!(
        client.query_topic_route_info("slow"),
        hasty(Duration::ZERO),
        hasty(Duration::from_millis(50))
    );
    assert_eq!((zero, short), (ErrorKind::Timeout, ErrorKind::Timeout));
    assert_eq!(slow.unwrap().broker_data_list[0].broker_name, "slow");
    assert_eq!(client.stats().servers[0].connects, 1);
}

#[tokio::test(start_paused = true)]
async fn callers_with_timeouts_of_their_own_do_not_hide_a_dead_server() {
    let connect = |server: ServerAddress| {
        let swallows = server.host() == "swallows";
        in_memory(move |mut peer| async move {
            if swallows { peer.swallow().await } else { peer.answer_all().await }
        })(server)
    };
    // With hedged reads the first call would have its answer from the other server.
    let builder = AsyncNameServerClient::builder().servers("swallows;answers").hedged_reads(false);
    let client = builder.timeout(DEFAULT_TIMEOUT).connector(connect).build().unwrap();
    let mut failed = 0;
    while tokio::time::timeout(Duration::from_secs(2), client.query_topic_route_info("a")).await.is_err() {
        failed += 1;
        assert!(failed < 30, "a minute, and the good server was never asked");
    }
    assert!(failed > 0);
}

/// An address where the system takes connections and nobody ever reads.
fn nobody_at_home() -> (std::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address where so many connections wait to be taken that the system drops every packet that asks for another.
async fn queue_is_full() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // One that is taken is taken at once.
    while let Ok(taken) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        waiting.push(taken.unwrap());
        assert!(waiting.len() < 100, "the queue is never full");
    }
    (listener, waiting, address)
}

/// The first call, which may take so long, meets the dead server. No later one does.
async fn check_on_real_sockets(dead: SocketAddr, first: Duration) {
    let good = ScriptedPeer::start(|mut peer| async move { peer.answer_all().await }).await;
    let client = AsyncNameServerClient::builder()
        .servers(dead.to_string())
        .servers(good.address().to_string())
        .connect_timeout(Duration::from_millis(500))
        .timeout(first)
        .build()
        .unwrap();
    // Whether there is time left for the good server is looked at where time is paused.
    let _answer_or_not = client.query_topic_route_info("first").await;
    let client = client.with_timeout(DEFAULT_TIMEOUT);
    for number in 0..20 {
        ask(&client, &format!("t{number}")).await;
    }
    let [dead, good] = &client.stats().servers[..] else { panic!("two servers") };
    assert_eq!((dead.errors, good.errors), (1, 0), "met once");
    assert!(dead.in_flight == 0 && good.requests >= 20, "{dead:?}, {good:?}");
}

#[tokio::test]
async fn a_real_server_that_never_reads_is_met_once() {
    let (_listener, address) = nobody_at_home();
    // A share of more than a second: a shorter silence says nothing about a line.
    check_on_real_sockets(address, Duration::from_millis(2_200)).await;
}

#[tokio::test]
async fn a_real_server_whose_queue_is_full_is_met_once() {
    let (_listener, _waiting, address) = queue_is_full().await;
    check_on_real_sockets(address, DEFAULT_TIMEOUT).await;
}
