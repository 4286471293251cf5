//! What the examples ask: the NameServers of `NAMESRV_ADDR`, or two that run inside the program, so that an example
//! needs nothing else.

#![allow(dead_code, reason = "each example uses a part of this")]

use std::env;
use std::error::Error;

use rocketmq_nameserver::{DataVersion, Perm, RegisterBroker, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver_server::{NameServer, NameServerHandle};

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// NameServers of this program; none if `NAMESRV_ADDR` names others.
pub(crate) struct Site {
    pub(crate) servers: Vec<NameServerHandle>,
    /// `host:port`, separated by `;`.
    pub(crate) addresses: String,
    /// Counts registrations: only one with another version changes topics.
    version: DataVersion,
}

impl Site {
    /// Two NameServers that know two brokers with the topics `orders` (4 queues) and `payments` (2 queues).
    pub(crate) async fn start() -> Result<Site, Box<dyn Error>> {
        if let Ok(addresses) = env::var("NAMESRV_ADDR") {
            return Ok(Site { servers: Vec::new(), addresses, version: DataVersion::default() });
        }
        let mut servers = Vec::new();
        for _ in 0..2 {
            servers.push(NameServer::builder().listen("127.0.0.1:0").start().await?);
        }
        let addresses: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
        let mut site = Site { servers, addresses: addresses.join(";"), version: DataVersion::default() };
        site.register("broker-a", "127.0.0.1:10911", 4)?;
        site.register("broker-b", "127.0.0.1:10921", 4)?;
        Ok(site)
    }

    /// A broker registers at all servers, with so many queues for `orders`, as a real one would over its connection.
    pub(crate) fn register(&mut self, broker: &str, address: &str, queues: u32) -> Outcome {
        self.version = self.version.next();
        for server in &self.servers {
            let topics = [
                TopicConfig::new("orders", queues, Perm::READ_WRITE),
                TopicConfig::new("payments", 2, Perm::READ_WRITE),
            ];
            let body = RegisterBrokerBody::new(self.version, topics);
            server.register(RegisterBroker::new("example-cluster", broker, 0, address, body))?;
        }
        Ok(())
    }
}
