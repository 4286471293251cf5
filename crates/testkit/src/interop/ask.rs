//! One request, one answer, one connection, blocking: just enough to look at a server without the client under test.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::ProtocolError;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, Frame, SerializeType};
use rocketmq_nameserver_protocol::request::{Answer, Request};

use super::error::InteropError;

/// How long connecting may take, and then again everything behind it. A server on this machine answers within
/// milliseconds, a JVM that is still warming up within a second; a 4.x server does not answer some requests at all.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends a command with a JSON header and returns what comes back, refusals included.
///
/// # Errors
/// [`InteropError::NoAnswer`] if connecting takes over 5 s or the answer over 5 s more,
/// [`InteropError::BadFrame`] if it is no frame, [`InteropError::Encode`] if the command does not fit one.
pub fn ask(address: SocketAddr, command: &Command) -> Result<Command, InteropError> {
    ask_as(address, SerializeType::Json, command).map(|(_, answer)| answer)
}

/// Sends a command with a header of that form. The form of the answer's header comes with the answer: it may be the
/// other one (`docs/wire.md` §1.6).
///
/// # Errors
/// As [`ask`].
pub fn ask_as(
    address: SocketAddr,
    serialize_type: SerializeType,
    command: &Command,
) -> Result<(SerializeType, Command), InteropError> {
    let frame = exchange(address, &command.to_frame(serialize_type)?, command.header.opaque);
    frame.map_err(|failure| match failure {
        Failure::Io(source) => {
            InteropError::NoAnswer { address, code: RequestCode(command.header.code), source }
        }
        Failure::Frame(source) => InteropError::BadFrame { address, source },
    })
}

/// Asks a typed question.
///
/// # Errors
/// As [`ask`]; [`InteropError::Refused`] if the server says no, [`InteropError::BadBody`] if its answer is not what
/// the request promises.
pub fn query<R: Request>(address: SocketAddr, request: &R) -> Result<R::Response, InteropError> {
    let code = R::CODE;
    let response = ask(address, &request.to_command())?;
    let answer = Answer::from_response(response).map_err(|refusal| InteropError::Refused {
        address,
        code,
        refusal,
    })?;
    R::from_answer(&answer).map_err(|source| InteropError::BadBody { address, code, source })
}

enum Failure {
    Io(io::Error),
    Frame(ProtocolError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        Failure::Frame(error)
    }
}

fn exchange(address: SocketAddr, request: &[u8], opaque: i32) -> Result<(SerializeType, Command), Failure> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    let end = Instant::now() + LIMIT;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(request)?;
    let mut buffer = BytesMut::new();
    loop {
        let frame = next_frame(&mut stream, &mut buffer, end)?;
        let serialize_type = frame.serialize_type;
        let answer = Command::from_frame(frame)?;
        // Servers may notify whoever is connected: that is not what was asked for.
        if answer.header.is_response() && answer.header.opaque == opaque {
            return Ok((serialize_type, answer));
        }
    }
}

fn next_frame(stream: &mut TcpStream, buffer: &mut BytesMut, end: Instant) -> Result<Frame, Failure> {
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(frame) = frame::cut(buffer, DEFAULT_MAX_FRAME_SIZE)? {
            return Ok(frame);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(count) => buffer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            // Nothing yet. A limit that has passed is called WouldBlock on Unix; the next turn says it in clear.
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
