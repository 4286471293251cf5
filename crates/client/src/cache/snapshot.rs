//! The routes of a cache on disk, so that a process starts and serves while no server answers.
//!
//! The file is read once, when the cache is made, and written by a task of the cache, off the runtime's workers. All ages in
//! it are by the wall clock; in memory the time goes on from there by the monotonic one.
//!
//! | file | what |
//! |---|---|
//! | `snapshot.rs` | when it is read, who waits for that, and one writing at a time |
//! | `snapshot/format.rs` | its lines |
//! | `snapshot/keeper.rs` | when it is written |
//! | `table/load.rs` | what the table takes from it and gives to it |

mod format;
mod keeper;

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::table::{Mark, Stored};
use super::{RouteCache, Shared};
use crate::call::current_runtime;
use crate::error::{NameServerError, Result};
use crate::locality::Locality;
use crate::replaced_file;

pub(super) use keeper::keep;

/// The longest file that is read or written: 256 MiB. 100,000 topics that share routes, as most do, take 15 MB; with routes of
/// their own, of eight brokers each, 180 MB.
const MOST: u64 = 256 << 20;

/// Files up to this length, some thousand topics, are read while the cache is made: that takes a few milliseconds. Longer ones
/// are read by a thread, and who finds nothing waits for it.
const READ_AT_ONCE: u64 = 256 << 10;

/// How long a call waits at most for the file since the cache was made, and then asks a server: disks on a network may hang.
const LIMIT: Duration = Duration::from_secs(5);

/// From when on an unfinished file is one that a killed process has left. Nobody writes for that long.
const LEFT_OVER_AFTER: Duration = Duration::from_secs(3600);

/// The furthest that a cache's beginning is put into the past: 50 years. Seconds of use are counted in 32 bits.
const FURTHEST: Duration = Duration::from_secs(50 * 365 * 86_400);

/// The file, if the user wants one, and what is known about it.
#[derive(Debug)]
pub(super) struct Snapshot {
    path: Arc<Path>,
    /// Cancelled when the file was read, whatever it had.
    read: CancellationToken,
    /// Until when callers wait for that.
    read_by: Instant,
    /// Rings when routes may have changed or been confirmed.
    touched: Notify,
    state: Mutex<State>,
    /// Held by whoever writes.
    writing: Mutex<()>,
    /// What killed processes have left is removed once.
    tidied: Once,
}

/// Where file and table stand.
#[derive(Debug)]
struct State {
    /// What the table had when the file was written; `None` if the file has to be written anew.
    mark: Option<Mark>,
    /// When that was.
    at: Instant,
    /// The task does not write before that.
    not_before: Instant,
    failing: bool,
}

impl Snapshot {
    pub(super) fn new(path: &Path) -> Self {
        let now = Instant::now();
        Snapshot {
            path: path.into(),
            read: CancellationToken::new(),
            read_by: now + LIMIT,
            touched: Notify::new(),
            state: Mutex::new(State {
                mark: Some(Mark::default()),
                at: now,
                not_before: now,
                failing: false,
            }),
            writing: Mutex::new(()),
            tidied: Once::new(),
        }
    }

    /// Something has happened to a route.
    pub(super) fn touch(&self) {
        self.touched.notify_one();
    }

    /// Reads the file: a small one at once, a large one on a thread of its own.
    pub(super) fn start(self: &Arc<Self>, shared: &Arc<Shared>) {
        let (snapshot, cache) = (Arc::clone(self), Arc::downgrade(shared));
        // Without the cache: reading does not keep it alive.
        let locality = shared.client.locality().clone();
        if fs::metadata(&self.path).is_ok_and(|file| file.len() > READ_AT_ONCE) {
            let name = "rocketmq-route-snapshot".to_owned();
            let thread = thread::Builder::new().name(name).spawn(move || snapshot.load(&cache, &locality));
            if thread.is_ok() {
                return;
            }
        }
        self.load(&Arc::downgrade(shared), shared.client.locality());
    }

