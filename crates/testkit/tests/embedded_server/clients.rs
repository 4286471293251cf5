//! Real clients find the brokers by the embedded server alone, and get back every message that they send.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::model::Perm;
use rocketmq_nameserver_testkit::interop::{GoClient, InteropError, Jars, Release, has_go, run_java};

use crate::site::{Server, Site, at_once, say};

const MESSAGES: u32 = 1_000;

/// The programs give up after a minute of waiting for a message; they take a few seconds.
const LIMIT: Duration = Duration::from_secs(150);

#[test]
fn java_clients_receive_every_message_that_they_sent() -> Result<(), InteropError> {
    let Some(site) = Site::start()? else { return Ok(()) };
    let pairs = site.servers.iter().flat_map(|server| Release::ALL.map(|release| (release, server)));
    let results = at_once(pairs, |(release, server)| {
        let jars = Jars::fetch(release)?;
        site.exchange(&format!("Java {release}"), server, |arguments| {
            run_java(&jars, "SendAndReceive.java", &arguments.each_ref().map(String::as_str), LIMIT)
        })
    });
    results.into_iter().collect()
}

#[test]
fn a_go_client_receives_every_message_that_it_sent() -> Result<(), InteropError> {
    if !has_go() {
        return Ok(());
    }
    let start = Instant::now();
    let client = GoClient::build()?;
    say(&format!("building the Go client took {:?}", start.elapsed()));
    let Some(site) = Site::start()? else { return Ok(()) };
    let results = at_once(&site.servers, |server| {
        site.exchange("Go", server, |arguments| client.run(&arguments.each_ref().map(String::as_str), LIMIT))
    });
    results.into_iter().collect()
}

impl Site {
    /// Has a client send messages to a topic of its own on both brokers, and compares what it sent with what it received.
    /// The program gets NameServer, topic and count.
    fn exchange(
        &self,
        client: &str,
        server: &Server,
        run: impl FnOnce([String; 3]) -> Result<String, InteropError>,
    ) -> Result<(), InteropError> {
        let topic = format!("{client} {:?}", server.personality).replace([' ', '.'], "-");
        for broker in &self.brokers {
            broker.create_topic(&topic, 4, 4, Perm::READ_WRITE)?;
        }
        let start = Instant::now();
        let printed = run([server.address().to_string(), topic, MESSAGES.to_string()])?;
        let (sent, received) = (per_broker(&printed, "sent"), per_broker(&printed, "received"));
        let context = format!("{client} with {:?}", server.personality);
        say(&format!("{context}: {sent:?} sent and received within {:?}", start.elapsed()));
        assert_eq!(sent.values().sum::<u32>(), MESSAGES, "{context}");
        assert_eq!(received, sent, "{context}");
        let brokers = self.brokers.iter().map(|broker| &*broker.options().broker_name);
        assert!(brokers.eq(sent.keys().copied()), "{context}: not every broker got some: {sent:?}");
        Ok(())
    }
}

/// The lines `WHAT BROKER COUNT` of what a program printed.
fn per_broker<'a>(printed: &'a str, what: &str) -> BTreeMap<&'a str, u32> {
    let counts = printed.lines().filter_map(|line| {
        let (broker, count) = line.strip_prefix(what)?.trim_start().split_once(' ')?;
        Some((broker, count.parse().ok()?))
    });
    counts.collect()
}
