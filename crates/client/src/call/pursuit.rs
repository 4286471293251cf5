//! One question at the servers that may answer it: rules 1, 3, 4 and 6 of [`call`](super).

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use rocketmq_nameserver_protocol::request::{Reach, Request};
use tokio::time::{Instant, sleep};

use super::candidates::Candidates;
use super::race::Chosen;
use super::set::{Member, ServerSet};
use super::{Call, Servers, Told};
use crate::dial::share_of;
use crate::failure::{Attempt, Failure, is_topic_not_found};

/// How often a call that waits looks whether it should wait elsewhere, at least: others may find out what is wrong.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What happens while requests are under way.
enum Event<T> {
    /// The first one came back.
    Led(T),
    /// The hedge at this place did.
    Hedged(usize, T),
    /// No answer is there, and it is late.
    Late,
}

impl Servers {
    /// Asks until a server answers.
    pub(super) async fn pursue<R: Request>(
        &self,
        call: &Call,
        set: &ServerSet,
        request: &R,
    ) -> std::result::Result<Told<R::Response>, Vec<Attempt>> {
        let hedges = self.config.hedged_reads && R::REACH == Reach::One && set.len() > 1;
        if hedges {
            self.pace.called();
        }
        let mut candidates = Candidates::of(set);
        let mut said = Said::default();
        while let Some(Chosen { server, opened, started }) =
            self.choose(call, &mut candidates, said.is_doubted(), &mut said.attempts).await
        {
            let share = share_of(call.deadline, 1 + candidates.len());
            let asked_at = if opened.was_connected { started } else { Instant::now() };
            let mut leader = Some(Asked::new(server, asked_at));
            let mut visit = pin!(self.visit(call, server, Some(opened), request, share, started));
            let mut hedged = Vec::new();
            let mut wait = self.pace.late();
            let mut alarm = pin!(hedges.then(|| sleep(wait)));
            while leader.is_some() || !hedged.is_empty() {
                let event = poll_fn(|cx| {
                    if leader.is_some()
                        && let Poll::Ready(visited) = visit.as_mut().poll(cx)
                    {
                        return Poll::Ready(Event::Led(visited));
                    }
                    if let Poll::Ready(event) = poll_hedged(&mut hedged, cx) {
                        return Poll::Ready(event);
                    }
                    let alarm = alarm.as_mut().as_pin_mut();
                    alarm.map_or(Poll::Pending, |alarm| alarm.poll(cx).map(|()| Event::Late))
                });
                let moves_on = match event.await {
                    Event::Led(Ok(answer)) => {
                        if hedges {
                            self.pace.answered(asked_at.elapsed());
                        }
                        let server = server.endpoint.name();
                        return Ok(Told { server, answer, is_second_opinion: false });
                    }
                    Event::Hedged(at, Ok(answer)) => {
                        let (winner, _) = hedged.remove(at);
                        let before = hedged.iter_mut().take(at).map(|(asked, _)| asked);
                        self.give_up_silent(call, leader.iter_mut().chain(before));
                        // Once more, now that the one in use counts as failed: this one takes its place.
                        winner.server.answered();
                        self.pace.answered(winner.since.elapsed());
                        winner.server.endpoint.counters().hedge_won();
                        let is_second_opinion = leader.is_some_and(|leader| !leader.server.is_failed());
                        let server = winner.server.endpoint.name();
                        return Ok(Told { server, answer, is_second_opinion });
                    }
                    Event::Led(Err(attempts)) => {
                        leader = None;
                        if said.hear(attempts, false) {
                            return Err(said.into_attempts());
                        }
                        false
                    }
                    Event::Hedged(at, Err(attempts)) => {
                        drop(hedged.remove(at));
                        if has_spoken(&attempts) {
                            let before = hedged.iter_mut().take(at).map(|(asked, _)| asked);
                            self.give_up_silent(call, leader.iter_mut().chain(before));
                        }
                        if said.hear(attempts, leader.is_some() || at > 0) {
                            return Err(said.into_attempts());
                        }
                        // It moves on as any attempt does, beside the one that it was to help.
                        leader.is_some() && hedged.is_empty()
                    }
                    Event::Late => {
                        wait = (wait * 2).min(LOOK_AGAIN);
                        alarm.set(Some(sleep(wait)));
                        let youngest = hedged.last().map(|(asked, _)| asked).or(leader.as_ref());
                        let is_failed = youngest.is_some_and(|asked| asked.server.is_failed());
                        // To leave a server that others have found to fail is no second request.
                        candidates.has_more(true) && (is_failed || self.pace.pay_for_hedge())
                    }
                };
                if moves_on
                    && !said.has_no()
                    && let Some(server) = candidates.take(true)
                {
                    server.endpoint.counters().hedged();
                    let (now, share) = (Instant::now(), share_of(call.deadline, 1 + candidates.len()));
                    let visit = self.visit(call, server, None, request, share, now);
                    hedged.push((Asked::new(server, now), Box::pin(visit)));
                }
            }
            if call.is_over() {
                break;
            }
        }
        Err(said.into_attempts())
    }

