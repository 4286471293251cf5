//! The same for blocking code.

use rocketmq_nameserver_protocol::model::Name;

use super::{AllClusters, AllRoutes, AllTopics};
use crate::blocking::{SyncNameServerClient, block_on};

/// What every server says, to be compared. Inside an async runtime each server's error is Usage.
impl SyncNameServerClient {
    /// The route of a topic as every server has it. See
    /// [`AsyncNameServerClient::query_all`](crate::AsyncNameServerClient::query_all).
    pub fn query_all(&self, topic: &str) -> AllRoutes {
        block_on(self.client.query_all(topic))
            .unwrap_or_else(|error| AllRoutes::new(Name::from(topic), self.client.not_asked(&error)))
    }

    /// The routes of many topics as every server has them. See
    /// [`AsyncNameServerClient::query_all_many`](crate::AsyncNameServerClient::query_all_many).
    pub fn query_all_many<I>(&self, topics: I) -> Vec<AllRoutes>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let topics: Vec<Name> = topics.into_iter().map(|topic| Name::from(topic.as_ref())).collect();
        block_on(self.client.query_all_many(&topics)).unwrap_or_else(|error| {
            topics.into_iter().map(|topic| AllRoutes::new(topic, self.client.not_asked(&error))).collect()
        })
    }

    /// All topics as every server lists them. See
    /// [`AsyncNameServerClient::query_all_topics`](crate::AsyncNameServerClient::query_all_topics).
    pub fn query_all_topics(&self) -> AllTopics {
        block_on(self.client.query_all_topics())
            .unwrap_or_else(|error| AllTopics::new(self.client.not_asked(&error)))
    }

    /// Brokers and clusters as every server knows them. See
    /// [`AsyncNameServerClient::query_all_clusters`](crate::AsyncNameServerClient::query_all_clusters).
    pub fn query_all_clusters(&self) -> AllClusters {
        block_on(self.client.query_all_clusters())
            .unwrap_or_else(|error| AllClusters::new(self.client.not_asked(&error)))
    }
}
