//! A broker in a process of its own that registers a changed table each second.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use super::cluster::BROKERS;
use super::frames::registration;
use super::helper::{self, Helper};
use super::wire::{ask, connect};
use crate::Outcome;
use crate::stub::PATIENCE;

/// The hidden command.
const REGISTER: &str = "register";

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct RegisterArguments {
    address: SocketAddr,
    topics: usize,
    tables: u32,
}

/// The broker as the bench program sees it. It goes when this is dropped.
pub(super) struct Registrar {
    helper: Helper,
    length: Duration,
}

impl Registrar {
    /// Starts a broker, which registers so many topics and then is silent; all that it will say in so much time is
    /// ready.
    pub(super) fn start(address: SocketAddr, topics: usize, length: Duration) -> Outcome<Registrar> {
        let tables = length.as_secs().max(1);
        let arguments = [address.to_string(), topics.to_string(), tables.to_string()];
        let helper = Helper::start(REGISTER, arguments)?;
        helper.line(PATIENCE)?;
        Ok(Registrar { helper, length })
    }

    /// From now on it registers.
    pub(super) fn go(&mut self) -> Outcome<()> {
        self.helper.tell("go")
    }

    /// Waits until it has registered for the last time; how long each registration took, in ms.
    pub(super) fn finish(self) -> Outcome<Vec<f64>> {
        Ok(serde_json::from_str(&self.helper.line(self.length + PATIENCE)?)?)
    }
}

/// The broker itself.
pub(crate) fn register(arguments: &RegisterArguments) -> Outcome<()> {
    let RegisterArguments { address, topics, tables } = *arguments;
    // One more broker than the others.
    let frame = |table| registration(BROKERS, topics, table);
    let frames = (1..=tables).map(frame).collect::<Outcome<Vec<_>>>()?;
    let mut socket = connect(address)?;
    ask(&mut socket, &frame(0)?)?;
    helper::reply("ready")?;
    if helper::wait()?.is_none() {
        return Ok(());
    }
    let start = Instant::now();
    let mut took = Vec::new();
    // In the middle of each second: the first and the last are whole while the loop beside it runs.
    for (number, frame) in (0..).zip(&frames) {
        let at = start + EVERY / 2 + EVERY * number;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        let begin = Instant::now();
        ask(&mut socket, frame)?;
        took.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    helper::reply(&serde_json::to_string(&took)?)?;
    helper::wait()?;
    Ok(())
}
