//! Requests of operators and brokers: what is asked, before it is known of whom and whether a thread blocks for it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use rocketmq_nameserver::{
    AsyncNameServerClient, BrokerHeartbeat, Name, QueryDataVersion, RegisterBroker, UnregisterBroker,
};

use crate::outcome::{Outcome, Topics};
use crate::{arguments, error};

/// A request under way.
pub(crate) type Call = Pin<Box<dyn Future<Output = Box<dyn Outcome>> + Send>>;

type Ask = Box<dyn FnOnce(AsyncNameServerClient) -> Call + Send>;

/// One request, to be asked once.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct Request(Mutex<Option<Ask>>);

impl Request {
    fn new<F, Fut>(ask: F) -> Self
    where
        F: FnOnce(AsyncNameServerClient) -> Fut + Send + 'static,
        Fut: Future<Output: Outcome + 'static> + Send + 'static,
    {
        let ask = |client| -> Call {
            let call = ask(client);
            Box::pin(async { Box::new(call.await) as Box<dyn Outcome> })
        };
        Request(Mutex::new(Some(Box::new(ask))))
    }

    /// Asks that client.
    pub(crate) fn ask(&self, py: Python<'_>, client: AsyncNameServerClient) -> PyResult<Call> {
        let ask = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(ask.ok_or_else(|| error::unable(py, "the request has been asked before"))?(client))
    }
}

/// Named as the methods that ask them.
#[pymethods]
impl Request {
    #[staticmethod]
    fn route_to_publish(topic: String, default_topic_queue_nums: u32) -> Self {
        Request::new(async move |client| client.route_to_publish(&topic, default_topic_queue_nums).await)
    }

    #[staticmethod]
    fn put_kv_config(namespace: String, key: String, value: String) -> Self {
        Request::new(async move |client| client.put_kv_config(&namespace, &key, &value).await)
    }

    #[staticmethod]
    fn get_kv_config(namespace: String, key: String) -> Self {
        Request::new(async move |client| client.get_kv_config(&namespace, &key).await)
    }

    #[staticmethod]
    fn delete_kv_config(namespace: String, key: String) -> Self {
        Request::new(async move |client| client.delete_kv_config(&namespace, &key).await)
    }

    #[staticmethod]
    fn get_kv_list_by_namespace(namespace: String) -> Self {
        Request::new(async move |client| {
            client.get_kv_list_by_namespace(&namespace).await.map(|namespace| namespace.table)
        })
    }

    #[staticmethod]
    fn get_all_topic_list() -> Self {
        Request::new(async |client| client.get_all_topic_list().await.map(Topics))
    }

    #[staticmethod]
    fn delete_topic_in_namesrv(topic: String, cluster_name: Option<String>) -> Self {
        Request::new(async move |client| {
            client.delete_topic_in_namesrv(&topic, cluster_name.as_deref()).await
        })
    }

    #[staticmethod]
    fn register_topic_in_namesrv(topic: String, queues: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let queues = arguments::queues(&queues)?;
        Ok(Request::new(async move |client| client.register_topic_in_namesrv(&topic, queues).await))
    }

    #[staticmethod]
    fn get_topics_by_cluster(cluster: String) -> Self {
        Request::new(async move |client| client.get_topics_by_cluster(&cluster).await.map(Topics))
    }

    #[staticmethod]
    fn get_system_topic_list() -> Self {
        Request::new(async |client| client.get_system_topic_list().await)
    }

    #[staticmethod]
    fn get_unit_topic_list() -> Self {
        Request::new(async |client| client.get_unit_topic_list().await.map(Topics))
    }

    #[staticmethod]
    fn get_has_unit_sub_topic_list() -> Self {
        Request::new(async |client| client.get_has_unit_sub_topic_list().await.map(Topics))
    }

    #[staticmethod]
    fn get_has_unit_sub_ununit_topic_list() -> Self {
        Request::new(async |client| client.get_has_unit_sub_ununit_topic_list().await.map(Topics))
    }

    #[staticmethod]
    fn wipe_write_perm_of_broker(broker_name: String) -> Self {
        Request::new(async move |client| client.wipe_write_perm_of_broker(&broker_name).await)
    }

    #[staticmethod]
    fn add_write_perm_of_broker(broker_name: String) -> Self {
        Request::new(async move |client| client.add_write_perm_of_broker(&broker_name).await)
    }

    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "a broker says that much of itself")]
    fn register_broker(
        cluster_name: String,
        broker_name: String,
        broker_addr: String,
        broker_id: i64,
        topics: Vec<Bound<'_, PyAny>>,
        data_version: Option<Bound<'_, PyAny>>,
        ha_server_addr: Option<String>,
        heartbeat_timeout_millis: Option<i64>,
        enable_acting_master: Option<bool>,
        zone_name: Option<String>,
    ) -> PyResult<Self> {
        let broker = RegisterBroker {
            heartbeat_timeout_millis,
            enable_acting_master,
            ..arguments::registration(
                (cluster_name, broker_name, broker_addr, broker_id),
                (&topics, data_version.as_ref()),
                ha_server_addr,
                zone_name,
            )?
        };
        Ok(Request::new(async move |client| client.register_broker(&broker).await))
    }

    #[staticmethod]
    fn unregister_broker(
        cluster_name: String,
        broker_name: String,
        broker_addr: String,
        broker_id: i64,
    ) -> Self {
        let (cluster_name, broker_name) = (Name::from(cluster_name), Name::from(broker_name));
        let broker_addr = Name::from(broker_addr);
        let broker = UnregisterBroker { cluster_name, broker_name, broker_addr, broker_id };
        Request::new(async move |client| client.unregister_broker(&broker).await)
    }

    #[staticmethod]
    fn query_data_version(
        cluster_name: String,
        broker_name: String,
        broker_addr: String,
        broker_id: i64,
        data_version: Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (cluster_name, broker_name) = (Name::from(cluster_name), Name::from(broker_name));
        let (broker_addr, data_version) = (Name::from(broker_addr), arguments::data_version(&data_version)?);
        let broker = QueryDataVersion { cluster_name, broker_name, broker_addr, broker_id, data_version };
        Ok(Request::new(async move |client| client.query_data_version(&broker).await))
    }

    #[staticmethod]
    fn get_broker_member_group(cluster_name: String, broker_name: String) -> Self {
        Request::new(async move |client| client.get_broker_member_group(&cluster_name, &broker_name).await)
    }

    #[staticmethod]
    fn broker_heartbeat(cluster_name: String, broker_name: String, broker_addr: String) -> Self {
        let broker = BrokerHeartbeat {
            cluster_name: Name::from(cluster_name),
            broker_name: Name::from(broker_name),
            broker_addr: Name::from(broker_addr),
            ..BrokerHeartbeat::default()
        };
        Request::new(async move |client| client.broker_heartbeat(&broker).await)
    }

    #[staticmethod]
    fn update_namesrv_config(config: HashMap<String, String>) -> Self {
        Request::new(async move |client| client.update_namesrv_config(config.into_iter().collect()).await)
    }

    #[staticmethod]
    fn get_namesrv_config() -> Self {
        Request::new(async |client| client.get_namesrv_config().await)
    }
}
