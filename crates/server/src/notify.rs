//! Tells brokers that the smallest id of their group is another one: request 905, oneway, over a connection that the server
//! opens (`docs/wire.md` §2.5). Only with the setting `notifyMinBrokerIdChanged`.
//!
//! One task tells them, one broker after the other. What waits is bounded by the number of groups: of two changes of a group
//! only the newer one is told.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocketmq_nameserver_protocol::code::{RequestCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::model::Name;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::table::MinBrokerIdChange;

/// How long telling one broker may take, as Java has it.
const LIMIT: Duration = Duration::from_millis(300);

/// Who tells brokers what has changed.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    waiting: Mutex<Waiting>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Broker name → what its group is to be told.
    changes: BTreeMap<Name, MinBrokerIdChange>,
    /// Whether there is a task that tells them.
    told: bool,
}

impl Teller {
    /// Has all that are concerned told, soon. Not any more once it has stopped: a server that goes away closes the connections
    /// of brokers that are well.
    pub(crate) fn tell(self: &Arc<Self>, changes: Vec<MinBrokerIdChange>) {
        if changes.is_empty() || self.stop.is_cancelled() {
            return;
        }
        let runtime = match Handle::try_current() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::warn!(%error, "brokers are not told of a change that was made by hand");
                return;
            }
        };
        let mut waiting = self.waiting();
        waiting.changes.extend(changes.into_iter().map(|change| (change.broker_name.clone(), change)));
        if !std::mem::replace(&mut waiting.told, true) {
            let teller = Arc::clone(self);
            self.tasks.spawn_on(async move { teller.run().await }, &runtime);
        }
    }

    /// Tells nobody anything from now on.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&self) {
        self.tasks.wait().await;
    }

    async fn run(&self) {
        while let Some(change) = self.next() {
            if self.stop.run_until_cancelled(tell(change)).await.is_none() {
                return;
            }
        }
    }

    fn next(&self) -> Option<MinBrokerIdChange> {
        let mut waiting = self.waiting();
        let next = waiting.changes.pop_first().map(|(_, change)| change);
        waiting.told = next.is_some();
        next
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells all that are to be told, one after the other. Who cannot be reached will learn it by asking.
async fn tell(change: MinBrokerIdChange) {
    let mut fields = ExtFields::new();
    fields.set(Name::from_static("minBrokerId"), change.min_broker_id.to_string());
    fields.set(Name::from_static("minBrokerAddr"), change.min_broker_addr.clone());
    fields.set_optional("offlineBrokerAddr", change.offline_broker_addr.clone());
    fields.set_optional("haBrokerAddr", change.ha_broker_addr.clone());
    let mut command = Command::request(RequestCode::NOTIFY_MIN_BROKER_ID_CHANGE, fields, "").oneway();
    command.header.version = Version::V5_3_3;
    for broker in &change.receivers {
        let told = tokio::time::timeout(LIMIT, send(broker, &command)).await;
        if let Err(error) = told.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            tracing::warn!(%broker, %error, "cannot tell a broker that the smallest id of its group has changed");
        }
    }
}

async fn send(broker: &Name, command: &Command) -> io::Result<()> {
    let frame = command.to_frame(SerializeType::Json).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(broker.as_str()).await?;
    stream.write_all(&frame).await?;
    stream.shutdown().await
}
