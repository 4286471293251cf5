//! A future that is dropped, after however many polls, leaves nothing behind and disturbs nobody.
//!
//! The only test in its program, because it counts what the whole process has open.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture};
use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{AsyncNameServerClient, Perm, ServerAddress, Stream};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::{HandMadeBroker, Target, registration};
use rocketmq_nameserver_testkit::scripted_peer::{ScriptedPeer, route_body};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};

/// Something that a client can be asked to do.
struct Operation {
    name: &'static str,
    start: fn(&AsyncNameServerClient) -> LocalBoxFuture<'_, ()>,
    /// It takes more polls than this: what comes in small pieces needs many.
    polls: usize,
    /// It ends a connection that is there, once it has been polled.
    disconnects: bool,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "a route",
        start: |client| {
            client.query_topic_route_info("dropped").map(|route| drop(route.unwrap())).boxed_local()
        },
        polls: 20,
        disconnects: false,
    },
    Operation {
        name: "three routes",
        start: |client| client.query_topic_route_infos(["dropped", "too", "three"]).map(drop).boxed_local(),
        polls: 40,
        disconnects: false,
    },
    Operation {
        name: "the cluster info",
        start: |client| client.get_broker_cluster_info().map(|info| drop(info.unwrap())).boxed_local(),
        polls: 20,
        disconnects: false,
    },
    Operation {
        name: "a connection",
        start: |client| client.connect().map(Result::unwrap).boxed_local(),
        polls: 0,
        disconnects: false,
    },
    Operation {
        name: "a disconnect",
        start: |client| client.disconnect().boxed_local(),
        polls: 0,
        disconnects: true,
    },
];

const NEVER_ANSWERED: Operation = Operation {
    name: "a route that never comes",
    start: |client| client.query_topic_route_info("never").map(drop).boxed_local(),
    polls: 50,
    disconnects: false,
};

/// A connection that takes and gives a few bytes at a time, and nothing at all in between.
struct InSmallPieces {
    stream: TcpStream,
    reads: bool,
    writes: bool,
}

const PIECE: usize = 16;

impl InSmallPieces {
    async fn connect(server: ServerAddress) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((server.host(), server.port())).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(InSmallPieces { stream, reads: false, writes: false }))
    }
}

/// Ready this time or the next.
fn every_other_time(is_ready: &mut bool, cx: &Context<'_>) -> Poll<()> {
    *is_ready = !*is_ready;
    if *is_ready {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl AsyncRead for InSmallPieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(every_other_time(&mut self.reads, cx));
        let mut piece = [0; PIECE];
        let room = buffer.remaining().min(PIECE);
        let mut piece = ReadBuf::new(&mut piece[..room]);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut piece);
        buffer.put_slice(piece.filled());
        read
    }
}

impl AsyncWrite for InSmallPieces {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(every_other_time(&mut self.writes, cx));
        let piece = &bytes[..bytes.len().min(PIECE)];
        Pin::new(&mut self.stream).poll_write(cx, piece)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A server that knows these topics, each on a broker of the same name.
async fn server_of(topics: &[&str]) -> (NameServerHandle, Vec<HandMadeBroker>) {
    let builder = NameServer::builder().listen("127.0.0.1:0").idle_timeout(Duration::from_secs(3600));
    let server = builder.start().await.unwrap();
    let target = Target { address: server.address(), restart: Box::new(|| Box::pin(async {})) };
    let mut brokers = Vec::new();
    for topic in topics {
        let topics = [(*topic).to_owned(), format!("beside-{topic}")];
        let topics = topics.map(|topic| TopicConfig::new(topic, 4, Perm::READ_WRITE));
        let said = registration("east", topic, 0, "10.0.0.1:10911", topics.into());
        brokers.push(HandMadeBroker::register(&target, said).await.unwrap());
    }
    (server, brokers)
}

/// A server that answers everything but what it is asked of one topic.
async fn server_that_keeps_silent_about(silent: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |mut peer| async move {
        while let Some((opaque, topic)) = peer.topic().await {
            if topic != silent {
                peer.answer(opaque, &route_body(&topic)).await;
            }
        }
    })
    .await
}

/// Tasks that run and descriptors that are open.
fn running_and_open() -> (usize, usize) {
    let open = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    (Handle::current().metrics().num_alive_tasks(), open)
}

/// What runs and is open once everybody has had the turns to notice that a connection is gone.
async fn settled(expected: (usize, usize)) -> (usize, usize) {
    for _ in 0..10_000 {
        if running_and_open() == expected {
            break;
        }
        tokio::task::yield_now().await;
    }
    running_and_open()
}

/// Polls that often, with a turn for everybody else after each, then drops. Says whether it completed.
async fn polled(mut future: LocalBoxFuture<'_, ()>, times: usize) -> bool {
    for _ in 0..times {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

async fn ask(client: &AsyncNameServerClient, topic: &str) {
    let route = client.query_topic_route_info(topic).await.unwrap();
    assert_eq!(route.broker_data_list[0].broker_name, topic, "the answer to another call");
}

/// Drops the operation's future after so many polls, looks at what is left, and says whether it completed.
async fn check(server: SocketAddr, operation: &Operation, connected_before: bool, polls: usize) -> bool {
    let what = format!("{} after {polls} polls, connected before: {connected_before}", operation.name);
    let before = running_and_open();
    let client = AsyncNameServerClient::builder()
        .servers(server.to_string())
        .timeout(Duration::from_secs(600))
        .connector(InSmallPieces::connect)
        .build()
        .unwrap();
    if connected_before {
        ask(&client, "before").await;
    }
    let completed = polled((operation.start)(&client), polls).await;

    ask(&client, "next").await;
    let stats = client.stats().servers[0].clone();
    assert_eq!(stats.in_flight, 0, "{what}: a waiter is left");
    let connects = if operation.disconnects && connected_before && polls > 0 { 2 } else { 1 };
    assert_eq!((stats.connects, stats.errors), (connects, 0), "{what}: the connection was harmed");
    drop(client);
    assert_eq!(settled(before).await, before, "{what}: tasks or descriptors are left");
    completed
}

async fn check_all() {
    let (server, _brokers) = server_of(&["before", "dropped", "too", "three", "next"]).await;
    for (operation, connected_before) in OPERATIONS.iter().flat_map(|it| [(it, false), (it, true)]) {
        let mut polls = 0;
        while !check(server.address(), operation, connected_before, polls).await {
            polls += 1;
            assert!(polls < 1000, "{} does not complete", operation.name);
        }
        assert!(polls > operation.polls, "{} completed after {polls} polls: too few pieces", operation.name);
    }
    let silent = server_that_keeps_silent_about("never").await;
    for polls in 0..NEVER_ANSWERED.polls {
        for connected_before in [false, true] {
            assert!(!check(silent.address(), &NEVER_ANSWERED, connected_before, polls).await);
        }
    }
}

#[test]
fn a_future_dropped_after_any_number_of_polls_leaves_nothing_and_the_next_call_gets_its_own_answer() {
    // One task a turn and then a look at the sockets, so that there are as many turns as can be.
    let runtime = Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    runtime.block_on(check_all());
}
