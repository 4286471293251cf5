//! Stop 1 of the trip: one connection and the task that owns it. This is where bytes arrive. Behind it stands the
//! protocol's session; [`dial`](crate::dial) opens what it owns, [`call`](crate::call) uses it.
//!
//! Calls come in over a channel, answers leave over one-shot channels; between them stands the
//! [`Session`](rocketmq_nameserver_protocol::session::Session), which knows no socket. The task opens the connection
//! first, while calls may already queue up, and ends when the connection does: a link is never mended, the next call
//! makes a new one.
//!
//! Every turn of the task reads before it takes new calls, and writes all that has gathered with one system call.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::session::{Rejected, Session, SessionConfig};
use tokio::io::AsyncWrite;
use tokio::runtime::{Handle, Id};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, Sleep};
use tokio_util::io::{poll_read_buf, poll_write_buf};

use crate::config::Stream;
use crate::error::{Failure, Phase};
use crate::stats::Counters;

/// How much may wait to be written before new calls have to wait in the channel, in bytes: the peer does not read.
const OUTPUT_LIMIT: usize = 256 * 1024;

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

type Waiter = oneshot::Sender<Result<Command, Broken>>;

enum Order {
    Call { opaque: i32, command: Command, deadline: Option<Instant>, waiter: Waiter },
    Cancel { opaque: i32 },
}

/// The callers' end of a connection.
pub(crate) struct Link {
    orders: mpsc::UnboundedSender<Order>,
    next_opaque: AtomicI32,
    state: watch::Receiver<LinkState>,
    disconnected: AtomicBool,
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
        let (orders, incoming) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(LinkState::Connecting);
        let driver = Driver {
            session: Session::new(config),
            orders: incoming,
            counters,
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
        };
        let task = runtime.spawn(driver.run(dial, state_sender));
        Arc::new(Link {
            orders,
            next_opaque: AtomicI32::new(1),
            state,
            disconnected: AtomicBool::new(false),
            runtime: runtime.id(),
            task: task.abort_handle(),
            ended: Mutex::new(Some(task)),
        })
    }

    /// Whether calls can be made on it: it is connected or still trying.
    pub(crate) fn is_open(&self) -> bool {
        // The state comes first when a link ends, the channel a moment later.
        !self.orders.is_closed() && !matches!(*self.state.borrow(), LinkState::Closed(_))
    }

    pub(crate) fn state(&self) -> LinkState {
        if self.is_open() { self.state.borrow().clone() } else { LinkState::Closed(self.why_closed()) }
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.state(), LinkState::Connected(_))
    }

    /// Waits until the connection is open.
    pub(crate) async fn connected(&self) -> Result<(), Broken> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| !matches!(state, LinkState::Connecting)).await;
        match settled.as_deref() {
            Ok(LinkState::Connected(_)) => Ok(()),
            Ok(LinkState::Closed(broken)) => Err(broken.clone()),
            Ok(LinkState::Connecting) | Err(_) => Err(self.why_closed()),
        }
    }

    /// Sends a request and waits for its answer, at most until `deadline`. A dropped call is forgotten at once.
    pub(crate) async fn call(&self, command: Command, deadline: Option<Instant>) -> Result<Command, Broken> {
        let opaque = self.next_opaque.fetch_add(1, Ordering::Relaxed);
        let (waiter, answer) = oneshot::channel();
        let order = Order::Call { opaque, command, deadline, waiter };
        self.orders.send(order).map_err(|_| self.why_closed())?;
        let mut forget = ForgetOnDrop { link: self, opaque, answered: false };
        let answered = match deadline {
            // The task keeps the deadline, unless nobody may be driving the runtime that it lives on.
            Some(deadline) if !self.lives_here() => tokio::time::timeout_at(deadline, answer)
                .await
                .map_err(|_| Broken::new(Phase::Wait, Failure::Deadline))?,
            _ => answer.await,
        };
        forget.answered = true;
        answered.unwrap_or_else(|_| Err(self.why_closed()))
    }

    /// Ends the connection; calls that wait fail. When this returns nothing of it is left, unless it lives on another
    /// runtime: there it ends as soon as that runtime turns.
    pub(crate) async fn disconnect(self: Arc<Self>) {
        self.disconnected.store(true, Ordering::Relaxed);
        self.task.abort();
        let task = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task.filter(|_| self.lives_here()) {
            // It ends as cancelled, or had ended before.
            let _cancelled = task.await;
        }
    }

    fn lives_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.runtime)
    }

    fn why_closed(&self) -> Broken {
        match &*self.state.borrow() {
            LinkState::Closed(broken) => broken.clone(),
            _ if self.disconnected.load(Ordering::Relaxed) => Broken::new(Phase::Wait, Failure::Disconnected),
            _ => Broken::new(Phase::Wait, Failure::RuntimeGone),
        }
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
            // If the task has ended there is nothing to forget.
            let _ended = self.link.orders.send(Order::Cancel { opaque: self.opaque });
        }
    }
}

