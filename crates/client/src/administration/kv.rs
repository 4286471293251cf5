//! 100, 101, 102 and 219: the KV store.

use rocketmq_nameserver_protocol::model::{KvTable, Name};
use rocketmq_nameserver_protocol::request::{DeleteKvConfig, GetKvConfig, GetKvListByNamespace, PutKvConfig};

use crate::client::AsyncNameServerClient;
use crate::error::Result;
use crate::per_server::PerServer;
use crate::question::Question;

/// The KV store. Each server has its own and keeps it in a file, so what is put stays until it is deleted. The namespace
/// `ORDER_TOPIC_CONFIG` holds how ordered topics are spread (topic → `broker:queues;broker:queues`).
impl AsyncNameServerClient {
    /// Sets one value at every server: request 100, 4.x and 5.x.
    ///
    /// The namespace is made if there is none. Empty names are legal in JSON headers only; an empty value is a value.
    pub async fn put_kv_config(&self, namespace: &str, key: &str, value: &str) -> PerServer<()> {
        let (namespace, key, value) = (Name::from(namespace), Name::from(key), Name::from(value));
        let question = Question::new("put", entry(&namespace, &key));
        self.ask_every(&PutKvConfig { namespace, key, value }, &question).await
    }

    /// Reads one value from one server: request 101, 4.x and 5.x.
    ///
    /// # Errors
    /// [`is_not_found`](crate::NameServerError::is_not_found) if that server has none; else as every call.
    pub async fn get_kv_config(&self, namespace: &str, key: &str) -> Result<Name> {
        let (namespace, key) = (Name::from(namespace), Name::from(key));
        let question = Question::new("get", entry(&namespace, &key));
        self.ask(&GetKvConfig { namespace, key }, &question).await
    }

    /// Removes one value at every server: request 102, 4.x and 5.x.
    ///
    /// Whether it was there is not told. A namespace never disappears, not even when it is empty.
    pub async fn delete_kv_config(&self, namespace: &str, key: &str) -> PerServer<()> {
        let (namespace, key) = (Name::from(namespace), Name::from(key));
        let question = Question::new("delete", entry(&namespace, &key));
        self.ask_every(&DeleteKvConfig { namespace, key }, &question).await
    }

    /// Reads a whole namespace from one server: request 219, 4.x and 5.x.
    ///
    /// # Errors
    /// [`is_not_found`](crate::NameServerError::is_not_found) if that server never had such a namespace; else as every
    /// call.
    pub async fn get_kv_list_by_namespace(&self, namespace: &str) -> Result<KvTable> {
        let namespace = Name::from(namespace);
        let question = Question::new("get", format!("the KV configs of namespace {namespace:?}"));
        self.ask(&GetKvListByNamespace { namespace }, &question).await
    }
}

fn entry(namespace: &Name, key: &Name) -> String {
    format!("KV config {key:?} of namespace {namespace:?}")
}
