//! nsctl as its users meet it: the program itself, its output and its exit codes, on an embedded NameServer.

use std::process::{Command, Output, Stdio};

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{BrokerClusterInfo, Perm, TopicRouteData};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::{HandMadeBroker, Target, registration};
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use serde_json::Value;

async fn nsctl(arguments: &[&str]) -> Output {
    nsctl_with_env(arguments, &[]).await
}

async fn nsctl_with_env(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsctl"));
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("NAMESRV_ADDR").env_remove("NSCTL_REWRITE").envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().expect("nsctl runs")).await.expect("no panic")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn error_json(output: &Output) -> Value {
    let value: Value = serde_json::from_str(&stderr(output)).expect("one JSON value on stderr");
    value["error"].clone()
}

async fn server_with_a_broker() -> (NameServerHandle, HandMadeBroker) {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await.expect("a free port");
    let target = Target { address: server.address(), restart: Box::new(|| Box::pin(async {})) };
    let topics =
        vec![TopicConfig::new("orders", 4, Perm::READ_WRITE), TopicConfig::new("主题", 2, Perm::READ_ONLY)];
    let said = registration("east", "broker-a", 0, "10.0.0.1:10911", topics);
    let broker = HandMadeBroker::register(&target, said).await.expect("the broker registers");
    (server, broker)
}

#[tokio::test]
async fn a_route_is_printed_as_a_table_and_as_json() {
    let (server, _broker) = server_with_a_broker().await;
    let address = server.address().to_string();
    let table = nsctl(&["-n", &address, "route", "orders"]).await;
    assert!(table.status.success(), "{}", stderr(&table));
    let expected = "Topic orders: 1 broker, 4 read queues, 4 write queues\n\
                    CLUSTER  BROKER    PERM  READ  WRITE  ADDRESSES\n\
                    east     broker-a  RW-   4     4      0=10.0.0.1:10911\n";
    assert_eq!(stdout(&table), expected);

    let json = nsctl(&["route", "主题", "-o", "json", "--namesrv", &address]).await;
    let route: TopicRouteData =
        serde_json::from_str(&stdout(&json)).expect("valid JSON with the names of the wire");
    assert_eq!(route.queue_data_list[0].perm, Perm::READ_ONLY);
    let value: Value = serde_json::from_str(&stdout(&json)).expect("valid JSON");
    assert_eq!(value["brokerDatas"][0]["brokerAddrs"]["0"], "10.0.0.1:10911");
    assert_eq!(value["queueDatas"][0]["readQueueNums"], 2);
}

#[tokio::test]
async fn clusters_are_printed_as_a_table_and_as_json() {
    let (server, _broker) = server_with_a_broker().await;
    let address = server.address().to_string();
    let table = nsctl_with_env(&["cluster"], &[("NAMESRV_ADDR", &address)]).await;
    let expected = "1 cluster, 1 broker\n\
                    CLUSTER  BROKER    ID  ROLE    ADDRESS\n\
                    east     broker-a  0   master  10.0.0.1:10911\n";
    assert_eq!(stdout(&table), expected);
    let json = nsctl(&["-o", "json", "-n", &address, "cluster"]).await;
    let info: BrokerClusterInfo = serde_json::from_str(&stdout(&json)).expect("valid JSON");
    assert_eq!(info.cluster_addr_table["east"], ["broker-a"]);
}

