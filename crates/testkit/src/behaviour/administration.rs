//! What operators and brokers ask, through the client's methods, the same on every NameServer.

use rocketmq_nameserver::protocol::code::Version;
use rocketmq_nameserver::protocol::model::{DataVersion, NamesrvConfig, TopicConfig};
use rocketmq_nameserver::protocol::request::{BrokerHeartbeat, QueryDataVersion};
use rocketmq_nameserver::{
    AsyncNameServerClient, NameServerError, PerServer, Perm, QueueData, TopicRouteData,
};

use super::{HandMadeBroker, Target, eventually, registration, two_topics};

/// The one answer of the one server.
fn only<T>(answers: PerServer<T>) -> T {
    let mut answers = answers.into_result().expect("the server did it");
    assert_eq!(answers.len(), 1);
    answers.remove(0).1
}

/// A broker with two topics, `<name>-topic` and `<name>-read-only`, in a cluster of its own.
async fn broker(target: &Target, name: &str) -> HandMadeBroker {
    let registration =
        registration(&format!("{name}-cluster"), name, 0, &format!("{name}:10911"), two_topics(name));
    HandMadeBroker::register(target, registration).await.expect("registered")
}

async fn route(client: &AsyncNameServerClient, topic: &str) -> TopicRouteData {
    client.query_topic_route_info(topic).await.map(|route| TopicRouteData::clone(&route)).expect(topic)
}

async fn is_gone(client: &AsyncNameServerClient, topic: &str) -> bool {
    client.query_topic_route_info(topic).await.is_err_and(|error| error.is_topic_not_found())
}

/// Whether the server is a 5.x one, from what it has answered.
async fn is_5x(client: &AsyncNameServerClient) -> bool {
    client.get_broker_cluster_info().await.expect("cluster info");
    client.stats().servers[0].version.expect("it has answered") >= Version::V5_0_0
}

/// Values come and go, and a namespace stays.
///
/// # Panics
/// If the server does not do that.
pub async fn kv_store(target: &mut Target) {
    let client = target.client();
    let absent = |error: NameServerError| error.is_not_found();
    assert!(client.get_kv_config("behaviour-kv", "k").await.is_err_and(absent));
    assert!(client.get_kv_list_by_namespace("behaviour-kv").await.is_err_and(absent));
    for value in ["v", "", "主题 \"1\"\\\n", "broker-a:4;broker-b:4"] {
        only(client.put_kv_config("behaviour-kv", "k", value).await);
        assert_eq!(client.get_kv_config("behaviour-kv", "k").await.expect("put before"), value);
        let list = client.get_kv_list_by_namespace("behaviour-kv").await.expect("put before");
        assert_eq!(list.table.into_iter().collect::<Vec<_>>(), [("k".into(), value.into())]);
    }
    only(client.delete_kv_config("behaviour-kv", "k").await);
    only(client.delete_kv_config("behaviour-kv", "never there").await);
    assert!(client.get_kv_config("behaviour-kv", "k").await.is_err_and(absent));
    assert!(client.get_kv_list_by_namespace("behaviour-kv").await.expect("it stays").table.is_empty());
}

/// A broker is closed for producers and opened again, until it registers with changed data.
///
/// # Panics
/// If the server does not do that.
pub async fn write_permissions(target: &mut Target) {
    let client = target.client();
    let broker = broker(target, "behaviour-perm").await;
    let perm = |route: &TopicRouteData| route.queue_data_list[0].perm;
    assert_eq!(only(client.wipe_write_perm_of_broker("behaviour-perm").await), 2);
    assert_eq!(perm(&route(&client, "behaviour-perm-topic").await), Perm::READ_ONLY);
    assert_eq!(only(client.add_write_perm_of_broker("behaviour-perm").await), 2);
    for topic in ["behaviour-perm-topic", "behaviour-perm-read-only"] {
        assert_eq!(perm(&route(&client, topic).await), Perm::READ_WRITE, "{topic}: whatever it had");
    }
    assert_eq!(only(client.wipe_write_perm_of_broker("behaviour-nobody").await), 0);

    // It ends with changed data.
    only(client.wipe_write_perm_of_broker("behaviour-perm").await);
    broker.register_again(|_| ()).await;
    assert_eq!(perm(&route(&client, "behaviour-perm-topic").await), Perm::READ_ONLY);
    broker.register_again(|version| version.counter += 1).await;
    assert_eq!(perm(&route(&client, "behaviour-perm-topic").await), Perm::READ_WRITE);
    assert_eq!(perm(&route(&client, "behaviour-perm-read-only").await), Perm::READ_ONLY);
}

