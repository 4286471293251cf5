//! Real brokers come, stay beyond the time after which silent ones are forgotten, and go.

use std::thread;
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::code::{RequestCode, ResponseCode};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, Perm, TopicConfigSerializeWrapper, TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, GetRouteInfo, QueryDataVersion};
use rocketmq_nameserver_testkit::interop::{InteropError, RealBroker, ask, query};

use crate::site::{Server, Site, say};

const TOPIC: &str = "StayingTopic";

/// A broker that is silent is forgotten after 120 s, and looked for every 5 s (5.x) or 10 s (4.x).
const BEYOND_EXPIRY: Duration = Duration::from_secs(131);

// A request to a broker, which is not what the protocol crate is about.
const GET_ALL_TOPIC_CONFIG: RequestCode = RequestCode(21);

const LOOK_EVERY: Duration = Duration::from_secs(3);

#[test]
fn brokers_stay_beyond_the_expiry_time_and_are_gone_when_they_are_killed() -> Result<(), InteropError> {
    let Some(Site { mut brokers, servers }) = Site::start()? else { return Ok(()) };
    for broker in &brokers {
        let start = Instant::now();
        broker.create_topic(TOPIC, 4, 8, Perm::READ_WRITE)?;
        say(&format!("{}: a new topic is seen after {:?}", named(broker), start.elapsed()));
    }
    stay(&servers, &brokers)?;
    while let Some(mut broker) = brokers.pop() {
        let start = Instant::now();
        broker.kill_hard()?;
        broker.wait_forgotten()?;
        say(&format!("{}: killed, and forgotten after {:?}", named(&broker), start.elapsed()));
        for server in &servers {
            assert_eq!(brokers_of_topic(server)?, brokers.len(), "{:?}", server.personality);
        }
    }
    Ok(())
}

/// Routes and cluster info are the same at every look. The data versions are at the end those of the brokers, as they are
/// at the start: a 4.9.7 broker makes itself one more topic after a minute. To ask a NameServer for a version is a sign of
/// life of the broker, so nobody does that in between.
fn stay(servers: &[Server], brokers: &[RealBroker]) -> Result<(), InteropError> {
    let at_start = servers.iter().map(routes).collect::<Result<Vec<_>, _>>()?;
    for server in servers {
        assert_eq!(brokers_of_topic(server)?, brokers.len(), "{:?}", server.personality);
        check_data_versions(server, brokers)?;
    }
    let (start, mut looks) = (Instant::now(), 0);
    while start.elapsed() < BEYOND_EXPIRY {
        for (server, expected) in servers.iter().zip(&at_start) {
            assert_eq!(&routes(server)?, expected, "{:?} after {:?}", server.personality, start.elapsed());
        }
        looks += 1;
        thread::sleep(LOOK_EVERY);
    }
    servers.iter().try_for_each(|server| check_data_versions(server, brokers))?;
    say(&format!("{} brokers stayed for {:?}, {looks} looks", brokers.len(), start.elapsed()));
    Ok(())
}

fn routes(server: &Server) -> Result<(TopicRouteData, BrokerClusterInfo), InteropError> {
    let route = query(server.address(), &GetRouteInfo::new(TOPIC))?;
    Ok((route, query(server.address(), &GetBrokerClusterInfo)?))
}

/// How many brokers the route of the topic has, and the cluster info as well.
fn brokers_of_topic(server: &Server) -> Result<usize, InteropError> {
    let listed = query(server.address(), &GetBrokerClusterInfo)?.broker_addr_table.len();
    let routed = match query(server.address(), &GetRouteInfo::new(TOPIC)) {
        Ok(route) => route.broker_data_list.len(),
        Err(InteropError::Refused { refusal, .. }) if refusal.code == ResponseCode::TOPIC_NOT_EXIST => 0,
        Err(error) => return Err(error),
    };
    assert_eq!(routed, listed, "{:?}: brokers of the topic, brokers at all", server.personality);
    Ok(listed)
}

/// The server knows the newest topics of each broker.
fn check_data_versions(server: &Server, brokers: &[RealBroker]) -> Result<(), InteropError> {
    for broker in brokers {
        let question = QueryDataVersion {
            cluster_name: broker.options().cluster.clone(),
            broker_name: broker.options().broker_name.clone(),
            broker_addr: broker.address().to_string().into(),
            ..QueryDataVersion::default()
        };
        let known = query(server.address(), &question)?.data_version;
        let topics = ask(broker.address(), &Command::request(GET_ALL_TOPIC_CONFIG, ExtFields::new(), ""))?;
        let own = TopicConfigSerializeWrapper::from_bytes(&topics.body).expect("its topics").data_version;
        assert!(own.is_some(), "{}", named(broker));
        assert_eq!(known, own, "{:?}: data version of {}", server.personality, named(broker));
    }
    Ok(())
}

fn named(broker: &RealBroker) -> &str {
    &broker.options().broker_name
}
