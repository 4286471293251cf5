//! A NameServer inside the Python process. `embedded.py` is what its users see.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rocketmq_nameserver::protocol::request::{RegisterBroker, UnregisterBroker};
use rocketmq_nameserver_server::{Fault, NameServer, NameServerHandle, Personality};

use crate::arguments::registration;
use crate::convert::{ToPython, list};
use crate::outcome::texts;
use crate::wait::{enter, wait};
use crate::{error, log, process, runtime};

/// A NameServer inside this process. A forked child has neither its threads nor its connections, and leaves it alone.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct EmbeddedNameServer {
    process: u32,
    address: SocketAddr,
    /// Until it is stopped. Taken only with the GIL held, so that no other thread holds it when a process forks.
    server: Mutex<Option<NameServer>>,
    /// Held until it has stopped, so that all who stop it wait for that.
    running: tokio::sync::Mutex<Option<NameServerHandle>>,
}

#[pymethods]
impl EmbeddedNameServer {
    #[new]
    fn new(
        py: Python<'_>,
        listen: &str,
        is_v5: bool,
        kv_file: Option<PathBuf>,
        settings: Vec<(String, String)>,
    ) -> PyResult<Self> {
        let _inside = enter(py)?;
        log::start();
        let personality = if is_v5 { Personality::V5 } else { Personality::V4 };
        let mut builder = NameServer::builder().listen(listen).personality(personality);
        if let Some(file) = kv_file {
            builder = builder.kv_file(file);
        }
        let builder = settings.into_iter().fold(builder, |builder, (key, value)| builder.setting(key, value));
        // On the runtime that is driven at all times: other programs may ask it, too.
        let runtime = runtime::handle()?;
        let started = wait(py, async { runtime.spawn(builder.start()).await })?;
        let handle = started.map_err(io::Error::other)?.map_err(|error| not_started(py, error))?;
        Ok(EmbeddedNameServer {
            process: process::here(),
            address: handle.address(),
            server: Mutex::new(Some(handle.server().clone())),
            running: tokio::sync::Mutex::new(Some(handle)),
        })
    }

    /// Where it listens: an IP address and a port.
    fn address(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }

    fn is_running(&self) -> bool {
        self.process == process::here() && self.locked().is_some()
    }

    /// An error if it does not run, or not in this process.
    fn check_running(&self, py: Python<'_>) -> PyResult<()> {
        self.server(py).map(drop)
    }

    /// Registers a broker by hand: it stays, however silent.
    #[expect(clippy::too_many_arguments, reason = "a broker says that much of itself")]
    fn register<'py>(
        &self,
        py: Python<'py>,
        cluster_name: String,
        broker_name: String,
        broker_addr: String,
        broker_id: i64,
        topics: Vec<Bound<'py, PyAny>>,
        data_version: Option<Bound<'py, PyAny>>,
        ha_server_addr: Option<String>,
        enable_acting_master: Option<bool>,
        zone_name: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _inside = enter(py)?;
        let server = self.server(py)?;
        let broker = RegisterBroker {
            enable_acting_master,
            ..registration(
                (cluster_name, broker_name, broker_addr, broker_id),
                (&topics, data_version.as_ref()),
                ha_server_addr,
                zone_name,
            )?
        };
        let registered = py.detach(|| server.register(broker));
        registered.map_err(|refusal| error::unable(py, &refusal.to_string()))?.to_python(py)
    }

    /// Takes one member of a broker group out, or all; how many there were.
    fn unregister(&self, py: Python<'_>, broker_name: &str, broker_id: Option<i64>) -> PyResult<usize> {
        let _inside = enter(py)?;
        let server = self.server(py)?;
        Ok(py.detach(|| {
            let clusters = server.snapshot().clusters;
            let Some(group) = clusters.broker_addr_table.get(broker_name) else { return 0 };
            let members = group.broker_addresses.iter();
            let wanted = members.filter(|(id, _)| broker_id.is_none_or(|wanted| wanted == *id));
            let unregister = |(id, address): (i64, &_)| {
                server.unregister(UnregisterBroker {
                    cluster_name: group.cluster.clone(),
                    broker_name: group.broker_name.clone(),
                    broker_addr: Clone::clone(address),
                    broker_id: id,
                });
            };
            wanted.map(unregister).count()
        }))
    }

    /// All that it knows: clusters, topics and the KV store.
    fn snapshot<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>, Bound<'py, PyDict>)> {
        let _inside = enter(py)?;
        let server = self.server(py)?;
        let snapshot = py.detach(|| server.snapshot());
        let topics = PyDict::new(py);
        for (topic, queues) in &snapshot.topics {
            topics.set_item(topic.as_str(), list(py, queues.iter())?)?;
        }
        let kv = PyDict::new(py);
        for (namespace, entries) in &snapshot.kv {
            kv.set_item(namespace.as_str(), texts(py, entries)?)?;
        }
        Ok((snapshot.clusters.to_python(py)?, topics, kv))
    }

    /// From now on it does these wrong and nothing else.
    fn set_faults(&self, py: Python<'_>, faults: Vec<String>) -> PyResult<()> {
        let _inside = enter(py)?;
        let server = self.server(py)?;
        let read =
            |name: &String| name.parse::<Fault>().map_err(|error| PyValueError::new_err(error.to_string()));
        let faults: Vec<Fault> = faults.iter().map(read).collect::<PyResult<_>>()?;
        py.detach(|| server.replace_faults(faults));
        Ok(())
    }

    /// What it does wrong.
    fn faults(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let _inside = enter(py)?;
        let server = self.server(py)?;
        Ok(py.detach(|| server.faults()).iter().map(Fault::to_string).collect())
    }

    /// Stops it; brokers and clients lose their connections. Stopping twice is nothing, and so is stopping another
    /// process's.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let _inside = enter(py)?;
        if self.process != process::here() {
            return Ok(());
        }
        self.locked().take();
        wait(py, async {
            let mut running = self.running.lock().await;
            if let Some(handle) = running.take() {
                handle.shutdown().await;
            }
        })
    }
}

impl EmbeddedNameServer {
    fn locked(&self) -> MutexGuard<'_, Option<NameServer>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server, which may be locked only without the GIL: its own threads lock it, too, and write files meanwhile.
    fn server(&self, py: Python<'_>) -> PyResult<NameServer> {
        if self.process != process::here() {
            let text = "the server runs in the process that started it; this one is a fork and can only ask its address";
            return Err(error::unable(py, text));
        }
        self.locked().clone().ok_or_else(|| error::unable(py, "the server has stopped; start a new one"))
    }
}

impl Drop for EmbeddedNameServer {
    fn drop(&mut self) {
        if self.process != process::here() {
            // What the parent's threads had locked stays locked here.
            std::mem::forget(self.running.get_mut().take());
            std::mem::forget(self.server.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// Why a server could not be started: `ValueError` for a wrong argument, else `OSError` with its number where the server
/// has only its kind.
fn not_started(py: Python<'_>, error: io::Error) -> PyErr {
    let name = match error.kind() {
        io::ErrorKind::InvalidInput => return PyValueError::new_err(error.to_string()),
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        _ => return error.into(),
    };
    let number = || py.import("errno")?.getattr(name)?.extract::<i32>();
    let text = error.to_string();
    match number() {
        Ok(number) => {
            // Python writes the number itself.
            let suffix = format!(" (os error {number})");
            PyOSError::new_err((number, text.strip_suffix(&suffix).unwrap_or(&text).to_owned()))
        }
        Err(failed) => failed,
    }
}
