//! One error type for everything that can go wrong with a query, with every attempt that was made.

use std::fmt;
use std::sync::Arc;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::model::Name;

use crate::failure::{Attempt, Failure, is_busy, is_not_ready};

/// What every fallible call returns.
pub type Result<T> = std::result::Result<T, NameServerError>;

/// The six classes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No server could be reached, or the connection died while the call was waiting.
    Connection,
    /// The call's deadline passed.
    Timeout,
    /// A peer that does not speak RocketMQ, or a request that does not fit the wire.
    Protocol,
    /// A server understood and said no: see [`NameServerError::code`].
    Response,
    /// A successful answer whose content is not what it must be.
    DataParse,
    /// The call itself is wrong: a bad address, a closed client, a blocking call inside an async runtime.
    Usage,
}

/// Why a call failed: its class, the question, and every attempt that was made. Cheap to clone.
///
/// ```
/// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
/// use rocketmq_nameserver::ErrorKind;
///
/// match client.query_topic_route_info("TopicTest").await {
///     Ok(route) => println!("{} brokers", route.broker_data_list.len()),
///     Err(error) if error.is_topic_not_found() => println!("create the topic first"),
///     Err(error) if error.kind() == ErrorKind::Connection => println!("no server: {error}"),
///     Err(error) if error.is_retryable() => println!("later: {error}"),
///     Err(error) => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct NameServerError(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    /// What was asked, or for [`ErrorKind::Usage`] what is wrong and how to mend it.
    what: String,
    topic: Option<Name>,
    attempts: Vec<Attempt>,
    /// Which attempt tells most.
    decisive: usize,
}

impl NameServerError {
    /// A call that is wrong in itself. The text says how to mend it.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        let inner = Inner {
            kind: ErrorKind::Usage,
            what: what.into(),
            topic: None,
            attempts: Vec::new(),
            decisive: 0,
        };
        NameServerError(Arc::new(inner))
    }

    /// The machine does not play along before any server could be tried.
    pub(crate) fn unable(what: String) -> Self {
        let kind = ErrorKind::Connection;
        NameServerError(Arc::new(Inner { kind, what, topic: None, attempts: Vec::new(), decisive: 0 }))
    }

    /// A call whose attempts all failed. What a server said tells more than what happened on the way to others: an
    /// answer that came last although it cannot be read, then a refusal that is final, then any refusal, then the last
    /// attempt.
    pub(crate) fn failed(what: String, topic: Option<Name>, attempts: Vec<Attempt>) -> Self {
        let last = attempts.len().saturating_sub(1);
        let unreadable = attempts.last().is_some_and(|last| matches!(last.failure, Failure::DataParse(_)));
        let refused = |attempt: &Attempt| attempt.failure.kind() == ErrorKind::Response;
        let is_final = |attempt: &Attempt| refused(attempt) && !attempt.failure.is_worth_another_server();
        let decisive = if unreadable { Some(last) } else { attempts.iter().rposition(is_final) };
        let decisive = decisive.or_else(|| attempts.iter().rposition(refused)).unwrap_or(last);
        let kind = attempts.get(decisive).map_or(ErrorKind::Usage, |attempt| attempt.failure.kind());
        NameServerError(Arc::new(Inner { kind, what, topic, attempts, decisive }))
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Every attempt, in the order in which they were made. Empty if no server was tried.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// The server whose failure decided, `host:port`.
    pub fn server(&self) -> Option<&str> {
        self.decisive().map(|attempt| attempt.server.as_str())
    }

    /// The topic that was asked for, if it was one.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// The response code, if a server said no.
    pub fn code(&self) -> Option<ResponseCode> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// The server's words, if it said no and gave a reason.
    pub fn remark(&self) -> Option<&str> {
        self.refusal().and_then(|refusal| refusal.remark.as_deref())
    }

    /// A server knows no route for the topic. With several servers a second one was asked too, unless all others were
    /// known to fail.
    pub fn is_topic_not_found(&self) -> bool {
        self.code() == Some(ResponseCode::TOPIC_NOT_EXIST)
    }

    /// The server has just started and does not trust its tables yet (5.1 and later).
    pub fn is_not_ready(&self) -> bool {
        self.refusal().is_some_and(is_not_ready)
    }

    /// The server is overloaded.
    pub fn is_busy(&self) -> bool {
        self.refusal().is_some_and(is_busy)
    }

    /// A limit on time was reached: the call's, or that for connecting.
    pub fn is_timeout(&self) -> bool {
        let connecting =
            self.decisive().is_some_and(|attempt| matches!(attempt.failure, Failure::ConnectTimeout(_)));
        connecting || self.kind() == ErrorKind::Timeout
    }

    /// Whether the same call may succeed later without any change to it.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Connection | ErrorKind::Timeout => true,
            ErrorKind::Response => self.is_not_ready() || self.is_busy(),
            ErrorKind::Protocol | ErrorKind::DataParse | ErrorKind::Usage => false,
        }
    }

    fn decisive(&self) -> Option<&Attempt> {
        self.0.attempts.get(self.0.decisive)
    }

    fn refusal(&self) -> Option<&Refusal> {
        match &self.decisive()?.failure {
            Failure::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// What the user can do about it.
    fn advice(&self) -> &'static str {
        match self.kind() {
            _ if self.is_topic_not_found() => {
                "Check the spelling, create the topic, or see whether its brokers are registered at this NameServer."
            }
            _ if self.is_not_ready() => "The NameServer has just started; ask again in a few seconds.",
            _ if self.is_busy() => "The NameServer is overloaded; ask again later.",
            ErrorKind::Connection if self.decisive().is_some_and(|last| last.failure.is_our_own_doing()) => {
                "The connection was closed on this side; a new call connects again."
            }
            ErrorKind::Connection => {
                "Check that a NameServer listens at the address and that nothing blocks the way."
            }
            ErrorKind::Timeout => {
                "Check that the address is a NameServer's and not another service's, or allow more time."
            }
            ErrorKind::Protocol if self.decisive().is_some_and(|last| last.failure.is_limit_too_low()) => {
                "The client's setting max_frame_size allows larger frames, if it was told to."
            }
            ErrorKind::Protocol => {
                "Check that the address belongs to a NameServer and not to another service."
            }
            // The remark does not say why.
            ErrorKind::Response if self.remark() == Some("register broker failed") => {
                "A 5.x NameServer takes a new broker with no topic or with two and more, but not with exactly one."
            }
            ErrorKind::Response => "The server's remark says why.",
            ErrorKind::DataParse => {
                "The answer is damaged or from an unknown kind of server; please report it."
            }
            ErrorKind::Usage => "",
        }
    }
}

