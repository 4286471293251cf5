//! What the machine allows: a client that sends ready-made requests and parses nothing but the lengths of frames.
//!
//! A plain blocking socket and no runtime: a client without the work. The others are told as parts of this.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::request::{GetRouteInfo, Request};

use crate::Outcome;
use crate::measure::{Slice, Stopwatch};
use crate::rounds::{Asker, BATCH, Load, MANY, topic};
use crate::stub::PATIENCE;

const READ_SIZE: usize = 256 * 1024;
const WORD: usize = 4;

/// The floor.
#[derive(Debug)]
pub(crate) struct Floor {
    socket: TcpStream,
    /// As many requests as may be in flight, one behind the other.
    requests: Vec<u8>,
    request_size: usize,
    answers: Answers,
}

impl Floor {
    /// Connects to a server that knows the first [`topic`].
    pub(crate) fn connect(address: SocketAddr) -> Outcome<Floor> {
        let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        // The request that the client sends, to the byte.
        let request = GetRouteInfo::new(topic(1)).to_command().to_frame(SerializeType::Json)?;
        Ok(Floor {
            socket,
            requests: request.repeat(MANY),
            request_size: request.len(),
            answers: Answers::default(),
        })
    }

    fn send(&mut self, count: usize) -> io::Result<()> {
        let bytes = self.requests.get(..count * self.request_size);
        self.socket.write_all(bytes.unwrap_or_default())
    }

    /// Reads once; returns how many answers are whole now.
    fn receive(&mut self) -> io::Result<usize> {
        self.answers.read_from(&mut self.socket, |_| ())
    }

    fn ask_once(&mut self) -> io::Result<()> {
        self.send(1)?;
        while self.receive()? == 0 {}
        Ok(())
    }

    /// Keeps [`MANY`] requests in flight as long as `wanted`, given how many were sent, says that more are. Waits for
    /// all answers and returns their number.
    fn ask_pipelined(&mut self, wanted: impl Fn(usize) -> usize) -> io::Result<u64> {
        self.send(MANY)?;
        let (mut sent, mut answered) = (MANY, 0);
        while answered < sent {
            let count = self.receive()?;
            answered += count;
            let next = count.min(wanted(sent));
            if next > 0 {
                self.send(next)?;
                sent += next;
            }
        }
        Ok(answered as u64)
    }
}

impl Asker for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn ask(&mut self, load: Load, slice: Duration) -> Outcome<Slice> {
        let stopwatch = Stopwatch::start();
        let mut now = Instant::now();
        let until = now + slice;
        let (mut queries, mut waits) = (0, Vec::new());
        match load {
            Load::Many => {
                queries = self.ask_pipelined(|_| if Instant::now() < until { MANY } else { 0 })?;
            }
            Load::One | Load::Batch => {
                while now < until {
                    if load == Load::One {
                        self.ask_once()?;
                        queries += 1;
                    } else {
                        queries += self.ask_pipelined(|sent| BATCH - sent)?;
                    }
                    let then = std::mem::replace(&mut now, Instant::now());
                    waits.push(now - then);
                }
            }
        }
        Ok(stopwatch.stop(queries, waits))
    }
}

/// Counts answers by their length words.
#[derive(Debug)]
pub(crate) struct Answers {
    buffer: Vec<u8>,
    filled: usize,
}

impl Default for Answers {
    fn default() -> Self {
        Answers::with_room_for(READ_SIZE)
    }
}

impl Answers {
    /// Reads so many bytes at once; an answer may not be larger.
    pub(crate) fn with_room_for(bytes: usize) -> Self {
        Answers { buffer: vec![0; bytes], filled: 0 }
    }

    /// Reads once and drops what is whole, after a look at each answer without its length word; returns how many answers
    /// that were.
    pub(crate) fn read_from(
        &mut self,
        source: &mut impl Read,
        mut look: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        match source.read(self.buffer.get_mut(self.filled..).unwrap_or_default())? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => self.filled += count,
        }
        let mut rest = self.buffer.get(..self.filled).unwrap_or_default();
        let mut whole = 0;
        while let Some((total, behind)) = rest.split_first_chunk::<WORD>() {
            let Some((answer, behind)) = behind.split_at_checked(u32::from_be_bytes(*total) as usize) else {
                break;
            };
            look(answer);
            rest = behind;
            whole += 1;
        }
        let left = rest.len();
        self.buffer.copy_within(self.filled - left..self.filled, 0);
        self.filled = left;
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::ROUTE_FRAME;

    /// Hands out its bytes in pieces of that size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = buffer.len().min(self.1);
            self.0.read(&mut buffer[..size])
        }
    }

    #[test]
    fn answers_are_counted_in_any_pieces() {
        let three = ROUTE_FRAME.repeat(3);
        for size in [1, 3, 7, ROUTE_FRAME.len(), ROUTE_FRAME.len() + 1, usize::MAX] {
            let (mut source, mut answers, mut counted) = (Pieces(&three, size), Answers::default(), 0);
            let end = loop {
                match answers.read_from(&mut source, |answer| assert_eq!(answer, &ROUTE_FRAME[WORD..])) {
                    Ok(count) => counted += count,
                    Err(error) => break error,
                }
            };
            assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof, "pieces of {size}");
            assert_eq!((counted, answers.filled), (3, 0), "pieces of {size}");
        }
    }
}
