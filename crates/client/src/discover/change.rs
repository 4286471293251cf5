//! What a client's list of servers was and is, for who wants to know.

use std::fmt;

use tokio::sync::watch;

use super::watch::Known;
use crate::address::ServerAddress;
use crate::blocking::block_on;
use crate::error::Result;

/// A client's list of servers has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerListChange {
    /// The list that the subscription had seen before; empty before the first list.
    pub before: Vec<ServerAddress>,
    /// The list that is in use now.
    pub after: Vec<ServerAddress>,
}

/// Tells of each change of a client's list of servers:
/// [`AsyncNameServerClient::server_list_changes`](crate::AsyncNameServerClient::server_list_changes).
///
/// Nothing is queued: whoever looks seldom sees the newest list and what it was at the last look, so that the changes
/// seen always fit together. A subscription does not keep the client alive.
pub struct ServerListChanges {
    known: watch::Receiver<Known>,
    seen: Vec<ServerAddress>,
}

impl ServerListChanges {
    pub(super) fn new(known: watch::Receiver<Known>) -> Self {
        let seen = known.borrow().servers.to_vec();
        ServerListChanges { known, seen }
    }

    /// Waits for the next change; `None` when the client was closed or its last clone dropped. Nothing is lost if this
    /// future is dropped.
    ///
    /// Lists change only while the client looks for servers: from its first call on, and after
    /// [`disconnect`](crate::AsyncNameServerClient::disconnect) from the next call on.
    pub async fn changed(&mut self) -> Option<ServerListChange> {
        let seen = &self.seen;
        let news = |known: &Known| known.is_closed || !same_servers(&known.servers, seen);
        let after = match self.known.wait_for(news).await {
            Ok(known) if !known.is_closed => known.servers.to_vec(),
            _ => return None,
        };
        let before = std::mem::replace(&mut self.seen, after.clone());
        Some(ServerListChange { before, after })
    }

    /// As [`changed`](Self::changed), for blocking code.
    ///
    /// # Errors
    /// Usage inside an async runtime.
    pub fn blocking_changed(&mut self) -> Result<Option<ServerListChange>> {
        block_on(self.changed())
    }
}

impl fmt::Debug for ServerListChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerListChanges").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// Whether two lists, each of which has a server once, have the same ones in any order. Resolvers answer in a new order
/// each time.
pub(super) fn same_servers(one: &[ServerAddress], other: &[ServerAddress]) -> bool {
    let mut sorted = [one, other].map(|list| list.iter().collect::<Vec<_>>());
    sorted.iter_mut().for_each(|list| list.sort_unstable());
    let [one, other] = sorted;
    one == other
}
