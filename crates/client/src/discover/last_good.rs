//! The last good list on disk.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::change::same_servers;
use super::file::{LIMIT, read_text, without_comments};
use crate::address::{self, ServerAddress};
use crate::replaced_file;

/// The first line. A later form would have another number.
const FIRST_LINE: &str = "# rocketmq-nameserver list of servers, version 1";

/// The file, if the user wants one. Clones write the same one, one at a time.
#[derive(Clone)]
pub(super) struct LastGood {
    path: Arc<Path>,
    /// What is to be written: of two writers the later one to come must not put back an older list.
    newest: Arc<Mutex<Vec<ServerAddress>>>,
    writing: Arc<Mutex<()>>,
}

impl LastGood {
    pub(super) fn new(path: &Path) -> Self {
        LastGood { path: path.into(), newest: Arc::default(), writing: Arc::default() }
    }

    /// The list, if there is a good one.
    pub(super) async fn read(&self) -> Vec<ServerAddress> {
        let path = Arc::clone(&self.path);
        let reading = tokio::task::spawn_blocking(move || read(&path));
        let read = match tokio::time::timeout(LIMIT, reading).await {
            Ok(read) => read.unwrap_or_else(|error| Err(io::Error::other(error))),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        match read {
            Ok(servers) => {
                tracing::warn!(file = %self.path.display(), ?servers, "no source has a list of NameServers; the last good one is used");
                servers
            }
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "there is no last good list of NameServers");
                Vec::new()
            }
        }
    }

    /// Has it written if it is another one than before, beside everything else: a disk that hangs must not hold up a new list.
    pub(super) fn keep(&self, servers: &[ServerAddress]) {
        {
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            if same_servers(&newest, servers) {
                return;
            }
            *newest = servers.to_vec();
        }
        let last_good = self.clone();
        // It ends by itself, and a runtime that ends waits for it.
        tokio::task::spawn_blocking(move || last_good.write());
    }

    fn write(&self) {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let servers = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if read(&self.path).is_ok_and(|kept| kept == servers) {
            return;
        }
        if let Err(error) = replace(&self.path, &servers) {
            tracing::warn!(file = %self.path.display(), %error, "cannot keep the last good list of NameServers");
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<ServerAddress>> {
    let text = read_text(path)?;
    let broken = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    if text.lines().next() != Some(FIRST_LINE) {
        return Err(broken(format!("its first line is not {FIRST_LINE:?}")));
    }
    address::parse_list(&without_comments(&text)).map_err(|error| broken(error.to_string()))
}

/// Puts a whole new file in the place of the old one.
fn replace(path: &Path, servers: &[ServerAddress]) -> io::Result<()> {
    let mut text = format!("{FIRST_LINE}\n");
    for server in servers {
        text.push_str(&format!("{server}\n"));
    }
    replaced_file::replace(path, |file| file.write_all(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn list(text: &str) -> Vec<ServerAddress> {
        address::parse_list(text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is_left_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        for text in ["a:1", "b:2;[fe80::1%eth0]:3", "b:2"] {
            replace(&path, &list(text)).unwrap();
            assert_eq!(read(&path).unwrap(), list(text));
            let names: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
            assert_eq!(names, ["servers"]);
        }
    }

    #[test]
    fn the_same_list_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        // The comment would go.
        fs::write(&path, format!("{FIRST_LINE}\n# by hand\na:1\n")).unwrap();
        let last_good = LastGood::new(&path);
        for (newest, is_kept) in [("a:1", true), ("a:2", false)] {
            *last_good.newest.lock().unwrap() = list(newest);
            last_good.write();
            assert_eq!(fs::read_to_string(&path).unwrap().contains("by hand"), is_kept, "{newest}");
        }
    }

    #[test]
    fn what_is_not_such_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        let later = FIRST_LINE.replace("version 1", "version 2");
        let long = format!("{FIRST_LINE}\n{}", "a:1\n".repeat(20_000));
        for text in
            ["", "a:1\n", &format!("{later}\na:1\n"), FIRST_LINE, &format!("{FIRST_LINE}\na:x\n"), &long]
        {
            fs::write(&path, text).unwrap();
            assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text:.60}");
        }
        fs::write(&path, [FIRST_LINE.as_bytes(), b"\n\xff"].concat()).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