/// Topics are listed by all kinds.
///
/// # Panics
/// If the server does not do that.
pub async fn topic_lists(target: &mut Target) {
    let client = target.client();
    let flagged = |topic: &str, flag| TopicConfig {
        topic_sys_flag: flag,
        ..TopicConfig::new(format!("behaviour-list-{topic}"), 1, Perm::READ_WRITE)
    };
    let topics = vec![flagged("plain", 0), flagged("unit", 1), flagged("sub", 2), flagged("both", 3)];
    let registration =
        registration("behaviour-list-c", "behaviour-list-b", 0, "behaviour-list:10911", topics);
    let _broker = HandMadeBroker::register(target, registration).await.expect("registered");
    let ours = |list: rocketmq_nameserver::TopicList| {
        let names = list.topic_list.iter().filter_map(|name| name.strip_prefix("behaviour-list-"));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let all = ["both", "plain", "sub", "unit"];
    assert_eq!(ours(client.get_all_topic_list().await.expect("206")), all);
    assert_eq!(ours(client.get_topics_by_cluster("behaviour-list-c").await.expect("224")), all);
    assert!(ours(client.get_topics_by_cluster("behaviour-nowhere").await.expect("224")).is_empty());
    assert_eq!(ours(client.get_unit_topic_list().await.expect("311")), ["both", "unit"]);
    assert_eq!(ours(client.get_has_unit_sub_topic_list().await.expect("312")), ["both", "sub"]);
    assert_eq!(ours(client.get_has_unit_sub_ununit_topic_list().await.expect("313")), ["sub"]);
    let system = client.get_system_topic_list().await.expect("304");
    assert!(system.broker_addr.is_some());
    assert_eq!(ours(system), ["b", "c"], "the names of the cluster and the broker");
}

/// A topic is taken away, from one cluster or from all.
///
/// # Panics
/// If the server does not do that.
pub async fn deleting_a_topic(target: &mut Target) {
    let client = target.client();
    let _broker = broker(target, "behaviour-delete").await;
    for (cluster, gone) in [(Some("behaviour-nowhere"), false), (Some("behaviour-delete-cluster"), true)] {
        only(client.delete_topic_in_namesrv("behaviour-delete-topic", cluster).await);
        assert_eq!(is_gone(&client, "behaviour-delete-topic").await, gone, "{cluster:?}");
    }
    only(client.delete_topic_in_namesrv("behaviour-delete-read-only", None).await);
    assert!(is_gone(&client, "behaviour-delete-read-only").await);
    only(client.delete_topic_in_namesrv("behaviour-delete-never", None).await);
}

/// The server's settings are shown and changed, but for those that nobody may change from afar.
///
/// # Panics
/// If the server does not do that.
pub async fn namesrv_config(target: &mut Target) {
    let client = target.client();
    let _broker = broker(target, "behaviour-config").await;
    let topic = "behaviour-config-topic";
    let port = client.get_namesrv_config().await.expect("319").get("listenPort").cloned();
    assert_eq!(port.as_deref(), Some(&*target.address.port().to_string()));
    only(client.put_kv_config("ORDER_TOPIC_CONFIG", topic, "behaviour-config:4").await);
    for (on, order) in [("true", "behaviour-config:4"), ("false", "")] {
        let config = NamesrvConfig::from_iter([("orderMessageEnable", on), ("behaviourUnknown", "x")]);
        only(client.update_namesrv_config(config).await);
        let config = client.get_namesrv_config().await.expect("319");
        assert_eq!(config.get("orderMessageEnable").map(|value| &**value), Some(on));
        assert_eq!(config.get("behaviourUnknown"), None);
        assert_eq!(route(&client, topic).await.order_topic_conf, order);
    }
    only(client.delete_kv_config("ORDER_TOPIC_CONFIG", topic).await);
    let black = NamesrvConfig::from_iter([("configStorePath", "/tmp/x"), ("orderMessageEnable", "true")]);
    let refused = client.update_namesrv_config(black).await.into_result().expect_err("black-listed");
    assert_eq!(refused.code().map(|code| code.0), Some(16));
    let config = client.get_namesrv_config().await.expect("319");
    assert_eq!(config.get("orderMessageEnable").map(|value| &**value), Some("false"), "all or nothing");
}

/// A broker asks whether the server has its newest data.
///
/// # Panics
/// If the server does not do that.
pub async fn data_version(target: &mut Target) {
    let client = target.client();
    let broker = broker(target, "behaviour-version").await;
    let known = broker.data_version();
    let newer = DataVersion { counter: known.counter + 1, ..known };
    for (name, version, expected) in [
        ("behaviour-version:10911", known, (false, Some(known))),
        ("behaviour-version:10911", newer, (true, Some(known))),
        ("behaviour-nobody:10911", known, (true, None)),
    ] {
        let query = QueryDataVersion {
            cluster_name: "behaviour-version-cluster".into(),
            broker_name: "behaviour-version".into(),
            broker_addr: name.into(),
            broker_id: 0,
            data_version: version,
        };
        let answer = only(client.query_data_version(&query).await);
        assert_eq!((answer.changed, answer.data_version), expected, "{name} {version:?}");
    }
}

/// What only 5.x servers answer: at a 4.x one it is refused at once.
///
/// # Panics
/// If the server, or the client, does not do that.
pub async fn requests_of_5x_brokers(target: &mut Target) {
    let client = target.client();
    let _broker = broker(target, "behaviour-5x").await;
    let heartbeat = BrokerHeartbeat {
        cluster_name: "behaviour-5x-cluster".into(),
        broker_name: "behaviour-5x".into(),
        broker_addr: "behaviour-5x:10911".into(),
        ..BrokerHeartbeat::default()
    };
    let queues = vec![QueueData {
        broker_name: "behaviour-5x".into(),
        read_queue_nums: 3,
        write_queue_nums: 5,
        perm: Perm::READ_WRITE,
        ..QueueData::default()
    }];
    if !is_5x(&client).await {
        let unsupported = |error: NameServerError| error.is_unsupported();
        assert!(client.broker_heartbeat(&heartbeat).await.into_result().is_err_and(unsupported));
        assert!(client.get_broker_member_group("c", "b").await.is_err_and(unsupported));
        let registered = client.register_topic_in_namesrv("behaviour-5x-new", queues).await;
        assert!(registered.into_result().is_err_and(unsupported));
        return;
    }
    only(client.broker_heartbeat(&heartbeat).await);
    let group = client.get_broker_member_group("behaviour-5x-cluster", "behaviour-5x").await.expect("901");
    assert_eq!((&*group.cluster, &*group.broker_name), ("behaviour-5x-cluster", "behaviour-5x"));
    let members: Vec<(i64, &str)> =
        group.broker_addresses.iter().map(|(id, address)| (id, &**address)).collect();
    assert_eq!(members, [(0, "behaviour-5x:10911")]);
    only(client.register_topic_in_namesrv("behaviour-5x-new", queues).await);
    eventually("the topic", || async {
        let route =
            client.query_topic_route_info("behaviour-5x-new").await.map_err(|error| error.to_string())?;
        assert_eq!(route.queue_data_list[0].write_queue_nums, 5);
        Ok(())
    })
    .await;
}
