//! Whether the KV store can be kept, tried before anything listens.
//!
//! The server writes its file with the first change only. Who learns of a wrong place then has lost that change.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Failed;
use crate::args::Serve;

/// Makes the folder of the file if need be, and tries to make a file in it.
///
/// # Errors
/// Why the file cannot be written; nothing is said where there is none.
pub(super) fn check(serve: &Serve) -> Result<(), Failed> {
    let Some(file) = file(serve) else { return Ok(()) };
    try_to_write(&file)
        .map_err(|error| Failed::Usage(format!("cannot write the KV file {}: {error}", file.display())))
}

/// `--kv-file`, or the setting that stands for it.
fn file(serve: &Serve) -> Option<PathBuf> {
    let mut settings = serve.settings.iter().rev();
    let setting = settings.find(|(key, _)| key == "kvConfigPath").map(|(_, value)| value.as_str());
    let setting = setting.filter(|value| !value.is_empty()).map(PathBuf::from);
    serve.kv_file.clone().or(setting)
}

/// The file itself is left alone: the server replaces it by one that it has written beside it.
fn try_to_write(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| cannot_make(folder, &error))?;
    }
    let mut beside = OsString::from(file);
    // Another server may try the same at the same time.
    beside.push(format!(".{}.try", std::process::id()));
    drop(File::create(&beside)?);
    fs::remove_file(&beside)
}

fn cannot_make(folder: &Path, error: &io::Error) -> io::Error {
    let folder_is = folder.display();
    let text = if folder.exists() {
        format!("{folder_is} is no folder")
    } else {
        format!("cannot make the folder {folder_is}: {error}")
    };
    io::Error::new(error.kind(), text)
}
