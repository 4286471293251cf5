//! Opens one connection: name, addresses, TCP. Behind it comes [`link`](crate::link), which owns what was opened.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::address::ServerAddress;
use crate::config::{Connector, Stream};
use crate::failure::{Failure, Phase};
use crate::link::Broken;

/// Opens a TCP connection to the first of the server's addresses that takes it, within `limit` for all of them.
pub(crate) async fn tcp(server: ServerAddress, limit: Duration) -> Result<TcpStream, Broken> {
    let deadline = Instant::now().checked_add(limit);
    let addresses = within(deadline, resolve(&server))
        .await
        .ok_or_else(|| Broken::new(Phase::Resolve, Failure::ConnectTimeout(limit)))?
        .map_err(|error| Broken::new(Phase::Resolve, Failure::io(error)))?;
    let mut last = Failure::io(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for (at, address) in addresses.iter().enumerate() {
        // An address that swallows packets must leave time for the others.
        match within(share_of(deadline, addresses.len() - at), TcpStream::connect(address)).await {
            Some(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|error| Broken::new(Phase::Connect, Failure::io(error)))?;
                return Ok(stream);
            }
            Some(Err(error)) => last = Failure::io(error),
            None => last = Failure::ConnectTimeout(limit),
        }
    }
    Err(Broken::new(Phase::Connect, last))
}

/// All addresses of the server, IPv4 and IPv6, in the order of the system's resolver.
async fn resolve(server: &ServerAddress) -> io::Result<Vec<SocketAddr>> {
    if let Some(ip) = server.ip() {
        return Ok(vec![SocketAddr::new(ip, server.port())]);
    }
    Ok(tokio::net::lookup_host((server.host(), server.port())).await?.collect())
}

/// Opens a connection in the user's own way.
pub(crate) async fn custom(
    connector: Connector,
    server: ServerAddress,
    limit: Duration,
) -> Result<Box<dyn Stream>, Broken> {
    match within(Instant::now().checked_add(limit), connector(server)).await {
        Some(opened) => opened.map_err(|error| Broken::new(Phase::Connect, Failure::io(error))),
        None => Err(Broken::new(Phase::Connect, Failure::ConnectTimeout(limit))),
    }
}

/// What the future says before the deadline, or `None`. Without a deadline there is no limit.
pub(crate) async fn within<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        Some(deadline) => timeout_at(deadline, future).await.ok(),
        None => Some(future.await),
    }
}

/// The deadline of one attempt when that many, this one included, have to share what is left.
pub(crate) fn share_of(deadline: Option<Instant>, attempts: usize) -> Option<Instant> {
    if attempts <= 1 {
        return deadline;
    }
    let now = Instant::now();
    let left = deadline?.saturating_duration_since(now);
    Some(now + left / u32::try_from(attempts).unwrap_or(u32::MAX))
}