/// The task's end of a connection.
struct Driver {
    session: Session<Waiter>,
    orders: mpsc::UnboundedReceiver<Order>,
    counters: Arc<Counters>,
    alarm: Pin<Box<Sleep>>,
    /// When the alarm goes off. It may be early: calls are answered long before they expire.
    armed: Option<Instant>,
}

impl Driver {
    async fn run<S: Stream>(
        mut self,
        dial: impl Future<Output = Result<S, Broken>>,
        state: watch::Sender<LinkState>,
    ) {
        let broken = match self.dial(dial).await {
            Ok(stream) => {
                state.send_replace(LinkState::Connected(Instant::now()));
                self.counters.connected();
                let mut stream = stream;
                let broken = poll_fn(|cx| self.turn(&mut stream, cx)).await;
                tracing::debug!(server = %self.counters.server, reason = %broken.failure, "connection ended");
                broken
            }
            Err(broken) => {
                tracing::debug!(server = %self.counters.server, reason = %broken.failure, "no connection");
                broken
            }
        };
        // First the state, then the channel: whoever finds the channel closed can read why.
        state.send_replace(LinkState::Closed(broken.clone()));
        self.fail_everything(&broken);
    }

    /// Opens the connection. Calls are taken meanwhile, and expire if it takes too long.
    async fn dial<S>(&mut self, dial: impl Future<Output = Result<S, Broken>>) -> Result<S, Broken> {
        let mut dial = pin!(dial);
        poll_fn(|cx| {
            if let Poll::Ready(opened) = dial.as_mut().poll(cx) {
                return Poll::Ready(opened);
            }
            self.take_orders(cx);
            ready!(self.poll_deadlines(cx, Phase::Connect));
            Poll::Pending
        })
        .await
    }

    /// One turn: read and answer, take calls, write, expire. Ready when the connection is at its end.
    fn turn<S: Stream>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<Broken> {
        while let Poll::Ready(read) = poll_read_buf(Pin::new(stream), cx, self.session.input()) {
            match read {
                Ok(0) => return Poll::Ready(self.end_of_stream()),
                Ok(count) => self.session.received(count),
                Err(error) => return Poll::Ready(Broken::new(Phase::Wait, Failure::io(error))),
            }
            if let Err(broken) = self.deliver() {
                return Poll::Ready(broken);
            }
        }
        loop {
            let more = self.take_orders(cx);
            if let Err(broken) = self.write(stream, cx) {
                return Poll::Ready(broken);
            }
            if !(more && self.session.output().is_empty()) {
                break;
            }
        }
        if let Poll::Ready(broken) = self.poll_deadlines(cx, Phase::Wait) {
            return Poll::Ready(broken);
        }
        Poll::Pending
    }

