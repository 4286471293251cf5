//! The tasks that ask servers. Nobody's call is such a task, so a caller that gives up takes no answer from others.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::model::Name;
use tokio::runtime::Handle;

use super::table::Ticket;
use super::{RouteCache, Shared};
use crate::call::current_runtime;
use crate::client::AsyncNameServerClient;
use crate::error::NameServerError;
use crate::failure::{Attempt, Failure, Phase};
use crate::question::Question;

impl RouteCache {
    /// Sends a question on its way.
    pub(super) fn fly(&self, ticket: Ticket) -> crate::error::Result<()> {
        let flight = Flight::new(&self.shared, ticket);
        flight.start(&current_runtime()?);
        Ok(())
    }
}

/// A question on its way. If it is dropped before its answer is there, whoever waits is told.
pub(super) struct Flight {
    shared: Weak<Shared>,
    client: AsyncNameServerClient,
    stop: tokio_util::sync::CancellationToken,
    ticket: Option<Ticket>,
}

impl Flight {
    pub(super) fn new(shared: &Arc<Shared>, ticket: Ticket) -> Self {
        Flight {
            shared: Arc::downgrade(shared),
            client: shared.client.clone(),
            stop: shared.stop.clone(),
            ticket: Some(ticket),
        }
    }

    pub(super) fn start(self, runtime: &Handle) {
        let stop = self.stop.clone();
        // It ends with the cache, or by itself within the client's limit.
        drop(runtime.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.ask() => {}
            }
        }));
    }

    /// Asks, and asks once more if somebody wants a later answer.
    async fn ask(mut self) {
        while let Some(topic) = self.ticket.as_ref().map(|ticket| ticket.topic.clone()) {
            let answer = self.client.query_route_body(&topic).await;
            let Some(shared) = self.shared.upgrade() else { return };
            let Some(ticket) = self.ticket.take() else { return };
            let answer = answer.map(|told| (told.server, told.answer));
            self.ticket = shared.table.apply(
                ticket,
                answer,
                |server, error| unreadable(&topic, server, error),
                shared.now(),
            );
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let (Some(shared), Some(ticket)) = (self.shared.upgrade(), &self.ticket) {
            shared.table.abandon(&ticket.topic, ticket.number);
        }
    }
}

/// The error of a body that cannot be read, as a call that reads it itself would have it.
pub(super) fn unreadable(topic: &Name, server: &Name, error: DataParseError) -> NameServerError {
    let failure = Failure::DataParse(error);
    let attempt = Attempt { server: server.clone(), phase: Phase::Decode, elapsed: Duration::ZERO, failure };
    Question::Route(topic.clone()).failed(vec![attempt])
}
