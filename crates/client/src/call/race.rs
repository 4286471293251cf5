//! To which server a call goes: rule 2 of [`call`](super). A connection that opens slowly races the next server's.

use std::iter;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::candidates::{Candidates, May};
use super::set::Member;
use super::visit::Opened;
use super::{Call, Servers};
use crate::dial::{share_of, within};
use crate::failure::{Attempt, Failure, Phase};
use crate::link::Broken;

/// A server that a call may go to, and the connection to it.
pub(super) struct Chosen<'a> {
    pub(super) server: Member<'a>,
    pub(super) opened: Opened,
    pub(super) started: Instant,
}

impl Servers {
    /// The next server to ask, and the open connection to it. Those that could not be connected to are told in
    /// `attempts`. With nobody to race, the connection may still be opening.
    pub(super) async fn choose<'a>(
        &self,
        call: &Call,
        candidates: &mut Candidates<'a>,
        may: May,
        attempts: &mut Vec<Attempt>,
    ) -> Option<Chosen<'a>> {
        let server = candidates.take(may)?;
        // The first attempt starts with the call.
        let started = if attempts.is_empty() { call.started } else { Instant::now() };
        match self.link(call, server) {
            Ok(opened) if opened.was_connected || !server.has_others() => {
                Some(Chosen { server, opened, started })
            }
            Ok(opened) => {
                // On the heap, because it is rare and large.
                let chosen = Chosen { server, opened, started };
                Box::pin(self.race(call, chosen, candidates, may, attempts)).await
            }
            Err(broken) => {
                self.note(call, server, started, broken, attempts);
                None
            }
        }
    }

    /// The server whose connection opens first. The next one joins when those before it have failed or had their time.
    async fn race<'a>(
        &self,
        call: &Call,
        first: Chosen<'a>,
        candidates: &mut Candidates<'a>,
        may: May,
        attempts: &mut Vec<Attempt>,
    ) -> Option<Chosen<'a>> {
        // Those that have not failed, in the order in which they joined.
        let mut running = vec![(first.server, first.started)];
        let mut runners: FuturesUnordered<_> = iter::once(first).map(run).collect();
        loop {
            let next_joins = candidates.has_more(may);
            let wait_until = if next_joins { self.joins_at(call, candidates) } else { call.deadline };
            match within(wait_until, runners.next()).await {
                Some(Some((chosen, Ok(())))) => {
                    self.overtaken(call, &chosen, running, candidates);
                    return Some(chosen);
                }
                Some(Some((chosen, Err(broken)))) => {
                    running.retain(|(server, _)| !server.is_same(&chosen.server));
                    self.note(call, chosen.server, chosen.started, broken, attempts);
                }
                // Nobody runs, or they are slow.
                Some(None) | None => {}
            }
            if call.is_over() {
                for (server, started) in running {
                    self.note(
                        call,
                        server,
                        started,
                        Broken::new(Phase::Connect, Failure::Deadline),
                        attempts,
                    );
                }
                return None;
            }
            if let Some(server) = candidates.take(may) {
                let started = Instant::now();
                match self.link(call, server) {
                    Ok(opened) => {
                        running.push((server, started));
                        runners.push(run(Chosen { server, opened, started }));
                    }
                    Err(broken) => {
                        self.note(call, server, started, broken, attempts);
                        return None;
                    }
                }
            } else if runners.is_empty() {
                return None;
            }
        }
    }

    /// When the next server joins if nobody is there by then: after its delay, and early enough that all have their share
    /// of a short call.
    fn joins_at(&self, call: &Call, candidates: &Candidates<'_>) -> Option<Instant> {
        let delay = Instant::now().checked_add(self.config.connect_race_delay);
        let share = share_of(call.deadline, 1 + candidates.len());
        delay.into_iter().chain(share).min()
    }

    /// Others are still opening their connections, which go on without this call. Those that had more time are suspected.
    fn overtaken<'a>(
        &self,
        call: &Call,
        winner: &Chosen<'a>,
        running: Vec<(Member<'a>, Instant)>,
        candidates: &mut Candidates<'a>,
    ) {
        let mut had_more_time = true;
        for (server, _) in running {
            if server.is_same(&winner.server) {
                had_more_time = false;
                continue;
            }
            if had_more_time {
                self.suspected(call, server);
            }
            candidates.put_back(server);
        }
    }
}

/// Waits until the connection is open.
async fn run(runner: Chosen<'_>) -> (Chosen<'_>, std::result::Result<(), Broken>) {
    let connected = runner.opened.link.connected().await;
    (runner, connected)
}
