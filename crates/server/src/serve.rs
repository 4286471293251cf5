//! Second stop: from a listener to one task per connection, and the end of them all.
//!
//! Before it comes [`config`](crate::config); behind it [`connection`](crate::connection).

mod faults;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, Name, QueueData};
use rocketmq_nameserver_protocol::request::{RegisterBroker, RegisterBrokerResult, UnregisterBroker};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::Budget;
use crate::config::{Limits, NameServerBuilder};
use crate::connection::{Connection, at_fault};
use crate::dispatch::Dispatcher;
use crate::fault::Fault;
use crate::spare_outputs::SpareOutputs;
use crate::table::ConnectionId;

/// How long accepting rests after the system refused a connection for want of something: it would refuse the next
/// one too, and trying at once would only burn a core. Long enough for that, too short for a peer to notice.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a server sleeps at most before it looks whether it is time to look for silent brokers.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// How often a server that leaves looks whether anybody is still connected.
const LOOK_FOR_CONNECTIONS: Duration = Duration::from_millis(100);

/// A NameServer without a listener: what it knows, and how it serves a stream. Clones are the same server.
#[derive(Debug, Clone)]
pub struct NameServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    dispatcher: Arc<Dispatcher>,
    budget: Budget,
    spare_outputs: SpareOutputs,
    next_connection: AtomicU64,
    /// The open connections, each with what closes it.
    open: Mutex<HashMap<ConnectionId, CancellationToken>>,
    /// Whether a listener's task looks for silent brokers.
    has_listener: AtomicBool,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<ConnectionId, CancellationToken>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves, and looks for silent brokers meanwhile, unless the task of a listener does.
    async fn looking_for_silence<F: Future>(&self, mut serving: Pin<&mut F>) -> F::Output {
        loop {
            if self.has_listener.load(Ordering::Relaxed) {
                return serving.await;
            }
            match tokio::time::timeout(self.next_look(), serving.as_mut()).await {
                Ok(served) => return served,
                Err(_) => self.expire_if_due(),
            }
        }
    }

    /// How long to wait before looking at the clock: the interval may be changed meanwhile.
    fn next_look(&self) -> Duration {
        self.dispatcher.scan_interval().min(LONGEST_LOOK)
    }

    /// Closes all connections, those that no listener has accepted too.
    fn close_all(&self) {
        self.open().values().for_each(CancellationToken::cancel);
    }

    /// Removes silent brokers, if it is time to look for them, and closes their connections.
    fn expire_if_due(&self) {
        let silent = self.dispatcher.expire_if_due();
        if !silent.is_empty() {
            let open = self.open();
            silent.iter().filter_map(|id| open.get(id)).for_each(CancellationToken::cancel);
        }
    }
}

impl NameServer {
    /// The settings of a server, all at their defaults.
    pub fn builder() -> NameServerBuilder {
        NameServerBuilder::new()
    }

    pub(crate) fn new(limits: Limits, dispatcher: Dispatcher) -> Self {
        NameServer {
            shared: Arc::new(Shared {
                limits,
                dispatcher: Arc::new(dispatcher),
                budget: Budget::new(limits.max_buffered),
                spare_outputs: SpareOutputs::default(),
                next_connection: AtomicU64::new(0),
                open: Mutex::default(),
                has_listener: AtomicBool::new(false),
            }),
        }
    }

