//! Stop 10 of the trip: the async client, which hands answers to the user. Before it comes [`call`](crate::call).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, GetRouteInfo, Reach, Request};

use crate::address::ServerAddress;
use crate::call::{Servers, Told};
use crate::config::{ClientBuilder, ClientConfig};
use crate::discover::{Discovered, ServerListChanges};
use crate::error::{NameServerError, Result};
use crate::locality::Locality;
use crate::per_server::PerServer;
use crate::question::Question;
use crate::stats::ClientStats;

/// Asks NameServers for routes and clusters, and everything else that they answer, from async code.
///
/// A read asks one server, and another one if that fails. A write goes to every server, because each has tables of its own,
/// and has a result for each ([`PerServer`]).
///
/// A clone is cheap and shares the connections; methods take `&self` and may run at the same time from any number of
/// tasks. There is one connection per server: made by the first call, shared by all calls (answers may come in any
/// order), made anew by the next call after it was lost. An idle connection that the server closes (after 120 s) is
/// not an error. Dropping a call's future forgets the call; dropping the last clone closes everything.
///
/// All errors are [`NameServerError`]; see there for what can be asked of them.
///
/// ```
/// # use rocketmq_nameserver::*;
/// use std::time::Duration;
///
/// async fn brokers_of(topic: &str) -> Result<usize> {
///     let client = create_async_client("127.0.0.1", 9876, Duration::from_secs(5)).await?;
///     let route = client.query_topic_route_info(topic).await?;
///     client.disconnect().await;
///     Ok(route.broker_data_list.len())
/// }
/// ```
#[derive(Clone)]
pub struct AsyncNameServerClient {
    pub(crate) servers: Arc<Servers>,
    discovered: Arc<Discovered>,
    timeout: Duration,
}

/// A client of one server, as the contract has it. Nothing is connected yet: the first call does that, or
/// [`connect`](AsyncNameServerClient::connect).
///
/// `timeout` limits each call in all ([`DEFAULT_TIMEOUT`](crate::DEFAULT_TIMEOUT) is 30 s).
///
/// # Errors
/// Usage, if the host is not one or the port is 0.
pub async fn create_async_client(host: &str, port: u16, timeout: Duration) -> Result<AsyncNameServerClient> {
    AsyncNameServerClient::builder().server(host, port).timeout(timeout).build()
}

