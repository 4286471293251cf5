//! One call at one server: rules 3 and 5 of [`call`](super).

use std::sync::Arc;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::{Answer, Reach, Request};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::set::Member;
use super::{Call, Servers};
use crate::failure::{Attempt, Failure, Phase};
use crate::link::{Broken, Link};
use crate::release;

/// The connection to a server, and whether it was there before the call.
pub(super) struct Opened {
    pub(super) link: Arc<Link>,
    pub(super) was_connected: bool,
}

impl Servers {
    /// Asks one server until `deadline`, first over `opened` if that is there. The attempts that it makes end with the one
    /// that decides; the first one began at `started`.
    pub(super) async fn visit<R: Request>(
        &self,
        call: &Call,
        server: Member<'_>,
        mut opened: Option<Opened>,
        request: &R,
        deadline: Option<Instant>,
        mut started: Instant,
    ) -> std::result::Result<R::Response, Vec<Attempt>> {
        let mut attempts = Vec::new();
        loop {
            let link = opened.take().map_or_else(|| self.link(call, server), Ok);
            let (broken, was_connected, was_sent) = match link {
                Err(broken) => (broken, false, false),
                Ok(Opened { link, was_connected }) => {
                    match ask(&link, request, deadline, &call.runtime).await {
                        Ok(response) => {
                            server.answered();
                            return Ok(response);
                        }
                        Err(Unanswered { broken, was_sent }) => {
                            server.endpoint.leave(&link, &broken.failure);
                            (broken, was_connected, was_sent)
                        }
                    }
                }
            };
            let failure = self.note(call, server, started, broken, &mut attempts);
            // A write may have been carried out before the connection died, but not by a server that goes away.
            let harmless = R::REACH == Reach::One || !was_sent;
            let lost = was_connected && harmless && failure.is_lost_connection();
            let is_first = attempts.len() == 1;
            if !(is_first && (lost || matches!(failure, Failure::GoAway))) {
                return Err(attempts);
            }
            started = Instant::now();
        }
    }

    /// Notes an attempt that failed, and what it says of the server.
    pub(super) fn note(
        &self,
        call: &Call,
        server: Member<'_>,
        started: Instant,
        broken: Broken,
        attempts: &mut Vec<Attempt>,
    ) -> Failure {
        let Broken { phase, failure } = broken;
        let counters = server.endpoint.counters();
        match failure {
            // Nothing was sent. It is well, for everything else.
            Failure::Unsupported(_) => server.answered(),
            Failure::Refused(_) => {
                counters.refused();
                if failure.is_worth_another_server() {
                    self.failed(call, server);
                } else {
                    server.answered();
                }
            }
            Failure::DataParse(_) => {
                counters.failed();
                server.answered();
            }
            _ => {
                counters.failed();
                if failure.is_worth_another_server() {
                    self.failed(call, server);
                }
            }
        }
        let (server, elapsed) = (server.endpoint.name(), started.elapsed());
        attempts.push(Attempt { server, phase, elapsed, failure: failure.clone() });
        failure
    }

    /// Another server was faster, and this one has not said a word: an error in the stats, and more may be wrong with it.
    pub(super) fn suspected(&self, call: &Call, server: Member<'_>) {
        server.endpoint.counters().failed();
        server.suspected();
        self.probe(call, server);
    }
}

/// Why a request has no answer, and whether it was sent at all.
struct Unanswered {
    broken: Broken,
    was_sent: bool,
}

/// Asks over one connection, by rule 5: the server at its other end must be of a release that answers.
async fn ask<R: Request>(
    link: &Link,
    request: &R,
    deadline: Option<Instant>,
    runtime: &Handle,
) -> std::result::Result<R::Response, Unanswered> {
    if !release::is_any::<R>() {
        let not_sent = |broken| Unanswered { broken, was_sent: false };
        let version = match link.version() {
            Some(version) => version,
            None => {
                let answer = link.call(release::cheap_request(), deadline, runtime).await;
                answer.and_then(|answer| release::of_answer(&answer)).map_err(not_sent)?
            }
        };
        if version < R::SINCE {
            return Err(not_sent(Broken::new(Phase::Write, Failure::Unsupported(version))));
        }
    }
    let answer = link.call(request.to_command(), deadline, runtime).await;
    answer.and_then(read_answer::<R>).map_err(|broken| Unanswered { broken, was_sent: true })
}

pub(super) fn read_answer<R: Request>(response: Command) -> std::result::Result<R::Response, Broken> {
    let answer = Answer::from_response(response).map_err(|refusal| match refusal {
        Refusal { code: ResponseCode::GO_AWAY, .. } => Broken::new(Phase::Wait, Failure::GoAway),
        refusal => Broken::new(Phase::Wait, Failure::Refused(refusal)),
    })?;
    R::from_answer(&answer).map_err(|error| Broken::new(Phase::Decode, Failure::DataParse(error)))
}
