//! What operators and brokers ask of a NameServer, blocking: see [`administration`](crate::administration).

use rocketmq_nameserver_protocol::model::{
    BrokerMemberGroup, KvTable, Name, NamesrvConfig, QueueData, TopicList,
};
use rocketmq_nameserver_protocol::request::{
    BrokerHeartbeat, QueryDataVersion, QueryDataVersionResult, RegisterBroker, RegisterBrokerResult,
    UnregisterBroker,
};

use crate::blocking::{SyncNameServerClient, block_on};
use crate::error::Result;
use crate::per_server::PerServer;

/// What operators and brokers ask. The errors are those of the async methods, and Usage inside an async runtime: of reads as
/// the result, of writes as the result of each server.
impl SyncNameServerClient {
    /// Sets one value of the KV store at every server. See
    /// [`AsyncNameServerClient::put_kv_config`](crate::AsyncNameServerClient::put_kv_config).
    pub fn put_kv_config(&self, namespace: &str, key: &str, value: &str) -> PerServer<()> {
        self.at_every_server(self.client.put_kv_config(namespace, key, value))
    }

    /// Reads one value of the KV store. See
    /// [`AsyncNameServerClient::get_kv_config`](crate::AsyncNameServerClient::get_kv_config).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_kv_config(&self, namespace: &str, key: &str) -> Result<Name> {
        block_on(self.client.get_kv_config(namespace, key))?
    }

    /// Removes one value of the KV store at every server. See
    /// [`AsyncNameServerClient::delete_kv_config`](crate::AsyncNameServerClient::delete_kv_config).
    pub fn delete_kv_config(&self, namespace: &str, key: &str) -> PerServer<()> {
        self.at_every_server(self.client.delete_kv_config(namespace, key))
    }

    /// Reads a whole namespace of the KV store. See
    /// [`AsyncNameServerClient::get_kv_list_by_namespace`](crate::AsyncNameServerClient::get_kv_list_by_namespace).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_kv_list_by_namespace(&self, namespace: &str) -> Result<KvTable> {
        block_on(self.client.get_kv_list_by_namespace(namespace))?
    }

    /// All topics. See
    /// [`AsyncNameServerClient::get_all_topic_list`](crate::AsyncNameServerClient::get_all_topic_list).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_all_topic_list(&self) -> Result<TopicList> {
        block_on(self.client.get_all_topic_list())?
    }

    /// Takes a topic from the routes of every server. See
    /// [`AsyncNameServerClient::delete_topic_in_namesrv`](crate::AsyncNameServerClient::delete_topic_in_namesrv).
    pub fn delete_topic_in_namesrv(&self, topic: &str, cluster_name: Option<&str>) -> PerServer<()> {
        self.at_every_server(self.client.delete_topic_in_namesrv(topic, cluster_name))
    }

    /// The topics of a cluster. See
    /// [`AsyncNameServerClient::get_topics_by_cluster`](crate::AsyncNameServerClient::get_topics_by_cluster).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_topics_by_cluster(&self, cluster: &str) -> Result<TopicList> {
        block_on(self.client.get_topics_by_cluster(cluster))?
    }

    /// The names of all clusters and brokers. See
    /// [`AsyncNameServerClient::get_system_topic_list`](crate::AsyncNameServerClient::get_system_topic_list).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_system_topic_list(&self) -> Result<TopicList> {
        block_on(self.client.get_system_topic_list())?
    }

    /// Topics that belong to a unit. See
    /// [`AsyncNameServerClient::get_unit_topic_list`](crate::AsyncNameServerClient::get_unit_topic_list).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_unit_topic_list(&self) -> Result<TopicList> {
        block_on(self.client.get_unit_topic_list())?
    }

    /// Topics that a unit subscribes to. See
    /// [`AsyncNameServerClient::get_has_unit_sub_topic_list`](crate::AsyncNameServerClient::get_has_unit_sub_topic_list).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_has_unit_sub_topic_list(&self) -> Result<TopicList> {
        block_on(self.client.get_has_unit_sub_topic_list())?
    }

    /// Topics that a unit subscribes to and that belong to none. See
    /// [`AsyncNameServerClient::get_has_unit_sub_ununit_topic_list`](crate::AsyncNameServerClient::get_has_unit_sub_ununit_topic_list).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_has_unit_sub_ununit_topic_list(&self) -> Result<TopicList> {
        block_on(self.client.get_has_unit_sub_ununit_topic_list())?
    }

    /// Takes the permission to write from a broker's topics. See
    /// [`AsyncNameServerClient::wipe_write_perm_of_broker`](crate::AsyncNameServerClient::wipe_write_perm_of_broker).
    pub fn wipe_write_perm_of_broker(&self, broker_name: &str) -> PerServer<u32> {
        self.at_every_server(self.client.wipe_write_perm_of_broker(broker_name))
    }

    /// Gives a broker's topics the permission to read and write. See
    /// [`AsyncNameServerClient::add_write_perm_of_broker`](crate::AsyncNameServerClient::add_write_perm_of_broker).
    pub fn add_write_perm_of_broker(&self, broker_name: &str) -> PerServer<u32> {
        self.at_every_server(self.client.add_write_perm_of_broker(broker_name))
    }

    /// Registers a broker at every server. See
    /// [`AsyncNameServerClient::register_broker`](crate::AsyncNameServerClient::register_broker).
    pub fn register_broker(&self, broker: &RegisterBroker) -> PerServer<RegisterBrokerResult> {
        self.at_every_server(self.client.register_broker(broker))
    }

    /// Takes a broker out of the tables of every server. See
    /// [`AsyncNameServerClient::unregister_broker`](crate::AsyncNameServerClient::unregister_broker).
    pub fn unregister_broker(&self, broker: &UnregisterBroker) -> PerServer<()> {
        self.at_every_server(self.client.unregister_broker(broker))
    }

    /// Adds the queues of one topic to the routes of every server. See
    /// [`AsyncNameServerClient::register_topic_in_namesrv`](crate::AsyncNameServerClient::register_topic_in_namesrv).
    pub fn register_topic_in_namesrv(&self, topic: &str, queues: Vec<QueueData>) -> PerServer<()> {
        self.at_every_server(self.client.register_topic_in_namesrv(topic, queues))
    }

    /// Asks every server whether it has other topics of a broker. See
    /// [`AsyncNameServerClient::query_data_version`](crate::AsyncNameServerClient::query_data_version).
    pub fn query_data_version(&self, broker: &QueryDataVersion) -> PerServer<QueryDataVersionResult> {
        self.at_every_server(self.client.query_data_version(broker))
    }

    /// The members of a broker group. See
    /// [`AsyncNameServerClient::get_broker_member_group`](crate::AsyncNameServerClient::get_broker_member_group).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_broker_member_group(
        &self,
        cluster_name: &str,
        broker_name: &str,
    ) -> Result<BrokerMemberGroup> {
        block_on(self.client.get_broker_member_group(cluster_name, broker_name))?
    }

    /// Tells every server that a broker lives. See
    /// [`AsyncNameServerClient::broker_heartbeat`](crate::AsyncNameServerClient::broker_heartbeat).
    pub fn broker_heartbeat(&self, broker: &BrokerHeartbeat) -> PerServer<()> {
        self.at_every_server(self.client.broker_heartbeat(broker))
    }

    /// Changes settings of every server. See
    /// [`AsyncNameServerClient::update_namesrv_config`](crate::AsyncNameServerClient::update_namesrv_config).
    pub fn update_namesrv_config(&self, config: NamesrvConfig) -> PerServer<()> {
        self.at_every_server(self.client.update_namesrv_config(config))
    }

    /// All settings of one server. See
    /// [`AsyncNameServerClient::get_namesrv_config`](crate::AsyncNameServerClient::get_namesrv_config).
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn get_namesrv_config(&self) -> Result<NamesrvConfig> {
        block_on(self.client.get_namesrv_config())?
    }
}
