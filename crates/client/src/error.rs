//! One error type for everything that can go wrong with a query, with every attempt that was made.

mod message;

use std::collections::HashSet;
use std::sync::Arc;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::model::Name;

use crate::failure::{Attempt, Failure, is_busy, is_not_ready, is_topic_not_found};

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
    /// What could not be done with it: get, put, delete.
    verb: &'static str,
    /// What was asked, or for [`ErrorKind::Usage`] what is wrong and how to mend it.
    what: String,
    topic: Option<Name>,
    attempts: Vec<Attempt>,
    /// Which attempt tells most.
    decisive: usize,
    /// The servers at which a write that failed at others was done.
    done_at: Vec<Name>,
}

impl NameServerError {
    /// A call that is wrong in itself. The text says how to mend it.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        NameServerError::untried(ErrorKind::Usage, what.into())
    }

    /// The machine does not play along before any server could be tried.
    pub(crate) fn unable(what: String) -> Self {
        NameServerError::untried(ErrorKind::Connection, what)
    }

    /// No server could be tried, because none is known.
    pub(crate) fn without_servers(kind: ErrorKind, what: String) -> Self {
        NameServerError::untried(kind, what)
    }

    fn untried(kind: ErrorKind, what: String) -> Self {
        let (topic, attempts) = (None, Vec::new());
        let inner = Inner { kind, verb: "", what, topic, attempts, decisive: 0, done_at: Vec::new() };
        NameServerError(Arc::new(inner))
    }

    /// A call whose attempts all failed. What a server said tells more than what happened on the way to others: an
    /// answer that came last although it cannot be read, then a refusal that is final, then any refusal, then the last
    /// attempt.
    pub(crate) fn failed(
        verb: &'static str,
        what: String,
        topic: Option<Name>,
        attempts: Vec<Attempt>,
    ) -> Self {
        let last = attempts.len().saturating_sub(1);
        let unreadable = attempts.last().is_some_and(|last| matches!(last.failure, Failure::DataParse(_)));
        let refused = |attempt: &Attempt| attempt.failure.kind() == ErrorKind::Response;
        let is_final = |attempt: &Attempt| refused(attempt) && !attempt.failure.is_worth_another_server();
        let decisive = if unreadable { Some(last) } else { attempts.iter().rposition(is_final) };
        let decisive = decisive.or_else(|| attempts.iter().rposition(refused)).unwrap_or(last);
        let kind = attempts.get(decisive).map_or(ErrorKind::Usage, |attempt| attempt.failure.kind());
        let done_at = Vec::new();
        NameServerError(Arc::new(Inner { kind, verb, what, topic, attempts, decisive, done_at }))
    }

    /// What went wrong at several servers, each of which was asked the same: the first error, with the attempts of all.
    pub(crate) fn of_several<'a>(
        errors: impl Iterator<Item = &'a NameServerError>,
        done_at: Vec<Name>,
    ) -> Option<Self> {
        let errors: Vec<&Inner> = errors.map(|error| &*error.0).collect();
        let first = errors.first()?;
        Some(NameServerError(Arc::new(Inner {
            kind: first.kind,
            verb: first.verb,
            what: first.what.clone(),
            topic: first.topic.clone(),
            attempts: errors.iter().flat_map(|error| error.attempts.iter().cloned()).collect(),
            decisive: first.decisive,
            done_at,
        })))
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

    /// The servers, `host:port`, at which a write was done although it failed at others. Only an error that
    /// [`PerServer`](crate::PerServer) makes of several results knows any.
    pub fn done_at(&self) -> &[Name] {
        &self.0.done_at
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

    /// At how many different servers the topic was not found.
    #[allow(dead_code, reason = "who doubts a single server uses it")]
    pub(crate) fn not_found_at(&self) -> usize {
        let not_found = |attempt: &&Attempt| is_topic_not_found(&attempt.failure);
        let servers = self.0.attempts.iter().filter(not_found).map(|attempt| &attempt.server);
        servers.collect::<HashSet<_>>().len()
    }

    /// A server has nothing under that namespace or key of its KV store.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(ResponseCode::QUERY_NOT_FOUND)
    }

    /// The server does not know the request: it said so, or is of a release that never answers it.
    pub fn is_unsupported(&self) -> bool {
        let unanswered =
            self.decisive().is_some_and(|attempt| matches!(attempt.failure, Failure::Unsupported(_)));
        unanswered || self.code() == Some(ResponseCode::REQUEST_CODE_NOT_SUPPORTED)
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

    use rocketmq_nameserver_protocol::code::Version;
    use rocketmq_nameserver_protocol::error::{DataParseError, ProtocolError};

    use super::*;
    use crate::failure::Phase;

    pub(super) fn attempt(failure: Failure) -> Attempt {
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
    fn the_servers_that_did_not_find_a_topic_are_counted_once_each() {
        let not_found = || refused(ResponseCode::TOPIC_NOT_EXIST, "");
        let at = |server, failure| Attempt { server: Name::from(server), ..attempt(failure) };
        for (attempts, expected) in [
            (vec![at("a:1", Failure::Closed)], 0),
            (vec![at("a:1", not_found())], 1),
            (vec![at("a:1", not_found()), at("a:1", not_found())], 1),
            (vec![at("a:1", not_found()), at("b:1", Failure::Closed), at("c:1", not_found())], 2),
            (vec![at("a:1", refused(ResponseCode::QUERY_NOT_FOUND, ""))], 0),
        ] {
            let error = NameServerError::failed("get", "x".into(), None, attempts);
            assert_eq!(error.not_found_at(), expected, "{error}");
        }
        assert_eq!(NameServerError::usage("closed").not_found_at(), 0);
    }

    #[test]
    fn questions_are_answered_without_reading_text() {
        #[derive(Debug, PartialEq)]
        struct Answers {
            kind: ErrorKind,
            not_found: bool,
            nothing_there: bool,
            unsupported: bool,
            not_ready: bool,
            busy: bool,
            timeout: bool,
            retryable: bool,
        }
        let check = |failures: Vec<Failure>, kind: ErrorKind, yes: &[&str]| {
            let shown = format!("{failures:?}");
            let error =
                NameServerError::failed("get", "x".into(), None, failures.into_iter().map(attempt).collect());
            let answers = Answers {
                kind: error.kind(),
                not_found: error.is_topic_not_found(),
                nothing_there: error.is_not_found(),
                unsupported: error.is_unsupported(),
                not_ready: error.is_not_ready(),
                busy: error.is_busy(),
                timeout: error.is_timeout(),
                retryable: error.is_retryable(),
            };
            let said = |word| yes.contains(&word);
            let expected = Answers {
                kind,
                not_found: said("not found"),
                nothing_there: said("nothing there"),
                unsupported: said("unsupported"),
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
        let nothing_there = refused(ResponseCode::QUERY_NOT_FOUND, "No config item, Namespace: x Key: y");
        check(vec![nothing_there], ErrorKind::Response, &["nothing there"]);
        let unsupported =
            refused(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, " request type 901 not supported");
        check(vec![unsupported], ErrorKind::Response, &["unsupported"]);
        let silent = || Failure::Unsupported(Version::V4_9_7);
        check(vec![silent()], ErrorKind::Response, &["unsupported"]);
        check(vec![silent(), Failure::Closed], ErrorKind::Response, &["unsupported"]);
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
}