/// One line: what failed, each attempt, what to do.
impl fmt::Display for NameServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.attempts.is_empty() {
            return f.write_str(&self.0.what);
        }
        let verdict = if self.is_topic_not_found() { "not found:" } else { "cannot get" };
        write!(f, "{verdict} {}", self.0.what)?;
        for (at, attempt) in self.0.attempts.iter().enumerate() {
            write!(f, "{} {attempt}", if at == 0 { ":" } else { ";" })?;
        }
        write!(f, ". {}", self.advice())
    }
}

/// The same line, because this is what `fn main() -> Result` prints; with `{:#?}` all parts.
impl fmt::Debug for NameServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        f.debug_struct("NameServerError")
            .field("kind", &self.0.kind)
            .field("what", &self.0.what)
            .field("attempts", &self.0.attempts)
            .finish_non_exhaustive()
    }
}

/// The source is the failure that decided.
impl std::error::Error for NameServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.decisive().map(|attempt| &attempt.failure as _)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocketmq_nameserver_protocol::error::{DataParseError, ProtocolError};

    use super::*;
    use crate::failure::Phase;

    fn attempt(failure: Failure) -> Attempt {
        Attempt {
            server: Name::from("127.0.0.1:9876"),
            phase: Phase::Wait,
            elapsed: Duration::from_millis(3),
            failure,
        }
    }

    fn refused(code: ResponseCode, remark: &str) -> Failure {
        Failure::Refused(Refusal::new(code, remark))
    }

    #[test]
    fn questions_are_answered_without_reading_text() {
        #[derive(Debug, PartialEq)]
        struct Answers {
            kind: ErrorKind,
            not_found: bool,
            not_ready: bool,
            busy: bool,
            timeout: bool,
            retryable: bool,
        }
        let check = |failures: Vec<Failure>, kind: ErrorKind, yes: &[&str]| {
            let shown = format!("{failures:?}");
            let error =
                NameServerError::failed("x".into(), None, failures.into_iter().map(attempt).collect());
            let answers = Answers {
                kind: error.kind(),
                not_found: error.is_topic_not_found(),
                not_ready: error.is_not_ready(),
                busy: error.is_busy(),
                timeout: error.is_timeout(),
                retryable: error.is_retryable(),
            };
            let said = |word| yes.contains(&word);
            let expected = Answers {
                kind,
                not_found: said("not found"),
                not_ready: said("not ready"),
                busy: said("busy"),
                timeout: said("timeout"),
                retryable: said("retryable"),
            };
            assert_eq!(answers, expected, "{shown}");
        };
        let not_found = || refused(ResponseCode::TOPIC_NOT_EXIST, "No topic route info");
        check(vec![not_found()], ErrorKind::Response, &["not found"]);
        check(vec![not_found(), Failure::Closed], ErrorKind::Response, &["not found"]);
        check(vec![not_found(), refused(ResponseCode::SYSTEM_BUSY, "")], ErrorKind::Response, &["not found"]);
        check(vec![not_found(), Failure::DataParse(DataParseError::missing("x"))], ErrorKind::DataParse, &[]);
        let not_ready = refused(ResponseCode::SYSTEM_ERROR, "name server not ready");
        check(vec![not_ready], ErrorKind::Response, &["not ready", "retryable"]);
        check(vec![refused(ResponseCode::SYSTEM_ERROR, "java.lang…")], ErrorKind::Response, &[]);
        check(
            vec![refused(ResponseCode::SYSTEM_BUSY, "[OVERLOAD]")],
            ErrorKind::Response,
            &["busy", "retryable"],
        );
        check(vec![Failure::Closed, Failure::Silent], ErrorKind::Connection, &["retryable"]);
        check(
            vec![Failure::ConnectTimeout(Duration::ZERO)],
            ErrorKind::Connection,
            &["timeout", "retryable"],
        );
        check(vec![Failure::Deadline], ErrorKind::Timeout, &["timeout", "retryable"]);
        check(vec![Failure::Protocol(ProtocolError::UnknownSerializeType(9))], ErrorKind::Protocol, &[]);
        check(vec![Failure::DataParse(DataParseError::missing("x"))], ErrorKind::DataParse, &[]);
    }

    #[test]
    fn the_message_names_the_question_the_attempts_and_what_to_do() {
        let attempts = vec![attempt(Failure::Closed), attempt(Failure::Deadline)];
        let error = NameServerError::failed("the route of \"T\"".into(), Some(Name::from("T")), attempts);
        assert_eq!(
            error.to_string(),
            "cannot get the route of \"T\": 127.0.0.1:9876 [wait, 3.0ms] the server closed the connection; 127.0.0.1:9876 \
             [wait, 3.0ms] no answer before the deadline. Check that the address is a NameServer's and not another service's, \
             or allow more time."
        );
    }
}
