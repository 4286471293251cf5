//! Servers beside each other, and the program that compares them.

use std::process::{Command, Output, Stdio};

use rocketmq_nameserver::Perm;
use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::registration;
use serde_json::Value;

/// Broker, address, topics with their numbers of queues.
pub(crate) type Broker = (&'static str, &'static str, &'static [(&'static str, u32)]);

pub(crate) const A: Broker = ("broker-a", "10.0.0.1:10911", &[("orders", 4), ("payments", 2)]);
pub(crate) const B: Broker = ("broker-b", "10.0.0.2:10911", &[("orders", 4), ("payments", 2)]);

pub(crate) async fn server(brokers: &[Broker]) -> NameServerHandle {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await.expect("a free port");
    for (name, address, topics) in brokers {
        let topics = topics.iter().map(|(topic, queues)| TopicConfig::new(*topic, *queues, Perm::READ_WRITE));
        server.register(registration("east", name, 0, address, topics.collect())).expect("it is taken");
    }
    server
}

/// Runs it to its end with those servers.
pub(crate) async fn nsctl(servers: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsctl"));
    command.env("NAMESRV_ADDR", servers.join(",")).args(arguments).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().expect("nsctl runs")).await.expect("no panic")
}

/// The exit code and the lines of stdout, with the servers' names for their addresses: ns1, ns2, …
pub(crate) async fn diff(servers: &[&str], arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = nsctl(servers, &[&["diff"], arguments].concat()).await;
    let mut text = String::from_utf8(output.stdout).expect("UTF-8");
    for (at, server) in servers.iter().enumerate() {
        text = text.replace(server, &format!("ns{}", at + 1));
    }
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The exit code and the one value on stdout.
pub(crate) async fn diff_json(servers: &[&str], arguments: &[&str]) -> (Option<i32>, Value) {
    let output = nsctl(servers, &[&["-o", "json", "diff"], arguments].concat()).await;
    let value = serde_json::from_slice(&output.stdout).expect("one JSON value on stdout");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), value)
}

/// An address at which nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").to_string()
}
