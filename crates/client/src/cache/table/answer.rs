//! What an answer changes.
//!
//! 1. A body that is byte for byte the one that is known confirms the route; so does one that says the same in another
//!    order. Neither replaces anything, and the first is not even read.
//! 2. Any other route replaces what is known, unless it answers an older question than what is known: answers may
//!    overtake each other, and nobody goes back.
//! 3. A different route of a server that was asked only because another one was late, which works, does not: that one is asked
//!    once more, alone, and what comes then counts. So a route does not change to and fro between servers that disagree.
//! 4. "Not found" drops a route only if two servers say it. From one it counts as a failure.
//! 5. A failure keeps the route, until it is `max_stale` old. The next question behind a caller's back waits longer and longer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};
use twox_hash::XxHash3_128;

use super::{Rest, Table, Ticket};
use crate::cache::change::{self, Gone};
use crate::cache::entry::{BodyHash, ByTopic, Cached, CachedRoute, Origin};
use crate::cache::topic::{Missing, Topic, Waiter, What};
use crate::call::Told;
use crate::error::{NameServerError, Result};

/// How long after a first failure somebody asks again behind a caller's back. Each further failure in a row doubles it, up to
/// `ttl`.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// What a body says.
struct Content {
    route: Arc<TopicRouteData>,
    /// It was read just now: no body like it was there, of this topic or of another one.
    is_new: bool,
}

/// One who is gone needs no answer.
fn tell(waiters: Vec<Waiter>, said: &Result<CachedRoute>) {
    for waiter in waiters {
        let _gone = waiter.send(said.clone());
    }
}

impl Table {
    /// Takes what a question has brought: the body that a server, which is named, has sent, or why there is none. `decode` makes
    /// a route of it, always the same one. Gives a ticket for another question if somebody has asked for a later one meanwhile.
    pub(in crate::cache) fn apply(
        &self,
        ticket: Ticket,
        answer: Result<Told<Bytes>>,
        decode: impl FnOnce(&Name, &Bytes) -> Result<TopicRouteData>,
        now: Duration,
    ) -> Option<Ticket> {
        let Ticket { topic, number, settles } = ticket;
        let answer = answer.map(|told| {
            let Told { server: source, answer: body, is_second_opinion } = told;
            let hash = XxHash3_128::oneshot(&body);
            (Origin { source, body: hash, answered: number }, body, is_second_opinion && !settles)
        });
        if let Ok((origin, ..)) = &answer
            && let Some((waiters, route)) = self.confirm_plainly(&topic, origin, now)
        {
            tell(waiters, &Ok(route));
            return None;
        }
        // Reading takes longest, so it is done before the lock is taken.
        let content = answer.and_then(|(origin, body, is_doubted)| {
            let content = self.read(&topic, origin.body, || decode(&origin.source, &body))?;
            Ok((origin, content, is_doubted))
        });
        let mut rest = self.rest();
        let said = match content {
            Ok((origin, content, true)) if self.differs(&topic, &content.route) => {
                return self.settle(&mut rest, topic, origin, now);
            }
            Ok((origin, content, _)) => Ok(self.succeeded(&mut rest, &topic, origin, content, now)),
            Err(error) => Err(self.failed(&mut rest, &topic, error, now)),
        };
        let flight = rest
            .topics
            .get_mut(&topic)
            .and_then(|known| known.flight.take_if(|flight| flight.number == number));
        self.forget_if_plain(&mut rest, &topic);
        let flight = flight?;
        let again =
            if flight.next.is_empty() { None } else { Some(self.begin(&mut rest, topic, flight.next, now)) };
        drop(rest);
        tell(flight.waiters, &said);
        again
    }

