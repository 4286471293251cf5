//! An embeddable RocketMQ NameServer: no JVM, any port, many per process, up in milliseconds.
//!
//! Real brokers register with it and real clients ask it.
//!
//! ```
//! use rocketmq_nameserver_server::NameServer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! // Port 0 takes any free port. The server is reachable as soon as `start` returns.
//! let server = NameServer::builder().listen("127.0.0.1:0").start().await?;
//! println!("NAMESRV_ADDR={}", server.address());
//!
//! // Connections are closed and every task has ended when `shutdown` returns.
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! It answers all requests that a NameServer answers, as 4.9.7 or as 5.3.3 does: [`Personality`]. Every captured answer of
//! the real servers is compared with its own (`docs/conformance.md`, which also lists what differs and why). What a Java
//! server does not do:
//!
//! * when a connection closes, all brokers that registered over it are gone, and not only one of them; when one of them is
//!   silent for too long, only that one goes, and the connection only with the last of them;
//! * a registration without the name of its broker or cluster changes nothing, where Java stores a null;
//! * memory is bounded, beside what the tables and the KV store hold: 128 KiB of requests and answers on their way for each of
//!   [`max_connections`](NameServerBuilder::max_connections); [`max_buffered`](NameServerBuilder::max_buffered) for all
//!   together; and for each worker thread one answer and 25 times the largest body, which is what reading the worst of them takes (a
//!   compressed registration inflates to 16 MiB at most). `tests/memory.rs` counts it;
//! * a shutdown closes every connection and waits for every task.
//!
//! What does not depend on a broker can be had without one: [`register`](NameServer::register) and
//! [`snapshot`](NameServer::snapshot).
//!
//! ```
//! use rocketmq_nameserver_server::protocol::model::{DataVersion, Perm, RegisterBrokerBody, TopicConfig};
//! use rocketmq_nameserver_server::protocol::request::RegisterBroker;
//! use rocketmq_nameserver_server::{NameServer, Personality};
//!
//! # fn main() -> std::io::Result<()> {
//! let server = NameServer::builder().personality(Personality::V4).build()?;
//! let topics = [TopicConfig::new("orders", 8, Perm::READ_WRITE)];
//! let body = RegisterBrokerBody::new(DataVersion::default(), topics);
//! server.register(RegisterBroker::new("east", "broker-a", 0, "10.0.0.1:10911", body)).expect("nobody has this id");
//! assert_eq!(server.snapshot().topics["orders"][0].read_queue_nums, 8);
//! # Ok(())
//! # }
//! ```
//!
//! What does not happen by itself can be had too, to see what a client makes of it: a server that is not ready, slow, silent or
//! restarted. [`Fault`] lists all, [`set_fault`](NameServer::set_fault) switches them on while it runs.
//!
//! Follow a request through the modules, in the order in which it meets them:
//!
//! | stop | module | turns | into |
//! |---|---|---|---|
//! | 1 | `config` | wishes | a [`NameServer`], or one that listens: [`NameServerHandle`] |
//! | 2 | `serve` | a listener | one task per connection |
//! | 3 | `connection` | bytes | commands, and their answers into bytes |
//! | 4 | `dispatch` | a command | a typed request, then the typed response into a command |
//! | 5 | `table` | a request about brokers and topics | a change of what is known, or a look at it |
//! | 5 | `kv`, `settings` | a request about the KV store or the server's own settings | the same |
//!
//! The table is a pure core: it has no sockets and no clock. `personality` answers where 4.x and 5.x differ, `ready_routes` has
//! the answers to 105 as bytes, `budget` bounds what requests and answers on their way may take, `spare_outputs` keeps
//! buffers for answers, `fault` says what is done wrong on purpose. Frames, headers, requests and models are those of
//! [`rocketmq_nameserver_protocol`], which the client stands on too.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable
    )
)]

mod budget;
mod config;
mod connection;
mod dispatch;
mod fault;
mod kv;
mod notify;
mod personality;
mod ready_routes;
mod serve;
mod settings;
mod spare_outputs;
mod table;
mod whole_file;

pub use config::{
    DEFAULT_IDLE_TIMEOUT, DEFAULT_LISTEN, DEFAULT_MAX_BUFFERED, DEFAULT_MAX_CONNECTIONS, NameServerBuilder,
};
pub use fault::{Fault, ParseFaultError};
pub use personality::Personality;
/// Requests and models, for [`NameServer::register`] and its like.
pub use rocketmq_nameserver_protocol as protocol;
pub use serve::{NameServer, NameServerHandle, Snapshot};
