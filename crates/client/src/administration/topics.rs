//! 206, 216, 217, 224, 304 and 311 to 313: lists of topics, adding one and taking one away.

use rocketmq_nameserver_protocol::model::{Name, QueueData, TopicList, TopicRouteData};
use rocketmq_nameserver_protocol::request::{
    DeleteTopicInNamesrv, GetAllTopicListFromNameserver, GetHasUnitSubTopicList,
    GetHasUnitSubUnunitTopicList, GetSystemTopicListFromNs, GetTopicsByCluster, GetUnitTopicList,
    RegisterTopicInNamesrv,
};

use crate::client::AsyncNameServerClient;
use crate::error::Result;
use crate::per_server::PerServer;
use crate::question::Question;

/// Topics. Lists are in no order. All but that of the system topics may be switched off at a 5.x server, which then refuses
/// with code 1 and the remark `disable`.
impl AsyncNameServerClient {
    /// All topics that one server knows: request 206, 4.x and 5.x.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_all_topic_list(&self) -> Result<TopicList> {
        self.ask(&GetAllTopicListFromNameserver, &Question::new("get", "the list of all topics")).await
    }

    /// Takes a topic from the routes of every server, of one cluster's brokers or of all: request 216, 4.x and 5.x.
    ///
    /// Whether it was there is not told. The topic stays on its brokers and comes back with their registrations: at a 5.x
    /// server with the next one, within 30 seconds, at a 4.x server with the next one that has changed. Delete it there
    /// first. **Servers before 4.9.4 do not know about clusters** and take the topic from all of them.
    pub async fn delete_topic_in_namesrv(&self, topic: &str, cluster_name: Option<&str>) -> PerServer<()> {
        let (topic, cluster_name) = (Name::from(topic), cluster_name.map(Name::from));
        let question = Question::topic("delete", &topic);
        self.ask_every(&DeleteTopicInNamesrv { topic, cluster_name }, &question).await
    }

    /// Adds the queues of one topic to the routes of every server: request 217, 5.x only.
    ///
    /// They stay until a registration of their broker says otherwise, the topic is deleted or the broker goes. A server stops
    /// at the first broker that it does not know and does not tell; releases before 5.1.4 leave a topic that is there as it
    /// is. A 4.x server's result is [`is_unsupported`](crate::NameServerError::is_unsupported); nothing is sent to it.
    pub async fn register_topic_in_namesrv(&self, topic: &str, queues: Vec<QueueData>) -> PerServer<()> {
        let topic = Name::from(topic);
        let question = Question::topic("register", &topic);
        let route = TopicRouteData { queue_data_list: queues, ..TopicRouteData::default() };
        self.ask_every(&RegisterTopicInNamesrv { topic, route }, &question).await
    }

    /// The topics that have queues on any broker of a cluster, as one server knows them: request 224, 4.x and 5.x. None for
    /// a cluster that it does not know.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_topics_by_cluster(&self, cluster: &str) -> Result<TopicList> {
        let cluster = Name::from(cluster);
        let question = Question::new("get", format!("the topics of cluster {cluster:?}"));
        self.ask(&GetTopicsByCluster { cluster }, &question).await
    }

    /// What one server takes for system topics, the names of all clusters and brokers, and the address of a broker, which
    /// knows more: request 304, 4.x and 5.x.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_system_topic_list(&self) -> Result<TopicList> {
        self.ask(&GetSystemTopicListFromNs, &Question::new("get", "the system topics")).await
    }

    /// Topics that belong to a unit, flag bit 1 of their first queue entry: request 311, 4.x and 5.x.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_unit_topic_list(&self) -> Result<TopicList> {
        self.ask(&GetUnitTopicList, &Question::new("get", "the unit topics")).await
    }

    /// Topics that a unit subscribes to, flag bit 2: request 312, 4.x and 5.x.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_has_unit_sub_topic_list(&self) -> Result<TopicList> {
        let question = Question::new("get", "the topics with unit subscriptions");
        self.ask(&GetHasUnitSubTopicList, &question).await
    }

    /// Topics that a unit subscribes to and that belong to none, flag bit 2 without 1: request 313, 4.x and 5.x.
    ///
    /// # Errors
    /// As every call.
    pub async fn get_has_unit_sub_ununit_topic_list(&self) -> Result<TopicList> {
        let question = Question::new("get", "the topics with unit subscriptions and without unit");
        self.ask(&GetHasUnitSubUnunitTopicList, &question).await
    }
}
