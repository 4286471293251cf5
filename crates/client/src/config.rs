//! What a client can be told, and what it does when it is told nothing.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::session::SessionConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::address::{self, ServerAddress};
use crate::address_rewriting::AddressRewriting;
use crate::blocking::SyncNameServerClient;
use crate::client::AsyncNameServerClient;
use crate::discover::Discovery;
use crate::error::{NameServerError, Result};
use crate::locality::Locality;
use crate::uri::{self, Setting};
use crate::zone::Zone;

/// How long a call may take in all unless told otherwise: the contract's 30 seconds.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long opening a connection may take: 3 seconds, as the Java client has it. A healthy network needs
/// milliseconds; a longer limit only delays the move to the next server.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one server has to open a connection before the next one is tried beside it: 250 ms, as browsers do it
/// (RFC 8305). A healthy network needs less even across the globe; more would be felt.
pub const DEFAULT_CONNECT_RACE_DELAY: Duration = Duration::from_millis(250);

/// How many queries of one batch are under way at once. Enough to fill the pipe (a server answers tens of thousands
/// per second), far below the 10,000 places of a real server's queue.
pub const DEFAULT_BATCH_IN_FLIGHT: usize = 256;

/// A byte stream to a server.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a [`ClientBuilder::connector`] returns.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

pub(crate) type Connector = Arc<dyn Fn(ServerAddress) -> Connecting + Send + Sync>;

/// Everything that a client needs to know, checked.
#[derive(Clone)]
pub(crate) struct ClientConfig {
    pub(crate) servers: Vec<ServerAddress>,
    pub(crate) discovery: Option<Discovery>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) connect_race_delay: Duration,
    pub(crate) hedged_reads: bool,
    pub(crate) batch_in_flight: usize,
    pub(crate) session: SessionConfig,
    pub(crate) connector: Option<Connector>,
    pub(crate) locality: Locality,
}

