//! First stop: what a server may do, and how it is built.
//!
//! Behind it comes [`serve`](crate::serve).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rocketmq_nameserver_protocol::frame::DEFAULT_MAX_FRAME_SIZE;

use crate::dispatch::Dispatcher;
use crate::kv::KvStore;
use crate::personality::Personality;
use crate::serve::{NameServer, NameServerHandle};
use crate::settings::Settings;

/// Where a server listens unless told otherwise: RocketMQ's port, for this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:9876";

/// How long a connection may be without any read or write, as Java has it (`docs/wire.md` §1.8).
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// How many connections may be open at the same time. A large cluster has some thousand clients and brokers.
pub const DEFAULT_MAX_CONNECTIONS: usize = 10_000;

/// How many bytes of requests and answers on their way all connections together may hold, beyond 128 KiB each: sixteen of
/// the largest frames.
pub const DEFAULT_MAX_BUFFERED: usize = 256 * 1024 * 1024;

/// What each connection of a server may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The largest frame in either direction, in bytes, its length word included.
    pub(crate) max_frame_size: usize,
    /// How long one read or one write may take.
    pub(crate) idle_timeout: Duration,
    /// How many connections may be open.
    pub(crate) max_connections: usize,
    /// How many bytes of requests and answers on their way all connections together may hold, beyond 128 KiB each.
    pub(crate) max_buffered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_frame_size: DEFAULT_MAX_FRAME_SIZE,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_buffered: DEFAULT_MAX_BUFFERED,
        }
    }
}

/// Builds a [`NameServer`]. Every setting has a default that suits a real broker and a real client.
#[derive(Debug, Clone)]
pub struct NameServerBuilder {
    listen: String,
    limits: Limits,
    personality: Personality,
    kv_file: Option<PathBuf>,
    settings: Vec<(String, String)>,
    legacy_bodies: bool,
}

impl NameServerBuilder {
    pub(crate) fn new() -> Self {
        NameServerBuilder {
            listen: DEFAULT_LISTEN.to_owned(),
            limits: Limits::default(),
            personality: Personality::default(),
            kv_file: None,
            settings: Vec::new(),
            legacy_bodies: false,
        }
    }

    /// Where to listen, `host:port`. Port 0 takes any free port. [`DEFAULT_LISTEN`] unless set.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Which Java server it behaves as. 5.3.3 unless set.
    #[must_use]
    pub fn personality(mut self, personality: Personality) -> Self {
        self.personality = personality;
        self
    }

    /// Where the KV store (requests 100 to 102 and 219) is kept, in the form of Java's `kvConfig.json`. In memory only
    /// unless set.
    ///
    /// The file is replaced as a whole with each change; what was there before stays beside it as `.bak`, which is read if
    /// the file itself is torn.
    #[must_use]
    pub fn kv_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.kv_file = Some(file.into());
        self
    }

    /// Sets one of the NameServer's own settings by the name that requests 318 and 319 have for it, such as
    /// `orderMessageEnable`. An unknown name or an unreadable value is an error at the start. All have Java's defaults
    /// (`docs/wire.md` §2.10).
    ///
    /// `configStorePath` names a properties file as Java's `-c` does: it is read at the start, if it is there, and what
    /// request 318 changes is written to it.
    ///
    /// With `enableShutdownGracefully` (5.x) a shutdown tells newer clients to go away first, for
    /// `shutdownWaitTimeSeconds` or until none is connected any more.
    #[must_use]
    pub fn setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
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

    /// Whether clients older than 5.0 get what a 4.x server would send, also from a 5.x one: brokers without
    /// `enableActingMaster` and `zoneName`, no static topics. Off unless set, as Java has no such thing. Clients that cannot
    /// read `true` and `false` need it.
    #[must_use]
    pub fn legacy_bodies(mut self, on: bool) -> Self {
        self.legacy_bodies = on;
        self
    }

    /// How many connections may be open at the same time; one more is closed at once. [`DEFAULT_MAX_CONNECTIONS`] unless
    /// set.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.limits.max_connections = count;
        self
    }

    /// How many bytes of requests and answers on their way all connections together may hold, beyond 128 KiB each; a
    /// connection that would need more is closed. [`DEFAULT_MAX_BUFFERED`] unless set.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.limits.max_buffered = bytes;
        self
    }

    /// A server without a listener: it serves the streams that it is given, see [`NameServer::serve_stream`].
    ///
    /// # Errors
    /// The KV file and its copy are both broken or cannot be read, or another server uses it; a setting is unknown or its value is not one; the file of
    /// `configStorePath` cannot be read.
    pub fn build(self) -> io::Result<NameServer> {
        let mut settings = Settings::new(self.personality);
        // What is set here counts more than what the file says that is named here.
        let set = |settings: &mut Settings| {
            self.settings.iter().try_for_each(|(key, value)| settings.set(key, value))
        };
        set(&mut settings)?;
        let settings_file = settings.load()?;
        set(&mut settings)?;
        if let Some(file) = &self.kv_file {
            settings.set("kvConfigPath", &file.to_string_lossy())?;
        }
        let (kv, kv_file) = match settings.kv_file() {
            Some(path) => KvStore::open(&path).map(|(kv, file)| (kv, Some(file)))?,
            None => (KvStore::default(), None),
        };
        let dispatcher = Dispatcher::new(self.personality, kv, settings, self.legacy_bodies);
        Ok(NameServer::new(self.limits, dispatcher.keep_in(kv_file, settings_file)))
    }

    /// A server that listens. It is bound and serves when this returns.
    ///
    /// # Errors
    /// What binding says, with the address: it is in use, it is not one of this machine, it does not resolve. And what
    /// [`build`](Self::build) says.
    pub async fn start(self) -> io::Result<NameServerHandle> {
        let listen = self.listen.clone();
        self.build()?.listen(&listen).await
    }
}
