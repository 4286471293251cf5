//! One connection: its callers' end. The [`driver`] is the task that owns the socket, stop 1 of the trip.
//! [`dial`](crate::dial) opens what it owns, [`call`](crate::call) uses it.
//!
//! Calls go to the driver through a [`Mailbox`], answers come back over one-shot channels. A link is never mended: it ends
//! when its connection does, and the next call makes a new one. However it ends, by itself, by a disconnect or with its
//! runtime, every call that waits is answered.

mod driver;
mod waiter;

use std::future::Future;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::session::SessionConfig;
use tokio::runtime::{Handle, Id};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;

use crate::config::Stream;
use crate::dial::within;
use crate::failure::{Failure, Phase};
use crate::mailbox::Mailbox;
use crate::stats::Counters;

use driver::Driver;
use waiter::Waiter;

pub(crate) use waiter::{Answered, Answers};

/// Why a connection, or a call on it, came to its end.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) phase: Phase,
    pub(crate) failure: Failure,
}

impl Broken {
    pub(crate) fn new(phase: Phase, failure: Failure) -> Self {
        Broken { phase, failure }
    }
}

/// Where a link is in its life.
#[derive(Clone, Debug)]
pub(crate) enum LinkState {
    Connecting,
    Connected(Instant),
    Closed(Broken),
}

enum Order {
    Call { opaque: i32, command: Command, deadline: Option<Instant>, waiter: Waiter },
    Cancel { opaque: i32 },
}

impl Order {
    fn fail(self, broken: &Broken) {
        if let Order::Call { waiter, .. } = self {
            waiter.answer(Err(broken.clone()));
        }
    }
}

/// The callers' end of a connection.
pub(crate) struct Link {
    orders: Arc<Mailbox<Order, Broken>>,
    next_opaque: AtomicI32,
    /// The release that the latest answer has named; 0 before the first one.
    version: Arc<AtomicI32>,
    /// When the connection was opened; `None` while it is being opened.
    connected_at: watch::Receiver<Option<Instant>>,
    runtime: Id,
    task: AbortHandle,
    /// Taken by the one that waits for the task's end.
    ended: Mutex<Option<JoinHandle<()>>>,
}

impl Link {
    /// Starts a link on this runtime; `dial` opens its connection.
    pub(crate) fn start<S, D>(
        runtime: &Handle,
        dial: D,
        config: SessionConfig,
        counters: Arc<Counters>,
    ) -> Arc<Link>
    where
        S: Stream + 'static,
        D: Future<Output = Result<S, Broken>> + Send + 'static,
    {
        let orders = Arc::new(Mailbox::new());
        let (connected, connected_at) = watch::channel(None);
        let version = Arc::new(AtomicI32::new(0));
        let driver = Driver::new(Arc::clone(&orders), config, counters, Arc::clone(&version));
        let task = runtime.spawn(driver.run(dial, connected));
        Arc::new(Link {
            orders,
            next_opaque: AtomicI32::new(1),
            version,
            connected_at,
            runtime: runtime.id(),
            task: task.abort_handle(),
            ended: Mutex::new(Some(task)),
        })
    }

    /// Whether calls can be made on it: it is connected or still trying.
    pub(crate) fn is_open(&self) -> bool {
        !self.orders.is_closed()
    }

    pub(crate) fn state(&self) -> LinkState {
        match (self.orders.closed(), *self.connected_at.borrow()) {
            (Some(broken), _) => LinkState::Closed(broken),
            (None, Some(since)) => LinkState::Connected(since),
            (None, None) => LinkState::Connecting,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.has_connected() && self.is_open()
    }

    /// Whether it is connected, or was before it closed.
    pub(crate) fn has_connected(&self) -> bool {
        self.connected_at.borrow().is_some()
    }

    /// The release of the server at the other end, if it has said anything.
    pub(crate) fn version(&self) -> Option<Version> {
        Some(Version(self.version.load(Ordering::Relaxed))).filter(|version| *version != Version(0))
    }

    /// Waits until the connection is open.
    pub(crate) async fn connected(&self) -> Result<(), Broken> {
        let mut connected_at = self.connected_at.clone();
        // An error is the end of the task, which has closed the mailbox before.
        let _ended = connected_at.wait_for(Option::is_some).await;
        self.orders.closed().map_or(Ok(()), Err)
    }

    /// Sends a request and waits for its answer, at most until `deadline`. A dropped call is forgotten at once. `here` is the
    /// runtime of the call.
    pub(crate) async fn call(
        &self,
        command: Command,
        deadline: Option<Instant>,
        here: &Handle,
    ) -> Result<Command, Broken> {
        let opaque = self.next_opaque.fetch_add(1, Ordering::Relaxed);
        let (waiter, answer) = oneshot::channel();
        self.orders.send(Order::Call { opaque, command, deadline, waiter: Waiter::One(waiter) })?;
        let mut forget = ForgetOnDrop { link: self, opaque, answered: false };
        // The task keeps the deadline, unless nobody may be driving the runtime that it lives on.
        let own_deadline = if here.id() == self.runtime { None } else { deadline };
        let answered = within(own_deadline, answer).await;
        forget.answered = answered.is_some();
        match answered {
            Some(Ok(answer)) => answer,
            // The task answers all that wait when it ends.
            Some(Err(_)) => Err(Broken::new(Phase::Wait, Failure::RuntimeGone)),
            None => Err(Broken::new(Phase::Wait, Failure::Deadline)),
        }
    }

    /// Sends many requests at once; `answers` gets what comes of each, under its number. Gives the opaques, for
    /// [`cancel_many`](Self::cancel_many). The task keeps the deadline: only for callers on the runtime of this link.
    pub(crate) fn call_many(
        &self,
        requests: impl Iterator<Item = (usize, Command)>,
        deadline: Option<Instant>,
        answers: &Arc<Answers>,
        opaques: &mut Vec<i32>,
    ) -> Result<(), Broken> {
        self.orders.send_all(requests.map(|(which, command)| {
            let opaque = self.next_opaque.fetch_add(1, Ordering::Relaxed);
            opaques.push(opaque);
            Order::Call { opaque, command, deadline, waiter: Waiter::OfMany(Arc::clone(answers), which) }
        }))
    }

    /// Nobody waits any more for the answers to these.
    pub(crate) fn cancel_many(&self, opaques: impl Iterator<Item = i32>) {
        // Where the link is closed there is nothing to forget.
        let _closed = self.orders.send_all(opaques.map(|opaque| Order::Cancel { opaque }));
    }

    /// Ends the connection; calls that wait fail.
    pub(crate) fn close(&self) {
        let disconnected = Broken::new(Phase::Wait, Failure::Disconnected);
        self.orders.close(disconnected.clone()).into_iter().for_each(|order| order.fail(&disconnected));
        self.task.abort();
    }

    /// Waits until nothing is left of a link that was closed. One that lives on another runtime ends when that one
    /// turns; it is not waited for.
    pub(crate) async fn ended(&self) {
        let task = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task.filter(|_| self.lives_here()) {
            // It ends as cancelled, or had ended before.
            let _cancelled = task.await;
        }
    }

    /// Whether it lives on the runtime of this call.
    pub(crate) fn lives_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.runtime)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct ForgetOnDrop<'a> {
    link: &'a Link,
    opaque: i32,
    answered: bool,
}

impl Drop for ForgetOnDrop<'_> {
    fn drop(&mut self) {
        if !self.answered {
            // Where the link is closed there is nothing to forget.
            let _closed = self.link.orders.send(Order::Cancel { opaque: self.opaque });
        }
    }
}
