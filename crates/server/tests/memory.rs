//! Whatever peers send, a server's memory stays within what its settings say.
//!
//! The bound, in bytes, beside what the tables hold:
//!
//! * each connection: 128 KiB of requests and answers on their way;
//! * all together: [`max_buffered`](rocketmq_nameserver_server::NameServerBuilder::max_buffered);
//! * each worker thread: one answer, and what reading one body takes, which `crates/protocol/tests/memory` bounds by 25 times its size, and no
//!   body inflates to more than 16 MiB.
//!
//! And a connection that waits for its peer holds no requests and answers at all, whatever it was asked before.
//!
//! What is counted is what a test's own thread takes. The peers of the first test are on it too; those of the other are not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use allocation_counter::measure;
use miniz_oxide::deflate::compress_to_vec_zlib;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::{DataVersion, Perm, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver_protocol::request::{
    GetBrokerClusterInfo, GetKvConfig, GetRouteInfo, PutKvConfig, RegisterBroker, Request,
};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

const MIB: u64 = 1 << 20;
/// What the runtime, the pipes and the peers themselves take.
const BASE: u64 = 4 * MIB;
const CONNECTIONS: usize = 16;
const MAX_BUFFERED: usize = 8 << 20;

/// What a peer sends, again and again, until the server closes its connection or has answered as many.
struct Attack {
    name: &'static str,
    bytes: Vec<u8>,
    times: usize,
    bound: u64,
}

fn bomb() -> Vec<u8> {
    let body = compress_to_vec_zlib(&vec![0; RegisterBrokerBody::MAX_INFLATED + 1], 6);
    let mut command = RegisterBroker { cluster_name: "c".into(), ..RegisterBroker::default() }.to_command();
    command.header.ext_fields.set("compressed", "true");
    command.header.ext_fields.set("bodyCrc32", "0");
    command.body = body.into();
    command.to_frame(SerializeType::Json).unwrap().to_vec()
}

fn attacks() -> Vec<Attack> {
    let claimed = [&[0, 0xff, 0xff, 0xfc, 0, 0, 0, 99][..], &[b' '; 1 << 20]].concat();
    let per_connection = CONNECTIONS as u64 * 128 * 1024;
    let small: Command = GetBrokerClusterInfo.to_command();
    vec![
        Attack {
            name: "frames that never end",
            bytes: claimed,
            times: 1,
            // While a buffer grows, the old and the new one are there.
            bound: BASE + per_connection + 2 * MAX_BUFFERED as u64 + 4 * LARGE as u64,
        },
        Attack {
            name: "bombs",
            bytes: bomb(),
            times: 1,
            bound: BASE + per_connection + 64 * MIB + 4 * LARGE as u64,
        },
        Attack {
            name: "questions whose answers nobody reads",
            bytes: small.to_frame(SerializeType::Json).unwrap().repeat(5_000),
            times: 1,
            bound: BASE + per_connection + MAX_BUFFERED as u64 + 4 * LARGE as u64,
        },
        Attack {
            name: "large answers that nobody reads",
            bytes: get_large_value(),
            times: 1,
            // The value itself, its way there and one answer: it lies in the store, in the request and in the output.
            bound: BASE + per_connection + MAX_BUFFERED as u64 + 6 * LARGE as u64,
        },
    ]
}

/// As large as fits into the budget of one.
const LARGE: usize = 4 << 20;

fn put_large_value() -> Vec<u8> {
    let put = PutKvConfig { namespace: "n".into(), key: "k".into(), value: "x".repeat(LARGE).into() };
    put.to_command().to_frame(SerializeType::Json).unwrap().to_vec()
}

fn get_large_value() -> Vec<u8> {
    let get = GetKvConfig { namespace: "n".into(), key: "k".into() };
    get.to_command().to_frame(SerializeType::Json).unwrap().to_vec()
}

async fn send(mut stream: DuplexStream, bytes: &[u8], times: usize) -> DuplexStream {
    for _ in 0..times {
        // It ends where the server closes, or where it takes no more because nobody reads its answers.
        let sending = stream.write_all(bytes);
        if !matches!(tokio::time::timeout(std::time::Duration::from_secs(1), sending).await, Ok(Ok(()))) {
            break;
        }
    }
    stream
}

async fn attack(server: &NameServer, attack: &Attack) {
    let (mut near, far) = duplex(16 * 1024);
    tokio::spawn(server.serve_stream(far));
    near.write_all(&put_large_value()).await.unwrap();
    assert!(near.read_u32().await.unwrap() > 0);
    drop(near);
    let mut peers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (near, far) = duplex(16 * 1024);
        tokio::spawn(server.serve_stream(far));
        peers.push(send(near, &attack.bytes, attack.times).await);
    }
    // Others are served all the while.
    let (mut near, far) = duplex(16 * 1024);
    tokio::spawn(server.serve_stream(far));
    near.write_all(&GetBrokerClusterInfo.to_command().to_frame(SerializeType::Json).unwrap()).await.unwrap();
    assert!(near.read_u32().await.unwrap() > 0, "{}", attack.name);
}

