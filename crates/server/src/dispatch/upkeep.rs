//! What happens to the tables without a request: brokers by hand, connections that end, silence, and the end of the server.

use std::io;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::{RegisterBroker, RegisterBrokerResult, UnregisterBroker};

use super::{Dispatcher, Refused};
use crate::kv::KvStore;
use crate::notify::Teller;
use crate::personality::Personality;
use crate::serve::Snapshot;
use crate::table::{ConnectionId, Table};

/// How often a 4.x server looks for silent brokers; a 5.x one has a setting for it.
const SCAN_INTERVAL_V4: Duration = Duration::from_secs(10);

/// However long the setting is: it can be set from afar, and whoever stops a server wants it to end.
const LONGEST_LEAVE: Duration = Duration::from_secs(300);

/// However short the setting is, a server has other things to do.
const SHORTEST_SCAN_INTERVAL: Duration = Duration::from_millis(10);

impl Dispatcher {
    /// Registers a broker by hand: it has no connection and stays until it is taken back.
    pub(crate) fn register(&self, broker: RegisterBroker) -> Result<RegisterBrokerResult, Refusal> {
        self.registered(None, broker.into()).map_err(|refused| match refused {
            Refused::No(refusal, _) => refusal,
            Refused::Exception(text) => Refusal::new(ResponseCode::SYSTEM_ERROR, text),
            Refused::Silence => Refusal::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, ""),
        })
    }

    /// Takes a broker out by hand.
    pub(crate) fn unregister(&self, broker: UnregisterBroker) {
        self.change(|table| table.unregister_all([broker.into()]));
    }

    /// The connection is gone, and its brokers with it.
    pub(crate) fn connection_closed(&self, connection: ConnectionId) {
        self.carry_out_farewells();
        self.change(|table| table.connection_closed(connection));
    }

    /// Carries out the farewells that wait, all together.
    pub(crate) fn carry_out_farewells(&self) {
        let farewells = std::mem::take(&mut *self.lock_farewells());
        if !farewells.is_empty() {
            self.change(|table| table.unregister_all(farewells));
        }
    }

    /// As after a restart: no brokers and topics, and no KV store but one that is kept in a file.
    pub(crate) fn forget_everything(&self) {
        self.lock_farewells().clear();
        *self.write() = Table::new(self.personality);
        if self.kv_file.is_none() {
            *self.kv.write().unwrap_or_else(PoisonError::into_inner) = KvStore::default();
        }
        self.ready_routes.changed();
    }

    /// Who tells brokers what has changed.
    pub(crate) fn teller(&self) -> &Teller {
        &self.teller
    }

    /// Removes silent brokers, if it is time to look for them. Gives back the connections to close.
    pub(crate) fn expire_if_due(&self) -> Vec<ConnectionId> {
        let now = self.now();
        let last = Duration::from_millis(self.last_scan.load(Ordering::Relaxed));
        if now.uptime < last.saturating_add(self.scan_interval()) {
            return Vec::new();
        }
        let millis = u64::try_from(now.uptime.as_millis()).unwrap_or(u64::MAX);
        self.last_scan.store(millis, Ordering::Relaxed);
        self.change(|table| table.expire(now))
    }

    /// How often silent brokers are looked for.
    pub(crate) fn scan_interval(&self) -> Duration {
        match self.personality {
            Personality::V4 => SCAN_INTERVAL_V4,
            Personality::V5 => Duration::from_millis(self.switches().scan_not_active_broker_interval)
                .max(SHORTEST_SCAN_INTERVAL),
        }
    }

    /// From now on newer clients are told to go away, if it is set so. Says for how long.
    pub(crate) fn leave(&self) -> Option<Duration> {
        let switches = self.switches();
        let leaves = switches.enable_shutdown_gracefully;
        self.leaving.store(leaves, Ordering::Relaxed);
        leaves.then(|| Duration::from_secs(switches.shutdown_wait_time_seconds).min(LONGEST_LEAVE))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let table = self.read();
        Snapshot {
            clusters: table.cluster_info(),
            topics: table.queues_by_topic(),
            kv: self.kv.read().unwrap_or_else(PoisonError::into_inner).tables().clone(),
        }
    }

    pub(crate) fn set(&self, key: &str, value: &str) -> io::Result<()> {
        self.settings.write().unwrap_or_else(PoisonError::into_inner).set(key, value)
    }
}