impl AsyncNameServerClient {
    /// Starts to put a client together: several servers, limits, header form.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(crate) fn new(config: ClientConfig) -> Self {
        let timeout = config.timeout;
        let discovered = Arc::new(Discovered::new(&config.servers, config.discovery.as_ref()));
        AsyncNameServerClient { servers: Arc::new(Servers::new(config)), discovered, timeout }
    }

    /// The same client, connections included, with another limit for each call.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
    /// # use std::time::Duration;
    /// let quick = client.with_timeout(Duration::from_millis(500));
    /// let route = quick.query_topic_route_info("TopicTest").await;
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        AsyncNameServerClient { timeout, ..self.clone() }
    }

    /// Where a topic's queues are: request 105.
    ///
    /// With several servers, "not found" is asked of a second one before it is believed, unless all others are known to
    /// fail.
    ///
    /// # Errors
    /// [`is_topic_not_found`](NameServerError::is_topic_not_found) if no server knows a broker that has the topic;
    /// else as every call: Connection, Timeout, Protocol, Response, DataParse, or Usage after [`close`](Self::close).
    pub async fn query_topic_route_info(&self, topic: &str) -> Result<Arc<TopicRouteData>> {
        let told = self.ask_for_route(GetRouteInfo::new(topic)).await?;
        Ok(Arc::new(self.locality().route(told.answer)))
    }

    /// The routes of many topics, pipelined over the same connection: one result per topic, in the order of `topics`.
    ///
    /// There is no request for many topics at once; 256 queries are under way at a time
    /// ([`batch_in_flight`](ClientBuilder::batch_in_flight)). Each has the client's limit for calls. One failure does
    /// not touch the others.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
    /// let topics = ["orders", "payments"];
    /// for (topic, route) in topics.iter().zip(client.query_topic_route_infos(topics).await) {
    ///     match route {
    ///         Ok(route) => println!("{topic}: {} brokers", route.broker_data_list.len()),
    ///         Err(error) => println!("{topic}: {error}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn query_topic_route_infos<I>(&self, topics: I) -> Vec<Result<Arc<TopicRouteData>>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let queries: Vec<GetRouteInfo> =
            topics.into_iter().map(|topic| GetRouteInfo::new(topic.as_ref())).collect();
        let mut routes: Vec<Option<Result<Arc<TopicRouteData>>>> = vec![None; queries.len()];
        let put = |at: usize, route: Result<Told<TopicRouteData>>| {
            if let Some(place) = routes.get_mut(at) {
                *place = Some(route.map(|told| Arc::new(self.locality().route(told.answer))));
            }
        };
        let asked = self.ask_for_routes(queries, put).await;
        // Each has been put, unless none could be asked at all.
        let missing =
            || Err(asked.clone().err().unwrap_or_else(|| NameServerError::usage("the batch was not asked")));
        routes.into_iter().map(|route| route.unwrap_or_else(missing)).collect()
    }

    /// Which brokers there are and which of them form which cluster: request 106.
    ///
    /// # Errors
    /// As [`query_topic_route_info`](Self::query_topic_route_info), but for "not found".
    pub async fn get_broker_cluster_info(&self) -> Result<BrokerClusterInfo> {
        let info = self.ask(&GetBrokerClusterInfo, &Question::new("get", "the cluster info")).await?;
        Ok(self.locality().cluster_info(info))
    }

    /// Any request of the [`protocol`](crate::protocol) crate, for which there is no method here. The answer is as the server
    /// gave it: the client's [`zone`](ClientBuilder::zone) and [`AddressRewriting`](crate::AddressRewriting) do not count.
    ///
    /// A broker's registration holds as long as the connection that it came over, so a client that sends one stands for
    /// that broker until [`disconnect`](Self::disconnect).
    ///
    /// # Errors
    /// As every call; Usage for a write ([`Reach::Every`]) by a client of several servers, because each server has its
    /// own tables: [`request_every`](Self::request_every) writes to all of them.
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Response> {
        // How many servers there are is to be known first.
        let timeout = self.ready().await?;
        if R::REACH == Reach::Every && self.servers.len() > 1 {
            return Err(NameServerError::usage(format!(
                "request {} must reach every server: use request_every, which has a result for each",
                R::CODE
            )));
        }
        self.servers.ask(request, timeout, &Question::Request(R::CODE)).await
    }

    /// Any request of the [`protocol`](crate::protocol) crate, sent to every server at the same time: a write, or a
    /// question whose answers are to be compared.
    ///
    /// Each server has the client's limit for calls to itself, and none stands in for another. A write is not repeated
    /// after its connection was lost, because it may have been carried out.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
    /// use rocketmq_nameserver::protocol::request::GetAllTopicListFromNameserver;
    ///
    /// for (server, topics) in client.request_every(&GetAllTopicListFromNameserver).await {
    ///     println!("{server}: {:?}", topics.map(|topics| topics.topic_list.len()));
    /// }
    /// # }
    /// ```
    pub async fn request_every<R: Request>(&self, request: &R) -> PerServer<R::Response> {
        self.ask_every(request, &Question::Request(R::CODE)).await
    }

    /// Opens a connection now, to the first server that takes one. Calls do this by themselves; use it to learn early
    /// whether a server is there.
    ///
    /// # Errors
    /// Connection, with one attempt per server; Timeout if the call's limit is shorter than connecting takes.
    pub async fn connect(&self) -> Result<()> {
        let timeout = self.ready().await?;
        self.servers.connect(timeout).await
    }

    /// Closes all connections at once. Calls that wait fail with Connection; the next call connects again.
    ///
    /// Nothing is left running when it returns. A connection that lives on another runtime, because a call from there
    /// opened it, ends as soon as that runtime turns.
    pub async fn disconnect(&self) {
        self.discovered.disconnect().await;
        self.servers.disconnect().await;
    }

    /// Closes all connections for good: later calls are Usage errors, on all clones.
    pub async fn close(&self) {
        self.discovered.close().await;
        self.servers.close().await;
    }

    /// Whether at least one connection is open.
    pub fn is_connected(&self) -> bool {
        self.servers.is_connected()
    }

    /// The servers as far as they are known, in order of preference. Only a client with a
    /// [`Discovery`](crate::Discovery) ever has another list, or none before its first call.
    pub fn server_list(&self) -> Vec<ServerAddress> {
        self.discovered.servers()
    }

    /// Tells of each change of [`server_list`](Self::server_list) from now on.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
    /// let mut changes = client.server_list_changes();
    /// while let Some(change) = changes.changed().await {
    ///     println!("NameServers: {:?} -> {:?}", change.before, change.after);
    /// }
    /// # }
    /// ```
    pub fn server_list_changes(&self) -> ServerListChanges {
        self.discovered.changes()
    }

    /// What the client has done so far: connections, requests, errors, the servers' releases.
    pub fn stats(&self) -> ClientStats {
        self.servers.stats()
    }

    pub(crate) async fn ask<R: Request>(&self, request: &R, question: &Question) -> Result<R::Response> {
        let timeout = self.ready().await?;
        self.servers.ask(request, timeout, question).await
    }

    /// Asks all these, pipelined; `each` gets what comes of each, under its place.
    pub(crate) async fn ask_many<R: Request>(
        &self,
        requests: &[R],
        question: impl Fn(&R) -> Question + Copy,
        each: impl FnMut(usize, Result<Told<R::Response>>),
    ) -> Result<()> {
        let timeout = self.ready().await?;
        let in_flight = self.servers.config().batch_in_flight;
        self.servers.ask_many(requests, in_flight, timeout, question, each).await
    }

    pub(crate) async fn ask_every<R: Request>(
        &self,
        request: &R,
        question: &Question,
    ) -> PerServer<R::Response> {
        let timeout = match self.ready().await {
            Ok(timeout) => timeout,
            Err(error) => return self.not_asked(&error),
        };
        self.servers.ask_every(request, timeout, question).await
    }

    /// Waits until servers are known; only the first call of a client with a discovery ever has to. Returns how much
    /// time is left.
    pub(crate) async fn ready(&self) -> Result<Duration> {
        self.discovered.ready(&self.servers, self.timeout).await
    }

    /// What is done with the answers.
    pub(crate) fn locality(&self) -> &Locality {
        &self.servers.config().locality
    }

    /// A call that cannot be made, as the result of every server.
    pub(crate) fn not_asked<T>(&self, error: &NameServerError) -> PerServer<T> {
        self.servers.not_asked(error)
    }
}

impl fmt::Debug for AsyncNameServerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncNameServerClient")
            .field("servers", &self.servers.names())
            .field("timeout", &self.timeout)
            .field("is_connected", &self.is_connected())
            .finish()
    }
}
