//! Errors as the package's exceptions: one match from kind to class, in `errors.from_native`.

use std::error::Error;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyList};
use rocketmq_nameserver::protocol::error::DataParseError;
use rocketmq_nameserver::{Failure, NameServerError};

fn from_native(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static FROM_NATIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let import = || Ok(py.import("pyrocketmq.nameserver.errors")?.getattr("from_native")?.unbind());
    FROM_NATIVE.get_or_try_init(py, import).map(|function| function.bind(py))
}

/// The exception of an error, with everything that the error knows.
pub(crate) fn exception<'py>(py: Python<'py>, error: &NameServerError) -> PyResult<Bound<'py, PyAny>> {
    let attempt = |attempt: &rocketmq_nameserver::Attempt| {
        let (server, phase) = (attempt.server.to_string(), attempt.phase.to_string());
        (server, phase, attempt.elapsed.as_secs_f64(), attempt.failure.to_string())
    };
    let attempts = PyList::new(py, error.attempts().iter().map(attempt))?;
    // The source of an error is the failure that decided.
    let decisive = error.source().and_then(|source| source.downcast_ref::<Failure>());
    let offset = match decisive {
        Some(Failure::DataParse(error)) => Some(error.offset),
        _ => None,
    };
    let os_error = match decisive {
        Some(Failure::Io(error)) => error.raw_os_error().map(|number| {
            let text = error.to_string();
            let suffix = format!(" (os error {number})");
            (number, text.strip_suffix(&suffix).unwrap_or(&text).to_owned())
        }),
        _ => None,
    };
    let details = [
        ("code", error.code().map(|code| code.0).into_pyobject(py)?.into_any()),
        ("remark", error.remark().into_pyobject(py)?.into_any()),
        ("server", error.server().into_pyobject(py)?.into_any()),
        ("topic", error.topic().into_pyobject(py)?.into_any()),
        ("attempts", attempts.into_any()),
        ("offset", offset.into_pyobject(py)?.into_any()),
        ("os_error", os_error.into_pyobject(py)?.into_any()),
        ("is_unsupported", error.is_unsupported().into_pyobject(py)?.to_owned().into_any()),
        ("is_not_ready", error.is_not_ready().into_pyobject(py)?.to_owned().into_any()),
        ("is_timeout", error.is_timeout().into_pyobject(py)?.to_owned().into_any()),
        ("is_retryable", error.is_retryable().into_pyobject(py)?.to_owned().into_any()),
    ];
    from_native(py)?
        .call((format!("{:?}", error.kind()), error.to_string()), Some(&details.into_py_dict(py)?))
}

/// The same, to be raised.
pub(crate) fn raised(py: Python<'_>, error: &NameServerError) -> PyErr {
    exception(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

/// A call that cannot even be tried, to be raised as the base class.
pub(crate) fn unable(py: Python<'_>, message: &str) -> PyErr {
    let made = from_native(py).and_then(|from_native| from_native.call1(("Usage", message)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// Bytes that are not what they should be, to be raised.
pub(crate) fn unreadable(py: Python<'_>, error: &DataParseError) -> PyErr {
    let details = [("offset", error.offset)].into_py_dict(py);
    let made = from_native(py)
        .and_then(|from_native| from_native.call(("DataParse", error.to_string()), Some(&details?)));
    made.map_or_else(|failed| failed, PyErr::from_value)
}
