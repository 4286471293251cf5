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
    let recorded = nsctl(&["-n", "127.0.0.1:1,127.0.0.1:2", "-o", "json", "record"]);
    let error: serde_json::Value = serde_json::from_slice(&recorded.stderr).expect("one value");
    let asked: Vec<_> = error["error"]["attempts"].as_array().expect("attempts").iter().collect();
    let asked: Vec<_> = asked.iter().map(|attempt| attempt["server"].as_str()).collect();
    assert_eq!(asked, [Some("127.0.0.1:1"), Some("127.0.0.1:2")]);
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

#[test]
fn a_server_that_is_not_ready_does_not_replace_what_was_recorded() {
    let file = Scratch::new("not-ready.json", FILE);
    let server = Serving::start(&["--from", file.path(), "--fault", "not-ready"]);
    let recorded = Scratch::new("not-ready-recorded.json", "old");
    let output = nsctl(&["-n", server.address(), "record", "--out", recorded.path()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(recorded.path()).expect("it is there"), "old");
}

#[test]
fn terminals_obey_no_name() {
    let broker = "a\\u001b[2J\\u009b";
    let file = Scratch::new("names.json", FILE.replace("\"a\"", &format!("\"{broker}\"")));
    let server = Serving::start(&["--from", file.path()]);
    let port = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let client =
        create_sync_client("127.0.0.1", port, std::time::Duration::from_secs(60)).expect("an address");
    let topics = ["odd\u{1b}", "even"].map(|topic| TopicConfig::new(topic, 4, Perm(64)));
    let body = RegisterBrokerBody::new(DataVersion::default().next(), topics);
    client.request(&RegisterBroker::new("c", "b", 0, Name::from("h:2"), body)).expect("it is taken");
    for command in [&["record"][..], &["route", "T"], &["cluster"], &["route", "no\u{1b}"]] {
        let output = nsctl(&[&["-n", server.address()], command].concat());
        // The topology file is JSON, and for programs.
        let printed = if command == ["record"] { String::new() } else { stdout(&output) } + &stderr(&output);
        assert!(printed.contains("\\u{1b}"), "{printed:?}");
        assert!(!printed.contains(|letter: char| letter.is_control() && letter != '\n'), "{printed:?}");
    }
}
