//! What operators and brokers ask of a NameServer: methods of [`AsyncNameServerClient`](crate::AsyncNameServerClient), one
//! file for each kind of thing, named as the [requests](crate::protocol::request) are.
//!
//! A read asks one server and another one if that fails. A write goes to every server, because each has tables of its own, and
//! has a result for each: [`PerServer`](crate::PerServer).

mod brokers;
mod config;
mod kv;
mod permission;
mod topics;
