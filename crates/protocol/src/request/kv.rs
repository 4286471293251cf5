//! 100, 101, 102 and 219: the KV store (`docs/wire.md` §2.8).
//!
//! Each NameServer has its own store, so values are written to every server and read from one. The namespace
//! `ORDER_TOPIC_CONFIG` holds how ordered topics are spread; its values reach clients with the routes.

use super::{Answer, Reach, Request, required};
use crate::code::RequestCode;
use crate::command::Command;
use crate::error::DataParseError;
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::{KvTable, Name};

const NAMESPACE: &str = "namespace";
const KEY: &str = "key";
const VALUE: &str = "value";

/// 100: sets one value, 4.x and 5.x. It stays until it is deleted, over restarts too.
///
/// Values travel in the header, whose length has 24 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutKvConfig {
    /// The namespace; it is made if there is none. In a binary header it must not be empty.
    pub namespace: Name,
    /// The key. In a binary header it must not be empty.
    pub key: Name,
    /// The value; an empty one is a value too.
    pub value: Name,
}

impl Request for PutKvConfig {
    const CODE: RequestCode = RequestCode::PUT_KV_CONFIG;
    const REACH: Reach = Reach::Every;
    type Response = ();

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, fields(&self.namespace, Some(&self.key), Some(&self.value)), "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(PutKvConfig {
            namespace: required(fields, NAMESPACE)?,
            key: required(fields, KEY)?,
            value: required(fields, VALUE)?,
        })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}

/// 101: reads one value, 4.x and 5.x.
///
/// Refused with [`QUERY_NOT_FOUND`](crate::code::ResponseCode::QUERY_NOT_FOUND) if there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetKvConfig {
    /// The namespace.
    pub namespace: Name,
    /// The key.
    pub key: Name,
}

impl Request for GetKvConfig {
    const CODE: RequestCode = RequestCode::GET_KV_CONFIG;
    const REACH: Reach = Reach::One;
    type Response = Name;

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, fields(&self.namespace, Some(&self.key), None), "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(GetKvConfig { namespace: required(fields, NAMESPACE)?, key: required(fields, KEY)? })
    }

    fn to_answer(value: &Name, _: Dialect) -> Answer {
        let mut ext_fields = ExtFields::new();
        ext_fields.set(Name::from_static(VALUE), value.clone());
        Answer { ext_fields, ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<Name, DataParseError> {
        required(&answer.ext_fields, VALUE)
    }
}

/// 102: removes one value, 4.x and 5.x. Whether it was there is not told; its namespace stays, even when it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteKvConfig {
    /// The namespace.
    pub namespace: Name,
    /// The key.
    pub key: Name,
}

impl Request for DeleteKvConfig {
    const CODE: RequestCode = RequestCode::DELETE_KV_CONFIG;
    const REACH: Reach = Reach::Every;
    type Response = ();

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, fields(&self.namespace, Some(&self.key), None), "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        let fields = &command.header.ext_fields;
        Ok(DeleteKvConfig { namespace: required(fields, NAMESPACE)?, key: required(fields, KEY)? })
    }

    fn to_answer((): &(), _: Dialect) -> Answer {
        Answer::default()
    }

    fn from_answer(_: &Answer) -> Result<(), DataParseError> {
        Ok(())
    }
}

/// 219: reads a whole namespace, 4.x and 5.x.
///
/// Refused with [`QUERY_NOT_FOUND`](crate::code::ResponseCode::QUERY_NOT_FOUND) if there never was one of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetKvListByNamespace {
    /// The namespace.
    pub namespace: Name,
}

impl Request for GetKvListByNamespace {
    const CODE: RequestCode = RequestCode::GET_KVLIST_BY_NAMESPACE;
    const REACH: Reach = Reach::One;
    type Response = KvTable;

    fn to_command(&self) -> Command {
        Command::request(Self::CODE, fields(&self.namespace, None, None), "")
    }

    fn from_command(command: &Command) -> Result<Self, DataParseError> {
        Ok(GetKvListByNamespace { namespace: required(&command.header.ext_fields, NAMESPACE)? })
    }

    fn to_answer(table: &KvTable, dialect: Dialect) -> Answer {
        Answer { body: crate::json::to_bytes(table, dialect).into(), ..Answer::default() }
    }

    fn from_answer(answer: &Answer) -> Result<KvTable, DataParseError> {
        KvTable::from_bytes(&answer.body)
    }
}

fn fields(namespace: &Name, key: Option<&Name>, value: Option<&Name>) -> ExtFields {
    let mut fields = ExtFields::new();
    fields.set(Name::from_static(NAMESPACE), namespace.clone());
    fields.set_optional(KEY, key.cloned());
    fields.set_optional(VALUE, value.cloned());
    fields
}
