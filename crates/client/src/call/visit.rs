//! One call at one server: rules 3 and 5 of [`call`](super).

use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::{Answer, Reach, Request};
use tokio::time::Instant;

use super::{Call, Servers};
use crate::dial::share_of;
use crate::endpoint::Endpoint;
use crate::failure::{Failure, Phase};
use crate::link::Broken;
use crate::release;

/// A call at one server.
struct Visit<'a> {
    server: usize,
    endpoint: &'a Endpoint,
    deadline: Option<Instant>,
}

impl Servers {
    /// Asks one server, by rules 3 and 5. `left` servers, this one included, share the time.
    pub(super) async fn try_server<R: Request>(
        &self,
        call: &mut Call,
        server: usize,
        endpoint: &Endpoint,
        request: &R,
        left: usize,
    ) -> std::result::Result<R::Response, Failure> {
        let visit = Visit { server, endpoint, deadline: share_of(call.deadline, left) };
        if !release::is_any::<R>() {
            self.expect_release(call, &visit, R::SINCE).await?;
        }
        let is_read = R::REACH == Reach::One;
        self.exchange(call, &visit, is_read, || request.to_command(), read_answer::<R>).await
    }

    /// Rule 5: makes sure that the server is of a release that answers.
    async fn expect_release(
        &self,
        call: &mut Call,
        visit: &Visit<'_>,
        since: Version,
    ) -> std::result::Result<(), Failure> {
        let version = match visit.endpoint.version() {
            Some(version) => version,
            None => {
                let read = |answer: Command| release::of_answer(&answer);
                self.exchange(call, visit, true, release::cheap_request, read).await?
            }
        };
        if version >= since {
            return Ok(());
        }
        let unsupported = Broken::new(Phase::Write, Failure::Unsupported(version));
        Err(call.failed(visit.endpoint, Instant::now(), unsupported))
    }

    /// Sends one request and reads its answer, a second time where rule 3 says so.
    async fn exchange<T>(
        &self,
        call: &mut Call,
        visit: &Visit<'_>,
        is_read: bool,
        request: impl Fn() -> Command,
        read: impl Fn(Command) -> std::result::Result<T, Broken>,
    ) -> std::result::Result<T, Failure> {
        let Visit { server, endpoint, deadline } = *visit;
        let mut again = true;
        loop {
            let started = call.attempt_starts();
            let (broken, was_connected) = match self.link(call, endpoint) {
                Err(broken) => (broken, false),
                Ok((link, was_connected)) => {
                    let answered = link.call(request(), deadline, &call.runtime).await;
                    match answered.and_then(&read) {
                        Ok(response) => {
                            self.health.answered(server);
                            return Ok(response);
                        }
                        Err(broken) => {
                            endpoint.leave(&link, &broken.failure);
                            (broken, was_connected)
                        }
                    }
                }
            };
            let failure = call.failed(endpoint, started, broken);
            if failure.is_worth_another_server() {
                self.health.failed(server);
            } else if matches!(failure, Failure::Refused(_) | Failure::DataParse(_)) {
                self.health.answered(server);
            }
            // A write may have been carried out before the connection died, but not by a server that goes away.
            let lost = was_connected && is_read && failure.is_lost_connection();
            if !(again && (lost || matches!(failure, Failure::GoAway))) {
                return Err(failure);
            }
            again = false;
        }
    }
}

fn read_answer<R: Request>(response: Command) -> std::result::Result<R::Response, Broken> {
    let answer = Answer::from_response(response).map_err(|refusal| match refusal {
        Refusal { code: ResponseCode::GO_AWAY, .. } => Broken::new(Phase::Wait, Failure::GoAway),
        refusal => Broken::new(Phase::Wait, Failure::Refused(refusal)),
    })?;
    R::from_answer(&answer).map_err(|error| Broken::new(Phase::Decode, Failure::DataParse(error)))
}
