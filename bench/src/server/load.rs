//! Closed loops: a new query for each answer, over one connection or over many.
//!
//! The load generator is the bench program's own process; it parses nothing but the lengths of frames.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use std::io::{self, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::frames::Queries;
use super::wire::connect;
use crate::Outcome;
use crate::floor::Answers;
use crate::measure::{Slice, Stopwatch};
use crate::rounds::MANY;
use crate::stub::PATIENCE;

/// Keeps a server busy for a slice of time.
pub(crate) trait Load {
    fn ask(&mut self, slice: Duration) -> Outcome<Slice>;
}

/// One connection with [`MANY`] queries in flight.
pub(crate) struct Pipeline {
    socket: TcpStream,
    queries: Arc<Queries>,
    next: usize,
    answers: Answers,
}

impl Pipeline {
    pub(crate) fn connect(address: SocketAddr, queries: Arc<Queries>) -> Outcome<Pipeline> {
        Ok(Pipeline { socket: connect(address)?, queries, next: 0, answers: Answers::default() })
    }

    fn send(&mut self, mut count: usize) -> io::Result<()> {
        while count > 0 {
            let end = self.queries.count().min(self.next + count);
            self.socket.write_all(self.queries.get(self.next..end))?;
            count -= end - self.next;
            self.next = end % self.queries.count();
        }
        Ok(())
    }
}

impl Load for Pipeline {
    fn ask(&mut self, slice: Duration) -> Outcome<Slice> {
        let stopwatch = Stopwatch::start();
        let until = Instant::now() + slice;
        self.send(MANY)?;
        let (mut in_flight, mut answered) = (MANY, 0);
        while in_flight > 0 {
            let count = self.answers.read_from(&mut self.socket, |_| ())?;
            answered += count as u64;
            in_flight -= count.min(in_flight);
            if Instant::now() < until {
                self.send(count)?;
                in_flight += count;
            }
        }
        Ok(stopwatch.stop(answered, Vec::new()))
    }
}

/// [`MANY`] connections with one query in flight each: a thread that turns to whichever has its answer.
pub(super) struct Crowd {
    runtime: Runtime,
    members: Vec<Member>,
}

impl Crowd {
    pub(super) fn connect(address: SocketAddr, queries: &Arc<Queries>) -> Outcome<Crowd> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let member = |number| {
            let socket = connect(address)?;
            socket.set_nonblocking(true)?;
            let _inside = runtime.enter();
            let next = number * queries.count() / MANY;
            let buffer = vec![0; READ_SIZE];
            Ok(Member { socket: socket.try_into()?, queries: Arc::clone(queries), next, buffer })
        };
        let members = (0..MANY).map(member).collect::<io::Result<_>>()?;
        Ok(Crowd { runtime, members })
    }
}

impl Load for Crowd {
    fn ask(&mut self, slice: Duration) -> Outcome<Slice> {
        let stopwatch = Stopwatch::start();
        let until = Instant::now() + slice;
        let mut tasks = JoinSet::new();
        let mut waits = Vec::new();
        let asked = self.runtime.block_on(async {
            for member in self.members.drain(..) {
                tasks.spawn(member.ask_until(until));
            }
            while let Some(ended) = tasks.join_next().await {
                let (member, its_waits) = ended??;
                self.members.push(member);
                waits.extend(its_waits);
            }
            Outcome::Ok(())
        });
        asked?;
        Ok(stopwatch.stop(waits.len() as u64, waits))
    }
}

/// More than an answer takes.
const READ_SIZE: usize = 16 * 1024;

struct Member {
    socket: tokio::net::TcpStream,
    queries: Arc<Queries>,
    next: usize,
    buffer: Vec<u8>,
}

impl Member {
    async fn ask_until(mut self, until: Instant) -> io::Result<(Member, Vec<Duration>)> {
        let mut waits = Vec::new();
        // One limit for all: a timer for each query would be work of its own.
        let limit = until.saturating_duration_since(Instant::now()) + PATIENCE;
        timeout(limit, async {
            let mut now = Instant::now();
            while now < until {
                self.ask_once().await?;
                let then = std::mem::replace(&mut now, Instant::now());
                waits.push(now - then);
            }
            io::Result::Ok(())
        })
        .await??;
        Ok((self, waits))
    }

    async fn ask_once(&mut self) -> io::Result<()> {
        self.socket.write_all(self.queries.get(self.next..self.next + 1)).await?;
        self.next = (self.next + 1) % self.queries.count();
        let mut filled = 0;
        while !is_whole(self.buffer.get(..filled).unwrap_or_default()) {
            match self.socket.read(self.buffer.get_mut(filled..).unwrap_or_default()).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(())
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let parts = bytes.split_first_chunk::<4>();
    parts.is_some_and(|(total, behind)| behind.len() >= u32::from_be_bytes(*total) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_says_so() {
        for (bytes, expected) in
            [(&b""[..], false), (b"\0\0\0", false), (b"\0\0\0\x02a", false), (b"\0\0\0\x02ab", true)]
        {
            assert_eq!(is_whole(bytes), expected, "{bytes:?}");
        }
    }
}