    fn load(&self, shared: &Weak<Shared>, locality: &Locality) {
        // Whatever happens, nobody waits for it for ever.
        let _read = self.read.clone().drop_guard();
        let content = match read(&self.path, locality) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::debug!(file = %self.path.display(), "there is no snapshot of routes yet");
                return;
            }
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "the snapshot of routes cannot be used and the cache starts empty; the file is replaced when there are routes: if it is needed, move it away or name another file");
                return;
            }
        };
        let Some(shared) = shared.upgrade() else { return };
        let (stored, ahead) = in_time(content.entries);
        let entries = stored.len();
        let before = shared.table.mark();
        let loaded = shared.table.load(stored, shared.now(), &self.path);
        let is_sound = content.bad == 0 && !ahead;
        {
            let mut state = self.state();
            state.mark = is_sound.then(|| before.and(loaded));
            state.at = Instant::now();
        }
        self.touch();
        if is_sound {
            tracing::info!(file = %self.path.display(), loaded, entries, "routes were loaded from a snapshot");
        } else {
            tracing::warn!(file = %self.path.display(), loaded, entries, bad = content.bad, ahead, "routes were loaded from a snapshot that has entries which cannot be read or are from the future; it is written anew");
        }
    }

    /// Writes what the cache has now; one at a time, so that of two the later one has the newer routes. Blocks.
    fn write(&self, shared: &Weak<Shared>) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = std::time::Instant::now();
        let Some(held) = shared.upgrade() else { return Ok(()) };
        let (mark, now, wall) = (held.table.mark(), held.now(), unix_millis());
        let kept = held.table.kept(now);
        let zone = held.client.locality().zone_name().map(str::to_owned);
        // The last clone may be dropped meanwhile.
        drop(held);
        self.tidied.call_once(|| replaced_file::remove_left_overs(&self.path, LEFT_OVER_AFTER));
        let folder = self.path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| {
            replaced_file::replace(&self.path, |file| {
                format::write(
                    file,
                    zone.as_deref(),
                    &kept,
                    |cached| wall.saturating_sub(millis(cached.age(now))),
                    MOST,
                )
            })
        });
        self.settle(mark, &written, begun.elapsed());
        written
    }

    /// Puts down how it went. A disk that is full is full for a while, so it is told when that begins and when it ends.
    fn settle(&self, mark: Mark, written: &io::Result<()>, took: Duration) {
        let mut state = self.state();
        let was_failing = std::mem::replace(&mut state.failing, written.is_err());
        let now = Instant::now();
        match written {
            Ok(()) => {
                (state.mark, state.at) = (Some(mark), now);
                state.not_before = now + keeper::SOON.max(took * keeper::PAUSE);
            }
            Err(_) => state.not_before = now + keeper::RETRY.max(took * keeper::PAUSE),
        }
        drop(state);
        match written {
            Ok(()) if was_failing => {
                tracing::info!(file = %self.path.display(), "the snapshot of routes is written again");
            }
            Err(error) if !was_failing => {
                tracing::warn!(file = %self.path.display(), %error, "cannot write the snapshot of routes, which is tried again every 10 s; see whether its folder can be written to and has room");
            }
            _ => {}
        }
    }

    /// Nothing panics while this lock is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RouteCache {
    /// Writes the snapshot now, with all that the cache knows. Dropping the future does not stop the writing.
    ///
    /// Call it before a program ends or the cache is closed: without, what the last second has brought may be missing.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
    /// use rocketmq_nameserver::RouteCache;
    ///
    /// let cache = RouteCache::builder(client).snapshot("/var/lib/orders/routes").build()?;
    /// let route = cache.get_route("orders").await?;
    /// cache.save_snapshot().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Usage: the file cannot be written, the cache has none (see [`snapshot`](super::RouteCacheBuilder::snapshot)), it was
    /// closed, or there is no Tokio runtime.
    pub async fn save_snapshot(&self) -> Result<()> {
        self.open()?;
        let Some(snapshot) = self.shared.snapshot.clone() else {
            return Err(NameServerError::usage(
                "the cache has no snapshot; name its file with RouteCacheBuilder::snapshot",
            ));
        };
        let runtime = current_runtime()?;
        // What is still being read would be overwritten by less.
        tokio::select! {
            biased;
            () = snapshot.read.cancelled() => {}
            () = self.shared.stop.cancelled() => self.open()?,
        }
        let (writes, shared) = (Arc::clone(&snapshot), Arc::downgrade(&self.shared));
        let written = runtime.spawn_blocking(move || writes.write(&shared)).await;
        written.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| {
            NameServerError::usage(format!(
                "cannot write the snapshot of routes {}: {error}; see whether its folder can be written to and has room",
                snapshot.path.display()
            ))
        })
    }

    /// Whether there are changes that the file does not have yet.
    pub(super) fn is_snapshot_behind(&self) -> bool {
        let Some(snapshot) = self.shared.snapshot.as_ref().filter(|_| !self.is_closed()) else {
            return false;
        };
        let mark = self.shared.table.mark();
        !snapshot.state().mark.as_ref().is_some_and(|written| written.has_same_routes(&mark))
    }

    /// Waits until the snapshot was read, within reason. Says whether there was anything to wait for.
    pub(super) async fn snapshot_read(&self) -> bool {
        match &self.shared.snapshot {
            Some(snapshot) if !snapshot.read.is_cancelled() => {
                tokio::select! {
                    // Whichever it is, the call goes on.
                    _ = timeout_at(snapshot.read_by, snapshot.read.cancelled()) => {}
                    () = self.shared.stop.cancelled() => {}
                }
                true
            }
            _ => false,
        }
    }
}

/// The path as it is to be used however the process changes its folder; `None` if it cannot be a file's.
pub(super) fn absolute(path: &Path) -> Option<PathBuf> {
    path.file_name()?;
    Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
}

/// The beginning of a cache that is given routes of that age: as far in the past as they may be old, or as far as the clock
/// goes.
pub(super) fn started_before(max_stale: Duration) -> Instant {
    let now = Instant::now();
    let mut before = max_stale.min(FURTHEST);
    loop {
        if let Some(started) = now.checked_sub(before) {
            return started;
        }
        before /= 2;
    }
}

fn read(path: &Path, locality: &Locality) -> io::Result<format::Content> {
    // Before it is opened: that alone may wait for ever.
    replaced_file::expect_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    if file.metadata()?.len() > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {MOST} bytes")));
    }
    format::read(BufReader::new(file.take(MOST)), locality)
}

/// The entries with their ages, and whether some are from the future, which count as said now.
fn in_time(entries: Vec<format::Entry>) -> (Vec<Stored>, bool) {
    let wall = unix_millis();
    let ahead = entries.iter().any(|entry| entry.confirmed_at > wall);
    let stored = entries.into_iter().map(|entry| Stored {
        age: Duration::from_millis(wall.saturating_sub(entry.confirmed_at)),
        topic: entry.topic,
        route: entry.route,
        body: entry.body,
        source: entry.source,
    });
    (stored.collect(), ahead)
}

/// The wall clock.
fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An age in milliseconds, rounded up: a route must not become younger by being written and read.
fn millis(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000)
}