    /// Serves one stream until it ends, whatever it is: TCP, TLS, or one half of an in-memory pair. Brokers that
    /// register over it are gone when it ends, and also when the future is dropped.
    ///
    /// # Errors
    /// Why the stream ended, unless the peer closed it between two frames: `InvalidData` for bytes that are no
    /// frames, `UnexpectedEof` for an end inside a frame, `TimedOut` after the idle timeout, `OutOfMemory` for a request
    /// beyond [`max_buffered`](NameServerBuilder::max_buffered), `ConnectionAborted` if its broker was silent for too
    /// long, the server has stopped, there were [too many connections](NameServerBuilder::max_connections), or a
    /// [`Fault`](crate::Fault) says so, or what the stream itself said.
    ///
    /// # Example
    /// ```
    /// use rocketmq_nameserver_server::NameServer;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let server = NameServer::builder().build()?;
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// let serving = tokio::spawn(server.serve_stream(stream));
    ///
    /// client.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
    /// let ended = serving.await?;
    /// assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    /// # Ok(())
    /// # }
    /// ```
    pub fn serve_stream<S>(&self, stream: S) -> impl Future<Output = io::Result<()>> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let shared = Arc::clone(&self.shared);
        async move {
            if shared.dispatcher.faults().now().has(Fault::Refuse) {
                return Err(at_fault(Fault::Refuse));
            }
            let id = ConnectionId(shared.next_connection.fetch_add(1, Ordering::Relaxed));
            let ended = Arc::new(AtomicBool::new(false));
            let mut connection = Connection::new(
                stream,
                id,
                &shared.dispatcher,
                Arc::clone(&ended),
                shared.limits,
                &shared.budget,
                &shared.spare_outputs,
            );
            // Declared behind the connection and so dropped before it: who sees the close sees the brokers gone.
            let open = Open::new(&shared, id, ended)?;
            // Each layer gets a reference to the one inside it: a future that is handed on by value counts twice in the
            // size of the task.
            let running = pin!(connection.run());
            let serving = pin!(shared.looking_for_silence(running));
            open.closed.run_until_cancelled(serving).await.unwrap_or_else(|| {
                let text = "its broker was silent for too long, or the server has stopped";
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, text))
            })
        }
    }

    /// Listens at an address, `host:port`; port 0 takes any free port. It is bound and serves when this returns.
    ///
    /// [`NameServerBuilder::start`] does the same with one call less.
    ///
    /// # Errors
    /// What binding says, with the address: it is in use, it is not one of this machine, it does not resolve.
    pub async fn listen(&self, address: &str) -> io::Result<NameServerHandle> {
        NameServerHandle::start(address, self.clone()).await
    }

    /// How many connections are open.
    pub fn connection_count(&self) -> usize {
        self.shared.open().len()
    }

    /// Registers a broker without a connection: it stays, however silent, until [`unregister`](Self::unregister). For
    /// tests and demos that have no broker. Other than over the wire, a new broker may have exactly one topic.
    ///
    /// A broker that is known already changes its topics only with another data version
    /// ([`DataVersion::next`](crate::protocol::model::DataVersion::next)), as with every registration.
    ///
    /// # Errors
    /// As request 103; there is no case left in which this happens.
    pub fn register(&self, broker: RegisterBroker) -> Result<RegisterBrokerResult, Refusal> {
        self.shared.dispatcher.register(broker)
    }

    /// Takes a broker out, as request 104 does, at once.
    pub fn unregister(&self, broker: UnregisterBroker) {
        self.shared.dispatcher.unregister(broker);
    }

    /// All that it knows at this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.dispatcher.snapshot()
    }
}

/// What a server knows at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Brokers and clusters, as request 106 shows them.
    pub clusters: BrokerClusterInfo,
    /// Topic → its queues, one entry per broker group.
    pub topics: BTreeMap<Name, Vec<QueueData>>,
    /// The KV store: namespace → key → value.
    pub kv: BTreeMap<Name, BTreeMap<Name, Name>>,
}

/// One open connection. However it ends, by a return, a panic or a dropped future, its brokers go with it.
struct Open<'a> {
    shared: &'a Shared,
    id: ConnectionId,
    ended: Arc<AtomicBool>,
    closed: CancellationToken,
}

impl<'a> Open<'a> {
    fn new(shared: &'a Shared, id: ConnectionId, ended: Arc<AtomicBool>) -> io::Result<Self> {
        let closed = CancellationToken::new();
        let mut open = shared.open();
        if open.len() >= shared.limits.max_connections {
            let text = format!("{} connections are open already", open.len());
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, text));
        }
        open.insert(id, closed.clone());
        Ok(Open { shared, id, ended, closed })
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        self.shared.dispatcher.connection_closed(self.id);
        self.shared.open().remove(&self.id);
    }
}

