//! One connection to a server, blocking, and every wait on it bounded.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::reply::Reply;
use super::request::Request;

/// How long connecting, sending and any answer may take. A server on this machine answers within milliseconds, a JVM that
/// is still warming up within a second.
const LIMIT: Duration = Duration::from_secs(10);

/// The largest frame of a Java server (`docs/wire.md` §1).
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

/// Asked to see that a silent connection still works: every server answers it.
const GET_BROKER_CLUSTER_INFO: i32 = 106;

/// What a request is expected to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// An answer, which is waited for.
    Answer,
    /// Nothing for that long; then the connection must still work, and nothing have come before.
    SilenceFor(Duration),
}

/// A connection over which one request follows the other.
pub struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What connecting says.
    pub fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(LIMIT))?;
        Ok(Connection { stream, input: Vec::new() })
    }

    /// Sends a request and says what came of it.
    pub fn exchange(&mut self, request: &Request, expectation: Expectation) -> Reply {
        self.exchange_bytes(&request.to_frame(), request.code, expectation)
    }

    /// Sends any bytes, which may be a request with that code, and says what came of it.
    pub fn exchange_bytes(&mut self, bytes: &[u8], code: i32, expectation: Expectation) -> Reply {
        let silence = match expectation {
            Expectation::Answer => LIMIT,
            Expectation::SilenceFor(silence) => silence,
        };
        if let Err(error) = self.stream.write_all(bytes) {
            return missing(&error);
        }
        match self.next_frame(silence) {
            Ok(frame) => answer(&frame, code),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => self.prove_silence(code),
            Err(error) => missing(&error),
        }
    }

    /// Asks something that is always answered: then nothing may come before that answer.
    fn prove_silence(&mut self, code: i32) -> Reply {
        let proof = Request::new(GET_BROKER_CLUSTER_INFO);
        if let Err(error) = self.stream.write_all(&proof.to_frame()) {
            return missing(&error);
        }
        let late = match self.next_frame(LIMIT) {
            Ok(frame) => frame,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Reply::Broken("the connection is dead".to_owned());
            }
            Err(error) => return missing(&error),
        };
        match Answer::cut(&late, GET_BROKER_CLUSTER_INFO) {
            Ok(proof) if proof.code == 0 && proof.body.has("brokerAddrTable") => Reply::Silence,
            _ => answer(&late, code),
        }
    }

    fn next_frame(&mut self, limit: Duration) -> io::Result<Vec<u8>> {
        let end = Instant::now() + limit;
        let mut chunk = [0; 64 * 1024];
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(frame);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.input.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                // A limit that has passed is called WouldBlock on Unix; the next turn says it in clear.
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn cut(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(total) = self.input.first_chunk::<4>() else { return Ok(None) };
        let size = u32::from_be_bytes(*total) as usize + 4;
        if size > LARGEST_FRAME {
            return Err(io::Error::other(format!("a frame of {size} bytes")));
        }
        if self.input.len() < size {
            return Ok(None);
        }
        let rest = self.input.split_off(size);
        Ok(Some(std::mem::replace(&mut self.input, rest)))
    }
}

fn answer(frame: &[u8], code: i32) -> Reply {
    Answer::cut(frame, code).map_or_else(Reply::Broken, |answer| Reply::Answer(Box::new(answer)))
}

fn missing(error: &io::Error) -> Reply {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => Reply::Closed,
        _ => Reply::Broken(error.to_string()),
    }
}
