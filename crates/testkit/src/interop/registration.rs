//! Whether the NameServers list a broker, and how to make that happen soon.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::request::GetBrokerClusterInfo;

use super::ask::{ask, query};
use super::broker::BrokerOptions;
use super::error::InteropError;

/// How often a broker is asked to register while it has not. Each time it writes its settings to the disk.
const PROMPT_EVERY: Duration = Duration::from_millis(200);

// A request to a broker, which is not what the protocol crate is about.
const UPDATE_BROKER_CONFIG: RequestCode = RequestCode(25);

/// Which broker registers where.
pub(super) struct Registration {
    pub(super) broker: SocketAddr,
    /// It registers with each of them.
    pub(super) name_servers: Vec<SocketAddr>,
    pub(super) options: BrokerOptions,
}

impl Registration {
    /// A NameServer that still lists the broker. One that does not answer has nothing to forget.
    pub(super) fn still_lists(&self) -> Option<SocketAddr> {
        let lists = |server: &SocketAddr| self.is_listed(*server).unwrap_or(false);
        self.name_servers.iter().copied().find(lists)
    }

    /// A function that looks whether that NameServer lists the broker, asks the broker to register if it does not, and
    /// says what is missing.
    pub(super) fn watch(&self, name_server: SocketAddr) -> impl FnMut() -> Result<(), String> {
        let mut prompted: Option<Instant> = None;
        move || {
            if self.is_listed(name_server).map_err(|error| error.to_string())? {
                return Ok(());
            }
            let now = Instant::now();
            if prompted.is_none_or(|last| now.duration_since(last) >= PROMPT_EVERY) {
                prompted = Some(now);
                self.prompt().map_err(|error| error.to_string())?;
            }
            let BrokerOptions { broker_name, broker_id, .. } = &self.options;
            Err(format!("{name_server} does not list {broker_name} {broker_id} at {}", self.broker))
        }
    }

    /// Whether that NameServer has the broker's address at its place in its group.
    fn is_listed(&self, name_server: SocketAddr) -> Result<bool, InteropError> {
        let info = query(name_server, &GetBrokerClusterInfo)?;
        let group = info.broker_addr_table.get(&self.options.broker_name);
        let listed = group.and_then(|group| group.broker_addresses.get(self.options.broker_id));
        Ok(listed.is_some_and(|address| **address == *self.broker.to_string()))
    }

    /// A 5.x broker registers only with NameServers that it has a connection to. It has none yet when it starts and
    /// tries again 10 s later. Setting its permission, even to what it is, makes any broker register at once.
    fn prompt(&self) -> Result<(), InteropError> {
        let set = Command::request(UPDATE_BROKER_CONFIG, ExtFields::new(), "brokerPermission=6");
        let answer = ask(self.broker, &set)?;
        answer.refusal().map_or(Ok(()), |refusal| {
            Err(InteropError::Refused { address: self.broker, code: UPDATE_BROKER_CONFIG, refusal })
        })
    }
}
