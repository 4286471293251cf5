//! One behaviour suite for every NameServer: the embedded one and the real ones.
//!
//! Each function takes a [`Target`] and panics where the server, or the client that asks it, does not do what it must.
//! Brokers are made by hand: a client that registers stands for a broker as long as its connection is open. Names are
//! made unique per function, so that the functions may share a server with each other and with real brokers.

mod administration;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver::protocol::code::Version;
use rocketmq_nameserver::protocol::model::{DataVersion, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver::protocol::request::{RegisterBroker, UnregisterBroker};
use rocketmq_nameserver::{
    AsyncNameServerClient, BrokerAddresses, BrokerData, Name, NameServerError, Perm, QueueData,
    SerializeType, TopicRouteData, publish_queues, subscribe_queues,
};

pub use administration::{
    data_version, deleting_a_topic, kv_store, namesrv_config, requests_of_5x_brokers, topic_lists,
    write_permissions,
};

/// The limit of every call here, and of every wait for something to become visible. Tenfold slack on a slow machine.
pub const AMPLE: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A server under test.
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Stops it and starts it again at the same address, with empty tables.
    pub restart: Box<dyn FnMut() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

impl Target {
    fn client(&self) -> AsyncNameServerClient {
        self.client_with(SerializeType::Json)
    }

    fn client_with(&self, serialize_type: SerializeType) -> AsyncNameServerClient {
        let builder = AsyncNameServerClient::builder().servers(self.address.to_string());
        builder.timeout(AMPLE).serialize_type(serialize_type).build().expect("a good address")
    }
}

/// The whole suite, in an order in which the restart comes last.
pub async fn all(target: &mut Target) {
    existing_topic(target).await;
    missing_topic(target).await;
    cluster_info(target).await;
    two_hundred_calls_on_one_connection(target).await;
    batch_of_five_hundred(target).await;
    ipv6_and_non_ascii(target).await;
    registration_with_exactly_one_topic(target).await;
    broker_leaves(target).await;
    kv_store(target).await;
    write_permissions(target).await;
    topic_lists(target).await;
    deleting_a_topic(target).await;
    namesrv_config(target).await;
    data_version(target).await;
    requests_of_5x_brokers(target).await;
    restart_between_calls(target).await;
}

/// A broker made by hand. It is there until it is dropped or leaves.
pub struct HandMadeBroker {
    client: AsyncNameServerClient,
    registration: RegisterBroker,
}

impl HandMadeBroker {
    /// Registers a broker over a connection of its own.
    ///
    /// # Errors
    /// What the server, or the way to it, says.
    pub async fn register(
        target: &Target,
        registration: RegisterBroker,
    ) -> Result<HandMadeBroker, NameServerError> {
        let client = target.client();
        client.request(&registration).await?;
        Ok(HandMadeBroker { client, registration })
    }

    /// How new its data is.
    pub fn data_version(&self) -> DataVersion {
        self.registration.body.topic_config_serialize_wrapper.data_version.unwrap_or_default()
    }

    /// Registers once more over the same connection, with another version of the same data.
    pub async fn register_again(&self, change: impl FnOnce(&mut DataVersion)) {
        let mut registration = self.registration.clone();
        let mut version = self.data_version();
        change(&mut version);
        registration.body.topic_config_serialize_wrapper.data_version = Some(version);
        self.client.request(&registration).await.expect("registered again");
    }

    /// Takes its leave and waits for the answer.
    pub async fn unregister(&self) {
        let RegisterBroker { cluster_name, broker_name, broker_addr, broker_id, .. } =
            self.registration.clone();
        let leave = UnregisterBroker { cluster_name, broker_name, broker_addr, broker_id };
        self.client.request(&leave).await.expect("every server lets a broker go");
    }
}

/// What a broker says of itself.
pub fn registration(
    cluster: &str,
    broker: &str,
    id: i64,
    address: &str,
    topics: Vec<TopicConfig>,
) -> RegisterBroker {
    let version = DataVersion { counter: 1, state_version: 0, timestamp: 1_700_000_000_000 };
    RegisterBroker::new(cluster, broker, id, address, RegisterBrokerBody::new(version, topics))
}

/// Two topics: a 5.x server refuses a new broker with exactly one.
fn two_topics(prefix: &str) -> Vec<TopicConfig> {
    let read_only = TopicConfig {
        write_queue_nums: 2,
        ..TopicConfig::new(format!("{prefix}-read-only"), 3, Perm::READ_ONLY)
    };
    vec![TopicConfig::new(format!("{prefix}-topic"), 4, Perm::READ_WRITE), read_only]
}

/// Asks until the answer is the wanted one; panics with the last one when the time is up.
pub async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let deadline = tokio::time::Instant::now() + AMPLE;
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(seen) if tokio::time::Instant::now() > deadline => panic!("{what}: still {seen}"),
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Old servers do not send what newer ones add; here only what both have is compared.
fn without_additions(route: &TopicRouteData) -> TopicRouteData {
    let plain = |broker: &Arc<BrokerData>| {
        Arc::new(BrokerData { enable_acting_master: None, ..BrokerData::clone(broker) })
    };
    TopicRouteData { broker_data_list: route.broker_data_list.iter().map(plain).collect(), ..route.clone() }
}

fn expected_route(
    cluster: &str,
    broker: &str,
    addresses: &[(i64, &str)],
    queue: QueueData,
) -> TopicRouteData {
    let broker = BrokerData {
        cluster: Name::from(cluster),
        broker_name: Name::from(broker),
        broker_addresses: BrokerAddresses::from_iter(addresses.iter().copied()),
        ..BrokerData::default()
    };
    TopicRouteData {
        queue_data_list: vec![queue],
        broker_data_list: vec![Arc::new(broker)],
        ..TopicRouteData::default()
    }
}

fn queue(broker: &str, read: u32, write: u32, perm: Perm) -> QueueData {
    QueueData {
        broker_name: Name::from(broker),
        read_queue_nums: read,
        write_queue_nums: write,
        perm,
        ..QueueData::default()
    }
}

/// A master and a slave register; the route of each topic is exactly what they said, with either form of header.
pub async fn existing_topic(target: &Target) {
    let master = registration("suite-cluster", "suite-existing", 0, "10.1.0.1:10911", two_topics("existing"));
    let slave = registration("suite-cluster", "suite-existing", 1, "10.1.0.2:10911", two_topics("existing"));
    let _master = HandMadeBroker::register(target, master).await.expect("the master registers");
    let _slave = HandMadeBroker::register(target, slave).await.expect("the slave registers");
    let addresses = [(0, "10.1.0.1:10911"), (1, "10.1.0.2:10911")];
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let client = target.client_with(serialize_type);
        for (topic, queue) in [
            ("existing-topic", queue("suite-existing", 4, 4, Perm::READ_WRITE)),
            ("existing-read-only", queue("suite-existing", 3, 2, Perm::READ_ONLY)),
        ] {
            let route = client.query_topic_route_info(topic).await.expect("the topic is there");
            let expected = expected_route("suite-cluster", "suite-existing", &addresses, queue);
            assert_eq!(without_additions(&route), expected, "{topic} with {serialize_type:?} headers");
        }
        let route = client.query_topic_route_info("existing-read-only").await.expect("the topic is there");
        assert_eq!(publish_queues("existing-read-only", &route).count(), 0);
        assert_eq!(subscribe_queues("existing-read-only", &route).count(), 3);
        assert!(
            client.stats().servers[0].version >= Some(Version::V4_9_7),
            "the release is learned from answers"
        );
    }
}

