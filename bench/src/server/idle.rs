//! Many connections in a process of its own: each asks once and then is idle.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::frames::Queries;
use super::helper::{self, Helper};
use super::wire::{ask, connect};
use crate::{Outcome, say};

/// The hidden command.
const IDLE: &str = "idle";

/// How long opening all connections, or asking over all of them, may take. It takes a second or two.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct IdleArguments {
    address: SocketAddr,
    connections: usize,
}

/// The connections as the bench program sees them. They close when this is dropped.
pub(super) struct IdleConnections {
    helper: Helper,
    /// How many could be opened.
    pub(super) opened: usize,
}

impl IdleConnections {
    /// Opens so many; each has had one answer when this returns.
    pub(super) fn open(address: SocketAddr, connections: usize) -> Outcome<IdleConnections> {
        let helper = Helper::start(IDLE, [address.to_string(), connections.to_string()])?;
        let opened = helper.line(LIMIT)?.trim().parse()?;
        Ok(IdleConnections { helper, opened })
    }

    /// How many of them still get an answer.
    pub(super) fn kept(mut self) -> Outcome<usize> {
        self.helper.tell("ask")?;
        Ok(self.helper.line(LIMIT)?.trim().parse()?)
    }
}

/// The connections themselves.
pub(crate) fn hold(arguments: &IdleArguments) -> Outcome<()> {
    let query = Queries::new(1, 1)?;
    let mut sockets = Vec::with_capacity(arguments.connections);
    for _ in 0..arguments.connections {
        match open(arguments.address, query.get(0..1)) {
            Ok(socket) => sockets.push(socket),
            Err(error) => {
                say(&format!("bench idle: connection {}: {error}", sockets.len() + 1));
                break;
            }
        }
    }
    helper::reply(&sockets.len().to_string())?;
    if helper::wait()?.is_some() {
        let kept = sockets.iter_mut().filter_map(|socket| ask(socket, query.get(0..1)).ok()).count();
        helper::reply(&kept.to_string())?;
        helper::wait()?;
    }
    Ok(())
}

fn open(address: SocketAddr, query: &[u8]) -> Outcome<TcpStream> {
    let mut socket = connect(address)?;
    ask(&mut socket, query)?;
    Ok(socket)
}
