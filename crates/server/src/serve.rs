//! Second stop: from a listener to one task per connection, and the end of them all.
//!
//! Before it comes [`config`](crate::config); behind it [`connection`](crate::connection).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Limits, NameServerBuilder};
use crate::connection::Connection;
use crate::dispatch::Dispatcher;
use crate::table::ConnectionId;

/// How long accepting rests after the system refused a connection for want of something: it would refuse the next
/// one too, and trying at once would only burn a core. Long enough for that, too short for a peer to notice.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A NameServer without a listener: what it knows, and how it serves a stream. Clones are the same server.
#[derive(Debug, Clone)]
pub struct NameServer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    dispatcher: Dispatcher,
    next_connection: AtomicU64,
    open_connections: AtomicUsize,
}

impl NameServer {
    /// The settings of a server, all at their defaults.
    pub fn builder() -> NameServerBuilder {
        NameServerBuilder::new()
    }

    pub(crate) fn new(limits: Limits) -> Self {
        NameServer {
            shared: Arc::new(Shared {
                limits,
                dispatcher: Dispatcher::default(),
                next_connection: AtomicU64::new(0),
                open_connections: AtomicUsize::new(0),
            }),
        }
    }

    /// Serves one stream until it ends, whatever it is: TCP, TLS, or one half of an in-memory pair. Brokers that
    /// register over it are gone when it ends, and also when the future is dropped.
    ///
    /// # Errors
    /// Why the stream ended, unless the peer closed it between two frames: `InvalidData` for bytes that are no
    /// frames, `UnexpectedEof` for an end inside a frame, `TimedOut` after the idle timeout, or what the stream
    /// itself said.
    ///
    /// # Example
    /// ```
    /// use rocketmq_nameserver_server::NameServer;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let server = NameServer::builder().build();
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
            let id = ConnectionId(shared.next_connection.fetch_add(1, Ordering::Relaxed));
            let mut connection = Connection::new(stream, id, &shared.dispatcher, shared.limits);
            // Declared behind the connection and so dropped before it: who sees the close sees the brokers gone.
            let _open = Open::new(&shared, id);
            connection.run().await
        }
    }

    /// How many connections are open.
    pub fn connection_count(&self) -> usize {
        self.shared.open_connections.load(Ordering::Relaxed)
    }
}

/// One open connection. However it ends, by a return, a panic or a dropped future, its brokers go with it.
struct Open<'a> {
    shared: &'a Shared,
    id: ConnectionId,
}

impl<'a> Open<'a> {
    fn new(shared: &'a Shared, id: ConnectionId) -> Self {
        shared.open_connections.fetch_add(1, Ordering::Relaxed);
        Open { shared, id }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.dispatcher.connection_closed(self.id);
        self.shared.open_connections.fetch_sub(1, Ordering::Relaxed);
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
    pub(crate) async fn start(listen: &str, server: NameServer) -> io::Result<Self> {
        let about =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(about)?;
        let address = listener.local_addr().map_err(about)?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(
            Listening { listener, server: server.clone(), stop: stop.clone(), tasks: tasks.clone() }.run(),
        );
        tracing::info!(%address, "NameServer listens");
        Ok(NameServerHandle { server, address, stop, tasks })
    }

    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are open. One that was just made or just closed may be counted a moment later.
    pub fn connection_count(&self) -> usize {
        self.server.connection_count()
    }

    /// Stops accepting, closes every connection and waits for all tasks. The port is free when this returns.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        tracing::info!(address = %self.address, "NameServer has stopped");
    }
}

impl Drop for NameServerHandle {
    fn drop(&mut self) {
        self.stop.cancel();
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
        let _ = self.stop.run_until_cancelled(self.accept()).await;
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
            if let Some(Err(error)) = stop.run_until_cancelled(server.serve_stream(stream)).await {
                tracing::debug!(%peer, %error, "connection closed");
            }
        });
    }
}
