//! Files that are written as a whole: whoever reads one sees what was there or what is there, and never a half.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that stands beside one under its name with that ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(ending);
    PathBuf::from(name)
}

/// Replaces the content of a file; what was there becomes its copy `.bak`. Its folder is made if need be.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = beside(path, ".new");
    let replace = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        if path.exists() {
            fs::copy(path, beside(path, ".bak"))?;
        }
        fs::rename(&fresh, path)
    };
    replace()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}