    /// A server that was asked earlier than the one that has answered, and has not said a word since, counts as failed: the
    /// next calls go elsewhere, and it is probed.
    fn give_up_silent<'a, 'b: 'a>(&self, call: &Call, asked: impl Iterator<Item = &'a mut Asked<'b>>) {
        for asked in asked.filter(|asked| asked.is_silent() && !asked.is_given_up) {
            asked.is_given_up = true;
            self.passed_over(call, asked.server);
        }
    }
}

type Hedge<'a, F> = (Asked<'a>, Pin<Box<F>>);

fn poll_hedged<F: Future<Output = T>, T>(
    hedged: &mut [Hedge<'_, F>],
    cx: &mut Context<'_>,
) -> Poll<Event<T>> {
    for (at, (_, visit)) in hedged.iter_mut().enumerate() {
        if let Poll::Ready(visited) = visit.as_mut().poll(cx) {
            return Poll::Ready(Event::Hedged(at, visited));
        }
    }
    Poll::Pending
}

/// A request that is under way at one server.
struct Asked<'a> {
    server: Member<'a>,
    since: Instant,
    /// How many answers had come from the server before.
    answers_before: u64,
    is_given_up: bool,
}

impl<'a> Asked<'a> {
    fn new(server: Member<'a>, since: Instant) -> Self {
        let answers_before = server.endpoint.counters().answers();
        Asked { server, since, answers_before, is_given_up: false }
    }

    fn is_silent(&self) -> bool {
        self.server.endpoint.counters().answers() == self.answers_before
    }
}

/// What has been said so far, without an answer.
#[derive(Default)]
struct Said {
    attempts: Vec<Attempt>,
    /// At how many servers the topic was not found.
    not_found: usize,
    /// What a hedge was told that is final, unless a server that was asked earlier says something better.
    no: Vec<Attempt>,
}

impl Said {
    fn is_doubted(&self) -> bool {
        self.not_found > 0
    }

    fn has_no(&self) -> bool {
        !self.no.is_empty()
    }

    /// Hears what a visit came back with, and says whether the call ends with it.
    fn hear(&mut self, attempts: Vec<Attempt>, others_were_asked_earlier: bool) -> bool {
        let failure = attempts.last().map(|last| &last.failure);
        let moves_on = failure.is_some_and(Failure::is_worth_another_server);
        let is_not_found = failure.is_some_and(is_topic_not_found);
        self.not_found += usize::from(is_not_found);
        let is_final = if is_not_found { self.not_found > 1 } else { !moves_on };
        if is_final && !is_not_found && others_were_asked_earlier {
            self.no.extend(attempts);
            return false;
        }
        if is_final {
            // What decides comes last.
            self.attempts.append(&mut self.no);
        }
        self.attempts.extend(attempts);
        is_final || (self.has_no() && !others_were_asked_earlier)
    }

    fn into_attempts(mut self) -> Vec<Attempt> {
        self.attempts.append(&mut self.no);
        self.attempts
    }
}

/// Whether the server has said something about the question.
fn has_spoken(attempts: &[Attempt]) -> bool {
    attempts.last().is_some_and(|last| matches!(last.failure, Failure::Refused(_) | Failure::DataParse(_)))
}
