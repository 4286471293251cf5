//! One question at the servers that may answer it: rules 1, 4, 6 and 7 of [`call`](super).

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rocketmq_nameserver_protocol::request::{Reach, Request};
use tokio::time::{Instant, sleep};

use super::candidates::{Candidates, May};
use super::race::Chosen;
use super::set::ServerSet;
use super::under_way::{Asked, Event, UnderWay};
use super::{Call, Servers, Told};
use crate::dial::share_of;
use crate::failure::{Attempt, Failure, is_topic_not_found};

/// How often a call that waits looks whether it should wait elsewhere, at least: others may find out what is wrong.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
            self.choose(call, &mut candidates, said.next(), &mut said.attempts).await
        {
            let share = share_of(call.deadline, 1 + candidates.len());
            let asked_at = if opened.was_connected { started } else { Instant::now() };
            let mut visit = pin!(self.visit(call, server, Some(opened), request, share, started));
            let mut under_way = UnderWay::new(Asked::new(server, asked_at));
            let late = self.pace.late();
            let mut wait = late;
            let mut alarm = pin!(hedges.then(|| sleep(wait)));
            while !under_way.is_empty() {
                let event = poll_fn(|cx| {
                    if let Poll::Ready(event) = under_way.poll(visit.as_mut(), cx) {
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
                        let (winner, _) = under_way.hedges.remove(at);
                        self.give_up_silent(call, under_way.asked_before(at));
                        // Now that the other one is suspected, this is the one in use.
                        winner.server.answered();
                        self.pace.answered(winner.since.elapsed());
                        winner.server.endpoint.counters().hedge_won();
                        let is_second_opinion =
                            under_way.leader.as_ref().is_some_and(|leader| !leader.server.is_failed());
                        let server = winner.server.endpoint.name();
                        return Ok(Told { server, answer, is_second_opinion });
                    }
                    Event::Led(Err(attempts)) => {
                        under_way.leader = None;
                        if said.hear(attempts, false) {
                            return Err(said.into_attempts());
                        }
                        false
                    }
                    Event::Hedged(at, Err(attempts)) => {
                        drop(under_way.hedges.remove(at));
                        if has_spoken(&attempts) {
                            self.give_up_silent(call, under_way.asked_before(at));
                        }
                        if said.hear(attempts, under_way.leader.is_some() || at > 0) {
                            return Err(said.into_attempts());
                        }
                        // It moves on as any attempt does, beside the one that it was to help.
                        !said.has_no() && under_way.leader.is_some() && under_way.hedges.is_empty()
                    }
                    Event::Late => {
                        let is_just_late = wait == late;
                        wait = (wait * 2).min(LOOK_AGAIN);
                        alarm.set(Some(sleep(wait)));
                        if said.has_end() {
                            under_way.leave_those_down();
                        }
                        let is_failed = under_way.youngest().is_some_and(|asked| asked.server.is_failed());
                        // To leave a server that others have found to fail is no second request.
                        !said.has_no()
                            && candidates.has_more(May::Well)
                            && (is_failed || self.pace.pay_for_hedge(is_just_late))
                    }
                };
                if moves_on && let Some(server) = candidates.take(May::Well) {
                    server.endpoint.counters().hedged();
                    let (now, share) = (Instant::now(), share_of(call.deadline, 1 + candidates.len()));
                    let visit = self.visit(call, server, None, request, share, now);
                    under_way.hedges.push((Asked::new(server, now), Box::pin(visit)));
                }
            }
            if call.is_over() || said.has_no() {
                break;
            }
        }
        Err(said.into_attempts())
    }

    /// A server that was asked earlier than the one that has answered, and has not said a word since, is suspected: the
    /// next calls go elsewhere, and it is probed.
    fn give_up_silent<'a, 'b: 'a>(&self, call: &Call, asked: impl Iterator<Item = &'a mut Asked<'b>>) {
        for asked in asked.filter(|asked| asked.is_silent()) {
            asked.is_given_up = true;
            self.suspected(call, asked.server);
        }
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
    /// Who may be asked when no request is under way.
    fn next(&self) -> May {
        if self.not_found > 0 { May::NotDown } else { May::Any }
    }

    /// Whether the call has an end, only not a good one, unless those that are still under way say something better.
    fn has_end(&self) -> bool {
        self.not_found > 0 || self.has_no()
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
