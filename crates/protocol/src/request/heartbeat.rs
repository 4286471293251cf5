//! 322 and 904: a broker shows that it lives (`docs/wire.md` §2.5).
//!
//! Each NameServer counts the time for itself, so brokers send both to every one.

use super::broker::{BROKER_ADDR, BROKER_ID, BROKER_NAME, CLUSTER_NAME, identity};
use super::{Answer, Reach, Request, flag_text, number, required};
use crate::code::{RequestCode, Version};
use crate::command::Command;
use crate::error::{DataParseError, Reason};
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::{DataVersion, Name};

const CHANGED: &str = "changed";
const EPOCH: &str = "epoch";
const MAX_OFFSET: &str = "maxOffset";
const CONFIRM_OFFSET: &str = "confirmOffset";
const HEARTBEAT_TIMEOUT_MILLS: &str = "heartbeatTimeoutMills";
const ELECTION_PRIORITY: &str = "electionPriority";

/// 322: asks whether a server has other topics of this broker than the broker itself, 4.x and 5.x.
///
/// It is a sign of life too, at a 4.x server only if nothing has changed; its effect ends when the broker is silent for its
/// timeout. A broker is found by its address, at a 5.x server by its cluster as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryDataVersion {
    /// The cluster that the broker belongs to.
    pub cluster_name: Name,
    /// The broker group's name. No server looks at it.
    pub broker_name: Name,
    /// The broker's own address.
    pub broker_addr: Name,
    /// 0 for the master, other numbers for slaves. No server looks at it.
    pub broker_id: i64,
    /// How new the broker's own topics are.
    pub data_version: DataVersion,
}

/// What a NameServer knows of a broker's topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryDataVersionResult {
    /// Whether the broker should register: the server does not have its topics, or other ones.
    pub changed: bool,
    /// How new the topics are that the server has. `None` if it does not take the broker for alive. A 4.x server does not say
    /// the state version; it is 0 then.
    pub data_version: Option<DataVersion>,
}

impl Request for QueryDataVersion {
    const CODE: RequestCode = RequestCode::QUERY_DATA_VERSION;
    const REACH: Reach = Reach::Every;
    type Response = QueryDataVersionResult;

    fn to_command(&self) -> Command {
        let fields = identity(&self.cluster_name, &self.broker_name, &self.broker_addr, self.broker_id);
        Command::request(Self::CODE, fields, self.data_version.to_bytes())
    }

    /// Without a body it fails with [`Reason::Empty`]. Then a 5.x server answers that there are changes.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(QueryDataVersion {
            cluster_name: required(fields, CLUSTER_NAME)?,
            broker_name: fields.get(BROKER_NAME).cloned().unwrap_or_default(),
            broker_addr: required(fields, BROKER_ADDR)?,
            broker_id: number(fields, BROKER_ID).unwrap_or_default().unwrap_or_default(),
            data_version: DataVersion::from_bytes(&command.body)?,
        })
    }

    /// The body is that of a 5.x server; [`DataVersion::to_bytes_without_state_version`] makes that of a 4.x one.
    fn to_answer(result: &QueryDataVersionResult, dialect: Dialect) -> Answer {
        let mut ext_fields = ExtFields::new();
        ext_fields.set(Name::from_static(CHANGED), flag_text(result.changed));
        let body = result.data_version.map(|version| crate::json::to_bytes(&version, dialect));
        Answer { ext_fields, body: body.unwrap_or_default().into() }
    }

    fn from_answer(answer: &Answer) -> Result<QueryDataVersionResult, DataParseError> {
        let changed = required(&answer.ext_fields, CHANGED)?;
        let body = (!answer.body.is_empty()).then_some(&answer.body);
        Ok(QueryDataVersionResult {
            changed: match &*changed {
                "true" => true,
                "false" => false,
                _ => {
                    return Err(DataParseError::new(
                        0,
                        Reason::Expected("true or false"),
                        changed.as_bytes(),
                    ));
                }
            },
            data_version: body.map(|body| DataVersion::from_bytes(body)).transpose()?,
        })
    }
}

/// 904: a sign of life from a broker, 5.x only. Brokers send it oneway.
///
/// Its effect ends when the broker is silent for the timeout that it registered with. A broker that the server does not know
/// stays unknown. NameServers look at cluster and address only; the rest is for controllers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerHeartbeat {
    /// The cluster that the broker belongs to.
    pub cluster_name: Name,
    /// The broker group's name.
    pub broker_name: Name,
    /// The broker's own address.
    pub broker_addr: Name,
    /// 0 for the master, other numbers for slaves.
    pub broker_id: Option<i64>,
    /// The term of the group's master.
    pub epoch: Option<i32>,
    /// How far the broker's log goes, in bytes.
    pub max_offset: Option<i64>,
    /// How far its log is confirmed, in bytes.
    pub confirm_offset: Option<i64>,
    /// How long the broker may be silent, in milliseconds.
    pub heartbeat_timeout_mills: Option<i64>,
    /// Which of several brokers should be master: the lower, the rather.
    pub election_priority: Option<i32>,
}

impl Request for BrokerHeartbeat {
    const CODE: RequestCode = RequestCode::BROKER_HEARTBEAT;
    const REACH: Reach = Reach::Every;
    const SINCE: Version = Version::V5_0_0;
    type Response = ();

    fn to_command(&self) -> Command {
        fn set<T: ToString>(fields: &mut ExtFields, key: &'static str, number: Option<T>) {
            fields.set_optional(key, number.map(|number| number.to_string()));
        }
        let mut fields = ExtFields::new();
        fields.set(Name::from_static(BROKER_ADDR), self.broker_addr.clone());
        set(&mut fields, BROKER_ID, self.broker_id);
        fields.set(Name::from_static(BROKER_NAME), self.broker_name.clone());
        fields.set(Name::from_static(CLUSTER_NAME), self.cluster_name.clone());
        set(&mut fields, CONFIRM_OFFSET, self.confirm_offset);
        set(&mut fields, ELECTION_PRIORITY, self.election_priority);
        set(&mut fields, EPOCH, self.epoch);
        set(&mut fields, HEARTBEAT_TIMEOUT_MILLS, self.heartbeat_timeout_mills);
        set(&mut fields, MAX_OFFSET, self.max_offset);
        Command::request(Self::CODE, fields, "")
    }

    /// A number that cannot be read is not there.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(BrokerHeartbeat {
            cluster_name: required(fields, CLUSTER_NAME)?,
            broker_name: fields.get(BROKER_NAME).cloned().unwrap_or_default(),
            broker_addr: required(fields, BROKER_ADDR)?,
            broker_id: number(fields, BROKER_ID).unwrap_or_default(),
            epoch: number(fields, EPOCH).unwrap_or_default(),
            max_offset: number(fields, MAX_OFFSET).unwrap_or_default(),
            confirm_offset: number(fields, CONFIRM_OFFSET).unwrap_or_default(),
            heartbeat_timeout_mills: number(fields, HEARTBEAT_TIMEOUT_MILLS).unwrap_or_default(),
            election_priority: number(fields, ELECTION_PRIORITY).unwrap_or_default(),
        })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}