/// A topic that nobody has is "not found" and nothing else, with the server's own words.
pub async fn missing_topic(target: &Target) {
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let error =
            target.client_with(serialize_type).query_topic_route_info("no-such-topic").await.unwrap_err();
        assert!(error.is_topic_not_found() && !error.is_retryable(), "{error}");
        assert!(error.remark().is_some_and(|remark| remark.contains("no-such-topic")), "{error}");
    }
}

/// Groups and clusters are listed as they registered, with either form of header.
pub async fn cluster_info(target: &Target) {
    let mut brokers = Vec::new();
    for (cluster, broker, id, address) in [
        ("info-1", "info-a", 0, "10.2.0.1:10911"),
        ("info-1", "info-a", 1, "10.2.0.2:10911"),
        ("info-2", "info-b", 0, "[2001:db8::2]:10911"),
    ] {
        let said = registration(cluster, broker, id, address, two_topics("info"));
        brokers.push(HandMadeBroker::register(target, said).await.expect("the broker registers"));
    }
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let info = target.client_with(serialize_type).get_broker_cluster_info().await.expect("cluster info");
        let group = &info.broker_addr_table["info-a"];
        assert_eq!((group.cluster.as_str(), group.broker_name.as_str()), ("info-1", "info-a"));
        let addresses: Vec<_> =
            group.broker_addresses.iter().map(|(id, address)| (id, address.to_string())).collect();
        assert_eq!(addresses, [(0, "10.2.0.1:10911".to_owned()), (1, "10.2.0.2:10911".to_owned())]);
        assert_eq!(info.cluster_addr_table["info-1"], ["info-a"]);
        assert_eq!(info.cluster_addr_table["info-2"], ["info-b"]);
    }
}

