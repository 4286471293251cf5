//! 103, 104, 322, 901 and 904: a broker comes, lives and goes.

use rocketmq_nameserver_protocol::model::{BrokerMemberGroup, Name};
use rocketmq_nameserver_protocol::request::{
    BrokerHeartbeat, GetBrokerMemberGroup, QueryDataVersion, QueryDataVersionResult, RegisterBroker,
    RegisterBrokerResult, UnregisterBroker,
};

use crate::client::AsyncNameServerClient;
use crate::error::Result;
use crate::per_server::PerServer;
use crate::question::Question;

/// For what stands for a broker.
impl AsyncNameServerClient {
    /// Registers a broker and its topics at every server: request 103, 4.x and 5.x.
    ///
    /// It holds as long as the connections that it came over, so this client stands for the broker until
    /// [`disconnect`](Self::disconnect); use one client for each broker, because a server forgets only one of several when
    /// their connection closes. It also has to be repeated: a server forgets a broker that was silent for 120 s or for what
    /// the registration says; brokers register every 30 s.
    ///
    /// A 5.x server refuses a new broker with exactly one topic.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
    /// use rocketmq_nameserver::{DataVersion, Perm, RegisterBroker, RegisterBrokerBody, TopicConfig};
    ///
    /// let topics = ["orders", "payments"].map(|topic| TopicConfig::new(topic, 8, Perm::READ_WRITE));
    /// let body = RegisterBrokerBody::new(DataVersion { counter: 1, ..DataVersion::default() }, topics);
    /// let broker = RegisterBroker::new("DefaultCluster", "broker-a", 0, "10.0.0.1:10911", body);
    /// client.register_broker(&broker).await.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register_broker(&self, broker: &RegisterBroker) -> PerServer<RegisterBrokerResult> {
        let question = Question::new("register", format!("broker {:?}", broker.broker_name));
        self.ask_every(broker, &question).await
    }

    /// Takes a broker out of the tables of every server: request 104, 4.x and 5.x.
    ///
    /// A 4.x server goes by its name and id before it answers, a 5.x server by its name and address a moment later. A broker
    /// that lives comes back with its next registration.
    pub async fn unregister_broker(&self, broker: &UnregisterBroker) -> PerServer<()> {
        let question = Question::new("unregister", format!("broker {:?}", broker.broker_name));
        self.ask_every(broker, &question).await
    }

    /// Asks every server whether it has other topics of a broker than the broker itself: request 322, 4.x and 5.x.
    ///
    /// A server that does not know the broker answers that it has changed. The request is a sign of life, too (at a 4.x server
    /// only if nothing has changed), and lasts for the time that the broker registered with.
    pub async fn query_data_version(&self, broker: &QueryDataVersion) -> PerServer<QueryDataVersionResult> {
        let question = Question::new("query", format!("the data version of broker {:?}", broker.broker_name));
        self.ask_every(broker, &question).await
    }

    /// The members of a broker group as one server knows them: request 901, 5.x only. None for a group that it does not
    /// know; the cluster is not looked at.
    ///
    /// # Errors
    /// [`is_unsupported`](crate::NameServerError::is_unsupported), without being sent, if all servers that could be reached
    /// are of 4.x; else as every call.
    pub async fn get_broker_member_group(
        &self,
        cluster_name: &str,
        broker_name: &str,
    ) -> Result<BrokerMemberGroup> {
        let (cluster_name, broker_name) = (Name::from(cluster_name), Name::from(broker_name));
        let question = Question::new("get", format!("the members of broker group {broker_name:?}"));
        self.ask(&GetBrokerMemberGroup { cluster_name, broker_name }, &question).await
    }

    /// Tells every server that a broker lives: request 904, 5.x only.
    ///
    /// It lasts for the time that the broker registered with, 120 s if it said nothing. Servers do it whether they know the
    /// broker or not, and do not tell. A 4.x server's result is
    /// [`is_unsupported`](crate::NameServerError::is_unsupported); nothing is sent to it.
    pub async fn broker_heartbeat(&self, broker: &BrokerHeartbeat) -> PerServer<()> {
        let question = Question::new("send", format!("the heartbeat of broker {:?}", broker.broker_name));
        self.ask_every(broker, &question).await
    }
}
