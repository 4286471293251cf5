//! 105: where is this topic? (`docs/wire.md` §2.2, §4.9)

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
    /// The zone whose brokers are wanted, and no others: 5.x servers leave the rest out, 4.x servers do not know the
    /// question. `None`: all brokers.
    pub zone: Option<Name>,
}

impl GetRouteInfo {
    /// The question about one topic and all its brokers, asking for standard JSON.
    pub fn new(topic: impl Into<Name>) -> Self {
        GetRouteInfo { topic: topic.into(), accept_standard_json_only: true, zone: None }
    }
}

const TOPIC: &str = "topic";
const ACCEPT_STANDARD_JSON_ONLY: &str = "acceptStandardJsonOnly";
const ZONE_MODE: &str = "__ZONE_MODE";
const ZONE_NAME: &str = "__ZONE_NAME";

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
        if let Some(zone) = &self.zone {
            fields.set(Name::from_static(ZONE_MODE), flag_text(true));
            fields.set(Name::from_static(ZONE_NAME), zone.clone());
        }
        Command::request(Self::CODE, fields, "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        let in_zone = flag(fields, ZONE_MODE).unwrap_or(false);
        Ok(GetRouteInfo {
            topic: required(fields, TOPIC)?,
            accept_standard_json_only: flag(fields, ACCEPT_STANDARD_JSON_ONLY).unwrap_or(false),
            zone: fields.get(ZONE_NAME).filter(|zone| in_zone && !zone.trim().is_empty()).cloned(),
        })
    }

    fn to_answer(route: &TopicRouteData, dialect: Dialect) -> Answer {
        Answer { body: crate::json::to_bytes(route, dialect).into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<TopicRouteData, DataParseError> {
        TopicRouteData::from_bytes(&answer.body)
    }
}
