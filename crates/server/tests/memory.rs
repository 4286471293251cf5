//! Whatever peers send, a server's memory stays within what its settings say.
//!
//! The bound, in bytes, beside what the tables hold:
//!
//! * each connection: 64 KiB of input and 256 KiB of answers, plus one answer;
//! * all together: [`max_unfinished`](rocketmq_nameserver_server::NameServerBuilder::max_unfinished);
//! * each worker thread: what reading one body takes, which `crates/protocol/tests/memory` bounds by 25 times its size, and no
//!   body inflates to more than 16 MiB.
//!
//! One test, because it counts what this thread takes, and the peers are on it too.

use allocation_counter::measure;
use miniz_oxide::deflate::compress_to_vec_zlib;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::RegisterBrokerBody;
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, RegisterBroker, Request};
use rocketmq_nameserver_server::NameServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const MIB: u64 = 1 << 20;
/// What the runtime, the pipes and the peers themselves take.
const BASE: u64 = 4 * MIB;
const CONNECTIONS: usize = 16;
const MAX_UNFINISHED: usize = 8 << 20;

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
    let per_connection = CONNECTIONS as u64 * (64 + 256) * 1024;
    let small: Command = GetBrokerClusterInfo.to_command();
    vec![
        Attack {
            name: "frames that never end",
            bytes: claimed,
            times: 1,
            // While a buffer grows, the old and the new one are there.
            bound: BASE + per_connection + 2 * MAX_UNFINISHED as u64,
        },
        Attack { name: "bombs", bytes: bomb(), times: 1, bound: BASE + per_connection + 64 * MIB },
        Attack {
            name: "questions whose answers nobody reads",
            bytes: small.to_frame(SerializeType::Json).unwrap().repeat(5_000),
            times: 1,
            bound: BASE + per_connection + MAX_UNFINISHED as u64,
        },
    ]
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
            let server = NameServer::builder().max_unfinished(MAX_UNFINISHED).build().unwrap();
            runtime.block_on(attack(&server, &row));
        });
        assert!(taken.bytes_max <= row.bound, "{}: {} bytes, not {}", row.name, taken.bytes_max, row.bound);
        // The test would mean nothing if nothing had come through.
        assert!(taken.bytes_max > MIB, "{}: {} bytes", row.name, taken.bytes_max);
    }
}
