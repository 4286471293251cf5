//! The RocketMQ NameServer protocol as values: bytes in, typed answers out, and back.
//!
//! This crate has no sockets, no clock, no threads and no environment. Time is an argument, bytes are
//! arguments, and every failure is a typed error with a position. The client, the embedded server and the
//! tests all stand on it, so both ends of the wire share one definition of each message.
//!
//! Follow an answer through the modules, in the order in which it meets them. The numbers are those of the trip in
//! ARCHITECTURE.md, which starts at the client's socket (1) and ends at the user (10):
//!
//! | stop | module | turns | into |
//! |---|---|---|---|
//! | 2 | [`session`] | bytes in any pieces | answers, each with the caller that waits for it |
//! | 3 | [`frame`] | a buffer | one whole frame: header bytes and body bytes |
//! | 4 | [`header`] | header bytes, JSON or binary | a [`Header`](header::Header) |
//! | 5 | [`command`] | header and body | a [`Command`](command::Command) |
//! | 6 | [`request`] | the command that answers a request | that request's response type, or why not |
//! | 7 | [`json`] | body bytes, both JSON dialects | fields |
//! | 8 | [`model`] | fields | [`TopicRouteData`](model::TopicRouteData), [`BrokerClusterInfo`](model::BrokerClusterInfo) |
//!
//! The way out is the same list upwards. The wire facts behind each module are in `docs/wire.md`.
//!
//! # Example
//!
//! A real 5.x body has bare integer keys, which are not JSON. They are read all the same:
//!
//! ```
//! use rocketmq_nameserver_protocol::model::TopicRouteData;
//!
//! let body = br#"{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"broker-a",
//!     "cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[
//!     {"brokerName":"broker-a","perm":7,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#;
//! let route = TopicRouteData::from_bytes(body)?;
//! assert_eq!(route.broker_data_list[0].broker_addresses.master().unwrap(), "127.0.0.1:10911");
//! # Ok::<(), rocketmq_nameserver_protocol::error::DataParseError>(())
//! ```
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

pub mod code;
pub mod command;
pub mod error;
pub mod frame;
pub mod header;
pub mod json;
pub mod model;
pub mod request;
pub mod session;
