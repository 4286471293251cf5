//! A server in memory, its connections, and tables of what it shall do.
//!
//! [`World`] is the server; `requests` makes what it is asked, `answer` shortens what it says to one line, `steps` runs the
//! tables. All tests run with paused time.

mod answer;
mod requests;
mod steps;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{self, SerializeType};
use rocketmq_nameserver_server::{NameServer, NameServerBuilder, NameServerHandle, Personality};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) use answer::Answer;
pub(crate) use requests::{
    Broker, Change, Envelope, broker, leave, lookup, request, settings, version_query,
};
pub(crate) use steps::{
    Row, Step, answers, ask, both, close, matches, on, routes, set, shows, tell, v4, v5, wait,
};

pub(crate) const BOTH: [Personality; 2] = [Personality::V4, Personality::V5];

/// How long an answer may take. Paused time passes only when nobody has anything to do, so nothing is coming any more.
const LIMIT: Duration = Duration::from_secs(1);

/// A server and its connections by number; each is made when it is first used. Number 0 is who looks at it.
pub(crate) struct World {
    server: NameServer,
    /// Of a server that listens, and so looks for silent brokers by itself.
    handle: Option<NameServerHandle>,
    connections: BTreeMap<u32, Connection>,
}

struct Connection {
    stream: DuplexStream,
    input: BytesMut,
    serving: JoinHandle<io::Result<()>>,
    opaque: i32,
}

/// The settings of a server of that generation. Its connections do not end by themselves.
pub(crate) fn builder(personality: Personality) -> NameServerBuilder {
    NameServer::builder().personality(personality).idle_timeout(Duration::from_secs(1_000_000))
}

impl World {
    pub(crate) fn new(personality: Personality) -> Self {
        World::of(builder(personality))
    }

    pub(crate) fn of(builder: NameServerBuilder) -> Self {
        let server = builder.build().expect("a server");
        World { server, handle: None, connections: BTreeMap::new() }
    }

    /// One that listens too. Nobody comes that way, but it looks for silent brokers.
    pub(crate) async fn listening(builder: NameServerBuilder) -> Self {
        let handle = builder.listen("127.0.0.1:0").start().await.expect("a free port");
        World { server: handle.server().clone(), handle: Some(handle), connections: BTreeMap::new() }
    }

    pub(crate) fn server(&self) -> &NameServer {
        &self.server
    }

    /// Closes all connections and waits until nothing is left of the server.
    pub(crate) async fn end(self) {
        for (_, connection) in self.connections {
            drop(connection.stream);
            let _how = connection.serving.await.expect("no panic");
        }
    }

    fn connection(&mut self, number: u32) -> &mut Connection {
        self.connections.entry(number).or_insert_with(|| {
            let (near, far) = duplex(1 << 20);
            let serving = tokio::spawn(self.server.serve_stream(far));
            Connection { stream: near, input: BytesMut::new(), serving, opaque: 0 }
        })
    }

    /// The answer to a request over connection 0.
    pub(crate) async fn ask(&mut self, request: impl Into<Command>) -> Answer {
        self.ask_on(0, request).await
    }

    pub(crate) async fn ask_on(&mut self, connection: u32, request: impl Into<Command>) -> Answer {
        self.ask_in(SerializeType::Json, connection, request).await
    }

    /// 103 over that connection.
    pub(crate) async fn register(&mut self, connection: u32, broker: Broker) -> Answer {
        self.ask_on(connection, broker).await
    }

    /// The answer to a request whose header has that form.
    pub(crate) async fn ask_in(
        &mut self,
        form: SerializeType,
        connection: u32,
        request: impl Into<Command>,
    ) -> Answer {
        let opaque = self.send(form, connection, [request.into()]).await;
        let answer = self.receive(connection).await;
        assert_eq!(answer.command.header.opaque, opaque, "the answer to another request: {}", answer.line());
        answer
    }

    /// A request that is not answered: what comes next is the answer to the request behind it.
    pub(crate) async fn tell(&mut self, connection: u32, request: impl Into<Command>) {
        self.send(SerializeType::Json, connection, [request.into()]).await;
        assert_eq!(self.ask_on(connection, request_of(106)).await.code(), 0);
    }

    /// Sends requests in one write. Gives back the opaque of the last one.
    pub(crate) async fn send(
        &mut self,
        form: SerializeType,
        connection: u32,
        requests: impl IntoIterator<Item = Command>,
    ) -> i32 {
        let connection = self.connection(connection);
        let mut bytes = BytesMut::new();
        for mut request in requests {
            connection.opaque += 1;
            request.header.opaque = connection.opaque;
            bytes.extend_from_slice(&request.to_frame(form).expect("a frame"));
        }
        connection.stream.write_all(&bytes).await.expect("an open connection");
        connection.opaque
    }

    /// The next answer over a connection.
    pub(crate) async fn receive(&mut self, connection: u32) -> Answer {
        self.next(connection).await.expect("an answer")
    }

    /// The next answer, `None` if the server has closed the connection.
    async fn next(&mut self, connection: u32) -> Option<Answer> {
        let Connection { stream, input, .. } = self.connection(connection);
        loop {
            if let Some(frame) = frame::cut(input, frame::DEFAULT_MAX_FRAME_SIZE).expect("a frame") {
                return Some(Answer::new(frame));
            }
            let read = timeout(LIMIT, stream.read_buf(input)).await.expect("an answer or the end");
            if read.expect("no error") == 0 {
                return None;
            }
        }
    }

    /// Whether the server still serves a connection.
    pub(crate) fn is_open(&self, connection: u32) -> bool {
        !self.connections[&connection].serving.is_finished()
    }

    /// Lets go of a connection that the server has closed; its number is free for another one.
    pub(crate) fn lose(&mut self, connection: u32) {
        self.connections.remove(&connection).expect("a connection");
    }

    /// Closes a connection. When this returns the server knows.
    pub(crate) async fn close(&mut self, connection: u32) {
        let Connection { stream, serving, .. } = self.connections.remove(&connection).expect("a connection");
        drop(stream);
        serving.await.expect("no panic").expect("a good end");
    }

    /// Lets time pass, and all that happens meanwhile.
    pub(crate) async fn advance(&mut self, time: Duration) {
        sleep(time).await;
    }

    /// The route of a topic in short, see [`Answer::route`].
    pub(crate) async fn route(&mut self, topic: &str) -> String {
        self.ask(lookup(topic)).await.route()
    }

    /// What 106, 206 and 105 show, in short: `cluster: names; name@cluster: id=address; topic: name=perm`.
    pub(crate) async fn shows(&mut self) -> String {
        let mut parts = self.ask(request_of(106)).await.clusters();
        for topic in self.ask(request_of(206)).await.topics() {
            let queues = self.ask(lookup(&topic)).await.queues();
            parts.push(format!("{topic}: {queues}"));
        }
        parts.join("; ")
    }

    /// Shuts a listening server down. The connections stay on this side.
    pub(crate) fn shutdown(&mut self) -> impl Future<Output = ()> + use<> {
        self.handle.take().expect("a server that listens").shutdown()
    }
}

fn request_of(code: i32) -> Command {
    request(code, &[])
}
