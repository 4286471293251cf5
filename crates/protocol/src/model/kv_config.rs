//! The file in which a Java NameServer keeps its KV store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Name, bytes_of_model};
use crate::json::lex::Parsed;
use crate::json::{FromJson, Reader, read_fields};

/// The content of `kvConfig.json` (`docs/wire.md` §2.8). Values that are `null` are left out when it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KvConfigTable {
    /// Namespace → key → value.
    pub config_table: BTreeMap<Name, BTreeMap<Name, Name>>,
}

bytes_of_model!(KvConfigTable);

impl FromJson for KvConfigTable {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut table = KvConfigTable::default();
        read_fields!(reader, { "configTable" => table.config_table = reader.or_default()? })?;
        Ok(table)
    }
}
