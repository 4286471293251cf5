//! Where the tests take place: both personalities of the embedded server, and a broker of each release.

use std::net::SocketAddr;
use std::thread;

use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_server::Personality;
use rocketmq_nameserver_testkit::conformance::Embedded;
use rocketmq_nameserver_testkit::interop::{
    BrokerOptions, InteropError, Jars, RealBroker, Release, has_tools,
};

/// Two embedded servers and two Java brokers, each registered with both servers and with nobody else.
pub(crate) struct Site {
    pub(crate) brokers: Vec<RealBroker>,
    pub(crate) servers: Vec<Server>,
}

/// One embedded server.
pub(crate) struct Server {
    pub(crate) personality: Personality,
    embedded: Embedded,
}

impl Server {
    pub(crate) fn start(personality: Personality) -> Server {
        Server { personality, embedded: Embedded::start(personality).expect("a free port") }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.embedded.address()
    }
}

impl Site {
    /// Starts it all. `None`, and a word about it, where there is no Java; a panic in CI.
    pub(crate) fn start() -> Result<Option<Site>, InteropError> {
        if !has_tools() {
            return Ok(None);
        }
        let servers: Vec<Server> = [Personality::V4, Personality::V5].map(Server::start).into();
        let addresses: Vec<SocketAddr> = servers.iter().map(Server::address).collect();
        let brokers = Release::ALL.map(|release| (release, &addresses));
        let brokers = at_once(brokers, |(release, addresses)| {
            let options =
                BrokerOptions { broker_name: Name::from(format!("broker-{release}")), ..Default::default() };
            RealBroker::start_at(&Jars::fetch(release)?, addresses, &options)
        });
        Ok(Some(Site { brokers: brokers.into_iter().collect::<Result<_, _>>()?, servers }))
    }
}

/// What each item gives, in their order; all are at work at the same time.
pub(crate) fn at_once<I: Send, T: Send>(
    items: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> T + Sync,
) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Tells a measure, for the record.
#[expect(clippy::print_stdout, reason = "for the record")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
