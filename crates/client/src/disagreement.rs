//! What several NameServers say about the same thing, and where they disagree.
//!
//! Each NameServer has tables of its own, which it makes from what brokers tell it, so two of them may say different things:
//! one did not hear of a broker, was started a moment ago, or was told something by hand. An ordinary call asks one server
//! and believes it. Here every server is asked, none stands in for another, and what they said is compared as it came.
//!
//! `routes`, `topics` and `clusters` are what can be compared, `opinion` who says the same, `asking` how many requests go to
//! every server, `blocking` the same for blocking code.

mod asking;
mod blocking;
mod clusters;
mod opinion;
mod routes;
mod topics;

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver_protocol::model::{Name, TopicList};
use rocketmq_nameserver_protocol::request::{
    GetAllTopicListFromNameserver, GetBrokerClusterInfo, GetRouteInfo, GetTopicsByCluster,
};

pub use clusters::{AllClusters, BrokerOpinion, ClusterDifference};
pub use routes::{AllRoutes, Difference, Opinion};
pub use topics::{AllTopics, ListDifference};

use crate::call::Servers;
use crate::client::AsyncNameServerClient;
use crate::error::{ErrorKind, Result};
use crate::per_server::PerServer;
use crate::question::Question;

/// What every server says, to be compared. Nobody stands in for a server that fails; each has the client's limit for calls to
/// itself. It is what the servers say: the client's zone and address rewriting have no effect.
impl AsyncNameServerClient {
    /// The route of a topic as every server has it: request 105 to all of them at the same time.
    ///
    /// One look: brokers tell the servers one after the other, so a difference may be that of a moment. Ask again half a
    /// second later before somebody is woken up for it. Routes have the brokers of all zones and the addresses that they
    /// advertise, whatever the client's zone and rules.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) {
    /// let routes = client.query_all("orders").await;
    /// for difference in routes.differences() {
    ///     println!("{:?} unlike {:?}: {:?}", difference.servers, difference.than, difference.changes);
    /// }
    /// for (server, error) in routes.failed() {
    ///     println!("nobody knows what {server} says: {error}");
    /// }
    /// # }
    /// ```
    pub async fn query_all(&self, topic: &str) -> AllRoutes {
        let topic = Name::from(topic);
        let question = Question::Route(topic.clone());
        let answers = self.ask_every(&GetRouteInfo::new(topic.clone()), &question).await;
        AllRoutes::new(topic, answers)
    }

    /// The routes of many topics as every server has them, pipelined to each server: one result per topic, in the order of
    /// `topics`.
    ///
    /// At each server [`batch_in_flight`](crate::ClientBuilder::batch_in_flight) queries are under way at a time, 256 by
    /// default. A server that fails as many in a row because it cannot be reached or says nothing is not asked for the
    /// rest, which fails for the same reason; so a dead server costs the time of one call, however many topics there are.
    ///
    /// All routes are held until the last one is there: of very many topics ask some thousands at a time.
    pub async fn query_all_many<I>(&self, topics: I) -> Vec<AllRoutes>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let topics: Vec<Name> = topics.into_iter().map(|topic| Name::from(topic.as_ref())).collect();
        let timeout = match self.ready().await {
            Ok(timeout) => timeout,
            Err(error) => {
                let unknown = |topic| AllRoutes::new(topic, self.not_asked(&error));
                return topics.into_iter().map(unknown).collect();
            }
        };
        let requests: Vec<GetRouteInfo> =
            topics.iter().map(|topic| GetRouteInfo::new(topic.clone())).collect();
        let question = |request: &GetRouteInfo| Question::Route(request.topic.clone());
        let servers = self.servers.one_by_one();
        let asked = servers.iter().map(|server| asking::ask_many(server, &requests, timeout, question));
        let answers = join_all(asked).await;
        let mut answers: Vec<_> = names(&servers).zip(answers.into_iter().map(Vec::into_iter)).collect();
        let each = |topic| {
            let answer = |(server, answers): &mut (Name, std::vec::IntoIter<_>)| {
                answers.next().map(|answer| (server.clone(), answer))
            };
            AllRoutes::new(topic, PerServer::new(answers.iter_mut().filter_map(answer).collect()))
        };
        topics.into_iter().map(each).collect()
    }

    /// All topics as every server lists them: request 206.
    ///
    /// A 5.x server that has the list switched off is asked for the topics of each of its clusters instead (106 and 224),
    /// which leaves out topics without any broker.
    pub async fn query_all_topics(&self) -> AllTopics {
        let timeout = match self.ready().await {
            Ok(timeout) => timeout,
            Err(error) => return AllTopics::new(self.not_asked(&error)),
        };
        let servers = self.servers.one_by_one();
        let asked = join_all(servers.iter().map(|server| all_topics(server, timeout))).await;
        AllTopics::new(PerServer::new(names(&servers).zip(asked).collect()))
    }

    /// Brokers and clusters as every server knows them: request 106.
    pub async fn query_all_clusters(&self) -> AllClusters {
        let question = Question::new("get", "the cluster info");
        AllClusters::new(self.ask_every(&GetBrokerClusterInfo, &question).await)
    }
}

/// Their names, if each is one server.
fn names(servers: &[Servers]) -> impl Iterator<Item = Name> + '_ {
    servers.iter().flat_map(Servers::names)
}

/// All topics that one server knows.
async fn all_topics(server: &Servers, timeout: Duration) -> Result<TopicList> {
    let question = Question::new("get", "the list of all topics");
    let refused = match server.ask(&GetAllTopicListFromNameserver, timeout, &question).await {
        Err(error) if error.kind() == ErrorKind::Response && !error.is_retryable() => error,
        answered => return answered,
    };
    // What is said to the first question tells what is wrong, if the others fail too.
    let question = Question::new("get", "the cluster info");
    let Ok(info) = server.ask(&GetBrokerClusterInfo, timeout, &question).await else { return Err(refused) };
    let requests: Vec<GetTopicsByCluster> =
        info.cluster_addr_table.into_keys().map(|cluster| GetTopicsByCluster { cluster }).collect();
    let question = |request: &GetTopicsByCluster| {
        Question::new("get", format!("the topics of cluster {:?}", request.cluster))
    };
    let mut topics = TopicList::default();
    for answer in asking::ask_many(server, &requests, timeout, question).await {
        topics.topic_list.extend(answer.map_err(|_| refused.clone())?.topic_list);
    }
    Ok(topics)
}
