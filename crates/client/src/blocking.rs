//! The blocking client: the async client, driven by the threads that call.
//!
//! All blocking clients of a process share one [`BlockingRuntime`], made by the first call. So failover and everything
//! else exist once.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};
use rocketmq_nameserver_protocol::request::Request;
use tokio::runtime::Handle;

use crate::address::ServerAddress;
use crate::blocking_runtime::BlockingRuntime;
use crate::client::AsyncNameServerClient;
use crate::config::ClientBuilder;
use crate::discover::ServerListChanges;
use crate::error::{NameServerError, Result};
use crate::per_server::PerServer;
use crate::stats::ClientStats;

/// Asks NameServers for routes and clusters, and everything else that they answer, from code without a runtime.
///
/// The same client as [`AsyncNameServerClient`] with the same methods, each of which blocks until its answer is there.
/// A clone is cheap and shares the connections; any number of threads may use one client at the same time.
///
/// Inside an async runtime, `spawn_blocking` included, every call is a Usage error, because it would stop the runtime's
/// other work; use [`to_async`](Self::to_async) there.
///
/// ```no_run
/// use rocketmq_nameserver::{DEFAULT_TIMEOUT, create_sync_client};
///
/// let client = create_sync_client("127.0.0.1", 9876, DEFAULT_TIMEOUT)?;
/// let route = client.query_topic_route_info("TopicTest")?;
/// println!("{} brokers", route.broker_data_list.len());
/// client.disconnect()?;
/// # Ok::<(), rocketmq_nameserver::NameServerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SyncNameServerClient {
    pub(crate) client: AsyncNameServerClient,
}

/// A blocking client of one server, as the contract has it. Nothing is connected yet.
///
/// `timeout` limits each call in all ([`DEFAULT_TIMEOUT`](crate::DEFAULT_TIMEOUT) is 30 s).
///
/// # Errors
/// Usage, if the host is not one or the port is 0.
pub fn create_sync_client(host: &str, port: u16, timeout: Duration) -> Result<SyncNameServerClient> {
    SyncNameServerClient::builder().server(host, port).timeout(timeout).build_sync()
}

impl SyncNameServerClient {
    /// Starts to put a client together; end with [`build_sync`](ClientBuilder::build_sync).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(client: AsyncNameServerClient) -> Self {
        SyncNameServerClient { client }
    }

    /// The same client, connections included, with another limit for each call.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        SyncNameServerClient { client: self.client.with_timeout(timeout) }
    }

    /// The same client for async code.
    pub fn to_async(&self) -> AsyncNameServerClient {
        self.client.clone()
    }

    /// Where a topic's queues are. See [`AsyncNameServerClient::query_topic_route_info`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn query_topic_route_info(&self, topic: &str) -> Result<Arc<TopicRouteData>> {
        block_on(self.client.query_topic_route_info(topic))?
    }

    /// The routes of many topics, in order. See [`AsyncNameServerClient::query_topic_route_infos`].
    ///
    /// # Errors
    /// Usage inside an async runtime; what goes wrong with a topic stands at its place.
    pub fn query_topic_route_infos<I>(&self, topics: I) -> Result<Vec<Result<Arc<TopicRouteData>>>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        block_on(self.client.query_topic_route_infos(topics))
    }

    /// Which brokers there are. See [`AsyncNameServerClient::get_broker_cluster_info`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_broker_cluster_info(&self) -> Result<BrokerClusterInfo> {
        block_on(self.client.get_broker_cluster_info())?
    }

    /// Any request of the [`protocol`](crate::protocol) crate. See [`AsyncNameServerClient::request`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn request<R: Request>(&self, request: &R) -> Result<R::Response> {
        block_on(self.client.request(request))?
    }

    /// Any request of the [`protocol`](crate::protocol) crate, sent to every server. See
    /// [`AsyncNameServerClient::request_every`].
    ///
    /// # Errors
    /// Inside an async runtime each server's result is Usage.
    pub fn request_every<R: Request>(&self, request: &R) -> PerServer<R::Response> {
        self.at_every_server(self.client.request_every(request))
    }

    /// Opens a connection now. See [`AsyncNameServerClient::connect`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn connect(&self) -> Result<()> {
        block_on(self.client.connect())?
    }

    /// Closes all connections; the next call connects again. See [`AsyncNameServerClient::disconnect`].
    ///
    /// # Errors
    /// Usage inside an async runtime.
    pub fn disconnect(&self) -> Result<()> {
        block_on(self.client.disconnect())
    }

    /// Closes all connections for good.
    ///
    /// # Errors
    /// Usage inside an async runtime.
    pub fn close(&self) -> Result<()> {
        block_on(self.client.close())
    }

    /// Whether at least one connection is open.
    pub fn is_connected(&self) -> bool {
        self.client.is_connected()
    }

    /// The servers as far as they are known. See [`AsyncNameServerClient::server_list`].
    pub fn server_list(&self) -> Vec<ServerAddress> {
        self.client.server_list()
    }

    /// Tells of each change of the list of servers, with
    /// [`blocking_changed`](ServerListChanges::blocking_changed).
    pub fn server_list_changes(&self) -> ServerListChanges {
        self.client.server_list_changes()
    }

    /// What the client has done so far.
    pub fn stats(&self) -> ClientStats {
        self.client.stats()
    }
}

impl SyncNameServerClient {
    /// Runs a call to every server to its end on this thread.
    pub(crate) fn at_every_server<T>(&self, call: impl Future<Output = PerServer<T>>) -> PerServer<T> {
        block_on(call).unwrap_or_else(|error| self.client.not_asked(&error))
    }
}

/// Runs a call to its end on this thread.
pub(crate) fn block_on<F: Future>(call: F) -> Result<F::Output> {
    if Handle::try_current().is_ok() {
        return Err(NameServerError::usage(
            "a blocking call inside an async runtime: use AsyncNameServerClient (or to_async()) there",
        ));
    }
    Ok(runtime()?.block_on(call))
}

/// The runtime that all blocking clients of this process share. It lives as long as the process.
fn runtime() -> Result<&'static BlockingRuntime> {
    static RUNTIME: OnceLock<Arc<BlockingRuntime>> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    // A failure is not kept: the next call may find what this one lacks.
    let started = BlockingRuntime::start()
        .map_err(|error| NameServerError::unable(format!("cannot start the background thread: {error}")))?;
    Ok(RUNTIME.get_or_init(|| started))
}
