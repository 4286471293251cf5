//! What can go wrong between here and a running Java server, and what to do about it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use rocketmq_nameserver_protocol::code::RequestCode;
use rocketmq_nameserver_protocol::error::{DataParseError, EncodeError, ProtocolError, Refusal};

use super::Release;

/// Why there is no running server, or no answer from it. The text says what to do next.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InteropError {
    /// A program is not there.
    #[error("`{tool}` does not run here: install a JDK (17 is tested) and Maven 3, and put both on the PATH")]
    MissingTool {
        /// The program.
        tool: &'static str,
    },
    /// Maven ran and failed, or did not end in time.
    #[error(
        "Maven could not fetch RocketMQ {release} ({ending}); see that it reaches a repository, for example through \
         a mirror in its settings. It said last:\n{output}"
    )]
    Fetch {
        /// What was to be fetched.
        release: Release,
        /// How it ended.
        ending: String,
        /// Its last lines.
        output: String,
    },
    /// A file, a folder or a process would not do as it was told.
    #[error("could not {action}: {source}; see that the build folder is writable and not full")]
    Io {
        /// What was tried.
        action: String,
        /// Why it failed.
        source: io::Error,
    },
    /// No port from the range for servers is free.
    #[error("no free port between 10240 and 31840 on 127.0.0.1: end the programs that hold them")]
    NoFreePort,
    /// A client or a tool failed, or did not end in time.
    #[error("{program} failed ({ending}); it said last:\n{output}")]
    Program {
        /// Which program.
        program: String,
        /// How it ended.
        ending: String,
        /// Its last lines.
        output: String,
    },
    /// A server ended on its own.
    #[error("{server} ended by itself ({status}) before it was ready; it said last:\n{output}")]
    Ended {
        /// Which server.
        server: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last lines.
        output: String,
    },
    /// A server runs but did not become ready.
    #[error(
        "{server} was not ready within {} s: {missing}; if the machine is slow, run fewer servers at once. \
         It said last:\n{output}", limit.as_secs()
    )]
    NotReady {
        /// Which server.
        server: String,
        /// How long it had.
        limit: Duration,
        /// What was still missing at the end.
        missing: String,
        /// Its last lines.
        output: String,
    },
    /// A broker or a topic does not show up at a NameServer.
    #[error("{address} still does not have {what} after {} s: {missing}; see the broker's output", limit.as_secs())]
    NotSeen {
        /// The NameServer.
        address: SocketAddr,
        /// What was to be seen there.
        what: String,
        /// How long it had.
        limit: Duration,
        /// What was still missing at the end.
        missing: String,
    },
    /// A broker that has stopped does not go away at a NameServer.
    #[error("{address} still has {what} {} s after it stopped; see the NameServer's output", limit.as_secs())]
    NotGone {
        /// The NameServer.
        address: SocketAddr,
        /// What should not be there.
        what: String,
        /// How long it had.
        limit: Duration,
    },
    /// A request got no answer: no connection, or nothing within the limit.
    #[error("{address} did not answer request {code}: {source}; see that the server is up")]
    NoAnswer {
        /// Who was asked.
        address: SocketAddr,
        /// What was asked.
        code: RequestCode,
        /// Why there is no answer.
        source: io::Error,
    },
    /// The server said no.
    #[error("{address} refused request {code}: {refusal}")]
    Refused {
        /// Who was asked.
        address: SocketAddr,
        /// What was asked.
        code: RequestCode,
        /// What it said.
        refusal: Refusal,
    },
    /// A frame that cannot be read.
    #[error("{address} answered with a frame that cannot be read: {source}; is it a RocketMQ server?")]
    BadFrame {
        /// Who was asked.
        address: SocketAddr,
        /// What is wrong with it.
        source: ProtocolError,
    },
    /// A body that cannot be read.
    #[error(
        "{address} answered request {code} with a body that cannot be read: {source}; keep it as a capture"
    )]
    BadBody {
        /// Who was asked.
        address: SocketAddr,
        /// What was asked.
        code: RequestCode,
        /// What is wrong with it.
        source: DataParseError,
    },
    /// A request that cannot be put on the wire.
    #[error("this request cannot be sent: {0}")]
    Encode(#[from] EncodeError),
}

impl InteropError {
    /// For `map_err`: what was tried, in words that follow "could not".
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> InteropError {
        let action = action.into();
        move |source| InteropError::Io { action, source }
    }

    /// Whether a server ended because somebody else took its port after it had been found free.
    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, InteropError::Ended { output, .. } if output.contains("Address already in use"))
    }
}

/// The same text as for people: `unwrap` and a test that returns an error print this form, and a log in it must keep
/// its lines.
impl fmt::Debug for InteropError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