    /// The usual case, in few steps: a topic of which there is nothing to know but its route, and the route is what it was. Gives
    /// who waits for it.
    fn confirm_plainly(
        &self,
        topic: &Name,
        origin: &Origin,
        now: Duration,
    ) -> Option<(Vec<Waiter>, CachedRoute)> {
        let mut rest = self.rest();
        let current = self.cached(topic)?;
        let is_plain = |known: &Topic| {
            let flight = known.flight.as_ref();
            known.is_calm()
                && flight.is_some_and(|flight| flight.number == origin.answered && flight.next.is_empty())
        };
        let in_time = current.age(now) <= self.ttl && current.answered() < origin.answered;
        if !(in_time && current.body() == origin.body && is_plain(rest.topics.get(topic)?)) {
            return None;
        }
        let flight = rest.topics.remove(topic)?.flight?;
        rest.counted.unchanged += 1;
        current.confirm(origin.body, origin.answered, now);
        current.set_due(now + self.refresh_after(origin.answered));
        Some((flight.waiters, CachedRoute::new(&current, 0, false)))
    }

    /// Whether it is another route than what is served.
    fn differs(&self, topic: &Name, route: &Arc<TopicRouteData>) -> bool {
        self.cached(topic).is_some_and(|current| current.route != *route)
    }

    /// Another question in place of the one that brought another server's opinion. Whoever waits for that waits for this.
    fn settle(&self, rest: &mut Rest, topic: Name, origin: Origin, now: Duration) -> Option<Ticket> {
        let known = rest.topics.get_mut(&topic)?;
        let mut flight = known.flight.take_if(|flight| flight.number == origin.answered)?;
        known.history.add(now, What::Disagreed { source: origin.source });
        flight.waiters.append(&mut flight.next);
        Some(Ticket { settles: true, ..self.begin(rest, topic, flight.waiters, now) })
    }

    /// Takes the lock only for a look at what other topics have.
    fn read(
        &self,
        topic: &str,
        hash: BodyHash,
        decode: impl FnOnce() -> Result<TopicRouteData>,
    ) -> Result<Content> {
        let current = self.cached(topic).filter(|cached| cached.body() == hash);
        let known =
            current.map(|cached| Arc::clone(&cached.route)).or_else(|| self.rest().interned.by_body(hash));
        match known {
            Some(route) => Ok(Content { route, is_new: false }),
            None => {
                let route = Arc::new(change::in_order(decode()?));
                Ok(Content { route, is_new: true })
            }
        }
    }

    fn succeeded(
        &self,
        rest: &mut Rest,
        topic: &Name,
        origin: Origin,
        content: Content,
        now: Duration,
    ) -> CachedRoute {
        let current = self.cached(topic);
        if let Some(current) = current.as_ref().filter(|current| current.answered() > origin.answered) {
            rest.counted.late += 1;
            rest.topic(topic).history.add(now, What::Late { source: origin.source });
            return self.handed_out(current, now);
        }
        rest.counted.decoded += u64::from(content.is_new);
        match current {
            Some(current) if current.route == content.route => self.confirmed(rest, &current, &origin, now),
            current => self.replaced(rest, topic, current.as_ref(), origin, content.route, now),
        }
    }

    /// The route is still what it was.
    fn confirmed(
        &self,
        rest: &mut Rest,
        current: &Arc<Cached>,
        origin: &Origin,
        now: Duration,
    ) -> CachedRoute {
        let stale = current.age(now) > self.ttl;
        rest.counted.unchanged += u64::from(current.body() == origin.body);
        current.confirm(origin.body, origin.answered, now);
        current.set_due(now + self.refresh_after(origin.answered));
        if let Some(known) = rest.topics.get_mut(&current.topic) {
            if known.failures > 0 || stale {
                known.history.add(now, What::Recovered { source: origin.source.clone() });
            }
            known.recovered();
            if stale {
                known.tell(&current.topic, true);
            }
        }
        CachedRoute::new(current, 0, false)
    }

