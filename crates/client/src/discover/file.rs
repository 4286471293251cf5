//! Servers from a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::source::{Answer, Asking, Source, read_list};

/// Soon enough for whoever changes it by hand; a small read costs next to nothing.
const EVERY: Duration = Duration::from_secs(2);

/// For file systems on a network that hang.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// A thousand servers fit; what is longer is not a list of servers.
const MOST: usize = 64 * 1024;

pub(super) fn source(path: &Path) -> Source {
    let path: Arc<Path> = path.into();
    let name = format!("file {}", path.display());
    Source::new(name, EVERY, LIMIT, move || {
        let path = Arc::clone(&path);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || read(&path)).await;
            read.unwrap_or_else(|error| Err(error.to_string()))
        }) as Asking
    })
}

fn read(path: &Path) -> Answer {
    let text = read_text(path).map_err(|error| error.to_string())?;
    read_list(&without_comments(&text))
}

/// The whole text of a small file.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST as u64 + 1).read_to_string(&mut text)?;
    if text.len() > MOST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is longer than {MOST} bytes, so it is no list of servers"),
        ));
    }
    Ok(text)
}

/// No address has a `#`.
pub(super) fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}
