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
//! It answers the requests 103 to 106 as a 5.x server does (`docs/wire.md` §2), and says so to all others. What
//! differs is meant to:
//!
//! * when a connection closes, all brokers that registered over it are gone, and not only one of them;
//! * a broker goes only with its connection or at its own request, not by silence;
//! * a broker whose registration or farewell lacks a field is refused and nothing changes, where Java may stop half
//!   way and report success; a compressed registration is refused too;
//! * an answer has the form of its request, JSON or binary.
//!
//! Follow a request through the modules, in the order in which it meets them:
//!
//! | stop | module | turns | into |
//! |---|---|---|---|
//! | 1 | `config` | wishes | a [`NameServer`], or one that listens: [`NameServerHandle`] |
//! | 2 | `serve` | a listener | one task per connection |
//! | 3 | `connection` | bytes | commands, and their answers into bytes |
//! | 4 | `dispatch` | a command | a typed request, then the typed response into a command |
//! | 5 | `table` | a request | a change of what is known, or a look at it |
//!
//! The table is a pure core: it has no sockets and no clock. Frames, headers, requests and models are those of
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

mod config;
mod connection;
mod dispatch;
mod serve;
mod table;

pub use config::{DEFAULT_IDLE_TIMEOUT, DEFAULT_LISTEN, NameServerBuilder};
pub use serve::{NameServer, NameServerHandle};
