//! 205 and 327: whether producers may write to a broker.

use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::{AddWritePermOfBroker, WipeWritePermOfBroker};

use crate::client::AsyncNameServerClient;
use crate::per_server::PerServer;
use crate::question::Question;

/// The write permission of brokers. What is changed here lasts, topic by topic, until a registration with a changed data
/// version contains the topic, or until the server restarts.
impl AsyncNameServerClient {
    /// Takes the permission to write from all topics of a broker at every server, before it is shut down: request 205, 4.x
    /// and 5.x.
    ///
    /// The answers are how many topics have the broker, changed or not; 0 where nobody knows it.
    pub async fn wipe_write_perm_of_broker(&self, broker_name: &str) -> PerServer<u32> {
        let broker_name = Name::from(broker_name);
        let question = Question::new("wipe", object(&broker_name));
        self.ask_every(&WipeWritePermOfBroker { broker_name }, &question).await
    }

    /// Gives all topics of a broker the permission 6, read and write, at every server: request 327, 4.9.2 and later. An
    /// older server never answers, which is a Timeout.
    ///
    /// It is 6 whatever it was: topics that were not for reading become so, and `TBW102` loses its inherit bit. The answers
    /// are as with [`wipe_write_perm_of_broker`](Self::wipe_write_perm_of_broker).
    pub async fn add_write_perm_of_broker(&self, broker_name: &str) -> PerServer<u32> {
        let broker_name = Name::from(broker_name);
        let question = Question::new("add", object(&broker_name));
        self.ask_every(&AddWritePermOfBroker { broker_name }, &question).await
    }
}

fn object(broker_name: &Name) -> String {
    format!("the write permission of broker {broker_name:?}")
}
