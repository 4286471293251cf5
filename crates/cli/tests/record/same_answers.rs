//! Record, serve, record again: the same file, and each answer the same.

use std::collections::BTreeMap;

use rocketmq_nameserver::{
    BrokerClusterInfo, Name, SyncNameServerClient, TopicQueueMappingInfo, TopicRouteData, create_sync_client,
};

use crate::process::{Scratch, ScratchFolder, Serving, nsctl, stderr, stdout};

const EXAMPLE: &str = include_str!("../../topology.example.json");

/// Everything that a topology file can say, and routes that settings change.
const ALL: &str = r#"{
  "clusters": {
    "east": {
      "topics": {"orders": {"readQueueNums": 3}, "payments": {"perm": "R", "topicSysFlag": 2}},
      "brokers": {
        "a": {
          "brokerAddrs": {"0": "10.0.0.1:10911", "1": "10.0.0.2:10911"},
          "filterServerTable": {"10.0.0.1:10911": ["f:1", "f:2"], "10.0.0.2:10911": ["f:3"]},
          "topics": {"static": {"topicQueueMappingInfo": {"currIdMap": {"0": 0, "1": 4}, "epoch": 7, "totalQueues": 3}}}
        },
        "b": {
          "brokerAddrs": {"0": "10.0.0.3:10911"},
          "topics": {"orders": {"perm": 13}, "static": {"topicQueueMappingInfo": {"currIdMap": {"2": 0}, "totalQueues": 3}}}
        },
        "without-master": {"brokerAddrs": {"3": "10.0.0.4:10911", "2": "10.0.0.5:10911"}, "enableActingMaster": true}
      }
    },
    "主题": {"brokers": {"c": {"brokerAddrs": {"-1": "[::1]:1"}, "zoneName": "z"}}}
  },
  "kv": {"ORDER_TOPIC_CONFIG": {"orders": "a:3;b:3", "no such topic": "a:1"}},
  "settings": {"orderMessageEnable": "true", "supportActingMaster": "true"}
}"#;

