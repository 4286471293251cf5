//! Many requests at once: the quick way of [`call`](super), for the usual case that a server answers them.
//!
//! They are sent over the connection that a single call would take, many with one letter to the task that owns it, and
//! their answers are taken many at a time; no request has a future of its own. Whatever does not come back as an answer that
//! counts at once is asked again as a single call, with the time that it has left, so the rules of [`call`](super) are in no
//! second place.

use std::future::poll_fn;
use std::iter;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::request::Request;
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::set::ServerSet;
use super::visit::read_answer;
use super::{Call, Servers, Told};
use crate::dial::share_of;
use crate::error::Result;
use crate::failure::{Attempt, Failure, is_topic_not_found};
use crate::link::{Answered, Answers, Link};
use crate::question::Question;
use crate::release;

/// What part of the places must be free before more is sent: a few requests at a time would cost a system call for each few.
const REFILL: usize = 4;

impl Servers {
    /// Asks all these, `in_flight` at a time. `each` gets what comes of each, under its number, as soon as it is there. Each has
    /// `timeout` from when it is sent.
    pub(crate) async fn ask_many<R: Request>(
        &self,
        requests: &[R],
        in_flight: usize,
        timeout: Duration,
        question: impl Fn(&R) -> Question + Copy,
        mut each: impl FnMut(usize, Result<Told<R::Response>>),
    ) -> Result<()> {
        let call = self.begin(timeout)?;
        let singly = |number: usize, request, left| async move {
            (number, self.ask_told(request, left, &question(request)).await)
        };
        let (mut sent, mut single_calls, mut answers) =
            (Sent::default(), FuturesUnordered::new(), Vec::new());
        let mut next = 0;
        loop {
            let under_way = sent.requests.len() + single_calls.len();
            let left = requests.get(next..).unwrap_or_default();
            let room = left.len().min(in_flight.saturating_sub(under_way));
            if under_way == 0 || room * REFILL >= in_flight {
                let some = left.iter().take(room);
                if !self.send(&call, timeout, &mut sent, next, some.clone()) {
                    let numbered = some.enumerate().map(|(at, request)| (next + at, request));
                    single_calls.extend(numbered.map(|(number, request)| singly(number, request, timeout)));
                }
                next += room;
            }
            if sent.requests.is_empty() && single_calls.is_empty() {
                return Ok(());
            }
            let single = poll_fn(|cx| {
                if sent.answers.poll_take(cx, &mut answers).is_ready() {
                    return Poll::Ready(None);
                }
                match single_calls.poll_next_unpin(cx) {
                    Poll::Ready(Some(answered)) => Poll::Ready(Some(answered)),
                    Poll::Ready(None) | Poll::Pending => Poll::Pending,
                }
            });
            if let Some((number, answer)) = single.await {
                each(number, answer);
                continue;
            }
            for (number, answered) in answers.drain(..) {
                let (Some(request), Some((_, batch))) = (requests.get(number), sent.requests.remove(&number))
                else {
                    continue;
                };
                match self.heard::<R>(&call, &batch, answered, timeout) {
                    Heard::Answer(told) => each(number, Ok(told)),
                    Heard::Final(attempts) => each(number, Err(question(request).failed(attempts))),
                    Heard::Again(left) => single_calls.push(singly(number, request, left)),
                }
            }
        }
    }

    /// Sends requests to the server that a single call would ask first. No, if only a single call can do it.
    fn send<'a, R: Request + 'a>(
        &self,
        call: &Call,
        timeout: Duration,
        sent: &mut Sent,
        first: usize,
        requests: impl Iterator<Item = &'a R>,
    ) -> bool {
        let set = self.set();
        let Some(server) = set.first().filter(|_| release::is_any::<R>()) else { return false };
        // The link's task keeps the deadline, and only the runtime of this call is sure to be driven.
        let opened = self.link(call, server).ok();
        let Some(link) = opened.map(|opened| opened.link).filter(|link| link.lives_here()) else {
            return false;
        };
        let started = Instant::now();
        // With several servers, one that swallows everything leaves time for the others.
        let deadline = share_of(started.checked_add(timeout), set.len());
        let at = server.at();
        let batch = Arc::new(Batch { set: Arc::clone(&set), at, link, started });
        let mut opaques = Vec::new();
        let commands = requests.enumerate().map(|(at, request)| (first + at, request.to_command()));
        let accepted = batch.link.call_many(commands, deadline, &sent.answers, &mut opaques).is_ok();
        sent.requests.extend(
            opaques.into_iter().enumerate().map(|(at, opaque)| (first + at, (opaque, Arc::clone(&batch)))),
        );
        accepted
    }

    /// What has come of one of many requests.
    fn heard<R: Request>(
        &self,
        call: &Call,
        batch: &Batch,
        answered: Answered,
        timeout: Duration,
    ) -> Heard<R::Response> {
        let Some(server) = batch.set.member(batch.at) else { return Heard::Again(timeout) };
        let broken = match answered.and_then(|answer: Command| read_answer::<R>(answer)) {
            Ok(answer) => {
                server.answered();
                return Heard::Answer(Told {
                    server: server.endpoint.name(),
                    answer,
                    is_second_opinion: false,
                });
            }
            Err(broken) => broken,
        };
        server.endpoint.leave(&batch.link, &broken.failure);
        let mut attempts = Vec::new();
        let failure = self.note(call, server, batch.started, broken, &mut attempts);
        let left = timeout.saturating_sub(batch.started.elapsed());
        if left.is_zero() || batch.is_final(&failure) { Heard::Final(attempts) } else { Heard::Again(left) }
    }
}

/// Requests without an answer yet. Those that are left when it is dropped are cancelled.
#[derive(Default)]
struct Sent {
    answers: Arc<Answers>,
    /// By number: the opaque, and what it was sent with.
    requests: FxHashMap<usize, (i32, Arc<Batch>)>,
}

impl Drop for Sent {
    fn drop(&mut self) {
        for (opaque, batch) in self.requests.values() {
            batch.link.cancel_many(iter::once(*opaque));
        }
    }
}

/// Requests that were sent together: where to and when.
struct Batch {
    set: Arc<ServerSet>,
    at: usize,
    link: Arc<Link>,
    started: Instant,
}

/// What the answer to one of many requests means.
enum Heard<T> {
    Answer(Told<T>),
    /// It is over, after this attempt.
    Final(Vec<Attempt>),
    /// A single call may do better, within this time.
    Again(Duration),
}

impl Batch {
    /// Whether no other call could bring anything else.
    fn is_final(&self, failure: &Failure) -> bool {
        let alone = self.set.len() == 1;
        match failure {
            Failure::Refused(_) if is_topic_not_found(failure) => alone,
            Failure::Refused(_) => alone || !failure.is_worth_another_server(),
            Failure::GoAway => false,
            Failure::Disconnected => true,
            failure if failure.is_lost_connection() => false,
            failure => alone || !failure.is_worth_another_server(),
        }
    }
}
