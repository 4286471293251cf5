//! 103 and 104: a broker comes and goes (`docs/wire.md` §2.4 and §2.5).

use std::collections::BTreeMap;

use super::{Answer, Reach, Request, flag, flag_text, number, required};
use crate::code::{RequestCode, Version};
use crate::command::Command;
use crate::error::{DataParseError, Reason};
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::{
    DataVersion, KvTable, Name, RegisterBrokerBody, TopicConfigSerializeWrapper, TopicTextFields,
};

pub(super) const BROKER_NAME: &str = "brokerName";
pub(super) const BROKER_ADDR: &str = "brokerAddr";
pub(super) const CLUSTER_NAME: &str = "clusterName";
pub(super) const BROKER_ID: &str = "brokerId";
const HA_SERVER_ADDR: &str = "haServerAddr";
const MASTER_ADDR: &str = "masterAddr";
const COMPRESSED: &str = "compressed";
const BODY_CRC32: &str = "bodyCrc32";
const HEARTBEAT_TIMEOUT_MILLIS: &str = "heartbeatTimeoutMillis";
const ENABLE_ACTING_MASTER: &str = "enableActingMaster";
const ZONE_NAME: &str = "__ZONE_NAME";

/// A broker tells a NameServer who it is and which topics it has. It holds as long as the connection does.
///
/// The body is written uncompressed, with its CRC32; [`to_compressed_command`](RegisterBroker::to_compressed_command) does
/// otherwise. A 5.x server refuses the first registration of a broker with exactly one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterBroker {
    /// The cluster that the broker belongs to.
    pub cluster_name: Name,
    /// The broker group's name.
    pub broker_name: Name,
    /// The broker's own address.
    pub broker_addr: Name,
    /// 0 for the master, other numbers for slaves.
    pub broker_id: i64,
    /// Where slaves copy from.
    pub ha_server_addr: Name,
    /// How long the broker may be silent, in milliseconds; 120,000 if it does not say (5.x).
    pub heartbeat_timeout_millis: Option<i64>,
    /// Whether a slave may stand in for a lost master. 4.x brokers do not say (5.x).
    pub enable_acting_master: Option<bool>,
    /// The zone that the broker stands in (5.x).
    pub zone_name: Option<Name>,
    /// Its topics.
    pub body: RegisterBrokerBody,
}

impl RegisterBroker {
    /// A broker with that place in its group and those topics, as a 5.x broker registers without any extras. Its copy
    /// service is at its own address.
    pub fn new(
        cluster_name: impl Into<Name>,
        broker_name: impl Into<Name>,
        broker_id: i64,
        broker_addr: impl Into<Name>,
        body: RegisterBrokerBody,
    ) -> Self {
        let broker_addr = broker_addr.into();
        RegisterBroker {
            cluster_name: cluster_name.into(),
            broker_name: broker_name.into(),
            broker_id,
            ha_server_addr: broker_addr.clone(),
            broker_addr,
            enable_acting_master: Some(false),
            body,
            ..RegisterBroker::default()
        }
    }

    /// The registration with its body compressed, as brokers of that version do with `compressedRegister=true`. The header names
    /// the version, since it says how the body is to be read.
    pub fn to_compressed_command(&self, version: Version) -> Command {
        let mut command = self.with_body(self.body.to_compressed(version), true);
        command.header.version = version;
        command
    }

    /// As [`from_command`](Request::from_command), for a server that wants so many fields of a topic in a compressed body.
    ///
    /// # Errors
    /// [`DataParseError`], with the reason [`Reason::Crc32Mismatch`] if the body is not the one that was sent.
    pub fn from_command_with(
        command: &Command,
        topic_fields: TopicTextFields,
    ) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        check_crc32(command)?;
        Ok(RegisterBroker {
            cluster_name: required(fields, CLUSTER_NAME)?,
            broker_name: required(fields, BROKER_NAME)?,
            broker_addr: required(fields, BROKER_ADDR)?,
            broker_id: number(fields, BROKER_ID)?.ok_or(DataParseError::missing(BROKER_ID))?,
            ha_server_addr: fields.get(HA_SERVER_ADDR).cloned().unwrap_or_default(),
            heartbeat_timeout_millis: number(fields, HEARTBEAT_TIMEOUT_MILLIS).unwrap_or_default(),
            enable_acting_master: flag(fields, ENABLE_ACTING_MASTER),
            zone_name: fields.get(ZONE_NAME).cloned(),
            body: registration_body(command, topic_fields)?,
        })
    }

    fn with_body(&self, body: Vec<u8>, compressed: bool) -> Command {
        let mut fields = identity(&self.cluster_name, &self.broker_name, &self.broker_addr, self.broker_id);
        fields.set(Name::from_static(BODY_CRC32), body_crc32(&body).to_string());
        fields.set(Name::from_static(COMPRESSED), flag_text(compressed));
        fields.set(Name::from_static(HA_SERVER_ADDR), self.ha_server_addr.clone());
        fields.set_optional(
            HEARTBEAT_TIMEOUT_MILLIS,
            self.heartbeat_timeout_millis.map(|millis| millis.to_string()),
        );
        fields.set_optional(ENABLE_ACTING_MASTER, self.enable_acting_master.map(flag_text));
        fields.set_optional(ZONE_NAME, self.zone_name.clone());
        Command::request(Self::CODE, fields, body)
    }
}

