//! Rewritten addresses, wherever a client returns them, with what was advertised beside them. On the embedded server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::protocol::request::{GetBrokerClusterInfo, GetRouteInfo};
use rocketmq_nameserver::{
    AddressRewriting, AsyncNameServerClient, BrokerData, Change, ClientBuilder, Perm, RouteCache, RouteWatch,
    TopicRouteData,
};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::registration;
use tokio::net::{TcpListener, TcpStream};

const TOPIC: &str = "T";
/// Far beyond what anything here takes.
const AMPLE: Duration = Duration::from_secs(60);

async fn server(brokers: &[(&str, i64, &str)]) -> NameServerHandle {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await.unwrap();
    for (name, id, address) in brokers {
        register(&server, name, *id, address);
    }
    server
}

fn register(server: &NameServerHandle, name: &str, id: i64, address: &str) {
    let topics = vec![TopicConfig::new(TOPIC, 4, Perm::READ_WRITE)];
    server.register(registration("C", name, id, address, topics)).unwrap();
}

fn client(server: &NameServerHandle, rules: &str) -> ClientBuilder {
    let rewriting = AddressRewriting::parse(rules).unwrap();
    AsyncNameServerClient::builder()
        .servers(server.address().to_string())
        .timeout(AMPLE)
        .rewrite_addresses(rewriting)
}

/// Each member as `name id used`, and what it advertises if that is something else.
fn members<'a>(brokers: impl IntoIterator<Item = &'a BrokerData>) -> Vec<String> {
    let mut members = Vec::new();
    for broker in brokers {
        for (id, used) in broker.broker_addresses.iter() {
            let advertised = broker.advertised().get(id).unwrap();
            let as_advertised = used == advertised;
            let advertised = if as_advertised { String::new() } else { format!(" for {advertised}") };
            members.push(format!("{} {id} {used}{advertised}", broker.broker_name));
        }
    }
    members.sort();
    members
}

fn members_of(route: &TopicRouteData) -> Vec<String> {
    members(route.broker_data_list.iter().map(Arc::as_ref))
}

const BROKERS: [(&str, i64, &str); 3] =
    [("a", 0, "172.17.0.2:10911"), ("a", 1, "10.0.0.5:10911"), ("b", 0, "10.0.0.6:10911")];

const RULES: &str = "172.17.0.0/16=localhost;10.0.0.6:10911=localhost:30911";

const REWRITTEN: [&str; 3] = [
    "a 0 localhost:10911 for 172.17.0.2:10911",
    "a 1 10.0.0.5:10911",
    "b 0 localhost:30911 for 10.0.0.6:10911",
];

#[tokio::test]
async fn every_way_to_a_route_has_the_addresses_to_use_and_those_that_were_advertised() {
    let server = server(&BROKERS).await;
    let client = client(&server, RULES).build().unwrap();
    let plain = self::client(&server, "").build().unwrap();
    let route = client.query_topic_route_info(TOPIC).await.unwrap();
    assert_eq!(members_of(&route), REWRITTEN);
    assert_eq!(route.as_advertised(), *plain.query_topic_route_info(TOPIC).await.unwrap());
    for route in client.query_topic_route_infos([TOPIC, TOPIC]).await {
        assert_eq!(members_of(&route.unwrap()), REWRITTEN);
    }
    let info = client.get_broker_cluster_info().await.unwrap();
    assert_eq!(members(info.broker_addr_table.values()), REWRITTEN);
    let cache = RouteCache::new(client.clone());
    assert_eq!(members_of(&cache.get_route(TOPIC).await.unwrap()), REWRITTEN);
    assert_eq!(members_of(&cache.refresh_route(TOPIC).await.unwrap()), REWRITTEN);
    let stats = cache.stats();
    assert_eq!((stats.decoded, stats.unchanged), (1, 1), "a body that is known is not read again");

    // Whoever asks with a request of their own sees what the server says.
    let raw = client.request(&GetRouteInfo::new(TOPIC)).await.unwrap();
    assert_eq!(raw, route.as_advertised());
    let raw = client.request(&GetBrokerClusterInfo).await.unwrap();
    assert_eq!(raw, plain.get_broker_cluster_info().await.unwrap());
}

#[test]
fn the_blocking_client_and_cache_rewrite_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server(&BROKERS));
    let client = client(&server, RULES).build_sync().unwrap();
    assert_eq!(members_of(&client.query_topic_route_info(TOPIC).unwrap()), REWRITTEN);
    let cache = RouteCache::builder(client.to_async()).build_sync().unwrap();
    assert_eq!(members_of(&cache.get_route(TOPIC).unwrap()), REWRITTEN);
}