/// A NameServer that listens. Dropping the handle stops it too, but does not wait for that.
#[derive(Debug)]
pub struct NameServerHandle {
    server: NameServer,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl NameServerHandle {
    async fn start(listen: &str, server: NameServer) -> io::Result<Self> {
        let about =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(about)?;
        let address = listener.local_addr().map_err(about)?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(
            Listening { listener, server: server.clone(), stop: stop.clone(), tasks: tasks.clone() }.run(),
        );
        server.shared.has_listener.store(true, Ordering::Relaxed);
        server.shared.dispatcher.set("listenPort", &address.port().to_string())?;
        tracing::info!(%address, "NameServer listens");
        Ok(NameServerHandle { server, address, stop, tasks })
    }

    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server behind the listener, for everything that does not need one.
    pub fn server(&self) -> &NameServer {
        &self.server
    }

    /// See [`NameServer::register`].
    ///
    /// # Errors
    /// As there.
    pub fn register(&self, broker: RegisterBroker) -> Result<RegisterBrokerResult, Refusal> {
        self.server.register(broker)
    }

    /// See [`NameServer::unregister`].
    pub fn unregister(&self, broker: UnregisterBroker) {
        self.server.unregister(broker);
    }

    /// See [`NameServer::snapshot`].
    pub fn snapshot(&self) -> Snapshot {
        self.server.snapshot()
    }

    /// How many connections are open. One that was just made or just closed may be counted a moment later.
    pub fn connection_count(&self) -> usize {
        self.server.connection_count()
    }

    /// Stops accepting, closes every connection and waits for all tasks. The port is free when this returns.
    ///
    /// With the setting `enableShutdownGracefully` newer clients are told to go away first, see
    /// [`setting`](NameServerBuilder::setting).
    pub async fn shutdown(self) {
        if let Some(limit) = self.server.shared.dispatcher.leave() {
            // Either way it ends.
            let _all_gone = tokio::time::timeout(limit, self.all_gone()).await;
        }
        self.end();
        self.tasks.close();
        self.tasks.wait().await;
        self.server.shared.dispatcher.teller().stopped().await;
        tracing::info!(address = %self.address, "NameServer has stopped");
    }
}

impl NameServerHandle {
    /// Ends everything: first the news about brokers, because those whose connections are closed now are well.
    fn end(&self) {
        self.server.shared.dispatcher.teller().stop();
        self.stop.cancel();
        self.server.shared.close_all();
        self.server.shared.has_listener.store(false, Ordering::Relaxed);
    }

    /// Waits until no connection is open.
    async fn all_gone(&self) {
        let mut look = tokio::time::interval(LOOK_FOR_CONNECTIONS);
        while self.connection_count() > 0 {
            look.tick().await;
        }
    }
}

impl Drop for NameServerHandle {
    fn drop(&mut self) {
        self.end();
    }
}

/// The task that owns the listener.
struct Listening {
    listener: TcpListener,
    server: NameServer,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Listening {
    async fn run(self) {
        // None: it was told to stop.
        let _ = self.stop.run_until_cancelled(async { tokio::join!(self.accept(), self.expire()) }).await;
    }

    /// Looks for silent brokers again and again.
    async fn expire(&self) {
        loop {
            tokio::time::sleep(self.server.shared.next_look()).await;
            self.server.shared.expire_if_due();
        }
    }

    async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => self.spawn(stream, peer),
                // The peer has given up already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        let server = self.server.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            // Answers are small and complete, so waiting to join them with others only costs time.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
            }
            let serving = pin!(server.serve_stream(stream));
            if let Some(Err(error)) = stop.run_until_cancelled(serving).await {
                tracing::debug!(%peer, %error, "connection closed");
            }
        });
    }
}
