//! Stop 1 of the trip: the task that owns a connection. This is where bytes arrive.
//!
//! Before it comes the socket; behind it the protocol's [`Session`], which knows no socket. The task opens the connection
//! first, while calls may already queue up, and ends when the connection does.
//!
//! Every turn reads before it takes new calls, and writes all that has gathered with one system call.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::session::{Rejected, Session, SessionConfig};
use tokio::io::AsyncWrite;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tokio_util::io::{poll_read_buf, poll_write_buf};

use super::{Broken, Order, Waiter};
use crate::config::Stream;
use crate::failure::{Failure, Phase};
use crate::mailbox::Mailbox;
use crate::stats::Counters;

/// How often a turn reads before it looks after calls and deadlines. A peer that sends without end must not keep the
/// task from them.
const READS_PER_TURN: usize = 32;

/// How many answers a turn hands out. Those that get them ask again, and the server should have that to do while the others
/// are still at work.
const ANSWERS_PER_TURN: usize = 16;

/// The task's end of a connection.
pub(super) struct Driver {
    session: Session<Waiter>,
    orders: Arc<Mailbox<Order, Broken>>,
    /// Orders on their way from the mailbox to the session; empty between turns.
    taken: Vec<Order>,
    counters: Arc<Counters>,
    version: Arc<AtomicI32>,
    /// How many of the server's calls in flight are counted for this connection.
    in_flight: usize,
    alarm: Pin<Box<Sleep>>,
    /// When the alarm goes off. It may be early: calls are answered long before they expire.
    armed: Option<Instant>,
}

impl Driver {
    pub(super) fn new(
        orders: Arc<Mailbox<Order, Broken>>,
        config: SessionConfig,
        counters: Arc<Counters>,
        version: Arc<AtomicI32>,
    ) -> Self {
        Driver {
            session: Session::new(config),
            orders,
            taken: Vec::new(),
            counters,
            version,
            in_flight: 0,
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
        }
    }

    /// Opens the connection and serves it to its end.
    pub(super) async fn run<S: Stream>(
        mut self,
        dial: impl Future<Output = Result<S, Broken>>,
        connected: watch::Sender<Option<Instant>>,
    ) {
        let broken = match self.dial(dial).await {
            Ok(mut stream) => {
                self.counters.connected();
                connected.send_replace(Some(Instant::now()));
                let broken = poll_fn(|cx| self.turn(&mut stream, cx)).await;
                tracing::debug!(server = %self.counters.server, reason = %broken.failure, "connection ended");
                broken
            }
            Err(broken) => {
                tracing::debug!(server = %self.counters.server, reason = %broken.failure, "no connection");
                broken
            }
        };
        self.end(broken);
    }

    /// Opens the connection. Calls are taken meanwhile, and expire if it takes too long.
    async fn dial<S>(&mut self, dial: impl Future<Output = Result<S, Broken>>) -> Result<S, Broken> {
        let mut dial = pin!(dial);
        poll_fn(|cx| {
            if let Poll::Ready(opened) = dial.as_mut().poll(cx) {
                return Poll::Ready(opened);
            }
            self.take_orders(cx, Phase::Connect);
            ready!(self.poll_deadlines(cx, Phase::Connect));
            Poll::Pending
        })
        .await
    }

