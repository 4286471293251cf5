//! How callers come by answers: each asks, or waits for what somebody else has asked. The questions themselves are
//! [`flight`](super::flight)s; the table says who asks.

use std::time::Duration;

use rocketmq_nameserver_protocol::model::Name;

use super::RouteCache;
use super::entry::CachedRoute;
use super::flight::Flight;
use super::table::{Answer, Asked, Table};
use crate::call::current_runtime;
use crate::error::Result;

/// How many topics are asked for at once. They take some memory while they are; all of a large program's would take much.
const AT_ONCE: usize = 4096;

impl RouteCache {
    /// Until there is an answer: as `ask` says, again if whoever asked was stopped.
    pub(super) async fn answer(&self, topic: &str, ask: impl Fn(Duration) -> Asked) -> Result<CachedRoute> {
        loop {
            let answer = match ask(self.shared.now()) {
                Asked::Known(route) => return Ok(route),
                Asked::Missing(error) => return Err(error),
                Asked::Join(answer) => answer,
                Asked::Ask(ticket, answer) => {
                    Flight::new(&self.shared, [ticket]).start(&current_runtime()?);
                    answer
                }
            };
            self.keep_up()?;
            if let Some(said) = self.answered(answer).await? {
                return said;
            }
            // Its runtime is gone, or it has panicked: this call asks itself.
            tracing::debug!(topic, "a question was lost");
        }
    }

    /// One result per topic, as `ask` says for each.
    pub(super) async fn many<I>(
        &self,
        topics: I,
        ask: fn(&Table, &str, Duration) -> Asked,
    ) -> Vec<Result<CachedRoute>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let topics: Vec<Name> = topics.into_iter().map(|topic| Name::from(topic.as_ref())).collect();
        let mut routes = Vec::with_capacity(topics.len());
        let _waited = self.snapshot_read().await;
        for some in topics.chunks(AT_ONCE) {
            let prepared = self.open().and_then(|()| self.prepare(some, ask));
            match prepared {
                Ok(answers) => {
                    for (topic, answer) in some.iter().zip(answers) {
                        routes.push(match answer {
                            Ok(known) => known,
                            Err(answer) => self.wait_for(topic, answer, ask).await,
                        });
                    }
                }
                Err(error) => routes.extend(some.iter().map(|_| Err(error.clone()))),
            }
        }
        routes
    }

    /// Sends all questions about these topics on their way. For each what is known, or where the answer will come.
    fn prepare(
        &self,
        topics: &[Name],
        ask: fn(&Table, &str, Duration) -> Asked,
    ) -> Result<Vec<std::result::Result<Result<CachedRoute>, Answer>>> {
        let runtime = current_runtime()?;
        let now = self.shared.now();
        let mut tickets = Vec::new();
        let answers = topics.iter().map(|topic| match ask(&self.shared.table, topic, now) {
            Asked::Known(route) => Ok(Ok(route)),
            Asked::Missing(error) => Ok(Err(error)),
            Asked::Join(answer) => Err(answer),
            Asked::Ask(ticket, answer) => {
                tickets.push(ticket);
                Err(answer)
            }
        });
        let answers = answers.collect();
        Flight::new(&self.shared, tickets).start(&runtime);
        self.keep_up()?;
        Ok(answers)
    }

    async fn wait_for(
        &self,
        topic: &Name,
        answer: Answer,
        ask: fn(&Table, &str, Duration) -> Asked,
    ) -> Result<CachedRoute> {
        match self.answered(answer).await? {
            Some(said) => said,
            None => self.answer(topic, |now| ask(&self.shared.table, topic, now)).await,
        }
    }

    /// What comes; nothing if whoever asked was stopped.
    async fn answered(&self, answer: Answer) -> Result<Option<Result<CachedRoute>>> {
        let said = tokio::select! {
            biased;
            said = answer => said.ok(),
            () = self.shared.stop.cancelled() => None,
        };
        self.open().map(|()| said)
    }

    /// Nobody waits for the answer.
    pub(super) fn refresh_behind(&self, topic: &str) -> Result<()> {
        if let Some(ticket) = self.shared.table.ask_behind(topic, self.shared.now()) {
            Flight::new(&self.shared, [ticket]).start(&current_runtime()?);
        }
        self.keep_up()
    }
}
