//! Servers that do not answer: nobody can say that they agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocketmq_nameserver_server::Fault;
use rocketmq_nameserver_testkit::scripted_peer::ScriptedPeer;
use serde_json::json;

use crate::twins::{A, B, diff, diff_json, nobody, nsctl, server};

#[tokio::test]
async fn who_does_not_answer_is_told_and_the_exit_code_says_so() {
    let (well, other) = (server(&[A, B]).await, server(&[A]).await);
    let faulty = server(&[A, B]).await;
    let broken = ScriptedPeer::start(|mut peer| async move {
        while let Some(request) = peer.request().await {
            peer.answer(request.header.opaque, "{").await;
        }
    })
    .await;
    let (well_at, other_at) = (well.address().to_string(), other.address().to_string());
    let (faulty_at, broken_at, down_at) =
        (faulty.address().to_string(), broken.address().to_string(), nobody());
    let all_missing = "did not tell its list of topics, its brokers, 2 routes";
    for (name, servers, fault, arguments, code, says) in [
        ("down", [&*well_at, &*down_at].as_slice(), None, [].as_slice(), 3, all_missing),
        ("down first", &[&*down_at, &*well_at], None, &["orders"], 3, "did not tell 1 route"),
        ("down, and the others agree", &[&*well_at, &*faulty_at, &*down_at], None, &[], 3, all_missing),
        ("down, and the others disagree", &[&*well_at, &*other_at, &*down_at], None, &[], 1, all_missing),
        (
            "down, and the others do not know the topic",
            &[&*well_at, &*down_at],
            None,
            &["nope"],
            3,
            "Not found at those that answered: nope",
        ),
        ("all down", &[&*down_at, &*nobody()], None, &["orders"], 3, "did not tell 1 route"),
        ("silent", &[&*well_at, &*faulty_at], Some(Fault::Silent), &[], 3, all_missing),
        ("not ready", &[&*well_at, &*faulty_at], Some(Fault::NotReady), &[], 3, "did not tell 2 routes"),
        ("refusing", &[&*well_at, &*faulty_at], Some(Fault::Refuse), &[], 3, all_missing),
        ("broken", &[&*well_at, &*broken_at], None, &[], 4, all_missing),
        ("broken and down", &[&*well_at, &*broken_at, &*down_at], None, &[], 4, all_missing),
        ("broken, and the others disagree", &[&*well_at, &*other_at, &*broken_at], None, &[], 1, all_missing),
    ] {
        faulty.server().clear_faults();
        fault.into_iter().for_each(|fault| faulty.server().set_fault(fault));
        // Who is silent costs this; the others have ample time.
        let limit = if fault == Some(Fault::Silent) { "2s" } else { "30s" };
        let options = ["--timeout", limit, "--pause", "1ms"];
        let (said, lines) = diff(servers, &[options.as_slice(), arguments].concat()).await;
        assert_eq!(said, Some(code), "{name}: {lines:#?}");
        assert!(lines.iter().any(|line| line.contains(says)), "{name}: {lines:#?}");
        assert!(lines[0].ends_with(", of which not all answered"), "{name}: {lines:#?}");
    }
    for server in [well, other, faulty] {
        server.shutdown().await;
    }
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for_again_and_again() {
    let (one, other) = (server(&[A]).await, server(&[A]).await);
    for (arguments, most) in [(Vec::new(), 0), ((0..2_500).map(|number| number.to_string()).collect(), 1_000)]
    {
        let routes = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&routes);
        let silent = ScriptedPeer::start(move |mut peer| {
            let asked = Arc::clone(&asked);
            async move {
                while let Some(request) = peer.request().await {
                    let topic = request.header.ext_fields.get("topic").is_some_and(|topic| !topic.is_empty());
                    asked.fetch_add(usize::from(topic), Ordering::Relaxed);
                }
            }
        })
        .await;
        let servers = [one.address(), silent.address(), other.address()].map(|address| address.to_string());
        let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
        let topics: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, value) = diff_json(&servers, &[&["--timeout", "2s"], topics.as_slice()].concat()).await;
        assert_eq!((code, value["failed"].as_array().map(Vec::len)), (Some(3), Some(1)), "{value:#}");
        let failed = &value["failed"][0];
        let expected = if topics.is_empty() { 2 } else { topics.len() };
        assert_eq!((&failed["server"], &failed["routes"]), (&json!(servers[1]), &json!(expected)));
        assert!(routes.load(Ordering::Relaxed) <= most, "asked {}", routes.load(Ordering::Relaxed));
    }
    for server in [one, other] {
        server.shutdown().await;
    }
}

#[tokio::test]
async fn json_has_the_error_of_each_server() {
    let (well, not_ready) = (server(&[A]).await, server(&[A]).await);
    not_ready.server().set_fault(Fault::NotReady);
    let (well_at, not_ready_at, down_at) =
        (well.address().to_string(), not_ready.address().to_string(), nobody());
    let (code, value) = diff_json(&[&not_ready_at, &well_at, &down_at], &[]).await;
    assert_eq!((code, &value["agree"]), (Some(3), &json!(false)));
    // In their order, although the last one was the first to fail.
    let [refused, failed] = value["failed"].as_array().expect("a list").as_slice() else {
        panic!("{value:#}")
    };
    assert_eq!(refused["server"], json!(not_ready_at));
    assert_eq!((&refused["topicList"], &refused["clusterInfo"]), (&json!(false), &json!(false)));
    assert_eq!((&refused["routes"], &refused["error"]["kind"]), (&json!(2), &json!("Response")));
    assert_eq!(failed["server"], json!(down_at));
    assert_eq!((&failed["topicList"], &failed["clusterInfo"]), (&json!(true), &json!(true)));
    assert_eq!((&failed["routes"], &failed["error"]["kind"]), (&json!(2), &json!("Connection")));
    well.shutdown().await;
    not_ready.shutdown().await;
}

#[tokio::test]
async fn a_single_server_cannot_be_compared() {
    for servers in [["127.0.0.1:9"].as_slice(), &["127.0.0.1:9", "127.0.0.1:9"]] {
        let output = nsctl(servers, &["diff", "orders"]).await;
        let says = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), [].as_slice()), "{says}");
        assert!(says.contains("nsctl -n ns1:9876,ns2:9876 diff"), "{says}");
    }
}
