//! 901: who else is in this broker group? (`docs/wire.md` §2.5)

use serde::Serialize;

use super::{Answer, Reach, Request};
use crate::code::{RequestCode, Version};
use crate::command::Command;
use crate::error::{DataParseError, Reason};
use crate::header::ExtFields;
use crate::json::lex::{Failure, Parsed};
use crate::json::{Dialect, FromJson, Reader, read_fields};
use crate::model::{BrokerMemberGroup, Name};

const CLUSTER_NAME: &str = "clusterName";
const BROKER_NAME: &str = "brokerName";

/// 901: asks for the members of one broker group, as brokers do, 5.x only. It changes nothing.
///
/// The answer to a group that the server does not know has no members. The body is in the legacy dialect on the wire, and the
/// remark is `not set any response code` though the code is success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetBrokerMemberGroup {
    /// The cluster; the server only sends it back.
    pub cluster_name: Name,
    /// The group.
    pub broker_name: Name,
}

impl Request for GetBrokerMemberGroup {
    const CODE: RequestCode = RequestCode::GET_BROKER_MEMBER_GROUP;
    const REACH: Reach = Reach::One;
    const SINCE: Version = Version::V5_0_0;
    type Response = BrokerMemberGroup;

    fn to_command(&self) -> Command {
        let mut fields = ExtFields::new();
        fields.set(Name::from_static(BROKER_NAME), self.broker_name.clone());
        fields.set(Name::from_static(CLUSTER_NAME), self.cluster_name.clone());
        Command::request(Self::CODE, fields, "")
    }

    /// A name that is missing is that of an unknown group.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let name = |key| command.header.ext_fields.get(key).cloned().unwrap_or_default();
        Ok(GetBrokerMemberGroup { cluster_name: name(CLUSTER_NAME), broker_name: name(BROKER_NAME) })
    }

    fn to_answer(group: &BrokerMemberGroup, dialect: Dialect) -> Answer {
        Answer { body: crate::json::to_bytes(&Written { group }, dialect).into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<BrokerMemberGroup, DataParseError> {
        crate::json::from_bytes(&answer.body).map(|Read { group }| group)
    }
}

/// The group as it is written: the one field of an object.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "brokerMemberGroup")]
    group: &'a BrokerMemberGroup,
}

/// The group as it is read.
struct Read {
    group: BrokerMemberGroup,
}

impl FromJson for Read {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let offset = reader.next_offset();
        let mut group = None;
        read_fields!(reader, { "brokerMemberGroup" => group = reader.optional()? })?;
        let group = group.ok_or(Failure { offset, reason: Reason::Missing("brokerMemberGroup") })?;
        Ok(Read { group })
    }
}
