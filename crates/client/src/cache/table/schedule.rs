//! When routes are refreshed before they are stale, evicted because nobody wants them, and given up because no server
//! has confirmed them for too long.
//!
//! Each route has one place in a heap that counts; a place is looked at when its time has come, and then moved to when the
//! route is due. So a confirmation moves nothing.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;

use super::{Rest, Table, Ticket};
use crate::cache::change::Gone;
use crate::cache::entry::{Cached, nanos};
use crate::cache::topic::{Topic, What};

/// A broker that is reported more often than this is looked at once.
const REPORTS_APART: Duration = Duration::from_secs(1);

/// What is due.
#[derive(Debug)]
pub(in crate::cache) struct Due {
    pub(in crate::cache) tickets: Vec<Ticket>,
    /// When to look again; `None`: nothing is planned.
    pub(in crate::cache) next: Option<Duration>,
}

/// A place in the schedule.
#[derive(Debug)]
pub(super) struct Place {
    at: Duration,
    what: Planned,
}

#[derive(Debug)]
enum Planned {
    Refresh(Arc<Cached>),
    /// A watched topic that has no route. Boxed, because it is rare and a name is large.
    Poll(Box<Name>),
}

/// The earliest is the greatest: it comes out of the heap first.
impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Place {}

/// The shortest time to which a place is put off: whoever keeps the schedule must come to an end.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many refreshes are handed out at once. More wait for the next look; so a caller never waits long for the lock.
const AT_ONCE: usize = 256;

impl Table {
    /// Plans a route's refresh.
    pub(super) fn schedule(&self, rest: &mut Rest, cached: &Arc<Cached>, at: Duration) {
        cached.set_due(at);
        cached.scheduled_at.store(nanos(at), Relaxed);
        self.plan(rest, at, Planned::Refresh(Arc::clone(cached)));
    }

    /// Plans to ask for a watched topic that has no route.
    pub(super) fn poll_at(&self, rest: &mut Rest, topic: &Name, at: Duration) {
        rest.topic(topic).polled_at = at;
        self.plan(rest, at, Planned::Poll(Box::new(topic.clone())));
    }

    fn plan(&self, rest: &mut Rest, at: Duration, what: Planned) {
        rest.schedule.push(Place { at, what });
        if rest.wakes_at.is_none_or(|wakes_at| at < wakes_at) {
            rest.wakes_at = Some(at);
            self.earlier.notify_one();
        }
    }

    /// How long after it was confirmed a route is refreshed: some time before it is stale, so that the answer is there in
    /// time, and each after another one, so that what came together does not stay together.
    pub(super) fn refresh_after(&self, seed: u64) -> Duration {
        self.rules.ttl.mul_f64(0.75 + 0.2 * self.random(seed))
    }

    /// What is to be asked now, as far as the budget goes.
    pub(in crate::cache) fn due(&self, now: Duration) -> Due {
        let mut rest = self.rest();
        let mut tickets = Vec::new();
        let next = loop {
            let Some(at) = rest.schedule.peek().map(|place| place.at) else { break None };
            if at > now {
                break Some(at);
            }
            if tickets.len() == AT_ONCE {
                break Some(now);
            }
            let Some(place) = rest.schedule.pop() else { break None };
            let asked = match place.what {
                Planned::Refresh(cached) => self.refresh(&mut rest, &cached, at, now),
                Planned::Poll(topic) => self.poll(&mut rest, &topic, at, now),
            };
            match asked {
                Ok(ticket) => tickets.extend(ticket),
                // The place was taken again, at the same time.
                Err(wait) => break Some(now + wait),
            }
        };
        rest.wakes_at = next;
        Due { tickets, next }
    }

