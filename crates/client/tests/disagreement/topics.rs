//! The list of all topics at every server.

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{AllTopics, AsyncNameServerClient, Name, Perm};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::registration;

use crate::world::Server::{self, Down, NotReady, Says, Silent};
use crate::world::{all_short, client, failures};

/// `topic: where it is listed / where not`.
fn differences(topics: &AllTopics) -> String {
    let shown = topics.differences().into_iter().map(|difference| {
        let (listed, missing) = (all_short(&difference.listed_at), all_short(&difference.missing_at));
        format!("{}: {listed} / {missing}", difference.topic)
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[tokio::test(start_paused = true)]
async fn lists_are_compared_as_sets() {
    let (ab, ba, b, none) = (
        Says(r#"{"topicList":["a","b"]}"#),
        Says(r#"{"topicList":["b","a","b"]}"#),
        Says(r#"{"topicList":["b"]}"#),
        Says(r#"{"topicList":[]}"#),
    );
    let cases: &[(&[Server], &str, &str, &str)] = &[
        // Servers, all topics, differences, failures.
        (&[ab, ba], "a b", "", ""),
        (&[none, none], "", "", ""),
        (&[ab, b], "a b", "a: ns-0 / ns-1", ""),
        (&[b, ab, none], "a b", "a: ns-1 / ns-0+ns-2 | b: ns-0+ns-1 / ns-2", ""),
        (&[ba, none], "a b", "a: ns-0 / ns-1 | b: ns-0 / ns-1", ""),
        (&[ab, Down], "a b", "", "ns-1 Connection"),
        (&[Silent, ab, b], "a b", "a: ns-1 / ns-2", "ns-0 Timeout"),
        (&[NotReady, Says("[")], "", "", "ns-0 Response, ns-1 DataParse"),
    ];
    for (servers, all, expected, failed) in cases {
        let (client, _) = client(servers);
        let topics = client.query_all_topics().await;
        assert_eq!(topics.topics().join(" "), *all, "{servers:?}");
        assert!(topics.answers().succeeded().all(|(_, list)| list.topic_list.is_sorted()), "{servers:?}");
        assert_eq!(differences(&topics), *expected, "{servers:?}");
        assert_eq!(failures(topics.failed()), *failed, "{servers:?}");
    }
}

async fn start(settings: &[&str]) -> NameServerHandle {
    let builder = NameServer::builder().listen("127.0.0.1:0");
    let builder = settings.iter().fold(builder, |builder, key| builder.setting(*key, "false"));
    let server = builder.start().await.unwrap();
    for (cluster, broker, topics) in [("C", "a", ["x", "y"]), ("D", "b", ["y", "z"])] {
        let topics = topics.map(|topic| TopicConfig::new(topic, 1, Perm::READ_WRITE)).to_vec();
        server.register(registration(cluster, broker, 0, "10.0.0.1:10911", topics)).unwrap();
    }
    server
}

#[tokio::test]
async fn a_server_whose_list_is_switched_off_is_asked_for_its_clusters() {
    let plain = start(&[]).await;
    let without_all = start(&["enableAllTopicList"]).await;
    let without_any = start(&["enableAllTopicList", "enableTopicList"]).await;
    let servers = [&plain, &without_all, &without_any].map(|server| server.address().to_string());
    let client = AsyncNameServerClient::builder().servers(servers.join(";")).build().unwrap();
    let topics = client.query_all_topics().await;
    let lists: Vec<&[Name]> = topics.answers().succeeded().map(|(_, list)| &*list.topic_list).collect();
    let has = |list: &[Name]| ["x", "y", "z"].iter().all(|topic| list.contains(&Name::from(*topic)));
    assert!(lists.len() == 2 && lists.iter().all(|list| has(list)), "{lists:?}");
    assert!(topics.topics().is_sorted());
    let failed: Vec<_> = topics.failed().collect();
    let [(server, error)] = failed.as_slice() else { panic!("{failed:?}") };
    assert_eq!((server.as_str(), error.remark()), (servers[2].as_str(), Some("disable")));
    for server in [plain, without_all, without_any] {
        server.shutdown().await;
    }
}
