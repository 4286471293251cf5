//! The launcher itself: real servers of both releases come up, answer, come back and go without a trace.

// Looking for a process by its id is done the Unix way.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::env;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use rocketmq_nameserver::{AddressRewriting, AsyncNameServerClient, RouteCache};
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, Perm, TopicConfig, TopicRouteData};
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, GetRouteInfo, Request};
use rocketmq_nameserver_testkit::behaviour::{HandMadeBroker, Target, registration};
use rocketmq_nameserver_testkit::interop::{
    BrokerOptions, InteropError, Jars, RealBroker, RealNameServer, Release, ask_as, has_tools, query,
};
use rustix::process::{Pid, test_kill_process};

const TOPIC: &str = "InteropTopic";

#[test]
fn rocketmq_4_9_7_comes_up_answers_comes_back_and_goes() -> Result<(), InteropError> {
    check(Release::V4_9_7)
}

#[test]
fn rocketmq_5_3_3_comes_up_answers_comes_back_and_goes() -> Result<(), InteropError> {
    check(Release::V5_3_3)
}

/// One life of a NameServer and a broker of that release.
fn check(release: Release) -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let users_files = users_files();
    let jars = Jars::fetch(release)?;
    let mut name_server = RealNameServer::start(&jars)?;
    let mut broker = RealBroker::start(&jars, name_server.address(), &BrokerOptions::default())?;
    let route = broker.create_topic(TOPIC, 4, 8, Perm::READ_WRITE)?;
    assert_eq!(broker_address(&route), Some(broker.address().to_string()), "{release}");
    answers_in_both_forms(&name_server, &route)?;
    let processes = [name_server.process_id(), broker.process_id()].map(|id| id.expect("it runs"));
    let homes = [name_server.home().to_owned(), broker.home().to_owned()];

    name_server.restart()?;
    let restarted = name_server.process_id().expect("it runs");
    assert_ne!(restarted, processes[0], "{release}");
    broker.wait_registered()?;
    let again = query(name_server.address(), &GetRouteInfo::new(TOPIC))?;
    assert_eq!(again, route, "{release}");

    broker.stop()?;
    let left = query(name_server.address(), &GetBrokerClusterInfo)?.broker_addr_table;
    assert!(left.is_empty(), "{release}: {left:?}");
    name_server.stop()?;
    assert_eq!((name_server.process_id(), broker.process_id()), (None, None), "{release}");
    for id in processes.into_iter().chain([restarted]) {
        assert!(!is_a_process(id), "{release}: {id} still runs");
    }
    for address in broker.all_addresses().into_iter().chain([name_server.address()]) {
        assert!(TcpListener::bind(address).is_ok(), "{release}: {address} is not free");
    }
    drop((name_server, broker));
    for home in homes {
        assert!(!home.exists(), "{release}: {} is left", home.display());
    }
    assert_eq!(self::users_files(), users_files, "{release}: files in the user's home");
    Ok(())
}

/// Brokers of two zones at real NameServers, which are brokers by hand: 5.3.3 filters, 4.9.7 does not know zones.
#[test]
fn a_client_of_a_zone_gets_its_brokers_and_all_of_them_where_there_are_none() -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for release in [Release::V4_9_7, Release::V5_3_3] {
        let mut name_server = RealNameServer::start(&Jars::fetch(release)?)?;
        let address = name_server.address();
        runtime.block_on(brokers_of_zones(address, release));
        name_server.stop()?;
    }
    Ok(())
}

