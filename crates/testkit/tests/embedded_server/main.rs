//! The embedded server among real peers, as both personalities.
//!
//! | file | what |
//! |---|---|
//! | `site.rs` | two embedded servers, and two Java brokers that know no other NameServer |
//! | `brokers.rs` | brokers come, stay and go |
//! | `clients.rs` | Java and Go clients exchange messages |
//! | `mqadmin.rs` | mqadmin prints what it prints with a Java NameServer |
//!
//! Each test has servers, ports and folders of its own. The first one mostly waits, so two at a time end sooner:
//! `cargo test -p rocketmq-nameserver-testkit --test embedded_server -- --test-threads=2`.

mod brokers;
mod clients;
mod mqadmin;
mod site;
