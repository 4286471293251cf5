//! Files that are written as a whole: whoever reads one sees what was there or what is there, and never a half. One server at
//! a time has one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file, and a lock beside it (`.lock`) for as long as this lives.
#[derive(Debug)]
pub(crate) struct WholeFile {
    path: PathBuf,
    /// What it holds as far as this server knows: what was read and found good, or written last. Not what it may have become
    /// since.
    kept: Option<Vec<u8>>,
    _lock: File,
}

impl WholeFile {
    /// Takes a file for this server alone; it need not be there, its folder is made. A link is followed, once.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let about =
            |what: String| move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let what = format!("its folder {} cannot be made", folder.display());
            fs::create_dir_all(folder).map_err(about(what))?;
        }
        let path = if path.exists() { fs::canonicalize(path)? } else { path.to_owned() };
        let lock_path = beside(&path, ".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(about(format!("{} cannot be made", lock_path.display())))?;
        match lock.try_lock() {
            Ok(()) => Ok(WholeFile { path, kept: None, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another NameServer uses it"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the content before the last one is kept.
    pub(crate) fn copy(&self) -> PathBuf {
        beside(&self.path, ".bak")
    }

    /// What was read from it is good.
    pub(crate) fn holds(&mut self, content: Vec<u8>) {
        self.kept = Some(content);
    }

    /// Replaces the content. What it held before becomes the copy.
    pub(crate) fn write(&mut self, content: Vec<u8>) -> io::Result<()> {
        let write = || {
            if let Some(before) = &self.kept {
                self.write_whole(&self.copy(), before)?;
            }
            self.write_whole(&self.path, &content)?;
            sync_folder(&self.path)
        };
        write().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
        })?;
        self.kept = Some(content);
        Ok(())
    }

    fn write_whole(&self, to: &Path, content: &[u8]) -> io::Result<()> {
        let fresh = beside(to, ".new");
        let mut file = File::create(&fresh)?;
        if let Ok(there) = fs::metadata(&self.path) {
            file.set_permissions(there.permissions())?;
        }
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&fresh, to)
    }
}

/// The file that stands beside one under its name with that ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(ending);
    PathBuf::from(name)
}

/// A new name in a folder is safe once the folder is. Elsewhere than on Unix folders cannot be opened.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