/// Two hundred calls at once over one connection: every one gets its own answer.
pub async fn two_hundred_calls_on_one_connection(target: &Target) {
    let topics: Vec<TopicConfig> = (1..=200)
        .map(|queues| TopicConfig::new(format!("many-{queues}"), queues, Perm::READ_WRITE))
        .collect();
    let said = registration("suite-cluster", "suite-many", 0, "10.3.0.1:10911", topics);
    let _broker = HandMadeBroker::register(target, said).await.expect("the broker registers");
    let client = target.client();
    let mut calls = tokio::task::JoinSet::new();
    for queues in 1..=200 {
        let client = client.clone();
        calls.spawn(async move {
            let route =
                client.query_topic_route_info(&format!("many-{queues}")).await.expect("the topic is there");
            assert_eq!(route.queue_data_list[0].read_queue_nums, queues);
        });
    }
    assert_eq!(calls.join_all().await.len(), 200);
    let stats = client.stats();
    assert_eq!((stats.servers[0].connects, stats.requests(), stats.errors()), (1, 200, 0));
}

/// Five hundred topics in one batch, every second one missing: one result each, in order.
pub async fn batch_of_five_hundred(target: &Target) {
    let there: Vec<TopicConfig> = (0..250)
        .map(|number| TopicConfig::new(format!("batch-{}", 2 * number), number + 1, Perm::READ_WRITE))
        .collect();
    let said = registration("suite-cluster", "suite-batch", 0, "10.4.0.1:10911", there);
    let _broker = HandMadeBroker::register(target, said).await.expect("the broker registers");
    let client = target.client();
    let topics = (0..500).map(|number| format!("batch-{number}"));
    let results = client.query_topic_route_infos(topics).await;
    assert_eq!(results.len(), 500);
    for (number, result) in results.into_iter().enumerate() {
        match result {
            Ok(route) => {
                assert_eq!(route.queue_data_list[0].read_queue_nums as usize, number / 2 + 1, "{number}");
            }
            Err(error) => assert!(number % 2 == 1 && error.is_topic_not_found(), "{number}: {error}"),
        }
    }
    assert_eq!(client.stats().servers[0].connects, 1);
}

/// Names in any script and IPv6 addresses come back as they went in, with either form of header.
pub async fn ipv6_and_non_ascii(target: &Target) {
    let topics = vec![
        TopicConfig::new("主题-ü-😀", 2, Perm::READ_WRITE),
        TopicConfig::new("主题-2", 1, Perm::READ_ONLY),
    ];
    let said = registration("集群/1", "broker-ü-\"q\"", 0, "[2001:db8::1]:10911", topics);
    let _broker = HandMadeBroker::register(target, said).await.expect("the broker registers");
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        let client = target.client_with(serialize_type);
        let route = client.query_topic_route_info("主题-ü-😀").await.expect("the topic is there");
        let queue = queue("broker-ü-\"q\"", 2, 2, Perm::READ_WRITE);
        let expected = expected_route("集群/1", "broker-ü-\"q\"", &[(0, "[2001:db8::1]:10911")], queue);
        assert_eq!(without_additions(&route), expected, "{serialize_type:?}");
        let info = client.get_broker_cluster_info().await.expect("cluster info");
        assert_eq!(info.cluster_addr_table["集群/1"], ["broker-ü-\"q\""]);
        let error = client.query_topic_route_info("没有").await.unwrap_err();
        assert!(
            error.is_topic_not_found() && error.remark().is_some_and(|remark| remark.contains("没有")),
            "{error}"
        );
    }
}

