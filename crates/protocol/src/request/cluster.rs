//! 106: which brokers form which cluster? (`docs/wire.md` §2.3)

use super::{Answer, Reach, Request};
use crate::code::RequestCode;
use crate::command::Command;
use crate::error::DataParseError;
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::BrokerClusterInfo;

/// Asks for all brokers and clusters. The answer is always in the legacy dialect on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetBrokerClusterInfo;

impl Request for GetBrokerClusterInfo {
    const CODE: RequestCode = RequestCode::GET_BROKER_CLUSTER_INFO;
    const REACH: Reach = Reach::One;
    type Response = BrokerClusterInfo;

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, ExtFields::new(), "")
    }

    fn from_command(_: &Command) -> Result<Self, DataParseError> {
        Ok(GetBrokerClusterInfo)
    }

    fn to_answer(info: &BrokerClusterInfo, dialect: Dialect) -> Answer {
        Answer { body: crate::json::to_bytes(info, dialect).into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<BrokerClusterInfo, DataParseError> {
        BrokerClusterInfo::from_bytes(&answer.body)
    }
}
