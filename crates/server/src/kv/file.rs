//! The KV store's file: `{"configTable":{namespace:{key:value}}}`, as Java writes it (`docs/wire.md` §2.8).

use std::fs;
use std::io;
use std::path::Path;

use rocketmq_nameserver_protocol::model::KvConfigTable;

use crate::whole_file::WholeFile;

/// A store, and the bytes that it was read from.
type Stored = (KvConfigTable, Vec<u8>);

/// Takes the file for this server alone and reads the store in it; an empty one if neither the file nor its copy is there.
///
/// # Errors
/// The file is in use or cannot be read, or neither it nor its copy `.bak` holds a store; the file is named.
pub(super) fn open(path: &Path) -> io::Result<(WholeFile, KvConfigTable)> {
    let mut file = WholeFile::open(path).map_err(|error| about(path, &error, ""))?;
    let broken = match read(file.path()) {
        Ok(Some((table, bytes))) => {
            file.holds(bytes);
            return Ok((file, table));
        }
        Ok(None) => None,
        Err(error) => Some(error),
    };
    let copy = file.copy();
    let why = broken.as_ref().map_or_else(|| "it is not there".to_owned(), ToString::to_string);
    match (read(&copy), broken) {
        (Ok(Some((table, bytes))), _) => {
            tracing::warn!(file = %path.display(), why, copy = %copy.display(), "KV file replaced by its copy");
            file.write(bytes)?;
            Ok((file, table))
        }
        (Ok(None), None) => Ok((file, KvConfigTable::default())),
        (Ok(None), Some(error)) if is_empty(path) => {
            tracing::warn!(file = %path.display(), %error, "an empty KV file is an empty store");
            Ok((file, KvConfigTable::default()))
        }
        (Ok(None), Some(error)) => Err(about(
            path,
            &error,
            "; there is no copy of it. Mend it, or move it away to start with an empty store",
        )),
        (Err(copy_error), _) => {
            let copy = copy.display();
            let and = format!(
                "; nor can its copy {copy}: {copy_error}. Mend one of them, or move both away to start with an \
                 empty store"
            );
            Err(about(path, &io::Error::other(why), &and))
        }
    }
}

/// The store in a file, `None` if there is no such file.
fn read(path: &Path) -> io::Result<Option<Stored>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match KvConfigTable::from_bytes(&bytes) {
        Ok(table) => Ok(Some((table, bytes))),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0)
}

fn about(path: &Path, error: &io::Error, and: &str) -> io::Error {
    io::Error::new(error.kind(), format!("the KV file {} cannot be used: {error}{and}", path.display()))
}