/// A new broker with exactly one topic: a 5.x server refuses it and keeps a group without members; a 4.x server takes it
/// (`docs/wire.md` §2.4 step 7). Once its id is known, one topic is fine.
pub async fn registration_with_exactly_one_topic(target: &Target) {
    let client = target.client();
    client.get_broker_cluster_info().await.expect("cluster info");
    let is_5x = client.stats().servers[0].version.is_some_and(Version::is_5x);
    let one = |topic: &str| vec![TopicConfig::new(topic, 1, Perm::READ_WRITE)];
    let said = registration("suite-single", "suite-single", 0, "10.5.0.1:10911", one("single-topic"));
    let result = HandMadeBroker::register(target, said).await;
    if is_5x {
        let error = result.err().expect("a 5.x server refuses a first registration with one topic");
        assert_eq!(
            (error.code().map(|code| code.0), error.remark()),
            (Some(1), Some("register broker failed"))
        );
        let info = client.get_broker_cluster_info().await.expect("cluster info");
        assert!(
            info.broker_addr_table["suite-single"].broker_addresses.is_empty(),
            "a group without members stays"
        );
    } else {
        let broker = result.expect("a 4.x server takes it");
        client.query_topic_route_info("single-topic").await.expect("and knows the topic");
        broker.unregister().await;
    }
    let two = registration("suite-single", "suite-single", 0, "10.5.0.1:10911", two_topics("single"));
    let broker = HandMadeBroker::register(target, two).await.expect("two topics are taken");
    let mut more = registration("suite-single", "suite-single", 0, "10.5.0.1:10911", one("single-later"));
    more.body.topic_config_serialize_wrapper.data_version =
        Some(DataVersion { counter: 2, ..DataVersion::default() });
    broker.client.request(&more).await.expect("a known broker may send one topic");
    client.query_topic_route_info("single-later").await.expect("the topic is there");
}

/// A broker that takes its leave is gone, and so is one whose connection closes; its topics go with it.
pub async fn broker_leaves(target: &Target) {
    let client = target.client();
    let gone = || async {
        let info = client.get_broker_cluster_info().await.map_err(|error| error.to_string())?;
        let routes = client.query_topic_route_infos(["leaving-topic"]).await;
        let there = info.broker_addr_table.contains_key("suite-leaving");
        let listed = info.cluster_addr_table.contains_key("suite-leaving-cluster");
        let routed = !routes[0].as_ref().is_err_and(NameServerError::is_topic_not_found);
        if there || listed || routed {
            Err(format!("there {there}, listed {listed}, routed {routed}"))
        } else {
            Ok(())
        }
    };
    for way in ["104", "closed connection"] {
        let said = registration(
            "suite-leaving-cluster",
            "suite-leaving",
            0,
            "10.6.0.1:10911",
            two_topics("leaving"),
        );
        let broker = HandMadeBroker::register(target, said).await.expect("the broker registers");
        client.query_topic_route_info("leaving-topic").await.expect("the topic is there");
        if way == "104" {
            broker.unregister().await;
        } else {
            drop(broker);
        }
        eventually(way, gone).await;
    }
}

/// A server restart between two calls is not an error of the second; what was registered is gone until it comes again.
pub async fn restart_between_calls(target: &mut Target) {
    let client = target.client();
    let said = registration("suite-cluster", "suite-restart", 0, "10.7.0.1:10911", two_topics("restart"));
    let broker = HandMadeBroker::register(target, said).await.expect("the broker registers");
    client.query_topic_route_info("restart-topic").await.expect("the topic is there");
    (target.restart)().await;
    let error = client.query_topic_route_info("restart-topic").await.unwrap_err();
    assert!(error.is_topic_not_found(), "a server without memory: {error}");
    broker.client.request(&broker.registration).await.expect("the broker registers again");
    client.query_topic_route_info("restart-topic").await.expect("the topic is there again");
    assert_eq!(client.stats().servers[0].connects, 2);
}

/// What a topic's route says of each broker, for comparing the route of a real broker's topic.
pub fn queue_counts(route: &TopicRouteData) -> BTreeMap<Name, (u32, u32, Perm)> {
    let entry = |queue: &QueueData| {
        (queue.broker_name.clone(), (queue.read_queue_nums, queue.write_queue_nums, queue.perm))
    };
    route.queue_data_list.iter().map(entry).collect()
}
