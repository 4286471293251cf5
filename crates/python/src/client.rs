//! The client: each call once blocking, once for an event loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use pyo3::{PyTraverseError, PyVisit};
use rocketmq_nameserver::{AsyncNameServerClient, ClientBuilder, ConnectionState, SerializeType};

use crate::completions::{Completions, Finished, routes_to_python};
use crate::convert::ToPython;
use crate::discovery::Discovery;
use crate::request::Request;
use crate::rewriting::{AddressRewriting, Rewriter};
use crate::wait::{enter, wait};
use crate::{error, log, process};

/// A client of some NameServers.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct Client {
    builder: ClientBuilder,
    rewriter: Rewriter,
    current: Mutex<Current>,
    closed: AtomicBool,
}

/// Servers as Python names them.
#[derive(FromPyObject)]
enum Servers {
    /// `host:port`, several separated by `;` or `,`; or a URI with settings.
    List(String),
    /// Host and port.
    One(String, u16),
}

/// The zone, whether the environment names one, and which addresses are used.
type Place<'py> = (Option<String>, bool, Option<Bound<'py, AddressRewriting>>);

/// The core's client, for the process that it was made in: a forked child gets its own.
struct Current {
    process: u32,
    client: AsyncNameServerClient,
}

#[pymethods]
impl Client {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "as many settings as a client has")]
    fn new(
        py: Python<'_>,
        servers: Vec<Servers>,
        discovery: Option<PyRef<'_, Discovery>>,
        timeout: f64,
        connect_timeout: f64,
        max_frame_size: usize,
        flags: (bool, bool),
        place: Place<'_>,
    ) -> PyResult<Self> {
        log::start();
        let (binary_header, hedged_reads) = flags;
        let form = if binary_header { SerializeType::RocketMq } else { SerializeType::Json };
        let add = |builder: ClientBuilder, servers: &Servers| match servers {
            Servers::List(uri) if uri.starts_with("rocketmq://") => builder.uri(uri),
            Servers::List(list) => builder.servers(list),
            Servers::One(host, port) => builder.server(host, *port),
        };
        let settings = AsyncNameServerClient::builder()
            .timeout(seconds("timeout", timeout)?)
            .connect_timeout(seconds("connect_timeout", connect_timeout)?)
            .max_frame_size(max_frame_size)
            .hedged_reads(hedged_reads)
            .serialize_type(form);
        // What a URI says comes after what the arguments say.
        let listed = servers.iter().fold(settings, add);
        let found = match discovery {
            Some(discovery) => listed.discovery(discovery.0.clone()),
            None => listed,
        };
        let (zone, zone_from_env, rewriting) = place;
        let named = zone.iter().fold(found, |builder, zone| builder.zone(zone));
        let in_zone = if zone_from_env { named.zone_from_env() } else { named };
        let builder = match rewriting.as_ref().and_then(|rewriting| rewriting.get().for_core()) {
            Some(rules) => in_zone.rewrite_addresses(rules.clone()),
            None => in_zone,
        };
        let client = builder.clone().build().map_err(|error| error::raised(py, &error))?;
        let current = Mutex::new(Current { process: process::here(), client });
        let rewriter = Rewriter::new(rewriting.as_ref());
        Ok(Client { builder, rewriter, current, closed: AtomicBool::new(false) })
    }

    fn query_topic_route_info<'py>(
        &self,
        py: Python<'py>,
        topic: &str,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        let route = wait(py, client.query_topic_route_info(topic))?;
        let route = route.map_err(|error| error::raised(py, &error))?;
        self.rewriter.route(py, &route)?.to_python(py)
    }

    fn query_topic_route_infos<'py>(
        &self,
        py: Python<'py>,
        topics: Vec<String>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        let routes = wait(py, client.query_topic_route_infos(topics))?;
        routes_to_python(py, &self.rewriter, routes)
    }

    fn get_broker_cluster_info<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        let info = wait(py, client.get_broker_cluster_info())?;
        let info = info.map_err(|error| error::raised(py, &error))?;
        self.rewriter.cluster_info(py, info)?.to_python(py)
    }

    fn ask<'py>(
        &self,
        py: Python<'py>,
        request: &Request,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        let outcome = wait(py, request.ask(py, client)?)?;
        outcome.used_to_python(py, &self.rewriter)?.map_err(PyErr::from_value)
    }

    fn connect(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        wait(py, client.connect())?.map_err(|error| error::raised(py, &error))
    }

    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        let _inside = enter(py)?;
        let client = self.current(py)?;
        wait(py, client.disconnect())
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let _inside = enter(py)?;
        let client = self.current(py)?;
        self.closed.store(true, Ordering::SeqCst);
        wait(py, client.close())
    }

    /// The servers of now, `host:port`.
    fn server_list(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let _inside = enter(py)?;
        Ok(self.current(py)?.server_list().iter().map(ToString::to_string).collect())
    }

    fn is_connected(&self, py: Python<'_>) -> PyResult<bool> {
        let _inside = enter(py)?;
        Ok(self.current(py)?.is_connected())
    }

    /// One dict for each server.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let _inside = enter(py)?;
        let stats = self.current(py)?.stats();
        let servers = stats.servers.iter().map(|server| {
            let (state, age) = match server.connection {
                ConnectionState::Connecting => ("connecting", None),
                ConnectionState::Connected { age } => ("connected", Some(age.as_secs_f64())),
                _ => ("idle", None),
            };
            let dict = PyDict::new(py);
            dict.set_item("server", server.server.as_str())?;
            dict.set_item("state", state)?;
            dict.set_item("age", age)?;
            dict.set_item("connects", server.connects)?;
            dict.set_item("requests", server.requests)?;
            dict.set_item("in_flight", server.in_flight)?;
            dict.set_item("refusals", server.refusals)?;
            dict.set_item("errors", server.errors)?;
            dict.set_item("version", server.version.map(|version| version.to_string()))?;
            Ok(dict)
        });
        servers.collect()
    }

    fn start_query_topic_route_info(
        &self,
        py: Python<'_>,
        completions: &Completions,
        topic: String,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        completions.start(py, async move { Finished::Route(client.query_topic_route_info(&topic).await) })
    }

    fn start_query_topic_route_infos(
        &self,
        py: Python<'_>,
        completions: &Completions,
        topics: Vec<String>,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        completions.start(py, async move { Finished::Routes(client.query_topic_route_infos(topics).await) })
    }

    fn start_get_broker_cluster_info(
        &self,
        py: Python<'_>,
        completions: &Completions,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        completions.start(py, async move { Finished::ClusterInfo(client.get_broker_cluster_info().await) })
    }

    fn start_ask(
        &self,
        py: Python<'_>,
        completions: &Completions,
        request: &Request,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        let call = request.ask(py, client)?;
        completions.start(py, async move { Finished::Request(call.await) })
    }

    fn start_connect(
        &self,
        py: Python<'_>,
        completions: &Completions,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.client(py, timeout)?;
        completions.start(py, async move { Finished::Nothing(client.connect().await) })
    }

    fn start_disconnect(&self, py: Python<'_>, completions: &Completions) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.current(py)?;
        completions.start(py, async move {
            client.disconnect().await;
            Finished::Nothing(Ok(()))
        })
    }

    fn start_close(&self, py: Python<'_>, completions: &Completions) -> PyResult<u64> {
        let _inside = enter(py)?;
        let client = self.current(py)?;
        self.closed.store(true, Ordering::SeqCst);
        completions.start(py, async move {
            client.close().await;
            Finished::Nothing(Ok(()))
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.rewriter.traverse(&visit)
    }
}

impl Client {
    /// What is done with its answers before they become objects.
    pub(crate) fn rewriter(&self) -> &Rewriter {
        &self.rewriter
    }

    /// The client of this process with the limit of this call.
    pub(crate) fn client(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<AsyncNameServerClient> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(error::unable(py, "the client was closed; create a new one"));
        }
        let client = self.current(py)?;
        Ok(match timeout {
            Some(timeout) => client.with_timeout(seconds("timeout", timeout)?),
            None => client,
        })
    }

    /// Taken only with the GIL held, so that no other thread holds the lock when a process forks.
    fn current(&self, py: Python<'_>) -> PyResult<AsyncNameServerClient> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let process = process::here();
        if current.process != process {
            let client = self.builder.clone().build().map_err(|error| error::raised(py, &error))?;
            // The parent's connections belong to the parent: they must not be touched here, not even to close them.
            std::mem::forget(std::mem::replace(&mut *current, Current { process, client }));
        }
        Ok(current.client.clone())
    }
}

/// A limit in seconds, which must be one.
pub(crate) fn seconds(argument: &str, value: f64) -> PyResult<Duration> {
    let wrong =
        || PyValueError::new_err(format!("{argument} must be a number of seconds above 0, not {value}"));
    Duration::try_from_secs_f64(value).ok().filter(|limit| !limit.is_zero()).ok_or_else(wrong)
}