#[tokio::test]
async fn rewritten_addresses_are_shown_with_what_was_advertised() {
    let (server, _broker) = server_with_a_broker().await;
    let address = server.address().to_string();
    let rules = "10.9.0.0/16=nobody; 10.0.0.1=localhost:20911";
    let used = "localhost:20911 (10.0.0.1:10911)";
    for command in [vec!["route", "orders"], vec!["cluster"]] {
        let base = ["-n", &address, "--rewrite", rules];
        let table = nsctl(&[&base, command.as_slice()].concat()).await;
        assert!(stdout(&table).contains(used), "{}{}", stdout(&table), stderr(&table));
        let variables = [("NAMESRV_ADDR", address.as_str()), ("NSCTL_REWRITE", rules)];
        let json = nsctl_with_env(&[&["-o", "json"], command.as_slice()].concat(), &variables).await;
        let plain = nsctl_with_env(&[&["-o", "json"], command.as_slice()].concat(), &variables[..1]).await;
        let broker = |output: &Output| -> Value {
            let value: Value = serde_json::from_str(&stdout(output)).expect("valid JSON");
            let place = if command[0] == "route" { "/brokerDatas/0" } else { "/brokerAddrTable/broker-a" };
            value.pointer(place).expect("the broker").clone()
        };
        let (rewritten, plain) = (broker(&json), broker(&plain));
        assert_eq!(rewritten["brokerAddrs"]["0"], "localhost:20911");
        assert_eq!(rewritten["advertisedAddrs"], plain["brokerAddrs"]);
        assert_eq!(plain["brokerAddrs"]["0"], "10.0.0.1:10911");
        assert_eq!(plain.get("advertisedAddrs"), None);
    }
    for (rules, says) in [("10.0.0.1", "FROM=TO"), ("10.0.0.0/33=h", "10.0.0.0/33"), ("h=h:0", "65535")] {
        let wrong = nsctl(&["-n", &address, "--rewrite", rules, "cluster"]).await;
        assert_eq!(wrong.status.code(), Some(2), "{rules}");
        assert!(stderr(&wrong).contains(says), "{}", stderr(&wrong));
    }
}

#[tokio::test]
async fn a_topic_without_a_name_is_wrong_use() {
    // As a script has it whose variable is not set. To look for it would be answered.
    for command in ["route", "diff"] {
        let wrong = nsctl(&["-n", "ns-1,ns-2", command, ""]).await;
        assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
        assert!(stderr(&wrong).contains("TOPIC") && wrong.stdout.is_empty(), "{}", stderr(&wrong));
    }
}

