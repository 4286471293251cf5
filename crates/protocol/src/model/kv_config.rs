//! The file in which a Java NameServer keeps its KV store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Name, bytes_of_model};
use crate::error::Reason;
use crate::json::lex::{Failure, Parsed};
use crate::json::{FromJson, Reader, read_fields};

/// The content of `kvConfig.json` (`docs/wire.md` §2.8). Values that are `null` are left out when it is read;
/// without the table it is another file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KvConfigTable {
    /// Namespace → key → value.
    pub config_table: BTreeMap<Name, BTreeMap<Name, Name>>,
}

bytes_of_model!(KvConfigTable);

impl FromJson for KvConfigTable {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut config_table = None;
        read_fields!(reader, { "configTable" => config_table = reader.optional()? })?;
        let missing = || Failure { offset: reader.offset(), reason: Reason::Missing("configTable") };
        Ok(KvConfigTable { config_table: config_table.ok_or_else(missing)? })
    }
}
