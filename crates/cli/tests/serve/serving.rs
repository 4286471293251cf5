//! The ready line, the log, and where it cannot listen.

use std::time::Instant;

use rocketmq_nameserver::protocol::model::{DataVersion, RegisterBrokerBody};
use rocketmq_nameserver::protocol::request::RegisterBroker;
use rocketmq_nameserver::{AsyncNameServerClient, BrokerClusterInfo, DEFAULT_TIMEOUT};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{Serving, nsctl, stderr, stdout};

#[test]
fn the_ready_line_says_what_listens_where() {
    for (arguments, release) in [(vec![], "5.3.3"), (vec!["--personality", "4"], "4.9.7")] {
        let server = Serving::start(&arguments);
        assert_eq!(server.ready, format!("NameServer {release} listens on {}\n", server.address()));
        let info: BrokerClusterInfo =
            serde_json::from_str(&server.ask(&["cluster", "-o", "json"])).expect("JSON");
        assert_eq!(info, BrokerClusterInfo::default());
    }
}

#[test]
fn the_ready_line_is_json_where_that_is_wanted() {
    for (arguments, personality) in [(vec![], 5), (vec!["--personality", "4"], 4)] {
        let server = Serving::start(&[&["-o", "json"], arguments.as_slice()].concat());
        let ready: Value = serde_json::from_str(&server.ready).expect("JSON");
        let address = ready["address"].as_str().expect("a text");
        assert_eq!(ready, json!({"address": address, "personality": personality}));
        assert!(nsctl(&["-n", address, "cluster"]).status.success());
    }
}

#[test]
fn where_it_cannot_listen_it_says_what_to_do() {
    let server = Serving::start(&[]);
    for (listen, code, says) in [
        (server.address(), 3, "--listen"),
        // RFC 5737: nobody has it.
        ("192.0.2.1:19878", 3, "--listen 0.0.0.0:19878 "),
        ("9876", 2, "9876 is read as a host; write 127.0.0.1:9876"),
        ("127.0.0.1:99999", 2, "a port is 0 to 65535"),
        ("a:b:c", 2, "HOST:PORT"),
        ("127.0.0.1:65536", 2, "a port is 0 to 65535"),
        ("127.0.0.1:1:0", 2, "HOST:PORT"),
        ("[::1]:x", 2, "a port is 0 to 65535"),
        ("", 2, "HOST:PORT"),
    ] {
        let output = nsctl(&["serve", "--listen", listen]);
        assert_eq!(output.status.code(), Some(code), "{listen}: {}", stderr(&output));
        assert!(stderr(&output).contains(listen) && stderr(&output).contains(says), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
        let json = nsctl(&["serve", "--listen", listen, "-o", "json"]);
        let error: Value = serde_json::from_str(&stderr(&json)).expect("JSON");
        let kind = if code == 2 { "Usage" } else { "System" };
        assert_eq!((json.status.code(), &error["error"]["kind"]), (Some(code), &json!(kind)), "{error}");
    }
}

#[test]
fn names_and_ipv6_addresses_are_places_to_listen_at() {
    let localhost = Serving::start(&["--listen", "localhost:0"]);
    assert!(localhost.ask(&["cluster"]).starts_with("0 clusters"));
    // Not every machine has IPv6. One that has not says so.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let v6 = Serving::start(&["--listen", "[::1]:0"]);
        assert!(v6.address().starts_with("[::1]:"), "{}", v6.ready);
        assert!(v6.ask(&["cluster"]).starts_with("0 clusters"));
    }
}

#[tokio::test]
async fn the_log_says_who_comes_and_goes_if_it_is_asked_to() {
    for (arguments, logged) in [(vec![], false), (vec!["-v"], true)] {
        let server = Serving::start(&arguments);
        let broker = AsyncNameServerClient::builder()
            .servers(server.address())
            .timeout(DEFAULT_TIMEOUT)
            .build()
            .expect("a good address");
        let body = RegisterBrokerBody::new(DataVersion::default(), []);
        let registration = RegisterBroker::new("c", "broker-a", 0, "10.0.0.1:10911", body);
        broker.request(&registration).await.expect("it registers");
        broker.close().await;
        let start = Instant::now();
        while server.ask(&["cluster"]).contains("broker-a") {
            assert!(start.elapsed() < DEFAULT_TIMEOUT, "the broker is still there");
        }
        server.signal(Signal::TERM);
        let (_, _, log) = server.wait();
        for event in ["broker registered", "broker lost"] {
            assert_eq!(log.contains(event), logged, "{event} in {log:?}");
        }
    }
}

#[test]
fn options_of_the_wrong_form_are_wrong_use() {
    for (arguments, says) in [
        (vec!["--personality", "3"], "[possible values: 4, 5]"),
        (vec!["--set", "orderMessageEnable"], "KEY=VALUE"),
        (vec!["--set", "=true"], "KEY=VALUE"),
        (vec!["--set", "listenPort=9877"], "use --listen"),
        (vec!["--from", "there/is/none.json"], "there/is/none.json"),
        (vec!["--from", env!("CARGO_MANIFEST_DIR")], "cannot read"),
    ] {
        let output = nsctl(&[&["serve"], arguments.as_slice()].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn help_has_examples_and_completion_knows_the_options() {
    let help = stdout(&nsctl(&["serve", "--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "Examples:",
        "--from",
        "--kv-file",
        "missing folders are made",
        "--set",
        "a broker with exactly one topic is fine here",
        "brokerAddrs",
        "Options of all commands",
        "a topology file, or - for stdin. With --kv-file its KV entries take the place of stored ones, at each start",
    ] {
        assert!(help.contains(expected), "{expected} in {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&nsctl(&["completion", shell])).contains("kv-file"), "{shell}");
    }
}