#[test]
fn memory_stays_bounded_whatever_comes() {
    for row in attacks() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let taken = measure(|| {
            let server = NameServer::builder().max_buffered(MAX_BUFFERED).build().unwrap();
            runtime.block_on(attack(&server, &row));
        });
        assert!(taken.bytes_max <= row.bound, "{}: {} bytes, not {}", row.name, taken.bytes_max, row.bound);
        // The test would mean nothing if nothing had come through.
        assert!(taken.bytes_max > MIB, "{}: {} bytes", row.name, taken.bytes_max);
    }
}

/// How many connections idle, so that what tables have in reserve is shared by many.
const IDLE: usize = 256;

/// What one may hold, in bytes: its task, its socket's registration with the runtime and its entry in the server's table.
/// A route of 8 brokers alone has 1.8 KiB.
const IDLE_BOUND: u64 = 2 * 1024;

/// A connection that asks for so many routes of 8 brokers, all at once, and then says nothing more.
fn asks(address: SocketAddr, questions: &[u8], answers: usize) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(questions).unwrap();
    let mut body = Vec::new();
    for _ in 0..answers {
        let mut size = [0; 4];
        socket.read_exact(&mut size).unwrap();
        body.resize(u32::from_be_bytes(size) as usize, 0);
        socket.read_exact(&mut body).unwrap();
        assert!(body.len() > 1_500, "{}", String::from_utf8_lossy(&body));
    }
    socket
}

/// Opens that many connections from a thread of their own; they are idle when this returns, because the only thread of
/// the server runs this as well, and gets to it when no connection has anything to do.
async fn idle(address: SocketAddr, connections: usize, times: usize) -> Vec<TcpStream> {
    let (sender, receiver) = oneshot::channel();
    let question = GetRouteInfo::new("t").to_command().to_frame(SerializeType::Json).unwrap().repeat(times);
    thread::spawn(move || {
        sender.send((0..connections).map(|_| asks(address, &question, times)).collect()).unwrap();
    });
    receiver.await.unwrap()
}

/// A server that knows one topic with 8 brokers.
async fn server_with_a_route() -> NameServerHandle {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
    for broker in 0..8 {
        let topic = TopicConfig::new("t", 8, Perm::READ_WRITE);
        let body = RegisterBrokerBody::new(DataVersion::default(), [topic]);
        let (name, address) = (format!("broker-{broker}"), format!("10.0.0.{broker}:10911"));
        server.register(RegisterBroker::new("c", name, 0, address, body)).unwrap();
    }
    server
}

#[test]
fn an_idle_connection_holds_neither_requests_nor_answers() {
    for (name, times) in
        [("one question", 1), ("64 questions at once", 64), ("more than one read takes", 300)]
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(server_with_a_route());
        // The first one has the server make the answer, which it keeps.
        let first = runtime.block_on(idle(server.address(), 1, times));
        let mut sockets = Vec::new();
        let taken = measure(|| sockets = runtime.block_on(idle(server.address(), IDLE, times)));
        let each = u64::try_from(taken.bytes_current).unwrap() / IDLE as u64;
        assert!(each <= IDLE_BOUND, "{name}: {each} bytes");
        // The test would mean nothing if they were not there.
        assert_eq!(server.connection_count(), first.len() + sockets.len(), "{name}");
        runtime.block_on(server.shutdown());
    }
}
