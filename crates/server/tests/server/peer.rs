//! The other end of a connection: sends commands and bytes, and receives answers, never longer than [`LIMIT`].

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::frame::{self, Frame, SerializeType};
use rocketmq_nameserver_protocol::model::{
    DataVersion, Perm, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper,
};
use rocketmq_nameserver_protocol::request::{Answer, GetRouteInfo, RegisterBroker, Request};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take. Everything here takes milliseconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Peer<S> {
    pub(crate) stream: S,
    input: BytesMut,
}

impl Peer<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let connecting = timeout(LIMIT, TcpStream::connect(address));
        Peer::new(connecting.await.expect("connected in time").expect("connected"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Peer { stream, input: BytesMut::new() }
    }

    pub(crate) async fn send(&mut self, command: &Command) {
        self.send_bytes(&command.to_frame(SerializeType::Json).unwrap()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        timeout(LIMIT, self.stream.write_all(bytes)).await.expect("taken in time").expect("taken");
    }

    /// The next frame, or how the stream ended without one.
    pub(crate) async fn next_frame(&mut self) -> io::Result<Frame> {
        loop {
            if let Some(frame) = frame::cut(&mut self.input, frame::DEFAULT_MAX_FRAME_SIZE).unwrap() {
                return Ok(frame);
            }
            let read = timeout(LIMIT, self.stream.read_buf(&mut self.input)).await;
            if read.expect("something came in time")? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Whether what came last is a part of a frame.
    pub(crate) fn is_inside_a_frame(&self) -> bool {
        !self.input.is_empty()
    }

    pub(crate) async fn receive(&mut self) -> Command {
        let frame = self.next_frame().await.expect("an answer");
        Command::from_frame(frame).unwrap()
    }

    /// The stream ends, and nothing comes before.
    pub(crate) async fn expect_close(&mut self) {
        let ended = self.next_frame().await.expect_err("no further frame").kind();
        // What was in flight when the other end closed turns the end into a reset.
        let kinds = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        assert!(kinds.contains(&ended), "{ended:?}");
        assert!(self.input.is_empty(), "{:?}", self.input);
    }

    pub(crate) async fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Refusal> {
        self.send(&request.to_command()).await;
        let answer = Answer::from_response(self.receive().await)?;
        Ok(R::from_answer(&answer).expect("an answer that can be read"))
    }

    /// Whether the server knows that topic.
    pub(crate) async fn knows(&mut self, topic: &str) -> bool {
        match self.call(&GetRouteInfo::new(topic)).await {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!(refusal.code, ResponseCode::TOPIC_NOT_EXIST, "{refusal}");
                false
            }
        }
    }

    /// Asks until the server does not know that topic any more.
    pub(crate) async fn forgotten(&mut self, topic: &str) {
        let asking = async { while self.knows(topic).await {} };
        timeout(LIMIT, asking).await.expect("forgotten in time");
    }
}

/// A master of that name with two topics, `<name>-1` and `<name>-2`.
pub(crate) fn broker(name: &str) -> RegisterBroker {
    let topics = [1, 2].map(|number| TopicConfig::new(format!("{name}-{number}"), 8, Perm::READ_WRITE));
    RegisterBroker {
        cluster_name: "c".into(),
        broker_name: name.into(),
        broker_addr: format!("{name}:10911").into(),
        body: RegisterBrokerBody {
            filter_server_list: Some(Vec::new()),
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper::new(DataVersion::default(), topics),
        },
        ..RegisterBroker::default()
    }
}
