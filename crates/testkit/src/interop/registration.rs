//! Whether a NameServer lists a broker, and how to make that happen soon.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::Name;
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
    pub(super) name_server: SocketAddr,
    pub(super) options: BrokerOptions,
}

impl Registration {
    /// Whether the NameServer lists the broker.
    pub(super) fn is_listed(&self) -> Result<bool, InteropError> {
        let listed = self.listed()?;
        Ok(listed.is_some_and(|address| *address == *self.broker.to_string()))
    }

    /// A function that looks whether the NameServer lists the broker, asks the broker to register if it does not, and
    /// says what is missing.
    pub(super) fn watch(&self) -> impl FnMut() -> Result<(), String> {
        let mut prompted: Option<Instant> = None;
        move || {
            if self.is_listed().map_err(|error| error.to_string())? {
                return Ok(());
            }
            let now = Instant::now();
            if prompted.is_none_or(|last| now.duration_since(last) >= PROMPT_EVERY) {
                prompted = Some(now);
                self.prompt().map_err(|error| error.to_string())?;
            }
            let BrokerOptions { broker_name, broker_id, .. } = &self.options;
            Err(format!("{} does not list {broker_name} {broker_id} at {}", self.name_server, self.broker))
        }
    }

    /// The address that the NameServer has for the broker's place in its group.
    fn listed(&self) -> Result<Option<Name>, InteropError> {
        let info = query(self.name_server, &GetBrokerClusterInfo)?;
        let group = info.broker_addr_table.get(&self.options.broker_name);
        Ok(group.and_then(|group| group.broker_addresses.get(self.options.broker_id).cloned()))
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
