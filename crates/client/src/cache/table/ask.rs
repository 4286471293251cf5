//! Who asks the servers: one question per topic at a time, and none for what is known to be missing.

use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;
use tokio::sync::oneshot;

use super::{MIN_SWEEP, Rest, Table};
use crate::cache::entry::CachedRoute;
use crate::cache::topic::{Flight, What};
use crate::error::{NameServerError, Result};

/// The right and the duty to ask for a topic. It ends with [`Table::apply`], or with [`Table::abandon`] if the one who
/// has it is stopped.
#[derive(Debug)]
#[must_use]
pub(in crate::cache) struct Ticket {
    pub(in crate::cache) topic: Name,
    /// Later questions have higher numbers.
    pub(in crate::cache) number: u64,
    /// Two servers disagree: the one that the client stays with is to be asked, and not another one beside it because it is late.
    pub(in crate::cache) settles: bool,
}

/// Brings what the question brings; an error if whoever asked was stopped.
pub(in crate::cache) type Answer = oneshot::Receiver<Result<CachedRoute>>;

/// What somebody who wants a route has to do.
#[derive(Debug)]
pub(in crate::cache) enum Asked {
    /// Nothing: it has come meanwhile.
    Known(CachedRoute),
    /// Nothing: no server knew it a moment ago.
    Missing(NameServerError),
    /// Wait for somebody else's question.
    Join(Answer),
    /// Ask, and wait.
    Ask(Ticket, Answer),
}

impl Table {
    /// For a caller that has found nothing.
    pub(in crate::cache) fn ask(&self, topic: &str, now: Duration) -> Asked {
        let name = Name::from(topic);
        let mut rest = self.rest();
        if let Some(cached) = self.cached(topic).filter(|cached| cached.age(now) <= self.ttl) {
            return Asked::Known(self.handed_out(&cached, now));
        }
        let known = rest.topic(&name);
        if let Some(missing) = known.missing.as_ref().filter(|missing| missing.until > now) {
            let error = missing.error.clone();
            rest.counted.negative_hits += 1;
            return Asked::Missing(error);
        }
        let (waiter, answer) = oneshot::channel();
        let not_before = known.not_before;
        if let Some(flight) = &mut known.flight {
            // What was asked before the route was invalidated may bring what was invalidated.
            let line = if flight.number < not_before { &mut flight.next } else { &mut flight.waiters };
            line.push(waiter);
            rest.counted.joined += 1;
            return Asked::Join(answer);
        }
        rest.counted.misses += 1;
        let ticket = self.begin(&mut rest, name, vec![waiter], now);
        Asked::Ask(ticket, answer)
    }

    /// For a caller that wants an answer to a question that is asked from now on.
    pub(in crate::cache) fn ask_again(&self, topic: &str, now: Duration) -> Asked {
        let topic = Name::from(topic);
        let (waiter, answer) = oneshot::channel();
        let mut rest = self.rest();
        self.sweep(&mut rest, now);
        let Rest { topics, asked, counted, .. } = &mut *rest;
        let known = topics.entry(topic.clone()).or_default();
        if let Some(flight) = &mut known.flight {
            flight.next.push(waiter);
            counted.joined += 1;
            return Asked::Join(answer);
        }
        *asked += 1;
        counted.questions += 1;
        known.flight = Some(Flight { number: *asked, waiters: vec![waiter], next: Vec::new() });
        Asked::Ask(Ticket { topic, number: *asked, settles: false }, answer)
    }

    /// Behind the back of a caller that was served a stale route: nothing, while somebody asks or has just failed.
    pub(in crate::cache) fn ask_behind(&self, topic: &str, now: Duration) -> Option<Ticket> {
        let mut rest = self.rest();
        let name = Name::from(topic);
        let known = rest.topic(&name);
        if known.flight.is_some() || known.retry_at > now {
            return None;
        }
        rest.counted.background += 1;
        Some(self.begin(&mut rest, name, Vec::new(), now))
    }

    pub(super) fn begin(
        &self,
        rest: &mut Rest,
        topic: Name,
        waiters: Vec<crate::cache::topic::Waiter>,
        now: Duration,
    ) -> Ticket {
        self.sweep(rest, now);
        let number = rest.next_number();
        rest.topic(&topic).flight = Some(Flight { number, waiters, next: Vec::new() });
        rest.counted.questions += 1;
        Ticket { topic, number, settles: false }
    }

    /// Whoever had the ticket was stopped before there was an answer. Those who wait find their channel closed.
    pub(in crate::cache) fn abandon(&self, topic: &str, number: u64) {
        let mut rest = self.rest();
        if let Some(known) = rest.topics.get_mut(topic)
            && known.flight.as_ref().is_some_and(|flight| flight.number == number)
        {
            known.flight = None;
        }
    }

    /// Forgets a topic: the next caller asks anew, and answers to earlier questions are not kept.
    pub(in crate::cache) fn invalidate(&self, topic: &str, now: Duration) -> bool {
        let mut rest = self.rest();
        let number = rest.next_number();
        let removed = self.cached(topic);
        self.routes.pin().remove(topic);
        let name = Name::from(topic);
        let known = rest.topic(&name);
        known.generation = known.generation.max(removed.as_ref().map_or(0, |removed| removed.generation));
        known.missing = None;
        known.retry_at = Duration::ZERO;
        known.failures = 0;
        known.not_before = number;
        known.history.add(now, What::Invalidated);
        if known.is_watched() {
            self.poll_at(&mut rest, &name, now);
        }
        removed.is_some()
    }

    /// Throws out what is known about topics that have no route and that nobody is interested in.
    fn sweep(&self, rest: &mut Rest, now: Duration) {
        if rest.topics.len() < rest.sweep_at {
            return;
        }
        let routes = self.routes.pin();
        rest.topics.retain(|topic, known| routes.contains(topic.as_str()) || known.is_needed(now));
        rest.sweep_at = (2 * rest.topics.len()).max(MIN_SWEEP);
    }
}
