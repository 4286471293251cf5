//! What there is to know about a topic beside its route: who waits for it, who watches it, what happened.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;
use tokio::sync::oneshot;

use super::change::Gone;
use super::entry::CachedRoute;
use super::subscriber::Subscriber;
use crate::error::{NameServerError, Result};

/// Gets what a question brings.
pub(super) type Waiter = oneshot::Sender<Result<CachedRoute>>;

/// Most topics have none of this most of the time, so it is kept apart from their routes.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) flight: Option<Flight>,
    pub(super) missing: Option<Missing>,
    /// Questions in a row that did not confirm the route.
    pub(super) failures: u32,
    /// Nobody asks behind a caller's back before that.
    pub(super) retry_at: Duration,
    /// Answers to questions before this number are not kept: the route was invalidated since.
    pub(super) not_before: u64,
    /// Counts changes, the topic's comings and goings among them.
    pub(super) generation: u64,
    pub(super) gone: Option<Gone>,
    pub(super) watchers: Vec<Weak<Subscriber>>,
    /// Which place in the schedule counts while a watched topic has no route.
    pub(super) polled_at: Duration,
    pub(super) history: History,
}

/// A question under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) number: u64,
    pub(super) waiters: Vec<Waiter>,
    /// They want an answer to a question that is asked after this one.
    pub(super) next: Vec<Waiter>,
}

/// No server knows the topic.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) until: Duration,
    pub(super) error: NameServerError,
}

impl Topic {
    /// Whether anything would be lost without it, for a topic that has no route.
    pub(super) fn is_needed(&self, now: Duration) -> bool {
        self.flight.is_some()
            || self.missing.as_ref().is_some_and(|missing| missing.until > now)
            || self.retry_at > now
            || self.is_watched()
    }

    /// Whether there is nothing about it that its route does not know.
    pub(super) fn is_plain(&self) -> bool {
        self.flight.is_none() && self.is_calm()
    }

    /// Whether nothing is to be known about it but who asks.
    pub(super) fn is_calm(&self) -> bool {
        let nothing_happened = self.missing.is_none() && self.failures == 0 && self.history.0.is_empty();
        nothing_happened && self.watchers.is_empty()
    }

    /// A server has said a route.
    pub(super) fn recovered(&mut self) {
        self.failures = 0;
        self.retry_at = Duration::ZERO;
        self.missing = None;
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watchers.iter().any(|watcher| watcher.strong_count() > 0)
    }

    /// Tells those who watch it that it is not what it was; `gap`: or that it may have been something else meanwhile.
    pub(super) fn tell(&mut self, topic: &Name, gap: bool) {
        self.watchers.retain(|watcher| match watcher.upgrade() {
            Some(watcher) => {
                watcher.mark(topic, gap);
                true
            }
            None => false,
        });
    }
}

/// The latest events of a topic, oldest first. Repeated ones count once.
#[derive(Debug, Default, Clone)]
pub(super) struct History(VecDeque<Event>);

/// How many events are kept per topic.
const EVENTS: usize = 16;

impl History {
    pub(super) fn add(&mut self, at: Duration, what: What) {
        match self.0.back_mut() {
            Some(last) if last.what.is_like(&what) => {
                last.times += 1;
                last.at = at;
                last.what = what;
            }
            _ => {
                if self.0.len() == EVENTS {
                    self.0.pop_front();
                }
                self.0.push_back(Event { at, times: 1, what });
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The last time.
    pub(super) at: Duration,
    pub(super) times: u32,
    pub(super) what: What,
}

/// Something that happened to a topic.
#[derive(Debug, Clone)]
pub(super) enum What {
    Found { source: Name },
    Changed { source: Name, changes: usize },
    Failed(NameServerError),
    Doubted(NameServerError),
    Recovered { source: Name },
    Late { source: Name },
    Disagreed { source: Name },
    Gone(Gone),
    NotFound,
    Invalidated,
    Reported { broker: Name },
}

impl What {
    /// The same again, so that one line is enough for both.
    fn is_like(&self, other: &What) -> bool {
        match (self, other) {
            (What::Failed(one), What::Failed(other)) => {
                one.kind() == other.kind() && one.code() == other.code() && one.server() == other.server()
            }
            (What::Doubted(_), What::Doubted(_))
            | (What::Late { .. }, What::Late { .. })
            | (What::Disagreed { .. }, What::Disagreed { .. })
            | (What::NotFound, What::NotFound)
            | (What::Invalidated, What::Invalidated) => true,
            (What::Reported { broker: one }, What::Reported { broker: other }) => one == other,
            _ => false,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Found { source } => write!(f, "found at {source}"),
            What::Changed { source, changes } => write!(f, "{changes} changes, said {source}"),
            What::Failed(error) => write!(f, "not confirmed: {error}"),
            What::Doubted(error) => write!(f, "kept, although one server does not know it: {error}"),
            What::Recovered { source } => write!(f, "confirmed again by {source}"),
            What::Late { source } => write!(f, "a late answer of {source} was not used"),
            What::Disagreed { source } => {
                write!(f, "{source} was quicker and says another route: the server in use is asked again")
            }
            What::Gone(why) => write!(f, "gone: {why}"),
            What::NotFound => f.write_str("not found"),
            What::Invalidated => f.write_str("invalidated"),
            What::Reported { broker } => write!(f, "broker {broker} was reported to fail"),
        }
    }
}
