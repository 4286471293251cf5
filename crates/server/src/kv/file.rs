//! The KV store's file: `{"configTable":{namespace:{key:value}}}`, as Java writes it (`docs/wire.md` §2.8).
//!
//! A write goes to a file beside it, which then takes its place, so whoever reads it sees the old store or the new one.
//! What was there before stays as `.bak`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::KvConfigTable;

use super::KvTables;

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
        let copy = self.beside(".bak");
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
        let fresh = self.beside(".new");
        let replace = || {
            if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::create(&fresh)?;
            let table = KvConfigTable { config_table: tables.clone() };
            file.write_all(&to_bytes(&table, Dialect::Legacy))?;
            file.sync_all()?;
            if self.path.exists() {
                fs::copy(&self.path, self.beside(".bak"))?;
            }
            fs::rename(&fresh, &self.path)
        };
        replace().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
        })
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(suffix);
        PathBuf::from(name)
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
