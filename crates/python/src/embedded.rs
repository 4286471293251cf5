//! A NameServer inside the Python process, for tests.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use rocketmq_nameserver::AsyncNameServerClient;
use rocketmq_nameserver::protocol::model::{DataVersion, Name, Perm, RegisterBrokerBody, TopicConfig};
use rocketmq_nameserver::protocol::request::RegisterBroker;
use rocketmq_nameserver_server::{NameServer, NameServerHandle};

use crate::wait::{enter, wait};
use crate::{error, runtime};

/// A NameServer inside this process.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct EmbeddedNameServer {
    address: String,
    running: Mutex<Option<NameServerHandle>>,
    /// Each stands for a broker as long as it is connected.
    brokers: Mutex<Vec<AsyncNameServerClient>>,
}

#[pymethods]
impl EmbeddedNameServer {
    #[new]
    #[pyo3(signature = (listen = "127.0.0.1:0"))]
    fn new(py: Python<'_>, listen: &str) -> PyResult<Self> {
        let _inside = enter(py)?;
        let builder = NameServer::builder().listen(listen);
        // On the runtime that is driven at all times: other programs may ask it, too.
        let runtime = runtime::handle()?;
        let server =
            wait(py, async { runtime.spawn(builder.start()).await })?.map_err(std::io::Error::other)??;
        let address = server.address().to_string();
        Ok(EmbeddedNameServer { address, running: Mutex::new(Some(server)), brokers: Mutex::default() })
    }

    /// Where it listens, `host:port`.
    #[getter]
    fn address(&self) -> &str {
        &self.address
    }

    /// Registers a broker, which is there until the server stops. Topics are (name, read queues, write queues, perm).
    fn register(
        &self,
        py: Python<'_>,
        cluster: &str,
        broker_name: &str,
        broker_id: i64,
        address: &str,
        topics: Vec<(String, u32, u32, i32)>,
    ) -> PyResult<()> {
        let _inside = enter(py)?;
        let is_one = topics.len() == 1;
        let topics = topics.into_iter().map(|(topic, read_queue_nums, write_queue_nums, perm)| TopicConfig {
            topic_name: Some(Name::from(topic)),
            read_queue_nums,
            write_queue_nums,
            perm: Perm(perm),
            ..TopicConfig::default()
        });
        let body = RegisterBrokerBody::new(DataVersion { counter: 1, ..DataVersion::default() }, topics);
        let registration = RegisterBroker::new(cluster, broker_name, broker_id, address, body);
        let broker = AsyncNameServerClient::builder().servers(&self.address).build();
        let broker = broker.map_err(|error| error::raised(py, &error))?;
        let register = |registration: RegisterBroker| {
            wait(py, broker.request(&registration))?.map_err(|error| error::raised(py, &error))
        };
        if is_one {
            // A 5.x server refuses a new broker with exactly one topic, but takes one without any, and then the topic.
            register(RegisterBroker { body: RegisterBrokerBody::default(), ..registration.clone() })?;
        }
        register(registration)?;
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner).push(broker);
        Ok(())
    }

    /// Stops it; brokers and clients lose their connections. Stopping twice is nothing.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let _inside = enter(py)?;
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        match running {
            Some(server) => wait(py, server.shutdown()),
            None => Ok(()),
        }
    }
}
