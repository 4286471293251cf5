//! What each source of a client has said, which list that makes, and whom to ask when. Pure: time is an argument,
//! [`watch`](super::watch) asks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Plan;
use super::source::{Answer, Source};
use crate::address::ServerAddress;

/// The least time between two questions to a source for the sake of failed servers: soon enough for who waits, and a
/// broken cluster does not bring down the one that lists its servers.
const LEAST: Duration = Duration::from_secs(1);

/// When a source that failed is asked again, unless its interval is shorter: what RocketMQ's Java client waits before
/// it asks its endpoint for the second time.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// How late a question may be before it is clear that nobody drives the one who asks.
const OVERDUE: Duration = Duration::from_secs(10);

/// All sources of a client.
pub(super) struct Book {
    shape: Shape,
    pages: Vec<Page>,
}

/// A [`Plan`] whose sources are numbers of pages.
enum Shape {
    Source(usize),
    First(Vec<Shape>),
    All(Vec<Shape>),
}

/// One source and what it said.
struct Page {
    source: Source,
    /// Since when it is being asked.
    asked: Option<Instant>,
    /// When it answered last.
    answered: Option<Instant>,
    /// A server has failed since then.
    hurried: bool,
    /// The last good list.
    list: Vec<ServerAddress>,
    /// Why the last answer was none.
    failure: Option<Arc<str>>,
}

/// What all sources together say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) servers: Vec<ServerAddress>,
    /// Every source that matters has answered or failed.
    pub(super) is_settled: bool,
}

impl Book {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut pages = Vec::new();
        let shape = Shape::of(plan, &mut pages);
        Book { shape, pages }
    }

    /// The list that the last good lists make.
    pub(super) fn verdict(&self) -> Verdict {
        self.look(&self.shape, &mut Vec::new())
    }

    /// Those that are to be asked now; they count as being asked from now on.
    pub(super) fn begin_due(&mut self, now: Instant) -> Vec<(usize, Source)> {
        let needed = self.needed();
        let is_due = |page: &Page| page.asked.is_none() && page.due(now).is_some_and(|due| due <= now);
        let mut begun = Vec::new();
        for number in needed {
            if let Some(page) = self.pages.get_mut(number).filter(|page| is_due(page)) {
                (page.asked, page.hurried) = (Some(now), false);
                begun.push((number, page.source.clone()));
            }
        }
        begun
    }

    /// Notes an answer. Says what is worth a warning: a source that had a list before fails for the first time since.
    pub(super) fn end(&mut self, number: usize, answer: Answer, now: Instant) -> Option<(Source, Arc<str>)> {
        let page = self.pages.get_mut(number)?;
        (page.asked, page.answered) = (None, Some(now));
        match answer {
            Ok(mut servers) => {
                let mut seen = std::collections::HashSet::new();
                servers.retain(|server| seen.insert(server.clone()));
                (page.list, page.failure) = (servers, None);
                None
            }
            Err(reason) => {
                let reason: Arc<str> = reason.into();
                let before = page.failure.replace(Arc::clone(&reason));
                let is_news = before.is_none() && !page.list.is_empty();
                is_news.then(|| (page.source.clone(), reason))
            }
        }
    }

    /// Whoever was asked will not answer any more.
    pub(super) fn forget_questions(&mut self) {
        self.pages.iter_mut().for_each(|page| page.asked = None);
    }

    /// A server has failed, or there is no list: sources are asked again as soon as may be.
    pub(super) fn hurry(&mut self) {
        let is_lost = self.verdict().servers.is_empty();
        for number in self.needed() {
            let page = self.pages.get_mut(number).filter(|page| page.asked.is_none());
            if let Some(page) = page.filter(|page| is_lost || page.source.every().is_some()) {
                page.hurried = page.answered.is_some();
            }
        }
    }

    /// Somebody waits for what is still to be asked.
    pub(super) fn is_hurried(&self) -> bool {
        self.pages().any(|page| page.hurried)
    }

    /// When the next question is due.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.pages().filter(|page| page.asked.is_none()).filter_map(|page| page.due(now)).min()
    }

    /// Whether an answer or a question is so late that nobody can be driving the task.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.pages().any(|page| {
            let expected = match page.asked {
                Some(asked) => asked.checked_add(page.source.limit()),
                None => page.due(now),
            };
            expected.is_some_and(|expected| expected + OVERDUE < now)
        })
    }

    /// Each source that matters and why it has no list.
    pub(super) fn reasons(&self) -> String {
        let reason = |page: &Page| {
            let reason = page.failure.as_deref().unwrap_or("it has not answered yet");
            format!("{}: {reason}", page.source.name())
        };
        self.pages().map(reason).collect::<Vec<_>>().join("; ")
    }

    /// The pages that matter.
    fn pages(&self) -> impl Iterator<Item = &Page> {
        self.needed().into_iter().filter_map(|number| self.pages.get(number))
    }

    /// The numbers of the sources that matter: those behind one that has a list, or may have one, do not.
    fn needed(&self) -> Vec<usize> {
        let mut needed = Vec::new();
        self.look(&self.shape, &mut needed);
        needed
    }

    fn look(&self, shape: &Shape, needed: &mut Vec<usize>) -> Verdict {
        match shape {
            Shape::Source(number) => {
                needed.push(*number);
                let page = self.pages.get(*number);
                page.map_or_else(Verdict::default, |page| Verdict {
                    servers: page.list.clone(),
                    is_settled: page.answered.is_some(),
                })
            }
            Shape::First(shapes) => {
                for shape in shapes {
                    let verdict = self.look(shape, needed);
                    if !(verdict.servers.is_empty() && verdict.is_settled) {
                        return verdict;
                    }
                }
                Verdict { servers: Vec::new(), is_settled: true }
            }
            Shape::All(shapes) => {
                let verdicts: Vec<Verdict> = shapes.iter().map(|shape| self.look(shape, needed)).collect();
                let is_settled = verdicts.iter().all(|verdict| verdict.is_settled);
                let mut servers: Vec<ServerAddress> =
                    verdicts.into_iter().flat_map(|verdict| verdict.servers).collect();
                let mut seen = std::collections::HashSet::new();
                servers.retain(|server| seen.insert(server.clone()));
                Verdict { servers, is_settled }
            }
        }
    }
}

impl Page {
    /// When to ask it; `None` for never again.
    fn due(&self, now: Instant) -> Option<Instant> {
        let Some(answered) = self.answered else { return Some(now) };
        let wait = match (self.hurried, &self.failure, self.source.every()) {
            (true, _, every) => every.map_or(LEAST, |every| every.min(LEAST)),
            (false, Some(_), Some(every)) => every.min(AFTER_FAILURE),
            (false, _, every) => every?,
        };
        answered.checked_add(wait)
    }
}

impl Shape {
    fn of(plan: &Plan, pages: &mut Vec<Page>) -> Shape {
        match plan {
            Plan::Source(source) => {
                let source = source.clone();
                let (asked, answered, hurried) = (None, None, false);
                pages.push(Page { source, asked, answered, hurried, list: Vec::new(), failure: None });
                Shape::Source(pages.len() - 1)
            }
            Plan::First(plans) => Shape::First(plans.iter().map(|plan| Shape::of(plan, pages)).collect()),
            Plan::All(plans) => Shape::All(plans.iter().map(|plan| Shape::of(plan, pages)).collect()),
        }
    }
}

#[cfg(test)]
mod tests;
