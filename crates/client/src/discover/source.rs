//! One source of servers: what it is called, when to ask it, and how.

use std::error::Error;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::address::{self, ServerAddress};

/// How long a source of the user's own may take: as long as a call may by default.
const CUSTOM_LIMIT: Duration = crate::config::DEFAULT_TIMEOUT;

/// What a source said: servers, or why there are none.
pub(super) type Answer = Result<Vec<ServerAddress>, String>;

pub(super) type Asking = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One source. Clones share what stands behind it.
#[derive(Clone)]
pub(super) struct Source {
    name: Arc<str>,
    /// How long after an answer to ask again; `None` for one whose answer does not change.
    every: Option<Duration>,
    limit: Duration,
    ask: Arc<dyn Fn() -> Asking + Send + Sync>,
}

impl Source {
    /// A source that is asked again and again, and may take `limit` each time. Errors name it as `name`.
    pub(super) fn new(
        name: impl Into<Arc<str>>,
        every: Duration,
        limit: Duration,
        ask: impl Fn() -> Asking + Send + Sync + 'static,
    ) -> Self {
        Source { name: name.into(), every: Some(every), limit, ask: Arc::new(ask) }
    }

    /// A source whose answer does not change.
    pub(super) fn once(name: impl Into<Arc<str>>, ask: impl Fn() -> Answer + Send + Sync + 'static) -> Self {
        let ask = move || Box::pin(ready(ask())) as Asking;
        Source { name: name.into(), every: None, limit: CUSTOM_LIMIT, ask: Arc::new(ask) }
    }

    pub(super) fn fixed(servers: Vec<ServerAddress>) -> Self {
        Source::once("list of servers", move || Ok(servers.clone()))
    }

    pub(super) fn custom<F, Fut, E>(find: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<ServerAddress>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let ask = move || {
            let found = find();
            Box::pin(async move { found.await.map_err(|error| error.into().to_string()) }) as Asking
        };
        // Discovery::from_fn says how often.
        Source::new("function", CUSTOM_LIMIT, CUSTOM_LIMIT, ask)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn every(&self) -> Option<Duration> {
        self.every
    }

    pub(super) fn set_every(&mut self, interval: Duration) {
        self.every = self.every.map(|_| interval);
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks it, within its limit. An empty list is a failure.
    pub(super) async fn ask(&self) -> Answer {
        match tokio::time::timeout(self.limit, (self.ask)()).await {
            Ok(Ok(servers)) if servers.is_empty() => Err("it gave an empty list".to_owned()),
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {:?}", self.limit)),
        }
    }
}

/// Servers of a text in list syntax. A list with an address that cannot be read is none: half of a list would take
/// servers away.
pub(super) fn read_list(text: &str) -> Answer {
    if text.split([';', ',']).all(|part| part.trim().is_empty()) {
        return Err("the list is empty".to_owned());
    }
    address::parse_list(text).map_err(|error| error.to_string())
}