    /// Another route than before, or the first one.
    fn replaced(
        &self,
        rest: &mut Rest,
        topic: &Name,
        before: Option<&Arc<Cached>>,
        origin: Origin,
        route: Arc<TopicRouteData>,
        now: Duration,
    ) -> CachedRoute {
        let route = rest.interned.share(origin.body, route);
        let known = rest.topic(topic);
        let stale = before.is_some_and(|before| before.age(now) > self.ttl);
        let what = match before {
            Some(before) => {
                let (source, changes) = (origin.source.clone(), change::between(&before.route, &route).len());
                Some(What::Changed { source, changes })
            }
            // The route itself says when it was found first; only who was known before needs a word.
            None if known.generation > 0 || known.failures > 0 => {
                Some(What::Found { source: origin.source.clone() })
            }
            None => None,
        };
        if let Some(what) = what {
            known.history.add(now, what);
        }
        known.generation = known.generation.max(before.map_or(0, |before| before.generation)) + 1;
        let kept = origin.answered >= known.not_before;
        let answered = origin.answered;
        let cached = Arc::new(Cached::new(topic.clone(), route, origin, known.generation, now));
        if let Some(before) = before {
            cached.used_like(before);
        }
        if kept {
            known.recovered();
            known.gone = None;
            known.tell(topic, stale);
            rest.counted.changed += u64::from(before.is_some());
            let routes = self.routes.pin();
            routes.remove(topic.as_str());
            routes.insert(ByTopic(Arc::clone(&cached)));
            drop(routes);
            self.schedule(rest, &cached, now + self.refresh_after(answered));
        }
        CachedRoute::new(&cached, 0, false)
    }

    /// No server has said a route. What is known stays, or goes if that is what two servers say or if it is too old.
    fn failed(
        &self,
        rest: &mut Rest,
        topic: &Name,
        error: NameServerError,
        now: Duration,
    ) -> NameServerError {
        let not_found = error.is_topic_not_found();
        let current = self.cached(topic);
        let too_old = current.as_ref().is_some_and(|current| current.age(now) > self.max_stale);
        let gone = match &current {
            Some(_) if not_found && error.not_found_at() > 1 => Some(Gone::NotFound),
            Some(_) if too_old => Some(Gone::TooOld),
            _ => None,
        };
        if let (Some(why), Some(current)) = (gone, &current) {
            self.drop_route(rest, current, why, now);
        }
        if not_found && (current.is_none() || gone.is_some()) {
            rest.counted.not_found += 1;
            let until = now + self.rules.negative_ttl;
            let known = rest.topic(topic);
            known.missing = Some(Missing { until, error: error.clone() });
            known.failures = 0;
            if current.is_none() {
                known.history.add(now, What::NotFound);
                // It was invalidated, and whoever watches it still knows a route.
                if known.generation > 0 && known.gone.is_none() {
                    known.generation += 1;
                    known.gone = Some(Gone::NotFound);
                    known.tell(topic, false);
                }
            }
            return error;
        }
        rest.counted.failures += 1;
        let known = rest.topic(topic);
        let what = if not_found { What::Doubted(error.clone()) } else { What::Failed(error.clone()) };
        known.history.add(now, what);
        known.failures = known.failures.saturating_add(1);
        let pause = self.pause(topic, known.failures);
        let retry_at = now + pause;
        known.retry_at = retry_at;
        if let Some(current) = current.filter(|_| gone.is_none()) {
            self.schedule(rest, &current, retry_at);
        }
        error
    }

    /// How long to wait after so many failures in a row.
    fn pause(&self, topic: &Name, failures: u32) -> Duration {
        let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
        // From three to five quarters, so that a thousand topics which failed together do not come back together.
        doubled.min(self.rules.ttl).mul_f64(0.75 + 0.5 * self.random((topic, failures)))
    }

    pub(super) fn drop_route(&self, rest: &mut Rest, current: &Arc<Cached>, why: Gone, now: Duration) {
        self.routes.pin().remove(current.topic.as_str());
        rest.counted.dropped += 1;
        let known = rest.topic(&current.topic);
        known.generation = known.generation.max(current.generation) + 1;
        known.gone = Some(why);
        known.history.add(now, What::Gone(why));
        known.tell(&current.topic, false);
        if known.is_watched() {
            self.poll_at(rest, &current.topic, now + self.rules.negative_ttl);
        }
    }

    /// Most topics are nothing but a route, and then need no entry beside it.
    pub(super) fn forget_if_plain(&self, rest: &mut Rest, topic: &Name) {
        if rest.topics.get(topic).is_some_and(|known| known.is_plain())
            && self.routes.pin().contains(topic.as_str())
        {
            rest.topics.remove(topic);
        }
    }
}
