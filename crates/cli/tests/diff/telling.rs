//! What differs is told, in words and as JSON.

use rocketmq_nameserver::TopicRouteData;
use rocketmq_nameserver::protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_server::{Fault, NameServerHandle};
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use serde_json::{Value, json};

use crate::twins::{A, B, Broker, diff, diff_json, server};

/// As `A`, but elsewhere and with other queues.
const MOVED: Broker = ("broker-a", "10.9.9.9:10911", &[("orders", 4), ("payments", 8)]);
/// As `B`, without the payments, so with one more topic.
const WITHOUT: Broker = ("broker-b", "10.0.0.2:10911", &[("orders", 4), ("refunds", 1)]);

fn addresses<const N: usize>(servers: &[NameServerHandle; N]) -> [String; N] {
    std::array::from_fn(|at| servers[at].address().to_string())
}

#[tokio::test]
async fn what_differs_between_servers_is_told_in_words() {
    /// Brokers of each server, a fault of the last one, arguments, the exit code and what is printed.
    type Case<'a> = (&'a str, &'a [&'a [Broker]], Option<Fault>, &'a [&'a str], i32, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            "all the same",
            &[&[A, B], &[B, A]],
            None,
            &[],
            0,
            &[
                "0 of 2 topics differ between 2 NameServers",
                "0 of 2 brokers differ",
                "0 topics not listed everywhere",
            ],
        ),
        (
            "one topic, the same",
            &[&[A, B], &[A, B]],
            None,
            &["orders"],
            0,
            &["0 of 1 topic differs between 2 NameServers"],
        ),
        (
            "a topic that nobody knows",
            &[&[A], &[A]],
            None,
            &["nope", "nope"],
            0,
            &["0 of 1 topic differs between 2 NameServers", "Not found at any of them: nope"],
        ),
        (
            "a route lacks its only broker",
            &[&[A], &[A]],
            Some(Fault::Disagree),
            &[],
            1,
            &[
                "2 of 2 topics differ between 2 NameServers",
                "0 of 1 broker differs",
                "0 topics not listed everywhere",
                "Topic orders, payments",
                "  ns2: topic not found; ns1 knows 1 broker",
            ],
        ),
        (
            "a route lacks a broker",
            &[&[A, B], &[A]],
            None,
            &["payments", "orders"],
            1,
            &[
                "2 of 2 topics differ between 2 NameServers",
                "Topic orders, payments",
                "  ns2: broker-b missing; 0=10.0.0.2:10911 at ns1",
            ],
        ),
        (
            "one server has not heard of a broker",
            &[&[A], &[A, B]],
            None,
            &[],
            1,
            &[
                "2 of 2 topics differ between 2 NameServers",
                "1 of 2 brokers differs",
                "0 topics not listed everywhere",
                "Topic orders, payments",
                "  ns2: broker-b with 0=10.0.0.2:10911; missing at ns1",
                "Broker broker-b",
                "  ns1: not known",
                "  ns2: 0=10.0.0.2:10911, cluster east, listed in east",
            ],
        ),
        (
            "a topic is listed at one server",
            &[&[B], &[B, WITHOUT]],
            None,
            &[],
            1,
            &[
                "1 of 3 topics differs between 2 NameServers",
                "0 of 1 broker differs",
                "1 topic not listed everywhere",
                "Topic refunds",
                "  ns2: topic with 1 broker; not found at ns1",
            ],
        ),
        (
            "two against one, another address and other queues",
            &[&[MOVED, B], &[A, B], &[A, B]],
            None,
            &["payments"],
            1,
            &[
                "1 of 1 topic differs between 3 NameServers",
                "Topic payments",
                "  ns1: addresses of broker-a: 0=10.9.9.9:10911; 0=10.0.0.1:10911 at ns2, ns3",
                "  ns1: queues of broker-a: 8 read, 8 write; 2 read, 2 write at ns2, ns3",
            ],
        ),
        (
            "a topic is missing",
            &[&[B], &[WITHOUT]],
            None,
            &["payments", "refunds", "orders"],
            1,
            &[
                "2 of 3 topics differ between 2 NameServers",
                "Topic payments",
                "  ns2: topic not found; ns1 knows 1 broker",
                "Topic refunds",
                "  ns2: topic with 1 broker; not found at ns1",
            ],
        ),
        (
            "one server knows nothing",
            &[&[A, B], &[A, B]],
            Some(Fault::Empty),
            &["orders"],
            1,
            &[
                "1 of 1 topic differs between 2 NameServers",
                "Topic orders",
                "  ns2: topic not found; ns1 knows 2 brokers",
            ],
        ),
    ];
    for (name, brokers, fault, arguments, code, expected) in cases {
        let mut servers = Vec::new();
        for brokers in *brokers {
            servers.push(server(brokers).await);
        }
        if let Some(fault) = fault {
            servers.last().expect("some").server().set_fault(*fault);
        }
        let addresses: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let arguments = [&["--pause", "1ms"], *arguments].concat();
        let (said, lines) = diff(&addresses, &arguments).await;
        let mut unordered = lines.clone();
        let mut wanted = expected.to_vec();
        unordered.sort();
        wanted.sort_unstable();
        assert_eq!(
            (said, unordered),
            (Some(*code), wanted.iter().map(ToString::to_string).collect()),
            "{name}: {lines:#?}"
        );
        assert_eq!(lines[0], expected[0], "{name}");
        for server in servers {
            server.shutdown().await;
        }
    }
}