#[tokio::test]
async fn exit_codes_tell_the_kinds_of_failure_apart() {
    let (server, _broker) = server_with_a_broker().await;
    let there = server.address().to_string();
    let broken = ScriptedPeer::start(|mut peer| async move {
        while let Some((opaque, _)) = peer.topic().await {
            peer.answer(opaque, "{").await;
        }
    })
    .await;
    let silent = ScriptedPeer::start(|mut peer| async move { peer.swallow().await }).await;
    let (broken, silent) = (broken.address().to_string(), silent.address().to_string());
    let refused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("bound").to_string()
    };
    for (arguments, code, kind, says) in [
        (vec!["-n", &there, "route", "nope"], 1, "Response", "nope"),
        (vec!["-n", &refused, "route", "orders"], 3, "Connection", refused.as_str()),
        (vec!["-n", &silent, "--timeout", "200ms", "cluster"], 3, "Timeout", "deadline"),
        (vec!["-n", &broken, "cluster"], 4, "DataParse", "byte 1"),
        (vec!["-n", "a:b:c", "cluster"], 2, "Usage", "a:b:c"),
        (vec!["-n", "", "cluster"], 2, "Usage", "nsctl demo"),
        (vec!["route", "orders"], 2, "Usage", "NAMESRV_ADDR"),
    ] {
        let plain = nsctl(&arguments).await;
        assert_eq!(plain.status.code(), Some(code), "{arguments:?}: {}", stderr(&plain));
        assert!(stderr(&plain).starts_with("nsctl: ") && stderr(&plain).contains(says), "{}", stderr(&plain));
        assert!(plain.stdout.is_empty());
        let json = nsctl(&[&["-o", "json"], arguments.as_slice()].concat()).await;
        assert_eq!(json.status.code(), Some(code));
        let error = error_json(&json);
        assert_eq!(error["kind"], kind, "{error}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(says)), "{error}");
    }
    for servers in [there.clone(), format!("{there},{refused}")] {
        let plain = stderr(&nsctl(&["-n", &servers, "route", "主题\nnope"]).await);
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!(lines[0], "nsctl: topic 主题\\nnope: not found");
        assert_eq!(lines.len() - 2, servers.split(',').count(), "a line for each attempt: {plain}");
        assert!(lines.iter().any(|line| line.starts_with(&format!("  {there} ["))), "{plain}");
        assert!(lines.last().is_some_and(|line| line.starts_with("Check the spelling")), "{plain}");
    }
    let not_found = error_json(&nsctl(&["-o", "json", "-n", &there, "route", "nope"]).await);
    assert_eq!(not_found["code"], ResponseCode::TOPIC_NOT_EXIST.0);
    assert_eq!(not_found["attempts"][0]["server"], there);
    for arguments in [vec!["frobnicate"], vec!["route"], vec!["--timeout", "x", "cluster"]] {
        assert_eq!(nsctl(&arguments).await.status.code(), Some(2), "{arguments:?}");
        let json = nsctl(&[&["-o", "json"], arguments.as_slice()].concat()).await;
        assert_eq!((json.status.code(), &error_json(&json)["kind"]), (Some(2), &Value::from("Usage")));
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_says_how_large_it_is_and_how_large_it_may_be() {
    // The length word of a frame of 16 MiB and 5 bytes. The rest need not come.
    let large = ScriptedPeer::start(|mut peer| async move {
        peer.request().await;
        peer.send(&[1, 0, 0, 1]).await;
        peer.swallow().await;
    })
    .await;
    let there = large.address().to_string();
    let output = nsctl(&["-n", &there, "cluster"]).await;
    assert_eq!(output.status.code(), Some(4));
    for part in ["16777221 bytes", "limit of 16777216", "max_frame_size"] {
        assert!(stderr(&output).contains(part), "{part} in {}", stderr(&output));
    }
    let raised =
        nsctl(&["-n", &there, "cluster", "--max-frame-size", "20000000", "--timeout", "300ms"]).await;
    assert_eq!(raised.status.code(), Some(3), "it waits for the rest: {}", stderr(&raised));
}

#[tokio::test]
async fn the_demo_tells_its_story_and_what_changed() {
    let demo = nsctl(&["demo"]).await;
    assert!(demo.status.success(), "{}", stderr(&demo));
    for expected in [
        "└─ 10.0.0.2:10911  slave (id 1)",
        "west\n└─ broker-c",
        "east     broker-a  RW-   4     4      0=10.0.0.1:10911 1=10.0.0.2:10911",
        "A producer sends to   broker-a 0-3, broker-b 0-3 (8 queues)",
        "A producer sends to   nothing: no queue allows it",
        "A consumer reads from broker-a 0-1, broker-b 0-1 (4 queues)",
        "- broker-a has lost 10.0.0.1:10911 (id 0)",
        "- producers have lost broker-a 0-3 (4 queues)",
        "- consumers have lost nothing: the slave serves them",
    ] {
        assert!(stdout(&demo).contains(expected), "{expected:?} is missing in:\n{}", stdout(&demo));
    }
}

#[tokio::test]
async fn help_and_completion_are_there() {
    let help = nsctl(&["--help"]).await;
    for expected in ["route", "cluster", "diff", "demo", "NAMESRV_ADDR", "Exit codes", "Examples"] {
        assert!(stdout(&help).contains(expected), "{expected}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = nsctl(&["completion", shell]).await;
        assert!(script.status.success() && stdout(&script).contains("nsctl"), "{shell}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nsctl"))
        .arg("demo")
        .stdout(Stdio::piped())
        .spawn()
        .expect("nsctl runs");
    drop(child.stdout.take());
    let status =
        tokio::task::spawn_blocking(move || child.wait().expect("nsctl ends")).await.expect("no panic");
    assert!(status.success());
}
