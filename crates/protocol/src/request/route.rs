//! 105: where is this topic? (`docs/wire.md` §2.2)

use super::{Answer, Reach, Request, flag, flag_text, required};
use crate::code::RequestCode;
use crate::command::Command;
use crate::error::DataParseError;
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::{Name, TopicRouteData};

/// Asks for the route of one topic. There is no request for many: ask pipelined.
///
/// Refused with [`TOPIC_NOT_EXIST`](crate::code::ResponseCode::TOPIC_NOT_EXIST) if the server knows no live broker
/// that has the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetRouteInfo {
    /// The topic.
    pub topic: Name,
    /// Whether the body should be in standard JSON. Servers before 4.9.4 do not know the field, and a 5.x server
    /// with a zone filter ignores it, so never rely on it.
    pub accept_standard_json_only: bool,
}

impl GetRouteInfo {
    /// The question about one topic, asking for standard JSON.
    pub fn new(topic: impl Into<Name>) -> Self {
        GetRouteInfo { topic: topic.into(), accept_standard_json_only: true }
    }
}

const TOPIC: &str = "topic";
const ACCEPT_STANDARD_JSON_ONLY: &str = "acceptStandardJsonOnly";

impl Request for GetRouteInfo {
    const CODE: RequestCode = RequestCode::GET_ROUTEINFO_BY_TOPIC;
    const REACH: Reach = Reach::One;
    type Response = TopicRouteData;

    fn to_command(&self) -> Command {
        let mut fields = ExtFields::new();
        if self.accept_standard_json_only {
            fields.set(Name::from_static(ACCEPT_STANDARD_JSON_ONLY), flag_text(true));
        }
        fields.set(Name::from_static(TOPIC), self.topic.clone());
        Command::request(Self::CODE, fields, "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(GetRouteInfo {
            topic: required(fields, TOPIC)?,
            accept_standard_json_only: flag(fields, ACCEPT_STANDARD_JSON_ONLY).unwrap_or(false),
        })
    }

    fn to_answer(route: &TopicRouteData, dialect: Dialect) -> Answer {
        Answer { body: crate::json::to_bytes(route, dialect).into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<TopicRouteData, DataParseError> {
        TopicRouteData::from_bytes(&answer.body)
    }
}
