//! One call at one server: rules 3 and 5 of [`call`](super).

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::{Answer, Reach, Request};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::set::Member;
use super::{Call, Servers};
use crate::dial::share_of;
use crate::failure::{Failure, Phase};
use crate::link::{Broken, Link};
use crate::release;

impl Servers {
    /// Asks one server, by rules 3 and 5. `left` servers, this one included, share the time.
    pub(super) async fn try_server<R: Request>(
        &self,
        call: &mut Call,
        server: Member<'_>,
        request: &R,
        left: usize,
    ) -> std::result::Result<R::Response, Failure> {
        let endpoint = server.endpoint;
        let deadline = share_of(call.deadline, left);
        let mut again = true;
        loop {
            let started = call.attempt_starts();
            let (broken, was_connected, was_sent) = match self.link(call, server) {
                Err(broken) => (broken, false, false),
                Ok((link, was_connected)) => match ask(&link, request, deadline, &call.runtime).await {
                    Ok(response) => {
                        server.answered();
                        return Ok(response);
                    }
                    Err(Unanswered { broken, was_sent }) => {
                        endpoint.leave(&link, &broken.failure);
                        (broken, was_connected, was_sent)
                    }
                },
            };
            let failure = call.failed(endpoint, started, broken);
            match failure {
                // It is well, for everything else.
                Failure::Unsupported(_) => server.answered(),
                _ if failure.is_worth_another_server() => server.failed(),
                Failure::Refused(_) | Failure::DataParse(_) => server.answered(),
                _ => {}
            }
            // A write may have been carried out before the connection died, but not by a server that goes away.
            let harmless = R::REACH == Reach::One || !was_sent;
            let lost = was_connected && harmless && failure.is_lost_connection();
            if !(again && (lost || matches!(failure, Failure::GoAway))) {
                return Err(failure);
            }
            again = false;
        }
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