    fn deliver(&mut self) -> Result<(), Broken> {
        let next = |session: &mut Session<Waiter>| {
            session.next_answer().map_err(|error| Broken::new(Phase::Decode, Failure::Protocol(error)))
        };
        while let Some((waiter, command)) = next(&mut self.session)? {
            self.counters.answered_by(command.header.version);
            // A caller that is gone needs no answer.
            let _gone = waiter.send(Ok(command));
        }
        self.counters.set_in_flight(self.session.in_flight());
        Ok(())
    }

    fn end_of_stream(&self) -> Broken {
        if let Err(error) = self.session.end_of_stream() {
            tracing::debug!(server = %self.counters.server, %error, "the server closed in the middle of an answer");
        }
        Broken::new(Phase::Wait, Failure::Closed)
    }

    /// Takes calls while there is room for what they write. Says whether it stopped for want of room.
    fn take_orders(&mut self, cx: &mut Context<'_>) -> bool {
        let mut more = true;
        while more && self.session.output().len() < OUTPUT_LIMIT {
            match self.orders.poll_recv(cx) {
                Poll::Ready(Some(Order::Call { opaque, command, deadline, waiter })) => {
                    self.take_call(opaque, command, deadline, waiter);
                }
                Poll::Ready(Some(Order::Cancel { opaque })) => drop(self.session.cancel(opaque)),
                // All callers are gone, and the link with them: it aborts this task.
                Poll::Ready(None) | Poll::Pending => more = false,
            }
        }
        self.counters.set_in_flight(self.session.in_flight());
        more
    }

    fn take_call(&mut self, opaque: i32, command: Command, deadline: Option<Instant>, waiter: Waiter) {
        if waiter.is_closed() {
            return;
        }
        let deadline = deadline.map(Instant::into_std);
        match self.session.call(opaque, command, deadline, waiter) {
            Ok(()) => self.counters.requested(),
            Err(Rejected::Encode(waiter, error)) => {
                let _gone = waiter.send(Err(Broken::new(Phase::Write, Failure::Encode(error))));
            }
            // Four billion calls later the number comes round, and the old call still waits. The caller may try again.
            Err(Rejected::OpaqueInUse(waiter)) => {
                let _gone = waiter.send(Err(Broken::new(Phase::Write, Failure::Closed)));
            }
        }
    }

    fn write<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Result<(), Broken> {
        let failed = |error| Broken::new(Phase::Write, Failure::io(error));
        let output = self.session.output();
        while !output.is_empty() {
            match poll_write_buf(Pin::new(stream), cx, output) {
                Poll::Ready(Ok(0)) => return Err(failed(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(failed(error)),
                Poll::Pending => return Ok(()),
            }
        }
        // A stream may hold back what was written until it is told to send it.
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(failed(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Fails the calls whose time is up, and sets the alarm for the next. Ready if the line is dead.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>, phase: Phase) -> Poll<Broken> {
        loop {
            let Some(next) = self.session.next_deadline().map(Instant::from_std) else {
                return Poll::Pending;
            };
            if self.armed.is_none_or(|armed| next < armed) {
                self.alarm.as_mut().reset(next);
                self.armed = Some(next);
            }
            ready!(self.alarm.as_mut().poll(cx));
            self.armed = None;
            let mut silent = false;
            while let Some(expired) = self.session.next_expired(Instant::now().into_std()) {
                silent |= expired.silent;
                let _gone = expired.waiter.send(Err(Broken::new(phase, Failure::Deadline)));
            }
            self.counters.set_in_flight(self.session.in_flight());
            if silent && phase == Phase::Wait {
                return Poll::Ready(Broken::new(Phase::Wait, Failure::Silent));
            }
        }
    }

    /// Fails the calls that wait and those that are still in the channel; no more can come.
    fn fail_everything(&mut self, broken: &Broken) {
        self.orders.close();
        for waiter in self.session.drain() {
            let _gone = waiter.send(Err(broken.clone()));
        }
        while let Ok(order) = self.orders.try_recv() {
            if let Order::Call { waiter, .. } = order {
                let _gone = waiter.send(Err(broken.clone()));
            }
        }
        self.counters.set_in_flight(0);
    }
}
