//! A file that is whole at any time: a new one is written beside it and takes its place in one step.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How the names of files end that are not finished.
const UNFINISHED: &str = ".new";

/// Puts a new file with what `write` writes in the place of the old one. Whoever reads, after a crash too, finds the one or
/// the other, whole.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let beside = beside(path);
    let written = write_whole(&beside, write).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It may not even be there.
        let _gone = fs::remove_file(&beside);
    }
    written
}

fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    write(&mut file)?;
    file.sync_all()
}

/// A name in the same folder that nobody else has, in this process or another.
fn beside(path: &Path) -> PathBuf {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}{UNFINISHED}", process::id(), FILES.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Removes what processes that were killed while they wrote have left: unfinished files beside it that are older than
/// anybody takes to write one.
pub(crate) fn remove_left_overs(path: &Path, older_than: Duration) {
    let Some(folder) = path.parent() else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Ok(files) = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }) else {
        return;
    };
    for file in files.flatten() {
        let beside = file.file_name();
        let beside = beside.to_string_lossy();
        let middle = beside.strip_prefix(&*name).and_then(|rest| rest.strip_suffix(UNFINISHED));
        let Some(numbers) = middle.and_then(|middle| middle.strip_prefix('.')) else { continue };
        let ours = numbers.split('-').all(|number| number.parse::<u64>().is_ok());
        let written_at = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let age = written_at.and_then(|at| SystemTime::now().duration_since(at).ok());
        if ours && age.is_some_and(|age| age >= older_than) {
            // Somebody else may have done it.
            let _gone = fs::remove_file(file.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_could_not_be_written_leaves_the_old_one_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let error = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"old".to_vec(), vec!["f".into()]));
    }

    #[test]
    fn only_old_unfinished_files_of_this_name_are_left_overs() {
        let folder = tempfile::tempdir().unwrap();
        let all = ["f", "f.1-2.new", "f.x.new", "f.new", "g.1-2.new"];
        for name in all {
            fs::write(folder.path().join(name), name).unwrap();
        }
        remove_left_overs(&folder.path().join("f"), Duration::from_secs(3600));
        assert_eq!(names(folder.path()).len(), all.len(), "somebody may be writing");
        remove_left_overs(&folder.path().join("f"), Duration::ZERO);
        assert_eq!(names(folder.path()), ["f", "f.new", "f.x.new", "g.1-2.new"]);
    }
}
