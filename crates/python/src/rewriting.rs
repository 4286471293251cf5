//! Which addresses are used in place of those that brokers advertise.
//!
//! Rules that are the core's alone are given to the core's client. Where one is a Python function the core's client has none:
//! its threads must not call Python. Then all rules are applied, in their order, where an answer becomes objects, by the
//! thread that wants them: see [`Rewriter`].

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::{PyTraverseError, PyVisit};
use rocketmq_nameserver as core;
use rocketmq_nameserver::{AdvertisedAddress, BrokerClusterInfo, BrokerData, TopicRouteData};

use crate::error;

/// Some rules. Each of its methods makes another one.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct AddressRewriting {
    /// A function's rule knows only its place in `functions`, so that the garbage collector sees who holds it.
    rules: core::AddressRewriting,
    functions: Vec<Py<PyAny>>,
}

#[pymethods]
impl AddressRewriting {
    #[new]
    fn new() -> Self {
        AddressRewriting { rules: core::AddressRewriting::new(), functions: Vec::new() }
    }

    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        let rules = core::AddressRewriting::parse(text).map_err(|error| error::raised(py, &error))?;
        Ok(AddressRewriting { rules, functions: Vec::new() })
    }

    fn exact(&self, py: Python<'_>, advertised: &str, used: &str) -> PyResult<Self> {
        self.and(py, |rules| rules.exact(advertised, used))
    }

    fn host(&self, py: Python<'_>, advertised: &str, used: &str) -> PyResult<Self> {
        self.and(py, |rules| rules.host(advertised, used))
    }

    fn cidr(&self, py: Python<'_>, network: &str, used: &str) -> PyResult<Self> {
        self.and(py, |rules| rules.cidr(network, used))
    }

    fn with_(&self, py: Python<'_>, function: Py<PyAny>) -> PyResult<Self> {
        let place = self.functions.len();
        let mut more = self.and(py, |rules| rules.with(move |advertised| ask(place, advertised)))?;
        more.functions.push(function);
        Ok(more)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.functions.iter().try_for_each(|function| visit.call(function))
    }
}

impl AddressRewriting {
    fn and(
        &self,
        py: Python<'_>,
        rule: impl FnOnce(core::AddressRewriting) -> core::AddressRewriting,
    ) -> PyResult<Self> {
        let rules = rule(self.rules.clone());
        rules.check().map_err(|error| error::raised(py, &error))?;
        Ok(AddressRewriting { rules, functions: self.functions(py) })
    }

    /// The rules, if the core can do them.
    pub(crate) fn for_core(&self) -> Option<&core::AddressRewriting> {
        self.functions.is_empty().then_some(&self.rules)
    }

    fn functions(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        self.functions.iter().map(|function| function.clone_ref(py)).collect()
    }

    /// Does something with the rules, during which functions may be called. What one of them raises comes out here.
    fn apply(&self, py: Python<'_>, work: impl FnOnce(&core::AddressRewriting)) -> PyResult<()> {
        ASKED.with_borrow_mut(|asked| asked.push(Asked { functions: self.functions(py), error: None }));
        work(&self.rules);
        // Functions that are held no longer may go here, which runs Python code: not while this is borrowed.
        let asked = ASKED.with_borrow_mut(Vec::pop);
        asked.and_then(|asked| asked.error).map_or(Ok(()), Err)
    }
}

thread_local! {
    /// The functions of the rules that this thread applies now. A function may ask something whose answer has rules, too:
    /// those are last.
    static ASKED: RefCell<Vec<Asked>> = const { RefCell::new(Vec::new()) };
}

struct Asked {
    functions: Vec<Py<PyAny>>,
    /// What the first one to fail has raised; then no other is called.
    error: Option<PyErr>,
}

