//! The tasks that ask servers. Nobody's call is such a task, so a caller that gives up takes no answer from others.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};
use rocketmq_nameserver_protocol::request::GetRouteInfo;
use tokio::runtime::Handle;

use super::Shared;
use super::table::Ticket;
use crate::call::Told;
use crate::client::AsyncNameServerClient;
use crate::error::{NameServerError, Result};
use crate::failure::{Attempt, Failure, Phase};
use crate::question::Question;
use crate::route_query::GetRouteBody;

/// Questions on their way. Those whose answer is not there when it is dropped are given up, and whoever waits for them is told.
pub(super) struct Flight {
    shared: Weak<Shared>,
    tickets: Vec<Option<Ticket>>,
}

impl Flight {
    pub(super) fn new(shared: &Arc<Shared>, tickets: impl IntoIterator<Item = Ticket>) -> Self {
        Flight { shared: Arc::downgrade(shared), tickets: tickets.into_iter().map(Some).collect() }
    }

    /// Sends them on their way. They end with the cache, or by themselves within the client's limit.
    pub(super) fn start(self, runtime: &Handle) {
        let Some(shared) = self.shared.upgrade().filter(|_| !self.tickets.is_empty()) else { return };
        let (stop, client) = (shared.stop.clone(), shared.client.clone());
        drop(shared);
        drop(runtime.spawn(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.ask(client) => {}
            }
        }));
    }

    async fn ask(mut self, client: AsyncNameServerClient) {
        let topics: Vec<Name> = self.tickets.iter().flatten().map(|ticket| ticket.topic.clone()).collect();
        if let [topic] = &topics[..] {
            // Asks once more if somebody wants a later answer, or servers disagree.
            while self.tickets.iter().any(Option::is_some) {
                if self.tickets.iter().flatten().any(|ticket| ticket.settles) {
                    self.ask_all(&client, &topics).await;
                } else {
                    let answer = client.ask_for_route(query(topic)).await;
                    self.land(0, answer);
                }
            }
            return;
        }
        self.ask_all(&client, &topics).await;
        let again: Vec<Ticket> = self.tickets.iter_mut().filter_map(Option::take).collect();
        if let (Some(shared), Ok(runtime)) = (self.shared.upgrade(), Handle::try_current()) {
            Flight::new(&shared, again).start(&runtime);
        }
    }

    /// Asks for all of them, pipelined; one server has its share of the time before another one is asked.
    async fn ask_all(&mut self, client: &AsyncNameServerClient, topics: &[Name]) {
        let landed = client
            .ask_for_routes(topics.iter().map(query).collect(), |at, answer| self.land(at, answer))
            .await;
        if let Err(error) = landed {
            for at in 0..topics.len() {
                self.land(at, Err(error.clone()));
            }
        }
    }

    /// An answer, or why there is none, has come.
    fn land(&mut self, at: usize, answer: Result<Told<Bytes>>) {
        let Some(place) = self.tickets.get_mut(at) else { return };
        let (Some(shared), Some(ticket)) = (self.shared.upgrade(), place.take()) else { return };
        let topic = ticket.topic.clone();
        let read = |server: &Name, body: &Bytes| match TopicRouteData::from_bytes(body) {
            Ok(route) => Ok(shared.client.locality().route(route)),
            Err(error) => Err(unreadable(topic, server, error)),
        };
        *place = shared.table.apply(ticket, answer, read, shared.now());
        shared.routes_touched();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        for ticket in self.tickets.iter().flatten() {
            shared.table.abandon(&ticket.topic, ticket.number);
        }
    }
}

/// The route as it comes, because most of them need not be read.
fn query(topic: &Name) -> GetRouteBody {
    GetRouteBody(GetRouteInfo::new(topic.clone()))
}

/// The error of a body that cannot be read, as a call that reads it itself would have it.
fn unreadable(topic: Name, server: &Name, error: DataParseError) -> NameServerError {
    let failure = Failure::DataParse(error);
    let attempt = Attempt { server: server.clone(), phase: Phase::Decode, elapsed: Duration::ZERO, failure };
    Question::Route(topic).failed(vec![attempt])
}
