//! `nsctl demo`: the main job on an embedded NameServer, from the start to a broker's failure.
//!
//! Everything is real: the server listens on a port, brokers register over TCP connections of their own and are gone
//! when those close, and the answers are what the client was told.

use std::collections::BTreeMap;
use std::time::Duration;

use rocketmq_nameserver::protocol::model::{DataVersion, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver::protocol::request::RegisterBroker;
use rocketmq_nameserver::{
    AsyncNameServerClient, MessageQueue, Name, Perm, TopicRouteData, publish_queues, subscribe_queues,
};
use rocketmq_nameserver_server::NameServer;

use super::Failed;
use super::cluster::cluster_tree;
use super::route::route_table;

const TOPIC: &str = "orders";
const READ_ONLY_TOPIC: &str = "orders-2025";

/// Cluster, broker group, id, address. Nothing listens there: a NameServer only knows what it was told.
const BROKERS: [(&str, &str, i64, &str); 5] = [
    ("east", "broker-a", 0, "10.0.0.1:10911"),
    ("east", "broker-a", 1, "10.0.0.2:10911"),
    ("east", "broker-b", 0, "10.0.0.3:10911"),
    ("east", "broker-b", 1, "10.0.0.4:10911"),
    ("west", "broker-c", 0, "10.1.0.1:10911"),
];

pub(crate) async fn run(timeout: Duration) -> Result<String, Failed> {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await?;
    let address = server.address().to_string();
    let mut text = format!("A NameServer inside this program, at {address}.\n");

    let mut brokers = Vec::new();
    for broker in BROKERS {
        brokers.push(register(&address, timeout, broker).await?);
    }
    text += &format!("{} brokers have registered over TCP.\n\n", brokers.len());

    let client = AsyncNameServerClient::builder().servers(&*address).timeout(timeout).build()?;
    text += &format!("Clusters (request 106)\n{}\n", cluster_tree(&client.get_broker_cluster_info().await?));

    let before = client.query_topic_route_info(TOPIC).await?;
    text += &format!("{}\n\n", route_table(TOPIC, &before));
    text += &format!("A producer sends to   {}\n", shown(publish_queues(TOPIC, &before)));
    text += &format!("A consumer reads from {}\n\n", shown(subscribe_queues(TOPIC, &before)));

    let read_only = client.query_topic_route_info(READ_ONLY_TOPIC).await?;
    text += &format!("{}\n\n", route_table(READ_ONLY_TOPIC, &read_only));
    text += &format!("A producer sends to   {}\n", shown(publish_queues(READ_ONLY_TOPIC, &read_only)));
    text += &format!("A consumer reads from {}\n\n", shown(subscribe_queues(READ_ONLY_TOPIC, &read_only)));

    let (_, stopped, _, stopped_address) = BROKERS[0];
    brokers.remove(0).disconnect().await;
    let after = changed_route(&client, &before, timeout).await?;
    text += &format!("The master of {stopped}, {stopped_address}, has stopped. Asked again:\n\n");
    text += &format!("{}\n\n", route_table(TOPIC, &after));
    text += &format!("A producer sends to   {}\n", shown(publish_queues(TOPIC, &after)));
    text += &format!("A consumer reads from {}\n", shown(subscribe_queues(TOPIC, &after)));
    text += &difference(&before, &after);

    client.close().await;
    server.shutdown().await;
    text += "\nWith a server of your own: nsctl -n HOST:9876 route TOPIC\n";
    Ok(text)
}

/// A client that registers stands for a broker as long as its connection is open.
async fn register(
    namesrv: &str,
    timeout: Duration,
    (cluster, group, id, address): (&str, &str, i64, &str),
) -> Result<AsyncNameServerClient, Failed> {
    let topics = match cluster {
        "east" => vec![
            TopicConfig::new(TOPIC, 4, Perm::READ_WRITE),
            TopicConfig::new(READ_ONLY_TOPIC, 2, Perm::READ_ONLY),
        ],
        _ => vec![
            TopicConfig::new("telemetry", 8, Perm::READ_WRITE),
            TopicConfig::new("alarms", 1, Perm::READ_WRITE),
        ],
    };
    let version = DataVersion { counter: 1, ..DataVersion::default() };
    let registration =
        RegisterBroker::new(cluster, group, id, address, RegisterBrokerBody::new(version, topics));
    let broker = AsyncNameServerClient::builder().servers(namesrv).timeout(timeout).build()?;
    broker.request(&registration).await?;
    Ok(broker)
}

/// The server notices the closed connection a moment later.
async fn changed_route(
    client: &AsyncNameServerClient,
    before: &TopicRouteData,
    limit: Duration,
) -> Result<TopicRouteData, Failed> {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let now = client.query_topic_route_info(TOPIC).await?;
        if *now != *before {
            return Ok(TopicRouteData::clone(&now));
        }
        if tokio::time::Instant::now() > deadline {
            return Err(Failed::System("the stopped broker did not disappear from the route".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Queues by broker: `broker-a 0-3, broker-b 0-3 (8 queues)`.
fn shown(queues: impl Iterator<Item = MessageQueue>) -> String {
    let mut by_broker: BTreeMap<Name, Vec<u32>> = BTreeMap::new();
    for queue in queues {
        by_broker.entry(queue.broker_name).or_default().push(queue.queue_id);
    }
    let count: usize = by_broker.values().map(Vec::len).sum();
    let range = |(broker, ids): (Name, Vec<u32>)| match (ids.first(), ids.last()) {
        (Some(first), Some(last)) if first != last => format!("{broker} {first}-{last}"),
        (Some(only), _) => format!("{broker} {only}"),
        _ => broker.to_string(),
    };
    if count == 0 {
        return "nothing: no queue allows it".to_owned();
    }
    format!("{} ({count} queues)", by_broker.into_iter().map(range).collect::<Vec<_>>().join(", "))
}

/// What the second route no longer has.
fn difference(before: &TopicRouteData, after: &TopicRouteData) -> String {
    let mut text = String::from("Changed:\n");
    for old in &before.broker_data_list {
        let now = after.broker(&old.broker_name);
        for (id, address) in old.broker_addresses.iter() {
            if now.and_then(|broker| broker.broker_addresses.get(id)) != Some(address) {
                text += &format!("- {} has lost {address} (id {id})\n", old.broker_name);
            }
        }
    }
    let left: Vec<MessageQueue> = publish_queues(TOPIC, after).collect();
    let lost = publish_queues(TOPIC, before).filter(|queue| !left.contains(queue));
    text += &format!("- producers have lost {}\n", shown(lost));
    let left: Vec<MessageQueue> = subscribe_queues(TOPIC, after).collect();
    let lost: Vec<MessageQueue> =
        subscribe_queues(TOPIC, before).filter(|queue| !left.contains(queue)).collect();
    if lost.is_empty() {
        text += "- consumers have lost nothing: the slave serves them\n";
    } else {
        text += &format!("- consumers have lost {}\n", shown(lost.into_iter()));
    }
    text
}
