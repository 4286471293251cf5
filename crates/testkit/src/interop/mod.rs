//! Fetches, starts and stops the real Java servers, so that one behaviour suite runs on them and on the embedded one.
//!
//! | file | what |
//! |---|---|
//! | `release.rs`, `tools.rs` | [`Release`]: which RocketMQ; [`has_tools`], [`has_go`], [`missing_tools`]: what this machine lacks |
//! | `jars.rs` | [`Jars`]: the class path of a release, fetched with Maven once |
//! | `name_server.rs` | [`RealNameServer`]: start, stop, kill, restart on the same port |
//! | `broker.rs`, `registration.rs` | [`RealBroker`]: the same for a broker, and topics on it |
//! | `ask.rs` | [`ask()`], [`ask_as`], [`query`]: one blocking request over one connection |
//! | `program.rs` | [`run_java`], [`GoClient`]: clients and tools that run to their end |
//! | `java_process.rs`, `home.rs` | one child process, and the folder that it lives in |
//! | `ports.rs`, `wait.rs`, `error.rs` | free ports, bounded waiting, [`InteropError`] |
//!
//! Everything here blocks: call it from a plain thread or from `spawn_blocking`. A server lives as long as its value:
//! dropping it kills the process and removes its home. Never keep one in a `static`, which is never dropped; a test
//! process that is itself killed with `SIGKILL` leaves its servers behind.
//!
//! ```no_run
//! use rocketmq_nameserver_protocol::model::Perm;
//! use rocketmq_nameserver_testkit::interop::{BrokerOptions, Jars, RealBroker, RealNameServer, Release};
//!
//! let jars = Jars::fetch(Release::V5_3_3)?;
//! let name_server = RealNameServer::start(&jars)?;
//! let broker = RealBroker::start(&jars, name_server.address(), &BrokerOptions::default())?;
//! let route = broker.create_topic("TopicTest", 8, 8, Perm::READ_WRITE)?;
//! assert_eq!(route.queue_data_list[0].read_queue_nums, 8);
//! # Ok::<(), rocketmq_nameserver_testkit::interop::InteropError>(())
//! ```

mod ask;
mod broker;
mod error;
mod home;
mod jars;
mod java_process;
mod name_server;
mod ports;
mod program;
mod registration;
mod release;
mod tools;
mod wait;

pub use ask::{ask, ask_as, query};
pub use broker::{BrokerOptions, RealBroker};
pub use error::InteropError;
pub use jars::Jars;
pub use name_server::{NameServerOptions, RealNameServer};
pub use program::{GoClient, run_java};
pub use release::Release;
pub use tools::{has_go, has_tools, missing_tools};
