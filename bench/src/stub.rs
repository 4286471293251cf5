//! A server in a process of its own that answers every request with the same ready-made bytes.
//!
//! Plain blocking sockets, one thread per connection, no runtime: many requests per read, all their answers in one
//! write. Only the opaque differs from answer to answer. It knows no topics, so its cost is the same for everyone
//! and a client's own cost shows beside it.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::{Outcome, say};

/// A real 5.3.3 answer: the route of a topic on 8 broker pairs, a body of 1,831 bytes.
pub(crate) const ROUTE_FRAME: &[u8] =
    include_bytes!("../../crates/testkit/captures/rocketmq-5.3.3-route.frame");

/// How long anything here may take before it counts as broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const WORD: usize = 4;
const OPAQUE: &[u8] = b"\"opaque\":";
const READ_SIZE: usize = 64 * 1024;

/// The stub as its parent sees it. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Stub {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Stub {
    /// Starts this program once more, as the stub, and waits for its address.
    pub(crate) fn start() -> Outcome<Stub> {
        let child = Command::new(env::current_exe()?)
            .arg("stub")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stub = Stub { child, address: (Ipv4Addr::UNSPECIFIED, 0).into() };
        let stdout = stub.child.stdout.take().ok_or("the stub has no stdout")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // If nobody waits any more, the wait below has failed already.
            let _ = sender.send(read.map(|_| line));
        });
        stub.address = receiver.recv_timeout(PATIENCE)??.trim().parse()?;
        Ok(stub)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        // It may be gone already; there is nothing left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The stub itself: prints its address, then serves until stdin ends.
pub(crate) fn serve() -> Outcome<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", listener.local_addr()?)?;
    stdout.flush()?;
    let answer = ReadyAnswer::new(ROUTE_FRAME).ok_or("the capture is not an answer with a JSON header")?;
    thread::spawn(move || {
        for connection in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || {
                if let Err(error) = connection.and_then(|socket| converse(socket, &answer)) {
                    say(&format!("bench stub: {error}"));
                }
            });
        }
    });
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

fn converse(mut socket: TcpStream, answer: &ReadyAnswer) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut input = vec![0; READ_SIZE];
    let mut filled = 0;
    let mut output = Vec::new();
    loop {
        match socket.read(input.get_mut(filled..).unwrap_or_default())? {
            0 if filled == 0 => return Ok(()),
            0 => return Err(broken("a request was cut short, or is larger than a stub takes")),
            count => filled += count,
        }
        let consumed = answer_all(input.get(..filled).unwrap_or_default(), answer, &mut output)?;
        input.copy_within(consumed..filled, 0);
        filled -= consumed;
        socket.write_all(&output)?;
        output.clear();
    }
}

/// Appends the answers to all whole requests in `input`; returns how many bytes those were.
fn answer_all(input: &[u8], answer: &ReadyAnswer, output: &mut Vec<u8>) -> io::Result<usize> {
    let mut rest = input;
    while let Some((total, behind)) = rest.split_first_chunk::<WORD>() {
        let total = u32::from_be_bytes(*total) as usize;
        let Some((frame, behind)) = behind.split_at_checked(total) else {
            break;
        };
        let opaque = opaque(frame).ok_or_else(|| broken("a request without an opaque in a JSON header"))?;
        answer.append(opaque, output);
        rest = behind;
    }
    Ok(input.len() - rest.len())
}

/// The digits of the opaque in a frame without its length word. Keys are sorted, so it stands near the end.
pub(crate) fn opaque(frame: &[u8]) -> Option<&[u8]> {
    let (word, behind) = frame.split_first_chunk::<WORD>()?;
    let [0, high, middle, low] = *word else {
        return None;
    };
    let header = behind.get(..u32::from_be_bytes([0, high, middle, low]) as usize)?;
    let (_, digits) = header.split_at_checked(place_of_opaque(header)?)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'-')?;
    digits.get(..end)
}

/// Where the opaque's digits start.
fn place_of_opaque(header: &[u8]) -> Option<usize> {
    header.windows(OPAQUE.len()).rposition(|window| window == OPAQUE).map(|at| at + OPAQUE.len())
}

