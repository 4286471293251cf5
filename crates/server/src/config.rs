//! First stop: what a server may do, and how it is built.
//!
//! Behind it comes [`serve`](crate::serve).

use std::io;
use std::time::Duration;

use rocketmq_nameserver_protocol::frame::DEFAULT_MAX_FRAME_SIZE;

use crate::serve::{NameServer, NameServerHandle};

/// Where a server listens unless told otherwise: RocketMQ's port, for this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:9876";

/// How long a connection may be without any read or write, as Java has it (`docs/wire.md` §1.8).
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// What each connection of a server may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The largest frame in either direction, in bytes, its length word included.
    pub(crate) max_frame_size: usize,
    /// How long one read or one write may take.
    pub(crate) idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_frame_size: DEFAULT_MAX_FRAME_SIZE, idle_timeout: DEFAULT_IDLE_TIMEOUT }
    }
}

/// Builds a [`NameServer`]. Every setting has a default that suits a real broker and a real client.
#[derive(Debug, Clone)]
pub struct NameServerBuilder {
    listen: String,
    limits: Limits,
}

impl NameServerBuilder {
    pub(crate) fn new() -> Self {
        NameServerBuilder { listen: DEFAULT_LISTEN.to_owned(), limits: Limits::default() }
    }

    /// Where to listen, `host:port`. Port 0 takes any free port. [`DEFAULT_LISTEN`] unless set.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// The largest frame in either direction, in bytes, its length word included. 16 MiB unless set, as Java has it.
    /// A larger request closes its connection; an answer that would be larger becomes a refusal with code 1.
    #[must_use]
    pub fn max_frame_size(mut self, bytes: usize) -> Self {
        self.limits.max_frame_size = bytes;
        self
    }

    /// How long a connection may be without any read or write before it is closed. [`DEFAULT_IDLE_TIMEOUT`] unless
    /// set.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle_timeout = limit;
        self
    }

    /// A server without a listener: it serves the streams that it is given, see [`NameServer::serve_stream`].
    pub fn build(self) -> NameServer {
        NameServer::new(self.limits)
    }

    /// A server that listens. It is bound and serves when this returns.
    ///
    /// # Errors
    /// What binding says, with the address: it is in use, it is not one of this machine, it does not resolve.
    pub async fn start(self) -> io::Result<NameServerHandle> {
        NameServerHandle::start(&self.listen, NameServer::new(self.limits)).await
    }
}
