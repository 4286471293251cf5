//! 103 and 104: a broker comes and goes.

use rocketmq_nameserver_protocol::request::{RegisterBroker, RegisterBrokerResult, UnregisterBroker};

use crate::client::AsyncNameServerClient;
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
}
