//! The route query whose answer is handed on as it came: whoever compares answers need not read them.

use bytes::Bytes;
use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::request::{Answer, GetRouteInfo, Reach, Request};

/// Request 105, its answer not read.
pub(crate) struct GetRouteBody(pub(crate) GetRouteInfo);

impl Request for GetRouteBody {
    const CODE: RequestCode = GetRouteInfo::CODE;
    const REACH: Reach = GetRouteInfo::REACH;
    type Response = Bytes;

    fn to_command(&self) -> Command {
        self.0.to_command()
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        GetRouteInfo::from_command(command).map(GetRouteBody)
    }

    fn to_answer(body: &Bytes, _: Dialect) -> Answer {
        Answer { body: body.clone(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<Bytes, DataParseError> {
        Ok(answer.body.clone())
    }
}