    /// One turn: read and answer, take calls, write, expire. Ready when the connection is at its end.
    fn turn<S: Stream>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<Broken> {
        let mut answers = ANSWERS_PER_TURN;
        for read in 0.. {
            match self.deliver(&mut answers) {
                Ok(all) if all && read < READS_PER_TURN => {}
                Ok(_) => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Err(broken) => return Poll::Ready(broken),
            }
            match poll_read_buf(Pin::new(stream), cx, self.session.input()) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Poll::Ready(self.end_of_stream()),
                Poll::Ready(Ok(count)) => self.session.received(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Broken::new(Phase::Wait, Failure::io(error))),
            }
        }
        self.take_orders(cx, Phase::Wait);
        if let Err(broken) = self.write(stream, cx) {
            return Poll::Ready(broken);
        }
        self.poll_deadlines(cx, Phase::Wait)
    }

    /// Hands out the answers that are there, at most so many. Says whether that were all.
    fn deliver(&mut self, at_most: &mut usize) -> Result<bool, Broken> {
        while *at_most > 0 {
            match self.session.next_answer() {
                Ok(Some((waiter, command))) => {
                    self.counters.answered_by(command.header.version);
                    self.version.store(command.header.version.0, Ordering::Relaxed);
                    waiter.answer(Ok(command));
                    *at_most -= 1;
                }
                Ok(None) => return Ok(true),
                Err(error) => return Err(Broken::new(Phase::Decode, Failure::Protocol(error))),
            }
        }
        Ok(false)
    }

    fn end_of_stream(&self) -> Broken {
        if let Err(error) = self.session.end_of_stream() {
            tracing::debug!(server = %self.counters.server, %error, "the server closed in the middle of an answer");
        }
        Broken::new(Phase::Wait, Failure::Closed)
    }

    fn take_orders(&mut self, cx: &mut Context<'_>, phase: Phase) {
        let mut taken = std::mem::take(&mut self.taken);
        self.orders.take(cx, &mut taken);
        if !taken.is_empty() {
            let now = Instant::now();
            for order in taken.drain(..) {
                match order {
                    Order::Cancel { opaque } => drop(self.session.cancel(opaque)),
                    Order::Call { opaque, command, deadline, waiter } => {
                        self.take_call(now, phase, opaque, command, deadline, waiter);
                    }
                }
            }
            self.count_in_flight();
        }
        self.taken = taken;
    }

    fn take_call(
        &mut self,
        now: Instant,
        phase: Phase,
        opaque: i32,
        command: Command,
        deadline: Option<Instant>,
        waiter: Waiter,
    ) {
        if waiter.is_gone() {
            return;
        }
        let deadline = deadline.map(Instant::into_std);
        let (waiter, broken) = match self.session.call(now.into_std(), opaque, command, deadline, waiter) {
            Ok(()) => return self.counters.requested(),
            Err(Rejected::Encode(waiter, error)) => {
                (waiter, Broken::new(Phase::Write, Failure::Encode(error)))
            }
            Err(Rejected::Late(waiter)) => (waiter, Broken::new(phase, Failure::Deadline)),
            // Four billion calls later the number comes round, and the old call still waits: as good as no connection.
            Err(Rejected::OpaqueInUse(waiter)) => (waiter, Broken::new(Phase::Write, Failure::Closed)),
        };
        waiter.answer(Err(broken));
    }

    /// Writes as much as the peer takes.
    fn write<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Result<(), Broken> {
        let failed = |error| Broken::new(Phase::Write, Failure::io(error));
        loop {
            let output = self.session.output();
            if output.is_empty() {
                if self.session.fill_output(Instant::now().into_std()) {
                    continue;
                }
                // A stream may hold back what was written until it is told to send it.
                return match Pin::new(stream).poll_flush(cx) {
                    Poll::Ready(Err(error)) => Err(failed(error)),
                    Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
                };
            }
            match poll_write_buf(Pin::new(stream), cx, output) {
                Poll::Ready(Ok(0)) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(failed(error)),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Fails the calls whose time is up, and sets the alarm for the next. Ready if the line is dead.
    fn poll_deadlines(&mut self, cx: &mut Context<'_>, phase: Phase) -> Poll<Broken> {
        loop {
            self.count_in_flight();
            let Some(next) = self.session.next_deadline().map(Instant::from_std) else {
                return Poll::Pending;
            };
            if self.armed.is_none_or(|armed| next < armed) {
                self.alarm.as_mut().reset(next);
                self.armed = Some(next);
            }
            ready!(self.alarm.as_mut().poll(cx));
            self.armed = None;
            let mut dead = false;
            while let Some(expired) = self.session.next_expired(Instant::now().into_std()) {
                dead |= expired.silent;
                if let Some(waiter) = expired.waiter {
                    waiter.answer(Err(Broken::new(phase, Failure::Deadline)));
                }
            }
            // Before the connection is open nothing can have been written to it.
            if dead && phase == Phase::Wait {
                return Poll::Ready(Broken::new(Phase::Wait, Failure::Silent));
            }
        }
    }

    fn count_in_flight(&mut self) {
        let now = self.session.in_flight();
        self.counters.change_in_flight(self.in_flight, now);
        self.in_flight = now;
    }

    /// Fails the calls that wait and those that are still in the mailbox; no more can come.
    fn end(&mut self, broken: Broken) {
        let unread = self.orders.close(broken.clone());
        let reason = self.orders.closed().unwrap_or(broken);
        self.session.drain().for_each(|waiter| waiter.answer(Err(reason.clone())));
        unread.into_iter().chain(self.taken.drain(..)).for_each(|order| order.fail(&reason));
        self.count_in_flight();
    }
}

/// The task's end, if it did not end by itself: it was aborted, its runtime is gone, or it panicked.
impl Drop for Driver {
    fn drop(&mut self) {
        let failure = if std::thread::panicking() {
            Failure::io(io::Error::other(
                "the task of the connection has panicked, most likely in a connector",
            ))
        } else {
            Failure::RuntimeGone
        };
        self.end(Broken::new(Phase::Wait, failure));
    }
}
