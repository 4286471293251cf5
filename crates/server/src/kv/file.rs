//! The KV store's file: `{"configTable":{namespace:{key:value}}}`, as Java writes it (`docs/wire.md` §2.8).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::KvConfigTable;

use super::KvTables;
use crate::whole_file;

#[derive(Debug)]
pub(super) struct KvFile {
    path: PathBuf,
}

impl KvFile {
    pub(super) fn new(path: PathBuf) -> Self {
        KvFile { path }
    }

    /// The store in the file; an empty one if neither the file nor its copy is there.
    pub(super) fn read(&self) -> io::Result<KvTables> {
        let copy = whole_file::beside(&self.path, ".bak");
        let broken = match read(&self.path) {
            Ok(Some(tables)) => return Ok(tables),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        let why = broken.as_ref().map_or_else(|| "not there".to_owned(), ToString::to_string);
        match (read(&copy), broken) {
            (Ok(Some(tables)), _) => {
                tracing::warn!(file = %self.path.display(), why, copy = %copy.display(), "KV file replaced by its copy");
                Ok(tables)
            }
            (Ok(None), None) => Ok(KvTables::new()),
            (Ok(None), Some(error)) => Err(about(&self.path, &error, "and there is no copy of it")),
            (Err(copy_error), _) => {
                let and = format!("and so is its copy {}: {copy_error}", copy.display());
                Err(about(&self.path, &io::Error::other(why), &and))
            }
        }
    }

    /// Replaces the store in the file; what was there becomes its copy.
    pub(super) fn write(&self, tables: &KvTables) -> io::Result<()> {
        let table = KvConfigTable { config_table: tables.clone() };
        whole_file::replace(&self.path, &to_bytes(&table, Dialect::Legacy))
    }
}

/// The store in a file, `None` if there is no such file.
fn read(path: &Path) -> io::Result<Option<KvTables>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match KvConfigTable::from_bytes(&bytes) {
        Ok(table) => Ok(Some(table.config_table)),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

fn about(path: &Path, error: &io::Error, and: &str) -> io::Error {
    let text = format!(
        "the KV file {} cannot be used: {error}; {and}. Mend it, or move it away to start with an empty store",
        path.display()
    );
    io::Error::new(error.kind(), text)
}
