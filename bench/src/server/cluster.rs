//! Brokers by hand: a connection each, over which ready-made registrations go.

use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::frames::registration;
use super::wire::{ask, connect};
use crate::Outcome;

/// How many brokers there are.
pub(crate) const BROKERS: usize = 8;

/// How often brokers register again, as real ones do; servers forget them after 120 s.
const AGAIN: Duration = Duration::from_secs(30);

/// [`BROKERS`] brokers with the same topics. They are registered as long as this is, if [`stay`](Cluster::stay) is called
/// now and then.
pub(crate) struct Cluster {
    sockets: Vec<TcpStream>,
    /// What each of them sends next.
    frames: Vec<Vec<u8>>,
    topics: usize,
    table: u32,
    registered: Instant,
}

impl Cluster {
    /// Connects; nothing is registered yet.
    pub(super) fn connect(address: SocketAddr, topics: usize) -> Outcome<Cluster> {
        let sockets = (0..BROKERS).map(|_| connect(address)).collect::<Result<_, _>>()?;
        let mut cluster =
            Cluster { sockets, frames: Vec::new(), topics, table: 0, registered: Instant::now() };
        cluster.build()?;
        Ok(cluster)
    }

    /// Connects and registers.
    pub(crate) fn register(address: SocketAddr, topics: usize) -> Outcome<Cluster> {
        let mut cluster = Cluster::connect(address, topics)?;
        cluster.register_all()?;
        Ok(cluster)
    }

    /// Registers again if it is time.
    pub(crate) fn stay(&mut self) -> Outcome<()> {
        if self.registered.elapsed() >= AGAIN {
            self.register_all()?;
        }
        Ok(())
    }

    /// All brokers begin to register at the same time. Returns how long it took from the first byte sent to the last
    /// answer.
    pub(super) fn register_all(&mut self) -> Outcome<Duration> {
        let begin = Barrier::new(self.sockets.len());
        let spans = thread::scope(|scope| {
            let brokers = self.sockets.iter_mut().zip(&self.frames);
            let threads: Vec<_> = brokers
                .map(|(socket, frame)| {
                    let begin = &begin;
                    scope.spawn(move || {
                        begin.wait();
                        let start = Instant::now();
                        ask(socket, frame).map(|()| (start, Instant::now()))
                    })
                })
                .collect();
            let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
            joined.collect::<Outcome<Vec<_>>>()
        })?;
        self.registered = Instant::now();
        let first = spans.iter().map(|(start, _)| *start).min();
        let last = spans.iter().map(|(_, end)| *end).max();
        Ok(first.zip(last).map(|(first, last)| last - first).ok_or("there are no brokers")?)
    }

    /// From now on they register with the next table, in which every topic has changed.
    pub(super) fn change(&mut self) -> Outcome<()> {
        self.table += 1;
        self.build()
    }

    fn build(&mut self) -> Outcome<()> {
        self.frames.clear();
        for broker in 0..BROKERS {
            self.frames.push(registration(broker, self.topics, self.table)?);
        }
        Ok(())
    }
}
