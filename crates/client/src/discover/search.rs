//! The search for servers: asks sources when it is time, and puts a changed list to use. [`watch`](super::watch) owns the
//! task that runs it.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Discovery;
use super::book::Book;
use super::change::same_servers;
use super::last_good::LastGood;
use super::watch::Known;
use crate::address::ServerAddress;
use crate::call::Servers;
use crate::error::{ErrorKind, NameServerError};

/// What the task and its owner share. The rings reach every task that listens, because one that nobody drives any more
/// may be listening still.
pub(super) struct Search {
    book: Mutex<Book>,
    known: Arc<watch::Sender<Known>>,
    /// Tells the task that the book has changed.
    wake: watch::Sender<()>,
    last_good: Option<LastGood>,
}

impl Search {
    pub(super) fn new(discovery: &Discovery, known: Arc<watch::Sender<Known>>) -> Self {
        let book = Mutex::new(Book::new(&discovery.plan));
        let last_good = discovery.last_good.as_deref().map(LastGood::new);
        Search { book, known, wake: watch::Sender::new(()), last_good }
    }

    pub(super) fn known(&self) -> &watch::Sender<Known> {
        &self.known
    }

    /// Nothing panics while this lock is held, and the book in it is whole.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has sources asked again as soon as may be.
    pub(super) fn hurry(&self) {
        self.book().hurry();
        self.wake.send_modify(|()| ());
    }

    /// The error of a call that has no server to go to.
    pub(super) fn nothing(&self, kind: ErrorKind) -> NameServerError {
        let reasons = self.book().reasons();
        let what = format!(
            "no NameServer is known, because no source has named any: {reasons}. Check the sources, or add one that \
             always has a list, such as Discovery::servers"
        );
        NameServerError::without_servers(kind, what)
    }

    /// Takes a list into use, if it is another one than before.
    fn apply(&self, found: Vec<ServerAddress>, servers: &Weak<Servers>) {
        let before = Arc::clone(&self.known.borrow().servers);
        // Whoever drops the client ends the task, too.
        let Some(servers) = servers.upgrade() else { return };
        if found.is_empty() || same_servers(&before, &found) {
            return;
        }
        servers.replace_servers(found.clone());
        tracing::info!(?before, after = ?found, "the list of NameServers has changed");
        self.known.send_modify(|known| known.servers = found.into());
    }
}

/// Looks for servers until it is dropped. `failures` rings when a server has failed.
pub(super) async fn run(search: Arc<Search>, servers: Weak<Servers>, mut failures: watch::Receiver<()>) {
    let mut woken = search.wake.subscribe();
    let mut questions = FuturesUnordered::new();
    let mut has_news = false;
    loop {
        let due = search.book().begin_due(Instant::now());
        questions.extend(due.into_iter().map(|(number, source)| async move { (number, source.ask().await) }));
        if has_news && questions.is_empty() && !search.book().is_hurried() {
            has_news = false;
            give_up(&search, &servers).await;
        }
        let next_due = search.book().next_due(Instant::now());
        tokio::select! {
            Some((number, answer)) = questions.next(), if !questions.is_empty() => {
                has_news = true;
                let failed = search.book().end(number, answer, Instant::now());
                if let Some((source, reason)) = failed {
                    tracing::warn!(source = source.name(), %reason, "a source of NameServers has failed; its last list stands");
                }
                use_verdict(&search, &servers);
            }
            () = until(next_due) => {}
            Ok(()) = woken.changed() => {}
            Ok(()) = failures.changed() => search.book().hurry(),
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
    }
}

/// Takes what the sources say into use. The first list waits for all who matter.
fn use_verdict(search: &Search, servers: &Weak<Servers>) {
    let verdict = search.book().verdict();
    let has_list = !search.known.borrow().servers.is_empty();
    if verdict.servers.is_empty() || !(verdict.is_settled || has_list) {
        return;
    }
    if let Some(last_good) = &search.last_good {
        last_good.keep(&verdict.servers);
    }
    search.apply(verdict.servers, servers);
}

/// If nobody has ever named a server, the last good list must do; if there is none, those who wait are told.
async fn give_up(search: &Search, servers: &Weak<Servers>) {
    if !search.known.borrow().servers.is_empty() {
        return;
    }
    let kept = match &search.last_good {
        Some(last_good) => last_good.read().await,
        None => Vec::new(),
    };
    if kept.is_empty() {
        search.known.send_modify(|known| known.failures += 1);
    }
    search.apply(kept, servers);
}
