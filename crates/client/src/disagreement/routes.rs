//! The route of one topic at every server.

use std::sync::Arc;

use rocketmq_nameserver_protocol::model::{Name, TopicRouteData};

use super::opinion::{as_any_release_says, grouped, is_mixed};
use crate::cache::{Change, Gone, between, in_order};
use crate::error::NameServerError;
use crate::per_server::PerServer;

/// What every server says about one topic: [`query_all`](crate::AsyncNameServerClient::query_all).
#[derive(Debug, Clone)]
#[must_use = "the servers may disagree"]
pub struct AllRoutes {
    topic: Name,
    answers: PerServer<Arc<TopicRouteData>>,
}

/// What some servers say about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Who says it, in the order of the client's servers.
    pub servers: Vec<Name>,
    /// The route, its lists in one order; `None` if they do not know the topic.
    pub route: Option<Arc<TopicRouteData>>,
}

/// How an opinion differs from that of most servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Who has another opinion.
    pub servers: Vec<Name>,
    /// Who has the opinion that it is compared with: most servers, or of two opinions that as many have, the first server's.
    pub than: Vec<Name>,
    /// What leads from what `than` say to what `servers` say. Never empty. A topic that only `than` know is
    /// [`TopicGone`](Change::TopicGone), one that only `servers` know is [`TopicFound`](Change::TopicFound).
    pub changes: Vec<Change>,
}

impl AllRoutes {
    pub(super) fn new(topic: Name, answers: PerServer<TopicRouteData>) -> Self {
        let mut seen: Vec<Arc<TopicRouteData>> = Vec::new();
        // Servers agree as a rule; then one copy is enough.
        let mut shared = |route| {
            let route = in_order(route);
            let known = seen.iter().find(|known| ***known == route).cloned();
            known.unwrap_or_else(|| {
                let route = Arc::new(route);
                seen.push(Arc::clone(&route));
                route
            })
        };
        let answers = answers.into_iter().map(|(server, answer)| (server, answer.map(&mut shared)));
        let answers = PerServer::new(answers.collect());
        AllRoutes { topic, answers }
    }

    /// The topic.
    pub fn topic(&self) -> &Name {
        &self.topic
    }

    /// What each server said, as it said it, but for the order of lists, which means nothing: they are sorted, so that
    /// equal routes are equal. A server that does not know the topic has an error that
    /// [`is_topic_not_found`](NameServerError::is_topic_not_found).
    pub fn answers(&self) -> &PerServer<Arc<TopicRouteData>> {
        &self.answers
    }

    /// Who says what: what most servers say first, and of two opinions that as many have, that of the earlier server.
    ///
    /// What a 4.x server has no words for (zones, acting masters, static topics) is left out if such a server is among
    /// them, because it is no difference of opinion.
    pub fn opinions(&self) -> Vec<Opinion> {
        let routes = || self.answers.succeeded().map(|(_, route)| route);
        let is_mixed = is_mixed(routes().flat_map(|route| &route.broker_data_list).map(AsRef::as_ref));
        let comparable = |route: &Arc<TopicRouteData>| {
            if is_mixed { Arc::new(what_any_release_says(route)) } else { Arc::clone(route) }
        };
        let said = self.answers.iter().filter_map(|(server, answer)| match answer {
            Ok(route) => Some((server.clone(), Some(comparable(route)))),
            Err(error) if error.is_topic_not_found() => Some((server.clone(), None)),
            Err(_) => None,
        });
        grouped(said).into_iter().map(|(servers, route)| Opinion { servers, route }).collect()
    }

    /// The servers that gave no opinion, with the reasons: not reached, silent, not ready, not understood.
    pub fn failed(&self) -> impl Iterator<Item = (&Name, &NameServerError)> {
        self.answers.failed().filter(|(_, error)| !error.is_topic_not_found())
    }

    /// Whether every server answered and all say the same, be it "not found".
    pub fn agree(&self) -> bool {
        self.failed().next().is_none() && self.opinions().len() == 1
    }

    /// Whether two servers say different things. If not, they need not agree: some may have given no opinion.
    pub fn is_disagreement(&self) -> bool {
        self.opinions().len() > 1
    }

    /// How every opinion but the first differs from the first.
    pub fn differences(&self) -> Vec<Difference> {
        let opinions = self.opinions();
        let Some((first, others)) = opinions.split_first() else { return Vec::new() };
        let difference = |other: &Opinion| Difference {
            servers: other.servers.clone(),
            than: first.servers.clone(),
            changes: changes(first.route.as_ref(), other.route.as_ref()),
        };
        others.iter().map(difference).collect()
    }
}

fn changes(before: Option<&Arc<TopicRouteData>>, after: Option<&Arc<TopicRouteData>>) -> Vec<Change> {
    match (before, after) {
        (Some(before), Some(after)) => between(before, after),
        (Some(before), None) => {
            vec![Change::TopicGone { before: Arc::clone(before), why: Gone::NotFound }]
        }
        (None, Some(after)) => vec![Change::TopicFound { after: Arc::clone(after) }],
        (None, None) => Vec::new(),
    }
}

fn what_any_release_says(route: &TopicRouteData) -> TopicRouteData {
    let brokers = route.broker_data_list.iter().map(|broker| Arc::new(as_any_release_says(broker)));
    in_order(TopicRouteData {
        broker_data_list: brokers.collect(),
        topic_queue_mapping_by_broker: Default::default(),
        ..route.clone()
    })
}
