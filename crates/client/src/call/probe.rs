//! Finds out in the background when a server that failed works again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::Answer;
use tokio::runtime::{Handle, Id};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::config::ClientConfig;
use crate::endpoint::Endpoint;
use crate::failure::{Failure, Phase};
use crate::link::Broken;
use crate::release;

/// The first look comes about that long after the failure: many are over by then.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Between later looks there is at most that much time; it doubles until then. A server that is back is used soon, and one
/// that is away for days is asked once in a few seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a server may take to answer, connecting included: as long as opening a connection may take by default. A line
/// that says nothing for so long is dead and closed, and the next probe has a new one.
const LIMIT: Duration = crate::config::DEFAULT_CONNECT_TIMEOUT;

/// A task that asks one server until it answers. It ends when this is dropped.
pub(crate) struct Probe {
    task: JoinHandle<()>,
    runtime: Id,
}

impl Probe {
    /// Starts on this runtime. Nothing connects any more once `epoch` is not `at`.
    pub(super) fn start(
        runtime: &Handle,
        endpoint: Weak<Endpoint>,
        config: Arc<ClientConfig>,
        epoch: Arc<AtomicU64>,
        at: u64,
    ) -> Self {
        let task = runtime.spawn(probe(endpoint, config, move || epoch.load(Ordering::SeqCst) == at));
        Probe { task, runtime: runtime.id() }
    }

    /// It has found the server well, or its runtime is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it and waits until nothing is left. One that lives on another runtime ends when that one turns; it is not waited
    /// for.
    pub(super) async fn ended(mut self) {
        self.task.abort();
        if Handle::try_current().is_ok_and(|here| here.id() == self.runtime) {
            let _cancelled = (&mut self.task).await;
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Holds the endpoint only while it looks, so that it does not outlive its client.
async fn probe(endpoint: Weak<Endpoint>, config: Arc<ClientConfig>, allowed: impl Fn() -> bool) {
    let mut wait = FIRST_WAIT;
    loop {
        sleep(jittered(wait)).await;
        let Some(probed) = endpoint.upgrade().filter(|endpoint| endpoint.health().is_failed()) else {
            // It is gone, or a call has found it well.
            return;
        };
        probed.counters().probed();
        let here = Handle::current();
        let Ok((link, _)) = probed.link(&config, &here, &allowed) else { return };
        drop(probed);
        let asked = link.call(release::cheap_request(), Instant::now().checked_add(LIMIT), &here).await;
        let answered = asked.and_then(is_well);
        let Some(probed) = endpoint.upgrade() else { return };
        match answered {
            Ok(()) => {
                tracing::debug!(server = %probed.name(), "the server works again");
                probed.counters().probe_answered();
                return probed.health().recovered();
            }
            Err(broken) => {
                probed.health().confirm();
                probed.leave(&link, &broken.failure);
            }
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whatever a server says, it is well; unless it says that it is not.
fn is_well(answer: Command) -> Result<(), Broken> {
    let failure = match Answer::from_response(answer) {
        Ok(_) => return Ok(()),
        Err(Refusal { code: ResponseCode::GO_AWAY, .. }) => Failure::GoAway,
        Err(refusal) => Failure::Refused(refusal),
    };
    if failure.is_worth_another_server() { Err(Broken::new(Phase::Wait, failure)) } else { Ok(()) }
}

/// Between half of it and all: clients that lost a server together do not come back together.
fn jittered(wait: Duration) -> Duration {
    // Each state of the hash map's hasher is a random number.
    let random = RandomState::new().build_hasher().finish();
    wait / 2 + (wait / 2).mul_f64((random >> 32) as f64 / f64::from(u32::MAX))
}