/// Puts a client together. Nothing is connected and no name is looked up before the first call.
///
/// ```
/// use std::time::Duration;
/// use rocketmq_nameserver::AsyncNameServerClient;
///
/// let client = AsyncNameServerClient::builder()
///     .servers("ns-1:9876;ns-2:9876")
///     .timeout(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    servers: Vec<Result<Vec<ServerAddress>>>,
    config: ClientConfig,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        let config = ClientConfig {
            servers: Vec::new(),
            discovery: None,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            connect_race_delay: DEFAULT_CONNECT_RACE_DELAY,
            hedged_reads: true,
            batch_in_flight: DEFAULT_BATCH_IN_FLIGHT,
            session: SessionConfig::default(),
            connector: None,
            locality: Locality::default(),
        };
        ClientBuilder { servers: Vec::new(), config }
    }

    /// Adds servers, which are tried in the order in which they were added: `host:port`, several separated by `;` or `,`. Without a port it is 9876. IPv6 addresses with a
    /// port stand in brackets.
    pub fn servers(mut self, list: impl AsRef<str>) -> Self {
        self.servers.push(address::parse_list(list.as_ref()));
        self
    }

    /// Adds one server by host and port.
    pub fn server(mut self, host: &str, port: u16) -> Self {
        self.servers.push(ServerAddress::new(host, port).map(|server| vec![server]));
        self
    }

    /// Adds the servers of an address as it stands in configuration files, `rocketmq://ns-1,ns-2:9877?timeout=3s`, and
    /// sets what else it says.
    ///
    /// Behind `?` may stand, separated by `&`: `timeout`, `connect_timeout`, `connect_race_delay`, `hedged_reads`,
    /// `max_frame_size` and `batch_in_flight`, as the methods of these names have them. Times are whole numbers with a
    /// unit: `500ms`, `3s`, `1m`. Anything else is a Usage error when the client is built.
    ///
    /// ```
    /// use rocketmq_nameserver::AsyncNameServerClient;
    ///
    /// let client = AsyncNameServerClient::builder().uri("rocketmq://ns-1,[::1]:9877?timeout=500ms").build()?;
    /// assert_eq!(client.server_list().len(), 2);
    /// # Ok::<(), rocketmq_nameserver::NameServerError>(())
    /// ```
    pub fn uri(mut self, uri: impl AsRef<str>) -> Self {
        let servers = uri::read(uri.as_ref()).map(|(servers, settings)| {
            for setting in settings {
                self.set(setting);
            }
            servers
        });
        self.servers.push(servers);
        self
    }

    fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Timeout(timeout) => self.config.timeout = timeout,
            Setting::ConnectTimeout(timeout) => self.config.connect_timeout = timeout,
            Setting::MaxFrameSize(bytes) => self.config.session.max_frame_size = bytes,
            Setting::ConnectRaceDelay(delay) => self.config.connect_race_delay = delay,
            Setting::HedgedReads(hedged) => self.config.hedged_reads = hedged,
            Setting::BatchInFlight(queries) => self.config.batch_in_flight = queries,
        }
    }

    /// Finds the servers while the client runs, instead of [`servers`](Self::servers): in the environment, by DNS, in a
    /// file. The first call waits for the first list, within its own limit.
    pub fn discovery(mut self, discovery: Discovery) -> Self {
        self.config.discovery = Some(discovery);
        self
    }

    /// How long a call may take in all, connecting and trying other servers included. 30 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = timeout;
        self
    }

    /// How long opening one connection may take. 3 s by default. A call with a shorter limit fails at its own.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout = timeout;
        self
    }

    /// With several servers: how long one may take to open a connection before the next one is tried beside it. Whichever
    /// opens first gets the request; the other goes on opening, for later calls. 250 ms by default
    /// ([`DEFAULT_CONNECT_RACE_DELAY`]); 0 tries the next one at once.
    pub fn connect_race_delay(mut self, delay: Duration) -> Self {
        self.config.connect_race_delay = delay;
        self
    }

    /// With several servers: whether a read whose answer is late is asked of a second server too. Yes by default.
    ///
    /// An answer is late when 95 % of the recent ones took less time, at least 10 ms and at most 250 ms; 50 ms before
    /// there are enough of them. At most one call in ten is asked twice, so that busy servers are not given twice the
    /// work. A write is never asked twice.
    ///
    /// ```
    /// # use rocketmq_nameserver::*;
    /// let client = AsyncNameServerClient::builder().servers("ns-1;ns-2").hedged_reads(false).build()?;
    /// # Ok::<(), NameServerError>(())
    /// ```
    pub fn hedged_reads(mut self, hedged: bool) -> Self {
        self.config.hedged_reads = hedged;
        self
    }

    /// The largest frame that is accepted or sent, in bytes. 16 MiB by default, as Java has it; only the cluster info of
    /// a hundred thousand brokers would need more.
    pub fn max_frame_size(mut self, bytes: usize) -> Self {
        self.config.session.max_frame_size = bytes;
        self
    }

    /// The form of the headers that are sent. JSON by default; answers are understood in either form.
    pub fn serialize_type(mut self, serialize_type: SerializeType) -> Self {
        self.config.session.serialize_type = serialize_type;
        self
    }

    /// How many queries of one batch are under way at once. 256 by default.
    pub fn batch_in_flight(mut self, queries: usize) -> Self {
        self.config.batch_in_flight = queries;
        self
    }

    /// Which addresses are used in place of those that brokers advertise: in routes, in the cluster info, and in all that a
    /// [`RouteCache`](crate::RouteCache) on this client serves and tells.
    ///
    /// ```
    /// # use rocketmq_nameserver::*;
    /// let rewriting = AddressRewriting::new().cidr("172.17.0.0/16", "localhost");
    /// let client = AsyncNameServerClient::builder().servers("ns-1").rewrite_addresses(rewriting).build()?;
    /// # Ok::<(), NameServerError>(())
    /// ```
    pub fn rewrite_addresses(mut self, rewriting: AddressRewriting) -> Self {
        self.config.locality.rewriting = rewriting;
        self
    }

    /// The zone that this program stands in: routes then have the brokers of that zone, and no others. Names are compared in
    /// any case.
    ///
    /// * Broker groups without a master belong to every zone. Queues and filter servers go with their group.
    /// * 5.x servers filter themselves; the answers of others are filtered here, by the same rule. 4.x servers do not know zones,
    ///   so their routes have all brokers.
    /// * If no broker of the zone has the topic, the route has all brokers. A server that filters is asked once more for that,
    ///   within the limit of the call; in a batch each of the two questions has it. A message at level debug tells of it.
    ///   Whether a route is such a one shows in its brokers: none of them has this
    ///   [`zone_name`](crate::BrokerData::zone_name).
    /// * The cluster info and everything else has the brokers of all zones.
    ///
    /// ```
    /// # use rocketmq_nameserver::*;
    /// let client = AsyncNameServerClient::builder().servers("ns-1").zone("eu-west-1a").build()?;
    /// # Ok::<(), NameServerError>(())
    /// ```
    pub fn zone(mut self, name: &str) -> Self {
        self.config.locality.zone = Some(Zone(Name::from(name)));
        self
    }

    /// The [`zone`](Self::zone) of the environment, as RocketMQ's own clients have it: that of `ROCKETMQ_ZONE`, if
    /// `ROCKETMQ_ZONE_MODE` is `true`. Otherwise nothing changes. The variables are read now.
    pub fn zone_from_env(mut self) -> Self {
        if let Some(zone) = Zone::from_env() {
            self.config.locality.zone = Some(zone);
        }
        self
    }

    /// Opens connections in another way than by TCP: through a tunnel, or to a peer in memory.
    pub fn connector<F, Fut>(mut self, connect: F) -> Self
    where
        F: Fn(ServerAddress) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<Box<dyn Stream>>> + Send + 'static,
    {
        self.config.connector = Some(Arc::new(move |server| Box::pin(connect(server))));
        self
    }

    /// The async client.
    ///
    /// # Errors
    /// Usage, for an address that cannot be read, no address at all, servers beside a discovery, a frame limit below 1 KiB, a
    /// timeout of 0, a batch of none, an address rewriting rule that cannot be understood, or a blank zone.
    pub fn build(self) -> Result<AsyncNameServerClient> {
        self.check().map(AsyncNameServerClient::new)
    }

    /// The blocking client.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_sync(self) -> Result<SyncNameServerClient> {
        self.build().map(SyncNameServerClient::new)
    }

    fn check(self) -> Result<ClientConfig> {
        let mut config = self.config;
        for servers in self.servers {
            config.servers.extend(servers?);
        }
        match &config.discovery {
            Some(_) if !config.servers.is_empty() => {
                return Err(NameServerError::usage(
                    "servers and a discovery are given: make the servers a part of it, \
                     Discovery::servers(…).or(…)",
                ));
            }
            Some(discovery) => discovery.check()?,
            None if config.servers.is_empty() => return Err(address::none_given()),
            None => {}
        }
        let mut seen = std::collections::HashSet::new();
        config.servers.retain(|server| seen.insert(server.clone()));
        if config.session.max_frame_size < MIN_FRAME_LIMIT {
            return Err(NameServerError::usage(format!("max_frame_size is below {MIN_FRAME_LIMIT} bytes")));
        }
        if config.timeout.is_zero() || config.connect_timeout.is_zero() {
            return Err(NameServerError::usage("a timeout of 0 leaves no time for any call"));
        }
        if config.batch_in_flight == 0 {
            return Err(NameServerError::usage("batch_in_flight is 0: at least one query must be under way"));
        }
        config.locality.check()?;
        Ok(config)
    }
}

/// A frame limit that still lets a question and a short answer through.
const MIN_FRAME_LIMIT: usize = 1024;

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("servers", &self.servers)
            .field("timeout", &self.config.timeout)
            .finish_non_exhaustive()
    }
}
