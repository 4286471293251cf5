//! A file that is whole at any time: a new one is written beside it and takes its place in one step.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How the names of files end that are not finished.
const UNFINISHED: &str = ".new";

/// Puts a new file with what `write` writes in the place of the old one. Whoever reads, after a crash too, finds the one or
/// the other, whole. A link stays a link and permissions stay as they are.
///
/// # Errors
/// What `write` and the system say. Anything that is there and is no file, such as a device, is left alone.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let path = &behind_link(path)?;
    let (file, beside) = create_beside(path)?;
    let written = write_whole(file, path, write).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // It may have gone by itself.
        let _gone = fs::remove_file(&beside);
    }
    written
}

/// # Errors
/// If there is something that is no file: to read a pipe may take for ever, and to replace a device would be worse.
pub(crate) fn expect_file(there: &Metadata) -> io::Result<()> {
    match there {
        _ if there.is_file() => Ok(()),
        _ if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

/// The file to which a link leads, or else the path itself. A link that leads nowhere is replaced.
fn behind_link(path: &Path) -> io::Result<PathBuf> {
    let Ok(there) = fs::metadata(path) else { return Ok(path.to_owned()) };
    expect_file(&there)?;
    let is_link = fs::symlink_metadata(path).is_ok_and(|itself| itself.is_symlink());
    if is_link { fs::canonicalize(path) } else { Ok(path.to_owned()) }
}

fn write_whole(
    mut file: File,
    old: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    if let Ok(there) = fs::metadata(old)
        && there.permissions() != file.metadata()?.permissions()
    {
        file.set_permissions(there.permissions())?;
    }
    write(&mut file)?;
    file.sync_all()
}

/// A new file in the same folder. A number of a process is not its own for ever, and in containers that share a folder not
/// even at one time: a name that is taken belongs to somebody else.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static FILES: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{}{UNFINISHED}", process::id(), FILES.fetch_add(1, Ordering::Relaxed)));
        let beside = path.with_file_name(name);
        match File::create_new(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (file, beside)),
        }
    }
}

/// Removes what processes that were killed while they wrote have left: unfinished files beside it that are older than
/// anybody takes to write one.
pub(crate) fn remove_left_overs(path: &Path, older_than: Duration) {
    let Ok(path) = behind_link(path) else { return };
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
    fn names_that_others_have_taken_are_left_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        // As a process with this number has left them that was killed, or has them now in another container.
        let taken: Vec<_> =
            (0..100).map(|file| folder.path().join(format!("f.{}-{file}.new", process::id()))).collect();
        taken.iter().for_each(|name| fs::write(name, "theirs").unwrap());
        replace(&path, |file| file.write_all(b"ours")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        for name in taken {
            assert_eq!(fs::read(name).unwrap(), b"theirs");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (link, path) = (folder.path().join("link"), elsewhere.path().join("f"));
        symlink(&path, &link).unwrap();
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        replace(&link, |file| file.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(elsewhere.path().join("f.1-2.new"), "").unwrap();
        remove_left_overs(&link, Duration::ZERO);
        assert_eq!((names(folder.path()), names(elsewhere.path())), (vec!["link".into()], vec!["f".into()]));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_left_alone() {
        use std::os::unix::net::UnixListener;

        let folder = tempfile::tempdir().unwrap();
        let (socket, directory) = (folder.path().join("s"), folder.path().join("d"));
        let _listens = UnixListener::bind(&socket).unwrap();
        fs::create_dir(&directory).unwrap();
        for (path, expected) in
            [(&socket, io::ErrorKind::InvalidInput), (&directory, io::ErrorKind::IsADirectory)]
        {
            let error = replace(path, |file| file.write_all(b"new")).unwrap_err();
            assert_eq!(error.kind(), expected, "{path:?}");
            assert!(!fs::metadata(path).unwrap().is_file());
        }
        assert_eq!(names(folder.path()), ["d", "s"]);
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