#[tokio::test]
async fn json_has_everything_with_types() {
    let servers = [server(&[A]).await, server(&[MOVED, WITHOUT]).await];
    let [ns1, ns2] = addresses(&servers);
    let (code, value) = diff_json(&[&ns1, &ns2], &["--pause", "1ms"]).await;
    assert_eq!(code, Some(1));
    assert_eq!((&value["servers"], &value["agree"]), (&json!([ns1, ns2]), &json!(false)));
    assert_eq!((&value["topics"]["compared"], &value["brokers"]["compared"]), (&json!(3), &json!(2)));
    assert_eq!(value["lists"], json!([{"topic": "refunds", "listedAt": [ns2], "missingAt": [ns1]}]));
    assert_eq!(value["failed"], json!([]));

    let differ = value["topics"]["differ"].as_array().expect("a list");
    let payments = differ.iter().find(|topic| topic["topic"] == "payments").expect("it differs");
    let routes: Vec<TopicRouteData> = [0, 1]
        .map(|at| serde_json::from_value(payments["opinions"][at]["route"].clone()).expect("a route"))
        .to_vec();
    assert_eq!(routes[1].broker_data_list[0].broker_addresses.master().unwrap(), "10.9.9.9:10911");
    assert_eq!(payments["opinions"][0]["servers"], json!([ns1]));
    let difference = &payments["differences"][0];
    assert_eq!((&difference["servers"], &difference["than"]), (&json!([ns2]), &json!([ns1])));
    let changes = difference["changes"].as_array().expect("a list");
    let of_kind = |kind: &str| changes.iter().find(|change| change["kind"] == kind).expect("it is there");
    let addresses = of_kind("addressesChanged");
    assert_eq!(addresses["before"], json!({"0": "10.0.0.1:10911"}));
    assert_eq!(addresses["after"], json!({"0": "10.9.9.9:10911"}));
    assert_eq!(of_kind("queuesChanged")["after"], json!({"readQueueNums": 8, "writeQueueNums": 8}));
    let orders = differ.iter().find(|topic| topic["topic"] == "orders").expect("it differs");
    let changes = orders["differences"][0]["changes"].as_array().expect("a list");
    let added = changes.iter().find(|change| change["kind"] == "brokerAdded").expect("it is there");
    assert_eq!(added["after"]["brokerName"], "broker-b");

    let refunds = differ.iter().find(|topic| topic["topic"] == "refunds").expect("it differs");
    assert_eq!(refunds["opinions"][0]["route"], Value::Null);
    assert_eq!(refunds["differences"][0]["changes"], json!([{"kind": "topicFound"}]));

    let brokers = value["brokers"]["differ"].as_array().expect("a list");
    assert_eq!(
        brokers.iter().map(|broker| &broker["brokerName"]).collect::<Vec<_>>(),
        ["broker-a", "broker-b"]
    );
    assert_eq!(brokers[1]["opinions"][0], json!({"servers": [ns1], "broker": null, "listedIn": []}));
    assert_eq!(brokers[1]["opinions"][1]["broker"]["brokerAddrs"]["0"], "10.0.0.2:10911");
    for server in servers {
        server.shutdown().await;
    }
}

#[tokio::test]
async fn json_of_servers_that_agree_is_short() {
    let servers = [server(&[A]).await, server(&[A]).await];
    let [ns1, ns2] = addresses(&servers);
    let (code, value) = diff_json(&[&ns1, &ns2], &["orders", "nope"]).await;
    let expected = json!({
        "servers": [ns1, ns2],
        "agree": true,
        "topics": {"compared": 2, "differ": [], "unknown": ["nope"]},
        "lists": [],
        "brokers": {"compared": null, "differ": []},
        "failed": [],
    });
    assert_eq!((code, value), (Some(0), expected));
    for server in servers {
        server.shutdown().await;
    }
}

/// A server that lists topics and knows the route of none.
async fn listing(list: &'static str) -> ScriptedPeer {
    ScriptedPeer::start(move |mut peer| async move {
        while let Some(request) = peer.request().await {
            let opaque = request.header.opaque;
            match RequestCode(request.header.code) {
                RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => peer.answer(opaque, list).await,
                RequestCode::GET_BROKER_CLUSTER_INFO => peer.answer(opaque, "{}").await,
                _ => peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn lists_that_differ_although_routes_do_not_are_told_without_obeying_names() {
    let many = listing(
        r#"{"topicList":["00","01","02","03","04","05","06","07","08","\u001b[2J","10","11","12","x"]}"#,
    )
    .await;
    let few = listing(r#"{"topicList":["x"]}"#).await;
    let (ns1, ns2) = (many.address().to_string(), few.address().to_string());
    let (code, lines) = diff(&[&ns1, &ns2], &["--pause", "1ms"]).await;
    let expected = [
        "0 of 14 topics differ between 2 NameServers",
        "0 of 0 brokers differ",
        "13 topics not listed everywhere",
        r"Topic \u{1b}[2J, 00, 01, 02, 03, 04, 05, 06, 07, 08 and 3 more",
        "  listed at ns1, not at ns2; the routes are the same",
    ];
    assert_eq!((code, lines), (Some(1), expected.map(str::to_owned).to_vec()));
    let (_, value) = diff_json(&[&ns1, &ns2], &["--pause", "1ms"]).await;
    assert_eq!(value["lists"].as_array().map(Vec::len), Some(13));
}
