//! Where servers are found: the core's `Discovery`, put together from Python.

use std::path::PathBuf;

use pyo3::prelude::*;

/// A way to find NameServers.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct Discovery(pub(crate) rocketmq_nameserver::Discovery);

#[pymethods]
impl Discovery {
    #[staticmethod]
    fn servers(addresses: &str) -> Self {
        Discovery(rocketmq_nameserver::Discovery::servers(addresses))
    }

    #[staticmethod]
    fn env(variable: String) -> Self {
        Discovery(rocketmq_nameserver::Discovery::env_named(variable))
    }

    #[staticmethod]
    fn dns(host: &str, port: u16) -> Self {
        Discovery(rocketmq_nameserver::Discovery::dns(host, port))
    }

    #[staticmethod]
    fn file(path: PathBuf) -> Self {
        Discovery(rocketmq_nameserver::Discovery::file(path))
    }

    #[staticmethod]
    fn http(url: &str) -> Self {
        Discovery(rocketmq_nameserver::Discovery::http_url(url))
    }

    /// The first that has a list.
    fn first_of(&self, other: &Discovery) -> Self {
        Discovery(self.0.clone().or(other.0.clone()))
    }

    /// Both together.
    fn all_of(&self, other: &Discovery) -> Self {
        Discovery(self.0.clone().and(other.0.clone()))
    }

    fn keep_last_good(&self, path: PathBuf) -> Self {
        Discovery(self.0.clone().keep_last_good(path))
    }
}