/// What a NameServer tells a broker that has registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterBrokerResult {
    /// For a slave: where its master's copy service listens.
    pub ha_server_addr: Option<Name>,
    /// For a slave: its master's address.
    pub master_addr: Option<Name>,
    /// All order configurations, topic → `broker:queues;…`, if the server has any.
    pub kv_table: Option<BTreeMap<Name, Name>>,
}

impl Request for RegisterBroker {
    const CODE: RequestCode = RequestCode::REGISTER_BROKER;
    const REACH: Reach = Reach::Every;
    type Response = RegisterBrokerResult;

    fn to_command(&self) -> Command {
        self.with_body(self.body.to_bytes(), false)
    }

    /// The body may be compressed, whatever the header says of it. If there is none, there are no topics and their data version
    /// is all zero.
    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        RegisterBroker::from_command_with(command, TopicTextFields::default())
    }

    fn to_answer(result: &RegisterBrokerResult, dialect: Dialect) -> Answer {
        let mut ext_fields = ExtFields::new();
        ext_fields.set_optional(HA_SERVER_ADDR, result.ha_server_addr.clone());
        ext_fields.set_optional(MASTER_ADDR, result.master_addr.clone());
        let table = result.kv_table.clone().map(|table| KvTable { table });
        let body = table.map(|table| crate::json::to_bytes(&table, dialect)).unwrap_or_default();
        Answer { ext_fields, body: body.into() }
    }

    fn from_answer(answer: &Answer) -> Result<RegisterBrokerResult, DataParseError> {
        let kv = if answer.body.is_empty() { None } else { Some(KvTable::from_bytes(&answer.body)?) };
        Ok(RegisterBrokerResult {
            ha_server_addr: answer.ext_fields.get(HA_SERVER_ADDR).cloned(),
            master_addr: answer.ext_fields.get(MASTER_ADDR).cloned(),
            kv_table: kv.map(|kv| kv.table),
        })
    }
}

fn registration_body(
    command: &Command,
    topic_fields: TopicTextFields,
) -> Result<RegisterBrokerBody, DataParseError> {
    let Command { header, body } = command;
    // Older brokers know nothing of filter servers, so those that are known stay, nor of static topics.
    let is_wrapper_only = header.version < Version::V3_0_11;
    if is_wrapper_only || body.is_empty() {
        let mut wrapper = match &**body {
            b"" => TopicConfigSerializeWrapper::new(DataVersion::default(), []),
            body => TopicConfigSerializeWrapper::from_bytes(body)?,
        };
        wrapper.topic_queue_mapping_info_map.clear();
        return Ok(RegisterBrokerBody {
            filter_server_list: (!is_wrapper_only).then(Vec::new),
            topic_config_serialize_wrapper: wrapper,
        });
    }
    // 5.x brokers deny that they compress.
    if flag(&header.ext_fields, COMPRESSED) == Some(true) || body.first() == Some(&ZLIB) {
        return RegisterBrokerBody::from_compressed(body, header.version, topic_fields);
    }
    RegisterBrokerBody::from_bytes(body)
}

/// The first byte of a zlib stream with the window that Java has. No JSON starts with it.
const ZLIB: u8 = 0x78;

/// The CRC32 that a registration carries: of the body as sent, without the sign bit.
fn body_crc32(body: &[u8]) -> u32 {
    crc32fast::hash(body) & 0x7fff_ffff
}

/// 0, missing or no `i32` means that there is nothing to check.
fn check_crc32(command: &Command) -> Result<(), DataParseError> {
    let claimed =
        command.header.ext_fields.get(BODY_CRC32).and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
    if claimed == 0 || u32::try_from(claimed) == Ok(body_crc32(&command.body)) {
        return Ok(());
    }
    Err(DataParseError { offset: 0, reason: Reason::Crc32Mismatch, excerpt: claimed.to_string() })
}

/// A broker takes its leave. A 4.x server removes it by name and id, a 5.x server by name and address, a moment later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnregisterBroker {
    /// The cluster that the broker belongs to.
    pub cluster_name: Name,
    /// The broker group's name.
    pub broker_name: Name,
    /// The broker's own address.
    pub broker_addr: Name,
    /// 0 for the master, other numbers for slaves.
    pub broker_id: i64,
}

impl Request for UnregisterBroker {
    const CODE: RequestCode = RequestCode::UNREGISTER_BROKER;
    const REACH: Reach = Reach::Every;
    type Response = ();

    fn to_command(&self) -> Command {
        let fields = identity(&self.cluster_name, &self.broker_name, &self.broker_addr, self.broker_id);
        Command::request(Self::CODE, fields, "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(UnregisterBroker {
            cluster_name: required(fields, CLUSTER_NAME)?,
            broker_name: required(fields, BROKER_NAME)?,
            broker_addr: required(fields, BROKER_ADDR)?,
            broker_id: number(fields, BROKER_ID)?.ok_or(DataParseError::missing(BROKER_ID))?,
        })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}

/// The fields that say which broker this is.
pub(super) fn identity(
    cluster_name: &Name,
    broker_name: &Name,
    broker_addr: &Name,
    broker_id: i64,
) -> ExtFields {
    let mut fields = ExtFields::new();
    fields.set(Name::from_static(BROKER_ADDR), broker_addr.clone());
    fields.set(Name::from_static(BROKER_ID), broker_id.to_string());
    fields.set(Name::from_static(BROKER_NAME), broker_name.clone());
    fields.set(Name::from_static(CLUSTER_NAME), cluster_name.clone());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc32_is_javas() {
        // wire.md §2.4
        assert_eq!(body_crc32(b"123456789"), 1_274_296_614);
    }
}