#[tokio::test]
async fn what_is_not_rewritten_is_the_very_answer() {
    let server = server(&BROKERS).await;
    let client = client(&server, "192.168.0.0/16=localhost").build().unwrap();
    let plain = self::client(&server, "").build().unwrap();
    let route = client.query_topic_route_info(TOPIC).await.unwrap();
    assert_eq!(route, plain.query_topic_route_info(TOPIC).await.unwrap());
    assert!(route.broker_data_list.iter().all(|broker| broker.advertised_addresses.is_none()));
}

#[tokio::test]
async fn filter_servers_stay_under_the_address_that_was_advertised() {
    let server = server(&[]).await;
    let topics = vec![TopicConfig::new(TOPIC, 4, Perm::READ_WRITE)];
    let mut broker = registration("C", "a", 0, "172.17.0.2:10911", topics);
    broker.body.filter_server_list = Some(vec!["172.17.0.2:30000".into()]);
    server.register(broker).unwrap();
    let route = client(&server, RULES).build().unwrap().query_topic_route_info(TOPIC).await.unwrap();
    assert_eq!(members_of(&route), ["a 0 localhost:10911 for 172.17.0.2:10911"]);
    let filters = BTreeMap::from([("172.17.0.2:10911".into(), vec!["172.17.0.2:30000".into()])]);
    assert_eq!(route.filter_server_table, filters);
}

async fn next(watch: &mut RouteWatch) -> Change {
    tokio::time::timeout(AMPLE, watch.next()).await.expect("a change").expect("an open cache").change
}

#[tokio::test]
async fn a_watch_tells_of_the_addresses_to_use() {
    let server = server(&[("a", 0, "172.17.0.2:10911")]).await;
    let client = client(&server, "172.17.0.0/16=localhost,10.0.0.0/8=gateway:1").build().unwrap();
    let cache = RouteCache::new(client);
    let mut watch = cache.watch([TOPIC]).unwrap();
    let found = next(&mut watch).await;
    assert!(matches!(&found, Change::TopicFound { after } if members_of(after) == [
        "a 0 localhost:10911 for 172.17.0.2:10911"
    ]));
    let moved = async |to: &str| {
        register(&server, "a", 0, to);
        cache.refresh_route(TOPIC).await.unwrap();
    };
    moved("10.0.0.1:10911").await;
    let Change::AddressesChanged { before, after, .. } = next(&mut watch).await else {
        panic!("the broker has moved")
    };
    assert_eq!(
        (before.master().unwrap(), after.master().unwrap()),
        (&"localhost:10911".into(), &"gateway:1".into())
    );
    // It is reached by the same address as before, and is another one.
    moved("10.0.0.2:10911").await;
    let Change::OtherChanged { before, after } = next(&mut watch).await else {
        panic!("the broker has moved unseen")
    };
    assert_eq!(members_of(&before), ["a 0 gateway:1 for 10.0.0.1:10911"]);
    assert_eq!(members_of(&after), ["a 0 gateway:1 for 10.0.0.2:10911"]);
}

#[tokio::test]
async fn a_broker_behind_a_mapped_port_is_reached() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = broker.local_addr().unwrap().port();
    let server = server(&[("a", 0, &format!("10.255.0.1:{port}"))]).await;
    let client = client(&server, "10.255.0.0/16=127.0.0.1").build().unwrap();
    let route = client.query_topic_route_info(TOPIC).await.unwrap();
    let used = route.broker("a").unwrap().broker_addresses.master().unwrap();
    let (connected, accepted) = tokio::join!(TcpStream::connect(used.as_str()), broker.accept());
    assert_eq!(connected.unwrap().local_addr().unwrap(), accepted.unwrap().1);
}

#[tokio::test]
async fn a_function_that_panics_does_no_harm_to_the_cache() {
    let server = server(&[("a", 0, "h:1")]).await;
    let rewriting = AddressRewriting::new().with(|_| panic!("a bug in the function"));
    let builder = AsyncNameServerClient::builder().servers(server.address().to_string());
    let cache = RouteCache::new(builder.rewrite_addresses(rewriting).build().unwrap());
    assert_eq!(members_of(&cache.get_route(TOPIC).await.unwrap()), ["a 0 h:1"]);
}