/// Without the setting that a 4.x server does not have.
fn for_release(personality: &str, text: &str) -> String {
    let only_5 = if personality == "4" { r#", "supportActingMaster": "true""# } else { "no such text" };
    text.replace(only_5, "")
}

fn client(server: &Serving) -> SyncNameServerClient {
    let port = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    create_sync_client("127.0.0.1", port, std::time::Duration::from_secs(60)).expect("a good address")
}

/// All that clients are told.
fn told(server: &Serving) -> (BrokerClusterInfo, BTreeMap<Name, TopicRouteData>, BTreeMap<Name, Name>) {
    let client = client(server);
    let topics = client.get_all_topic_list().expect("it answers").topic_list;
    let route = |topic: &Name| {
        let mut route = (*client.query_topic_route_info(topic).expect("it is there")).clone();
        // Servers list them in any order.
        route.queue_data_list.sort();
        route.broker_data_list.sort();
        route
    };
    let routes = topics.iter().map(|topic| (topic.clone(), route(topic))).collect();
    let order = client.get_kv_list_by_namespace("ORDER_TOPIC_CONFIG").map(|table| table.table);
    (client.get_broker_cluster_info().expect("it answers"), routes, order.unwrap_or_default())
}

#[test]
fn what_is_recorded_is_served_again_with_the_same_answers_and_recorded_the_same() {
    for (text, personality, topics, summary) in [
        (EXAMPLE, "5", 3, "3 brokers, 3 topics and 1 KV entry"),
        (EXAMPLE, "4", 3, "3 brokers, 3 topics and 1 KV entry"),
        (ALL, "4", 3, "4 brokers, 3 topics and 2 KV entries"),
        (ALL, "5", 3, "4 brokers, 3 topics and 2 KV entries"),
        ("{}", "5", 0, "0 brokers, 0 topics and 0 KV entries"),
    ] {
        let file = Scratch::new("recorded-from.json", for_release(personality, text));
        let server = Serving::start(&["--from", file.path(), "--personality", personality]);
        let recorded = nsctl(&["-n", server.address(), "record"]);
        assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
        let said = stderr(&recorded);
        assert!(said.starts_with(&format!("recorded {summary} of {} to stdout", server.address())), "{said}");
        assert_eq!(said.contains("--personality 4"), personality == "4", "{said}");

        let copy = Scratch::new("recorded.json", stdout(&recorded));
        let served = Serving::start(&["--from", copy.path(), "--personality", personality]);
        let (before, after) = (told(&server), told(&served));
        assert_eq!(before, after, "{personality}: {}", stdout(&recorded));
        assert_eq!(before.1.len(), topics);
        let again = nsctl(&["-n", served.address(), "record", "--out", "-"]);
        assert_eq!(stdout(&again), stdout(&recorded));
    }
}

#[test]
fn static_topics_acting_masters_and_orders_are_among_the_answers() {
    let file = Scratch::new("recorded-all.json", ALL);
    let server = Serving::start(&["--from", file.path()]);
    let (_, routes, _) = told(&server);
    let of_a = &routes["static"].topic_queue_mapping_by_broker["a"];
    let expected = TopicQueueMappingInfo {
        bname: Some("a".into()),
        topic: Some("static".into()),
        curr_id_map: [(0, 0), (1, 4)].into(),
        epoch: 7,
        total_queues: 3,
        ..TopicQueueMappingInfo::default()
    };
    assert_eq!(*of_a, expected);
    assert_eq!(routes["orders"].order_topic_conf, "a:3;b:3");
    let acting = routes["payments"].broker("without-master").expect("it has the topic");
    assert_eq!(acting.broker_addresses.master().map(Name::as_str), Some("10.0.0.5:10911"));
    assert_eq!(routes["orders"].filter_server_table["10.0.0.2:10911"], ["f:3"]);
}

#[test]
fn a_broker_without_a_master_has_its_topics_on_both_personalities() {
    for (personality, ids) in [("4", [2, 3]), ("5", [0, 3])] {
        let file = Scratch::new("recorded-slaves.json", for_release(personality, ALL));
        let server = Serving::start(&["--from", file.path(), "--personality", personality]);
        let (_, routes, _) = told(&server);
        let group = routes["payments"].broker("without-master").expect("it has the topic");
        let shown: Vec<i64> = group.broker_addresses.iter().map(|(id, _)| id).collect();
        assert_eq!(shown, ids, "{personality}");
    }
}

#[test]
fn a_file_is_replaced_in_one_step_and_nothing_else_is_left_beside_it() {
    let file = Scratch::new("recorded-of.json", EXAMPLE);
    let server = Serving::start(&["--from", file.path()]);
    let folder = ScratchFolder::new("recorded");
    std::fs::create_dir_all(&folder.0).expect("the target folder is writable");
    let out = folder.0.join("cluster.json");
    std::fs::write(&out, "old").expect("it is writable");
    let recorded = nsctl(&["-n", server.address(), "record", "--out", out.to_str().expect("UTF-8")]);
    assert!(recorded.status.success() && recorded.stdout.is_empty(), "{}", stderr(&recorded));
    assert!(stderr(&recorded).trim_end().ends_with("cluster.json"), "{}", stderr(&recorded));
    let to_stdout = nsctl(&["-n", server.address(), "record"]);
    assert_eq!(std::fs::read_to_string(&out).expect("it is there"), stdout(&to_stdout));
    assert_eq!(std::fs::read_dir(&folder.0).expect("it is there").count(), 1);
    let nowhere = folder.0.join("no-such-folder").join("cluster.json");
    let failed = nsctl(&["-n", server.address(), "record", "--out", nowhere.to_str().expect("UTF-8")]);
    assert_eq!(failed.status.code(), Some(2));
    assert!(stderr(&failed).contains("no-such-folder"), "{}", stderr(&failed));
}

#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let file = Scratch::new("linked-of.json", EXAMPLE);
    let server = Serving::start(&["--from", file.path()]);
    let folder = ScratchFolder::new("linked");
    std::fs::create_dir_all(&folder.0).expect("the target folder is writable");
    let (link, target) = (folder.0.join("link.json"), folder.0.join("target.json"));
    std::fs::write(&target, "old").expect("it is writable");
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o600)).expect("it is ours");
    symlink("target.json", &link).expect("it is writable");
    let recorded = nsctl(&["-n", server.address(), "record", "--out", link.to_str().expect("UTF-8")]);
    assert!(recorded.status.success(), "{}", stderr(&recorded));
    assert!(std::fs::symlink_metadata(&link).expect("it is there").is_symlink());
    let mode = std::fs::metadata(&target).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(std::fs::read_to_string(&target).expect("it is there").starts_with('{'));
}

#[test]
fn a_pipe_is_written_to_and_stays() {
    use std::os::unix::fs::FileTypeExt;

    let file = Scratch::new("piped-of.json", EXAMPLE);
    let server = Serving::start(&["--from", file.path()]);
    let folder = ScratchFolder::new("piped");
    std::fs::create_dir_all(&folder.0).expect("the target folder is writable");
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo");
    assert!(made.success());
    let (tell, told) = std::sync::mpsc::channel();
    let source = pipe.clone();
    std::thread::spawn(move || tell.send(std::fs::read_to_string(source)));
    let recorded = nsctl(&["-n", server.address(), "record", "--out", pipe.to_str().expect("UTF-8")]);
    assert!(recorded.status.success(), "{}", stderr(&recorded));
    let text = told.recv_timeout(std::time::Duration::from_secs(60)).expect("it is written to");
    assert!(text.expect("UTF-8").starts_with('{'));
    assert!(std::fs::metadata(&pipe).expect("it is there").file_type().is_fifo());
}
