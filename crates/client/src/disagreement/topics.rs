//! The list of all topics at every server.

use std::collections::{BTreeMap, BTreeSet};

use rocketmq_nameserver_protocol::model::{Name, TopicList};

use crate::error::NameServerError;
use crate::per_server::PerServer;

/// Which topics every server lists: [`query_all_topics`](crate::AsyncNameServerClient::query_all_topics).
#[derive(Debug, Clone)]
#[must_use = "the servers may disagree"]
pub struct AllTopics {
    answers: PerServer<TopicList>,
}

/// A topic that not all servers list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListDifference {
    /// The topic.
    pub topic: Name,
    /// The servers that list it. Never empty.
    pub listed_at: Vec<Name>,
    /// The servers that answered and do not list it. Never empty.
    pub missing_at: Vec<Name>,
}

impl AllTopics {
    pub(super) fn new(answers: PerServer<TopicList>) -> Self {
        let sorted = |mut topics: TopicList| {
            topics.topic_list.sort();
            topics.topic_list.dedup();
            topics
        };
        let answers = answers.into_iter().map(|(server, answer)| (server, answer.map(sorted)));
        AllTopics { answers: PerServer::new(answers.collect()) }
    }

    /// What each server said, sorted.
    pub fn answers(&self) -> &PerServer<TopicList> {
        &self.answers
    }

    /// All topics that any server lists, sorted.
    pub fn topics(&self) -> Vec<Name> {
        let all = self.answers.succeeded().flat_map(|(_, topics)| &topics.topic_list);
        all.collect::<BTreeSet<_>>().into_iter().cloned().collect()
    }

    /// The servers that gave no list, with the reasons.
    pub fn failed(&self) -> impl Iterator<Item = (&Name, &NameServerError)> {
        self.answers.failed()
    }

    /// The topics that some of the servers list and others do not, sorted.
    pub fn differences(&self) -> Vec<ListDifference> {
        let mut listed: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        let servers: Vec<_> = self.answers.succeeded().collect();
        for (at, (_, topics)) in servers.iter().enumerate() {
            for topic in &topics.topic_list {
                listed.entry(topic).or_default().push(at);
            }
        }
        let some = listed.into_iter().filter(|(_, at)| at.len() < servers.len());
        let difference = |(topic, listed_at): (&Name, Vec<usize>)| {
            let (mut listed, mut missing) = (Vec::new(), Vec::new());
            for (at, (server, _)) in servers.iter().enumerate() {
                let side = if listed_at.contains(&at) { &mut listed } else { &mut missing };
                side.push((*server).clone());
            }
            ListDifference { topic: topic.clone(), listed_at: listed, missing_at: missing }
        };
        some.map(difference).collect()
    }
}
