//! What can go wrong with one attempt at one server, and what that means for the next one.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
use rocketmq_nameserver_protocol::error::{DataParseError, EncodeError, ProtocolError, Refusal};
use rocketmq_nameserver_protocol::model::Name;

use crate::error::ErrorKind;

/// What was being done when an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Looking up the host name.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Sending the request.
    Write,
    /// Waiting for the answer.
    Wait,
    /// Reading the answer.
    Decode,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Write => "write",
            Phase::Wait => "wait",
            Phase::Decode => "decode",
        })
    }
}

/// Why one attempt at one server failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Failure {
    /// The operating system says why.
    Io(Arc<io::Error>),
    /// The connection did not open within this limit.
    ConnectTimeout(Duration),
    /// The server closed the connection.
    Closed,
    /// Nothing at all came from the server while a call waited until its deadline, so the connection was given up.
    Silent,
    /// The client was disconnected while the call was waiting.
    Disconnected,
    /// The runtime that the connection lived on is gone.
    RuntimeGone,
    /// The server is shutting down and asked to go elsewhere.
    GoAway,
    /// The call's deadline passed.
    Deadline,
    /// The bytes that came cannot be trusted.
    Protocol(ProtocolError),
    /// The request does not fit the wire.
    Encode(EncodeError),
    /// The server said no.
    Refused(Refusal),
    /// The server's release, which this is, never answers such a request, so it was not sent.
    Unsupported(Version),
    /// The content of the answer is wrong.
    DataParse(DataParseError),
}

impl Failure {
    pub(crate) fn io(error: io::Error) -> Failure {
        Failure::Io(Arc::new(error))
    }

    /// The class that this failure belongs to.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Failure::Io(_)
            | Failure::ConnectTimeout(_)
            | Failure::Closed
            | Failure::Silent
            | Failure::Disconnected
            | Failure::RuntimeGone
            | Failure::GoAway => ErrorKind::Connection,
            Failure::Deadline => ErrorKind::Timeout,
            Failure::Protocol(_) | Failure::Encode(_) => ErrorKind::Protocol,
            Failure::Refused(_) | Failure::Unsupported(_) => ErrorKind::Response,
            Failure::DataParse(_) => ErrorKind::DataParse,
        }
    }

    /// Whether another server may do better: the failure lies with this server or the way to it, not with the
    /// question.
    pub(crate) fn is_worth_another_server(&self) -> bool {
        match self {
            Failure::Refused(refusal) => is_busy(refusal) || is_not_ready(refusal),
            Failure::Encode(_) | Failure::DataParse(_) | Failure::Disconnected => false,
            _ => true,
        }
    }
}

impl Failure {
    /// Not the server's fault, nor that of the way to it.
    pub(crate) fn is_our_own_doing(&self) -> bool {
        matches!(self, Failure::Disconnected | Failure::RuntimeGone)
    }

    /// The answer may be a real one that is larger than this client takes.
    pub(crate) fn is_limit_too_low(&self) -> bool {
        matches!(self, Failure::Protocol(error) if error.is_limit_too_low())
    }

    /// The connection is gone, and whether the request was carried out is not known.
    pub(crate) fn is_lost_connection(&self) -> bool {
        matches!(self, Failure::Closed | Failure::Io(_) | Failure::Silent | Failure::RuntimeGone)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Io(error) => write!(f, "{error}"),
            Failure::ConnectTimeout(limit) => write!(f, "no connection within {limit:?}"),
            Failure::Closed => f.write_str("the server closed the connection"),
            Failure::Silent => f.write_str("the server sent nothing, so the connection was given up"),
            Failure::Disconnected => f.write_str("the client was disconnected"),
            Failure::RuntimeGone => f.write_str("the runtime of the connection is gone"),
            Failure::GoAway => f.write_str("the server is shutting down"),
            Failure::Deadline => f.write_str("no answer before the deadline"),
            Failure::Protocol(error) => write!(f, "{error}"),
            Failure::Encode(error) => write!(f, "{error}"),
            Failure::Refused(refusal) => write!(f, "{refusal}"),
            Failure::Unsupported(version) => {
                write!(f, "not sent, because a server of release {version} never answers it")
            }
            Failure::DataParse(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failure::Io(error) => Some(error.as_ref()),
            Failure::Protocol(error) => Some(error),
            Failure::Encode(error) => Some(error),
            Failure::Refused(refusal) => Some(refusal),
            Failure::DataParse(error) => Some(error),
            _ => None,
        }
    }
}

/// One try at one server.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The server, `host:port`.
    pub server: Name,
    /// What was being done.
    pub phase: Phase,
    /// How long this try took.
    pub elapsed: Duration,
    /// Why it failed.
    pub failure: Failure,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}, {:.1?}] {}", self.server, self.phase, self.elapsed, self.failure)
    }
}

/// The server knows no route for the topic.
pub(crate) fn is_topic_not_found(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == ResponseCode::TOPIC_NOT_EXIST)
}

pub(crate) fn is_busy(refusal: &Refusal) -> bool {
    refusal.code == ResponseCode::SYSTEM_BUSY
}

/// There is no code of its own for this (`docs/wire.md` §2.2).
pub(crate) fn is_not_ready(refusal: &Refusal) -> bool {
    let remark = refusal.remark.as_deref().unwrap_or_default();
    refusal.code == ResponseCode::SYSTEM_ERROR && remark.contains("name server not ready")
}