    /// A place of a route has come.
    fn refresh(
        &self,
        rest: &mut Rest,
        cached: &Arc<Cached>,
        at: Duration,
        now: Duration,
    ) -> Result<Option<Ticket>, Duration> {
        let counts = cached.scheduled_at.load(Relaxed) == nanos(at);
        let current = self.cached(&cached.topic).is_some_and(|current| Arc::ptr_eq(&current, cached));
        if !(counts && current) {
            return Ok(None);
        }
        // Where refreshes are scheduled a failed one gives it up: time may have jumped, and then nobody has asked for long.
        if cached.age(now) > self.max_stale && !self.rules.scheduled_refresh {
            self.drop_route(rest, cached, Gone::TooOld, now);
            return Ok(None);
        }
        let known = rest.topics.get(&cached.topic);
        if cached.idle(now) > self.rules.idle_after && !known.is_some_and(|known| Topic::is_watched(known)) {
            self.routes.pin().remove(cached.topic.as_str());
            if known.is_none_or(|known| known.flight.is_none()) {
                rest.topics.remove(&cached.topic);
            }
            rest.counted.evicted += 1;
            return Ok(None);
        }
        let asked = known.is_some_and(|known| known.flight.is_some());
        if cached.due_at() > now || asked || !self.rules.scheduled_refresh {
            // Not later than it is due, or it is stale by then. Whoever asks plans anew if it does not go well.
            let at = if cached.due_at() > now {
                cached.due_at()
            } else {
                now + self.rules.ttl.mul_f64(0.1).max(SHORTEST)
            };
            self.schedule(rest, cached, at);
            return Ok(None);
        }
        if let Err(wait) = rest.budget.take(now) {
            rest.schedule.push(Place { at, what: Planned::Refresh(Arc::clone(cached)) });
            return Err(wait);
        }
        self.schedule(rest, cached, now + self.refresh_after(rest.asked));
        rest.counted.background += 1;
        Ok(Some(self.begin(rest, cached.topic.clone(), Vec::new(), now)))
    }

    /// A place of a watched topic without a route has come.
    fn poll(
        &self,
        rest: &mut Rest,
        topic: &Name,
        at: Duration,
        now: Duration,
    ) -> Result<Option<Ticket>, Duration> {
        let known = rest.topics.get(topic);
        let wanted = known.is_some_and(|known| known.polled_at == at && known.is_watched());
        if !wanted || self.routes.pin().contains(topic.as_str()) {
            return Ok(None);
        }
        if known.is_some_and(|known| known.flight.is_some()) {
            self.poll_at(rest, topic, now + self.rules.negative_ttl);
            return Ok(None);
        }
        if let Err(wait) = rest.budget.take(now) {
            rest.schedule.push(Place { at, what: Planned::Poll(Box::new(topic.clone())) });
            return Err(wait);
        }
        self.poll_at(rest, topic, now + self.rules.negative_ttl);
        rest.counted.background += 1;
        Ok(Some(self.begin(rest, topic.clone(), Vec::new(), now)))
    }

    /// Somebody could not reach a broker, which is told by its name or one of its addresses: its topics are refreshed as
    /// soon as the budget allows. Says how many.
    pub(in crate::cache) fn report_failure(&self, broker: &str, now: Duration) -> usize {
        let name = Name::from(broker);
        let mut rest = self.rest();
        rest.reported.retain(|_, reported| now.saturating_sub(*reported) < REPORTS_APART);
        if rest.reported.contains_key(&name) {
            return 0;
        }
        rest.reported.insert(name.clone(), now);
        rest.counted.reported += 1;
        let routes = self.routes.pin();
        let mut refreshed = 0;
        for by_topic in &routes {
            let cached = &by_topic.0;
            let concerned = cached.route.broker_data_list.iter().any(|group| {
                group.broker_name == broker
                    || group.broker_addresses.iter().any(|(_, address)| address == broker)
            });
            if concerned {
                rest.topic(&cached.topic).history.add(now, What::Reported { broker: name.clone() });
                self.schedule(&mut rest, cached, now);
                refreshed += 1;
            }
        }
        refreshed
    }
}
