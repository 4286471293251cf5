//! Which requests a server's release answers: an older one says nothing at all (`docs/wire.md` §2.1).

use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::request::{GetRouteInfo, Request};

use crate::failure::{Failure, Phase};
use crate::link::Broken;

/// Whether every release answers it, so that nobody needs to know a server's.
pub(crate) fn is_any<R: Request>() -> bool {
    R::SINCE == Version(0)
}

/// What every release answers without much ado: no topic is called nothing (captures `route-empty-topic`).
pub(crate) fn cheap_request() -> Command {
    GetRouteInfo::new("").to_command()
}

/// The release that an answer says, be it a refusal.
pub(crate) fn of_answer(answer: &Command) -> Result<Version, Broken> {
    match ResponseCode(answer.header.code) {
        ResponseCode::GO_AWAY => Err(Broken::new(Phase::Wait, Failure::GoAway)),
        _ => Ok(answer.header.version),
    }
}
