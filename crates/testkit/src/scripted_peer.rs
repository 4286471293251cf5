//! A server that says exactly what a test tells it to, byte for byte, over TCP or in memory.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use rocketmq_nameserver::Stream;
use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::protocol::command::Command;
use rocketmq_nameserver::protocol::error::Refusal;
use rocketmq_nameserver::protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver::protocol::header::ExtFields;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A route that is easy to recognise: one broker group of that name.
pub fn route_body(broker_name: &str) -> String {
    format!(
        r#"{{"brokerDatas":[{{"brokerAddrs":{{0:"127.0.0.1:10911"}},"brokerName":"{broker_name}","cluster":"C"}}],"filterServerTable":{{}},"queueDatas":[{{"brokerName":"{broker_name}","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}}]}}"#
    )
}

/// One accepted connection, as the script sees it.
pub struct PeerConnection {
    stream: Box<dyn Stream>,
    input: BytesMut,
    /// How many connections came before this one.
    pub number: usize,
}

impl PeerConnection {
    /// The next whole request; `None` when the client has closed.
    pub async fn request(&mut self) -> Option<Command> {
        loop {
            let whole =
                frame::cut(&mut self.input, DEFAULT_MAX_FRAME_SIZE).expect("the client sends whole frames");
            if let Some(frame) = whole {
                return Some(Command::from_frame(frame).expect("the client sends readable headers"));
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The topic of the next request; `None` when the client has closed.
    pub async fn topic(&mut self) -> Option<(i32, String)> {
        let request = self.request().await?;
        let topic = request.header.ext_fields.get("topic").map(ToString::to_string).unwrap_or_default();
        Some((request.header.opaque, topic))
    }

    /// Sends bytes as they are. A client that has closed meanwhile is no matter.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _closed = self.stream.write_all(bytes).await;
        let _closed = self.stream.flush().await;
    }

    /// Answers with that body.
    pub async fn answer(&mut self, opaque: i32, body: &str) {
        let bytes = answer_frame(opaque, body);
        self.send(&bytes).await;
    }

    /// Says no.
    pub async fn refuse(&mut self, opaque: i32, code: ResponseCode, remark: &str) {
        let command = Refusal::new(code, remark).into_response(opaque);
        let bytes = command.to_frame(SerializeType::Json).expect("a short refusal");
        self.send(&bytes).await;
    }

    /// Answers every request with the route of a broker called like the topic, until the client closes.
    pub async fn answer_all(&mut self) {
        while let Some((opaque, topic)) = self.topic().await {
            self.answer(opaque, &route_body(&topic)).await;
        }
    }

    /// Reads and says nothing, until the client closes.
    pub async fn swallow(&mut self) {
        while self.request().await.is_some() {}
    }
}

/// A successful answer as bytes.
pub fn answer_frame(opaque: i32, body: &str) -> BytesMut {
    let command = Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), body.to_owned());
    command.to_frame(SerializeType::Json).expect("a short answer")
}

/// The peer: it runs the script once for each connection, until it is dropped.
pub struct ScriptedPeer {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    acceptor: JoinHandle<()>,
}

impl ScriptedPeer {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start<F, Fut>(script: F) -> ScriptedPeer
    where
        F: Fn(PeerConnection) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&accepted);
        let acceptor = tokio::spawn(async move {
            // Ends the scripts with the acceptor.
            let mut scripts = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Small answers in a row must not wait for each other.
                stream.set_nodelay(true).expect("a TCP connection");
                let number = counter.fetch_add(1, Ordering::SeqCst);
                scripts.spawn(script(PeerConnection {
                    stream: Box::new(stream),
                    input: BytesMut::new(),
                    number,
                }));
            }
        });
        ScriptedPeer { address, accepted, acceptor }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has taken.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedPeer {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

/// A connector for tests with paused time: each connection is a pair in memory, its other end runs the script.
pub fn in_memory<F, Fut>(
    script: F,
) -> impl Fn(rocketmq_nameserver::ServerAddress) -> std::future::Ready<io::Result<Box<dyn Stream>>>
+ Send
+ Sync
+ 'static
where
    F: Fn(PeerConnection) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let connections = AtomicUsize::new(0);
    move |_| {
        let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(64 * 1024);
        let number = connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(script(PeerConnection { stream: Box::new(far), input: BytesMut::new(), number }));
        std::future::ready(Ok(Box::new(near) as Box<dyn Stream>))
    }
}
