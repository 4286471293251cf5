//! The one background task of a client that looks for its servers, and the one who owns it.
//!
//! The task lives on the runtime of the call that started it. It ends with `disconnect`, `close` and the last clone of
//! the client; the next call starts it anew if it has ended, or if nobody drives its runtime any more. What the sources
//! have said stays.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Discovery;
use super::change::ServerListChanges;
use super::search::{self, Search};
use crate::address::ServerAddress;
use crate::call::Servers;
use crate::dial::within;
use crate::error::{ErrorKind, NameServerError, Result};

/// The list of servers of one client, and whoever looks for it.
pub(crate) struct Discovered {
    known: Arc<watch::Sender<Known>>,
    watching: Option<Watching>,
}

/// What is known of a client's servers.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) servers: Arc<[ServerAddress]>,
    pub(super) is_closed: bool,
    /// How often all sources together have given nothing.
    pub(super) failures: u64,
    /// How often the client was disconnected.
    disconnects: u64,
}

/// Who owns the task.
struct Watching {
    search: Arc<Search>,
    task: Mutex<Option<Task>>,
}

struct Task {
    handle: JoinHandle<()>,
    runtime: Id,
    is_alive: Arc<AtomicBool>,
}

impl Discovered {
    /// The given servers, or those that the discovery finds.
    pub(crate) fn new(servers: &[ServerAddress], discovery: Option<&Discovery>) -> Self {
        let known = Arc::new(watch::Sender::new(Known { servers: servers.into(), ..Known::default() }));
        let watching = discovery.map(|discovery| {
            let search = Arc::new(Search::new(discovery, Arc::clone(&known)));
            Watching { search, task: Mutex::default() }
        });
        Discovered { known, watching }
    }

    /// The servers as far as they are known.
    pub(crate) fn servers(&self) -> Vec<ServerAddress> {
        self.known.borrow().servers.to_vec()
    }

    pub(crate) fn changes(&self) -> ServerListChanges {
        ServerListChanges::new(self.known.subscribe())
    }

    /// Sees to it that somebody looks for servers, and waits until there are any, at most for `timeout`. Returns what
    /// is left of it.
    pub(crate) async fn ready(&self, servers: &Arc<Servers>, timeout: Duration) -> Result<Duration> {
        match &self.watching {
            None => Ok(timeout),
            Some(watching) => watching.ready(servers, timeout).await,
        }
    }

    /// Ends the task; the next call starts it again. Calls that wait for the first list fail.
    pub(crate) async fn disconnect(&self) {
        self.known.send_modify(|known| known.disconnects += 1);
        if let Some(watching) = &self.watching {
            watching.stop().await;
        }
    }

    /// Ends it for good.
    pub(crate) async fn close(&self) {
        self.known.send_modify(|known| known.is_closed = true);
        self.disconnect().await;
    }
}

impl Drop for Discovered {
    fn drop(&mut self) {
        self.known.send_modify(|known| known.is_closed = true);
        if let Some(watching) = &self.watching {
            watching.abort();
        }
    }
}

impl Watching {
    async fn ready(&self, servers: &Arc<Servers>, timeout: Duration) -> Result<Duration> {
        if Handle::try_current().is_err() {
            // The call itself says what is wrong.
            return Ok(timeout);
        }
        if !self.search.known().borrow().servers.is_empty() {
            self.keep(servers, None)?;
            return Ok(timeout);
        }
        let started = Instant::now();
        match within(started.checked_add(timeout), self.first_list(servers)).await {
            Some(Ok(())) => Ok(timeout.saturating_sub(started.elapsed())),
            Some(Err(error)) => Err(error),
            None => {
                // Perhaps nobody drives its runtime.
                self.leave_elsewhere();
                Err(self.search.nothing(ErrorKind::Timeout))
            }
        }
    }

    async fn first_list(&self, servers: &Arc<Servers>) -> Result<()> {
        let mut changes = self.search.known().subscribe();
        let (failures, disconnects) = {
            let known = changes.borrow_and_update();
            (known.failures, known.disconnects)
        };
        // Before anybody is asked for this call, so that only those who have failed before are asked again.
        self.search.hurry();
        loop {
            {
                let known = changes.borrow_and_update();
                if !known.servers.is_empty() {
                    return Ok(());
                }
                if known.failures > failures {
                    return Err(self.search.nothing(ErrorKind::Connection));
                }
            }
            // Says so if the client was closed or disconnected meanwhile.
            self.keep(servers, Some(disconnects))?;
            // An error is the end of the client, whose call this is.
            changes.changed().await.map_err(|_| closed())?;
        }
    }

    /// Starts the task unless it runs. A call from before a disconnect starts nothing.
    fn keep(&self, servers: &Arc<Servers>, disconnects: Option<u64>) -> Result<()> {
        let Ok(here) = Handle::try_current() else { return Ok(()) };
        let mut task = self.task();
        // Under the lock, so that nothing starts behind a close or a disconnect.
        {
            let known = self.search.known().borrow();
            if known.is_closed {
                return Err(closed());
            }
            if disconnects.is_some_and(|disconnects| known.disconnects > disconnects) {
                return Err(disconnected());
            }
        }
        if let Some(task) = &*task {
            let is_stuck = || task.runtime != here.id() && self.search.book().is_overdue(Instant::now());
            if task.is_alive.load(Ordering::SeqCst) && !is_stuck() {
                return Ok(());
            }
            task.handle.abort();
        }
        self.search.book().forget_questions();
        let is_alive = Arc::new(AtomicBool::new(true));
        let alive = Alive { flag: Arc::clone(&is_alive), search: Arc::clone(&self.search) };
        let run = search::run(Arc::clone(&self.search), Arc::downgrade(servers), servers.failures());
        let run = async move {
            let _alive = alive;
            run.await;
        };
        *task = Some(Task { handle: here.spawn(run), runtime: here.id(), is_alive });
        Ok(())
    }

    async fn stop(&self) {
        let task = self.task().take();
        if let Some(task) = task {
            task.handle.abort();
            if Handle::try_current().is_ok_and(|here| here.id() == task.runtime) {
                // It ends as cancelled, or had ended before.
                let _cancelled = task.handle.await;
            }
        }
    }

    fn abort(&self) {
        if let Some(task) = self.task().take() {
            task.handle.abort();
        }
    }

    /// Gives the task up if it lives on another runtime than this call.
    fn leave_elsewhere(&self) {
        let here = Handle::try_current().ok().map(|here| here.id());
        let mut task = self.task();
        if let Some(task) = task.take_if(|task| Some(task.runtime) != here) {
            task.handle.abort();
        }
    }

    /// Nothing panics while this lock is held.
    fn task(&self) -> MutexGuard<'_, Option<Task>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the task has ended, however it did, to its owner first and then to those who wait for it.
struct Alive {
    flag: Arc<AtomicBool>,
    search: Arc<Search>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.flag.store(false, Ordering::SeqCst);
        self.search.known().send_modify(|_| ());
    }
}

fn disconnected() -> NameServerError {
    let what = "the client was disconnected while it looked for NameServers; a new call looks again";
    NameServerError::without_servers(ErrorKind::Connection, what.to_owned())
}

fn closed() -> NameServerError {
    NameServerError::usage("the client was closed; create a new one")
}