/// Calls a function. The thread has the GIL: it is the one that applies the rules.
fn ask(place: usize, advertised: &AdvertisedAddress<'_>) -> Option<String> {
    Python::attach(|py| {
        let function = ASKED.with_borrow(|asked| {
            let asked = asked.last().filter(|asked| asked.error.is_none())?;
            Some(asked.functions.get(place)?.clone_ref(py))
        })?;
        call(py, &function, advertised).unwrap_or_else(|error| {
            ASKED.with_borrow_mut(|asked| {
                if let Some(asked) = asked.last_mut() {
                    asked.error = Some(error);
                }
            });
            None
        })
    })
}

fn call(
    py: Python<'_>,
    function: &Py<PyAny>,
    advertised: &AdvertisedAddress<'_>,
) -> PyResult<Option<String>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class =
        CLASS.get_or_try_init(py, || py.import(MODULE)?.getattr("AdvertisedAddress").map(Bound::unbind))?;
    let class = class.bind(py);
    let AdvertisedAddress { cluster, broker_name, broker_id, address, .. } = *advertised;
    let answer = function.bind(py).call1((class.call1((cluster, broker_name, broker_id, address))?,))?;
    answer.extract().map_err(|_| {
        let answer = answer.repr().map_or_else(|_| "something else".to_owned(), |answer| answer.to_string());
        PyTypeError::new_err(format!(
            "a function that rewrites addresses must return host:port or None, not {answer}"
        ))
    })
}

const MODULE: &str = "pyrocketmq.nameserver.address_rewriting";

/// What is done with answers before they become objects: nothing, unless a rule is a Python function.
///
/// Only for threads that hold the GIL, also when it is dropped.
pub(crate) struct Rewriter(Option<Py<AddressRewriting>>);

impl Rewriter {
    pub(crate) fn new(rewriting: Option<&Bound<'_, AddressRewriting>>) -> Self {
        let rewriting = rewriting.filter(|rewriting| rewriting.get().for_core().is_none());
        Rewriter(rewriting.map(|rewriting| rewriting.clone().unbind()))
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Rewriter(self.0.as_ref().map(|rewriting| rewriting.clone_ref(py)))
    }

    pub(crate) fn does_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// For the garbage collector.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }

    pub(crate) fn route(&self, py: Python<'_>, route: &Arc<TopicRouteData>) -> PyResult<Arc<TopicRouteData>> {
        let mut route = Arc::clone(route);
        if let Some(rewriting) = &self.0 {
            let brokers = &mut Arc::make_mut(&mut route).broker_data_list;
            let each = |rules: &core::AddressRewriting| {
                brokers.iter_mut().for_each(|broker| rules.broker(Arc::make_mut(broker)));
            };
            rewriting.get().apply(py, each)?;
        }
        Ok(route)
    }

    pub(crate) fn broker(&self, py: Python<'_>, broker: &BrokerData) -> PyResult<BrokerData> {
        let mut broker = broker.clone();
        if let Some(rewriting) = &self.0 {
            rewriting.get().apply(py, |rules| rules.broker(&mut broker))?;
        }
        Ok(broker)
    }

    pub(crate) fn cluster_info(
        &self,
        py: Python<'_>,
        mut info: BrokerClusterInfo,
    ) -> PyResult<BrokerClusterInfo> {
        if let Some(rewriting) = &self.0 {
            let brokers = info.broker_addr_table.values_mut();
            rewriting.get().apply(py, |rules| brokers.for_each(|broker| rules.broker(broker)))?;
        }
        Ok(info)
    }
}

/// Has Python log what a function has raised, where there is no caller to be told: `None`. What is no mere exception, such
/// as an interrupt, is the caller's all the same.
pub(crate) fn or_logged<T>(py: Python<'_>, used: PyResult<T>) -> PyResult<Option<T>> {
    match used {
        Ok(used) => Ok(Some(used)),
        Err(error) if error.is_instance_of::<PyException>(py) => {
            py.import(MODULE)?.getattr("log_failure")?.call1((error,))?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