/// An answer up to the opaque's digits and from there on.
#[derive(Debug, Clone)]
struct ReadyAnswer {
    header_start: Vec<u8>,
    header_end: Vec<u8>,
    body: Vec<u8>,
}

impl ReadyAnswer {
    /// Out of a whole frame.
    fn new(frame: &[u8]) -> Option<Self> {
        let frame = frame.get(WORD..)?;
        let digits = opaque(frame)?.len();
        let (word, behind) = frame.split_first_chunk::<WORD>()?;
        let (header, body) = behind.split_at_checked(u32::from_be_bytes(*word) as usize)?;
        let at = place_of_opaque(header)?;
        Some(ReadyAnswer {
            header_start: header.get(..at)?.to_vec(),
            header_end: header.get(at + digits..)?.to_vec(),
            body: body.to_vec(),
        })
    }

    fn append(&self, opaque: &[u8], output: &mut Vec<u8>) {
        let header = self.header_start.len() + opaque.len() + self.header_end.len();
        let total = WORD + header + self.body.len();
        output.extend_from_slice(&(total as u32).to_be_bytes());
        output.extend_from_slice(&(header as u32).to_be_bytes());
        for part in [self.header_start.as_slice(), opaque, &self.header_end, &self.body] {
            output.extend_from_slice(part);
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rocketmq_nameserver_protocol::frame::SerializeType;
    use rocketmq_nameserver_protocol::request::{GetRouteInfo, Request};
    use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

    use super::*;

    fn requests(opaques: &[i32]) -> (Session<i32>, Vec<u8>) {
        let mut session = Session::new(SessionConfig::default());
        for &opaque in opaques {
            let request = GetRouteInfo::new("Topic000001").to_command();
            session.call(Instant::now(), opaque, request, None, opaque).unwrap();
        }
        let bytes = session.output().split().to_vec();
        (session, bytes)
    }

    #[test]
    fn every_whole_request_gets_the_captured_body_under_its_own_opaque() {
        let opaques = [1, -7, i32::MAX];
        let (mut session, bytes) = requests(&opaques);
        let answer = ReadyAnswer::new(ROUTE_FRAME).unwrap();
        let body = &ROUTE_FRAME[ROUTE_FRAME.len() - answer.body.len()..];
        assert_eq!(body.len(), 1831);

        let mut output = Vec::new();
        let consumed = answer_all(&bytes, &answer, &mut output).unwrap();
        assert_eq!(consumed, bytes.len());
        session.feed(&output);
        for expected in opaques {
            let (waiter, command) = session.next_answer().unwrap().unwrap();
            assert_eq!((waiter, command.header.opaque), (expected, expected));
            assert_eq!(command.body, body);
        }
        session.end_of_stream().unwrap();
    }

    #[test]
    fn the_capture_under_its_own_opaque_is_itself() {
        let mut output = Vec::new();
        ReadyAnswer::new(ROUTE_FRAME).unwrap().append(b"7", &mut output);
        assert_eq!(output, ROUTE_FRAME);
    }

    #[test]
    fn a_request_that_is_not_whole_waits() {
        let (_, bytes) = requests(&[1, 2]);
        let answer = ReadyAnswer::new(ROUTE_FRAME).unwrap();
        for missing in 1..bytes.len() / 2 {
            let consumed = answer_all(&bytes[..bytes.len() - missing], &answer, &mut Vec::new());
            assert_eq!(consumed.unwrap(), bytes.len() / 2, "{missing} bytes missing");
        }
    }

    #[test]
    fn what_is_not_a_request_with_a_json_header_is_refused() {
        let (_, mut binary_header) = requests(&[1]);
        binary_header[WORD] = SerializeType::RocketMq.wire_byte();
        for bytes in [&binary_header[..], &[0, 0, 0, 0], b"\0\0\0\x06\0\0\0\x02{}"] {
            let error = answer_all(bytes, &ReadyAnswer::new(ROUTE_FRAME).unwrap(), &mut Vec::new());
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::InvalidData, "{bytes:02x?}");
        }
    }
}
