//! Opens one connection: name, addresses, TCP. Behind it comes [`link`](crate::link), which owns what was opened.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::address::ServerAddress;
use crate::config::{Connector, Stream};
use crate::error::{Failure, Phase};
use crate::link::Broken;

/// Opens a TCP connection to the first of the server's addresses that takes it, within `limit` for all of them.
pub(crate) async fn tcp(server: ServerAddress, limit: Duration) -> Result<TcpStream, Broken> {
    let deadline = Instant::now() + limit;
    let addresses = timeout_at(deadline, resolve(&server))
        .await
        .map_err(|_| Broken::new(Phase::Resolve, Failure::ConnectTimeout(limit)))?
        .map_err(|error| Broken::new(Phase::Resolve, Failure::io(error)))?;
    let mut last = Failure::io(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for (at, address) in addresses.iter().enumerate() {
        // An address that swallows packets must leave time for the others.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|error| Broken::new(Phase::Connect, Failure::io(error)))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = Failure::io(error),
            Err(_) => last = Failure::ConnectTimeout(limit),
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
    match timeout_at(Instant::now() + limit, connector(server)).await {
        Ok(opened) => opened.map_err(|error| Broken::new(Phase::Connect, Failure::io(error))),
        Err(_) => Err(Broken::new(Phase::Connect, Failure::ConnectTimeout(limit))),
    }
}
