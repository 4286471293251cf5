//! The Java server with 8 broker pairs that register by hand, as in the captured route.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocketmq_nameserver::{AsyncNameServerClient, Name, Perm};
use rocketmq_nameserver_protocol::model::{DataVersion, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver_protocol::request::RegisterBroker;
use rocketmq_nameserver_testkit::interop::{InteropError, Jars, RealNameServer, Release};
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::rounds::topic;

pub(super) const PAIRS: usize = 8;

/// A master and a slave.
const MEMBERS: usize = 2;

const QUEUES: u32 = 8;

/// How often brokers register again, as real ones do; the server forgets them after 120 s.
const AGAIN: Duration = Duration::from_secs(30);

/// Starts a NameServer 4.9.7.
pub(super) fn start() -> Result<RealNameServer, InteropError> {
    RealNameServer::start(&Jars::fetch(Release::V4_9_7)?)
}

/// Brokers that are there as long as this is, if [`stay`](Brokers::stay) is called now and then.
pub(super) struct Brokers {
    runtime: Runtime,
    /// Each over a connection of its own.
    brokers: Vec<(AsyncNameServerClient, RegisterBroker)>,
    registered: Instant,
}

impl Brokers {
    /// Registers all of them.
    pub(super) fn register(server: SocketAddr) -> Outcome<Brokers> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let members = (0..PAIRS).flat_map(|pair| (0..MEMBERS).map(move |member| (pair, member)));
        let brokers = members.map(|(pair, member)| {
            let client = AsyncNameServerClient::builder().servers(server.to_string()).build()?;
            Outcome::Ok((client, registration(pair, member)))
        });
        let brokers = brokers.collect::<Outcome<_>>()?;
        let mut brokers = Brokers { runtime, brokers, registered: Instant::now() };
        brokers.register_all()?;
        Ok(brokers)
    }

    /// Registers again if it is time.
    pub(super) fn stay(&mut self) -> Outcome<()> {
        if self.registered.elapsed() < AGAIN { Ok(()) } else { self.register_all() }
    }

    fn register_all(&mut self) -> Outcome<()> {
        self.registered = Instant::now();
        self.runtime.block_on(async {
            for (client, registration) in &self.brokers {
                client.request(registration).await?;
            }
            Ok(())
        })
    }
}

fn registration(pair: usize, member: usize) -> RegisterBroker {
    let address = Name::from(format!("10.0.{pair}.{}:10911", member + 1));
    // One is asked for. The other is there because newer servers refuse a broker with one topic.
    let topics = [1, 2].map(|number| TopicConfig::new(topic(number), QUEUES, Perm::READ_WRITE));
    RegisterBroker {
        cluster_name: format!("cluster-{}", pair % 2).into(),
        broker_name: format!("broker-{pair:03}").into(),
        broker_addr: address.clone(),
        broker_id: member as i64,
        ha_server_addr: address,
        body: RegisterBrokerBody::new(DataVersion { counter: 1, ..DataVersion::default() }, topics),
        ..RegisterBroker::default()
    }
}