async fn brokers_of_zones(address: SocketAddr, release: Release) {
    let target = Target { address, restart: Box::new(|| Box::pin(async {})) };
    let mut registered = Vec::new();
    for (broker, zone, topics) in [("a", "z", ["both", "only-a"]), ("b", "y", ["both", "only-b"])] {
        let topics = topics.map(|topic| TopicConfig::new(topic, 4, Perm::READ_WRITE)).to_vec();
        let mut said = registration("C", broker, 0, &format!("{broker}.internal:10911"), topics);
        said.zone_name = Some(zone.into());
        registered.push(HandMadeBroker::register(&target, said).await.expect("it registers"));
    }
    let filters = release == Release::V5_3_3;
    for (topic, zone, in_zone, whole, questions) in [
        ("both", "z", "a", "a b", 1),
        ("both", "Y", "b", "a b", 1),
        ("both", "x", "a b", "a b", 2),
        ("only-b", "z", "b", "b", 2),
    ] {
        let rewriting =
            AddressRewriting::parse("a.internal=localhost:20911,b.internal=localhost").expect("rules");
        let client = AsyncNameServerClient::builder()
            .servers(address.to_string())
            .zone(zone)
            .rewrite_addresses(rewriting)
            .build()
            .expect("a good address");
        let single = client.query_topic_route_info(topic).await.expect("the topic is there");
        let asked = client.stats().servers[0].requests;
        assert_eq!(asked, if filters { questions } else { 1 }, "{release}: {topic} in {zone}");
        let batch = client.query_topic_route_infos([topic]).await.remove(0).expect("the topic is there");
        let cache = RouteCache::new(client);
        let cached = cache.get_route(topic).await.expect("the topic is there");
        let expected = if filters { in_zone } else { whole };
        for route in [&single, &batch, cached.route()] {
            let mut brokers: Vec<_> = route.broker_data_list.iter().collect();
            brokers.sort();
            let names: Vec<_> = brokers.iter().map(|broker| broker.broker_name.as_str()).collect();
            assert_eq!(names.join(" "), expected, "{release}: {topic} in {zone}");
            assert_eq!(route.queue_data_list.len(), brokers.len(), "{release}: {topic} in {zone}");
            for broker in brokers {
                let port = if broker.broker_name == "a" { 20911 } else { 10911 };
                let used = broker.broker_addresses.master().map(ToString::to_string);
                assert_eq!(used, Some(format!("localhost:{port}")), "{release}");
                let advertised = broker.advertised().master().map(ToString::to_string);
                assert_eq!(advertised, Some(format!("{}.internal:10911", broker.broker_name)), "{release}");
            }
        }
        if filters {
            cache.refresh_route(topic).await.expect("the topic is there");
            assert_eq!(cache.stats().decoded, 1, "{release}: the same bytes as before");
        }
    }
}

/// 4.9.7 answers in the form of the request, 5.3.3 in JSON (`docs/wire.md` §1.6).
fn answers_in_both_forms(name_server: &RealNameServer, route: &TopicRouteData) -> Result<(), InteropError> {
    let (address, release) = (name_server.address(), name_server.release());
    for form in [SerializeType::Json, SerializeType::RocketMq] {
        let expected_form = match release {
            Release::V4_9_7 => form,
            Release::V5_3_3 => SerializeType::Json,
        };
        let answer = |command: Command| -> Result<Command, InteropError> {
            let (answer_form, answer) = ask_as(address, form, &command)?;
            assert_eq!(answer_form, expected_form, "{release} {form:?}");
            assert_eq!(answer.header.version, release.version(), "{release} {form:?}");
            Ok(answer)
        };
        let found = answer(GetRouteInfo::new(TOPIC).to_command())?;
        let found = TopicRouteData::from_bytes(&found.body).expect("a route");
        assert_eq!(&found, route, "{release} {form:?}");
        let missing = answer(GetRouteInfo::new("NoSuchTopic").to_command())?;
        let missing = missing.refusal().map(|refusal| refusal.code);
        assert_eq!(missing, Some(ResponseCode::TOPIC_NOT_EXIST), "{release} {form:?}");
        let info = answer(GetBrokerClusterInfo.to_command())?;
        let info = BrokerClusterInfo::from_bytes(&info.body).expect("cluster info");
        assert_eq!(info.cluster_addr_table["DefaultCluster"], ["broker-a"], "{release} {form:?}");
    }
    Ok(())
}

fn broker_address(route: &TopicRouteData) -> Option<String> {
    let broker = route.broker("broker-a")?;
    broker.broker_addresses.master().map(ToString::to_string)
}

/// Where these servers leave files when nobody tells them their home.
fn users_files() -> BTreeSet<PathBuf> {
    let home = env::home_dir().unwrap_or_default();
    let paths = ["logs", "store", "namesrv", "rocketmqlogs"].map(|name| home.join(name));
    paths.into_iter().filter(|path| path.exists()).collect()
}

fn is_a_process(id: u32) -> bool {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid).is_ok())
}
