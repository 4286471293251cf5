//! What each server said to a request that went to all of them.

use std::slice;
use std::vec;

use rocketmq_nameserver_protocol::model::Name;

use crate::error::{NameServerError, Result};

/// What stands in the place of a server if none is known.
const NONE_KNOWN: &str = "no known server";

/// One result for each server of the client, in the order in which the servers were given.
///
/// Each NameServer has tables of its own, so a write goes to all of them and may be done at some and fail at others.
/// Nothing is undone then: look at [`failed`](Self::failed) and ask again, or turn it into one result with
/// [`into_result`](Self::into_result), whose error says where the write was done.
///
/// ```
/// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
/// let results = client.put_kv_config("ORDER_TOPIC_CONFIG", "orders", "broker-a:8").await;
/// for (server, error) in results.failed() {
///     println!("not at {server}: {error}");
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a write may have failed at some servers"]
pub struct PerServer<T> {
    results: Vec<(Name, Result<T>)>,
}

impl<T> PerServer<T> {
    pub(crate) fn new(results: Vec<(Name, Result<T>)>) -> Self {
        PerServer { results }
    }

    /// A call that was not made at any server. Where no server is known there is one result all the same, because no
    /// failure at all would mean that everything is done.
    pub(crate) fn not_asked(servers: impl IntoIterator<Item = Name>, error: &NameServerError) -> Self {
        let mut servers: Vec<Name> = servers.into_iter().collect();
        if servers.is_empty() {
            servers.push(Name::from(NONE_KNOWN));
        }
        PerServer::new(servers.into_iter().map(|server| (server, Err(error.clone()))).collect())
    }

    /// Whether every server did it.
    pub fn is_complete(&self) -> bool {
        self.results.iter().all(|(_, result)| result.is_ok())
    }

    /// Each server, `host:port`, with its result. If discovery has not found any server, one failure without a server.
    pub fn iter(&self) -> slice::Iter<'_, (Name, Result<T>)> {
        self.results.iter()
    }

    /// The servers that did it, with what they answered.
    pub fn succeeded(&self) -> impl Iterator<Item = (&Name, &T)> {
        self.results.iter().filter_map(|(server, result)| Some((server, result.as_ref().ok()?)))
    }

    /// The servers that did not, with the reasons. Each error has the attempts at that server.
    pub fn failed(&self) -> impl Iterator<Item = (&Name, &NameServerError)> {
        self.results.iter().filter_map(|(server, result)| Some((server, result.as_ref().err()?)))
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Whether there are none, which no client allows.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// All answers, if every server did it.
    ///
    /// # Errors
    /// Of the kind of the first failure, with the attempts of all failures;
    /// [`done_at`](NameServerError::done_at) names the servers that did it all the same.
    pub fn into_result(self) -> Result<Vec<(Name, T)>> {
        if let Some(error) = self.error() {
            return Err(error);
        }
        Ok(self.results.into_iter().filter_map(|(server, result)| Some((server, result.ok()?))).collect())
    }

    /// One error for all failures, as [`into_result`](Self::into_result) has it.
    pub fn error(&self) -> Option<NameServerError> {
        let done_at = self.succeeded().map(|(server, _)| server.clone()).collect();
        NameServerError::of_several(self.failed().map(|(_, error)| error), done_at)
    }
}

impl<T> IntoIterator for PerServer<T> {
    type Item = (Name, Result<T>);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.results.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a PerServer<T> {
    type Item = &'a (Name, Result<T>);
    type IntoIter = slice::Iter<'a, (Name, Result<T>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocketmq_nameserver_protocol::code::ResponseCode;
    use rocketmq_nameserver_protocol::error::Refusal;

    use super::*;
    use crate::error::ErrorKind;
    use crate::failure::{Attempt, Failure, Phase};
    use crate::question::Question;

    fn failed(server: &str, failure: Failure) -> NameServerError {
        let attempt =
            Attempt { server: Name::from(server), phase: Phase::Wait, elapsed: Duration::ZERO, failure };
        Question::new("put", "KV config \"k\"").failed(vec![attempt])
    }

    fn results(results: Vec<Result<u32>>) -> PerServer<u32> {
        let names = ["ns-1:1", "ns-2:2", "ns-3:3"].map(Name::from);
        PerServer::new(names.into_iter().zip(results).collect())
    }

    #[test]
    fn every_server_has_its_result_in_order() {
        let refused = Failure::Refused(Refusal::new(ResponseCode::SYSTEM_ERROR, "no"));
        let mixed = results(vec![Ok(1), Err(failed("ns-2:2", refused)), Ok(3)]);
        assert_eq!((mixed.len(), mixed.is_empty(), mixed.is_complete()), (3, false, false));
        let shown: Vec<_> = mixed.iter().map(|(server, result)| (server.as_str(), result.is_ok())).collect();
        assert_eq!(shown, [("ns-1:1", true), ("ns-2:2", false), ("ns-3:3", true)]);
        assert_eq!(mixed.succeeded().map(|(_, value)| *value).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(mixed.failed().map(|(server, _)| server.as_str()).collect::<Vec<_>>(), ["ns-2:2"]);
        let complete = results(vec![Ok(1), Ok(2), Ok(3)]);
        assert!(complete.is_complete() && complete.error().is_none());
        let values: Vec<u32> = complete.into_result().unwrap().into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [1, 2, 3]);
    }

    #[test]
    fn one_error_has_the_first_kind_all_attempts_and_where_it_was_done() {
        let refused = Failure::Refused(Refusal::new(ResponseCode::SYSTEM_ERROR, "no"));
        let closed = Err(failed("ns-1:1", Failure::Closed));
        let error = results(vec![closed, Ok(2), Err(failed("ns-3:3", refused))]).into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert_eq!(error.server(), Some("ns-1:1"));
        assert_eq!(error.attempts().len(), 2);
        assert_eq!(error.done_at(), [Name::from("ns-2:2")]);
        let text = error.to_string();
        assert!(text.starts_with("cannot put KV config \"k\": ns-1:1 ["), "{text}");
        assert!(text.contains("; ns-3:3 [") && text.contains(". It was done at ns-2:2. "), "{text}");
    }

    #[test]
    fn a_call_that_was_not_made_failed_everywhere() {
        let closed = NameServerError::usage("the client was closed");
        let results: PerServer<()> = PerServer::not_asked(["a:1", "b:2"].map(Name::from), &closed);
        assert_eq!(results.failed().count(), 2);
        let error = results.into_result().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, "the client was closed"));
    }
}
