//! The requests of one call that are under way at the same time: [`pursuit`](super::pursuit) decides which there are.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::set::Member;

/// A request that is under way at one server.
pub(super) struct Asked<'a> {
    pub(super) server: Member<'a>,
    pub(super) since: Instant,
    /// How many answers had come from the server before.
    answers_before: u64,
    /// That it is silent has been noticed.
    pub(super) is_given_up: bool,
}

impl<'a> Asked<'a> {
    pub(super) fn new(server: Member<'a>, since: Instant) -> Self {
        let answers_before = server.endpoint.counters().answers();
        Asked { server, since, answers_before, is_given_up: false }
    }

    /// Whether nothing at all has come from the server since, to whatever call, and nobody has noticed yet.
    pub(super) fn is_silent(&self) -> bool {
        !self.is_given_up && self.server.endpoint.counters().answers() == self.answers_before
    }
}

/// What happens while requests are under way.
pub(super) enum Event<T> {
    /// The first one came back.
    Led(T),
    /// The hedge at this place did.
    Hedged(usize, T),
    /// No answer is there, and it is late.
    Late,
}

/// The first request and its hedges, in the order in which they were made. The future of the first one is with whoever polls
/// this, so that a call without hedges takes nothing from the heap.
pub(super) struct UnderWay<'a, F> {
    pub(super) leader: Option<Asked<'a>>,
    pub(super) hedges: Vec<(Asked<'a>, Pin<Box<F>>)>,
}

impl<'a, F> UnderWay<'a, F> {
    pub(super) fn new(leader: Asked<'a>) -> Self {
        UnderWay { leader: Some(leader), hedges: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leader.is_none() && self.hedges.is_empty()
    }

    pub(super) fn youngest(&self) -> Option<&Asked<'a>> {
        self.hedges.last().map(|(asked, _)| asked).or(self.leader.as_ref())
    }

    /// Those that were asked before the hedge that is or was at this place.
    pub(super) fn asked_before(&mut self, at: usize) -> impl Iterator<Item = &mut Asked<'a>> {
        self.leader.iter_mut().chain(self.hedges.iter_mut().take(at).map(|(asked, _)| asked))
    }

    /// Forgets the requests to servers that are known to fail.
    pub(super) fn leave_those_down(&mut self) {
        self.leader.take_if(|asked| asked.server.is_down());
        self.hedges.retain(|(asked, _)| !asked.server.is_down());
    }

    /// Whoever comes back first.
    pub(super) fn poll<T>(&mut self, leader: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Event<T>>
    where
        F: Future<Output = T>,
    {
        if self.leader.is_some()
            && let Poll::Ready(visited) = leader.poll(cx)
        {
            return Poll::Ready(Event::Led(visited));
        }
        for (at, (_, hedge)) in self.hedges.iter_mut().enumerate() {
            if let Poll::Ready(visited) = hedge.as_mut().poll(cx) {
                return Poll::Ready(Event::Hedged(at, visited));
            }
        }
        Poll::Pending
    }
}
