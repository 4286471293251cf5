//! Servers that do not answer, or say what cannot be recorded.

use rocketmq_nameserver::protocol::model::{DataVersion, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver::protocol::request::RegisterBroker;
use rocketmq_nameserver::{Name, Perm, create_sync_client};

use crate::process::{Scratch, Serving, nsctl, stderr, stdout};

const FILE: &str =
    r#"{"clusters": {"c": {"brokers": {"a": {"brokerAddrs": {"0": "h:1"}, "topics": {"T": {}}}}}}}"#;

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").to_string()
}

#[test]
fn the_first_server_that_answers_is_recorded_and_named() {
    let file = Scratch::new("first.json", FILE);
    let (server, other) = (Serving::start(&["--from", file.path()]), Serving::start(&[]));
    let dead = nobody();
    let servers = format!("{dead},{},{}", server.address(), other.address());
    let recorded = nsctl(&["-n", &servers, "record"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
    let said = stderr(&recorded);
    assert!(
        said.contains(&format!("recorded 1 broker, 1 topic and 0 KV entries of {}", server.address())),
        "{said}"
    );
    assert!(stdout(&recorded).contains("\"T\""));
}

#[test]
fn where_no_server_answers_nothing_is_written() {
    let (dead, dead_too) = (nobody(), nobody());
    let recorded = nsctl(&["-n", &format!("{dead},{dead_too}"), "record"]);
    assert_eq!((recorded.status.code(), recorded.stdout.len()), (Some(3), 0));
    for server in [dead, dead_too] {
        assert!(stderr(&recorded).contains(&server), "{}", stderr(&recorded));
    }
    let none = nsctl(&["record"]);
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
}

#[test]
fn what_cannot_be_recorded_is_named_and_the_rest_is_written() {
    let file = Scratch::new("partly.json", FILE);
    let server = Serving::start(&["--from", file.path()]);
    let port = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let client =
        create_sync_client("127.0.0.1", port, std::time::Duration::from_secs(60)).expect("an address");
    let topics = [TopicConfig::new("odd", 4, Perm(64)), TopicConfig::new("even", 4, Perm::READ_WRITE)];
    let body = RegisterBrokerBody::new(DataVersion::default().next(), topics);
    let broker = RegisterBroker::new("c", "b", 0, Name::from("h:2"), body);
    client.request(&broker).expect("it is taken");
    let recorded = nsctl(&["-n", server.address(), "record"]);
    assert_eq!(recorded.status.code(), Some(1));
    let said = stderr(&recorded);
    assert!(said.starts_with("nsctl: recorded 2 brokers, 2 topics"), "{said}");
    assert!(said.contains("\n  topic odd, broker b: "), "{said}");
    let copy = Scratch::new("partly-recorded.json", stdout(&recorded));
    let served = Serving::start(&["--from", copy.path()]);
    assert!(served.ask(&["route", "even"]).contains("h:2"));
}
