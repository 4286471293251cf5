//! The native half of the Python package `pyrocketmq.nameserver`. Private to it; `_native.pyi` describes it.
//!
//! Python owns its types, Rust fills them: `convert` makes the package's dataclasses, `error` its exceptions. `client`
//! has the calls, blocking and asyncio, and `request` what else can be asked, with its `arguments` and its `outcome`; `wait` runs a blocking call without the GIL on the `blocking_runtime`, which the
//! calling thread drives; `completions` brings finished calls to an event loop from the `runtime` of a background thread.
//! `rewriting` has the rules for addresses; those with functions of Python are applied where answers become objects.
//! `disagreement` is what several servers say about the same. `cache` is the core's route cache on such a client, `handed_out` the objects of its routes, `route_watch` tells of their
//! changes, which `route_change` turns into objects. `discovery` finds servers, `embedded` is a server for tests. No thread of ours ever takes the GIL.

mod arguments;
mod blocking_runtime;
mod cache;
mod client;
mod completions;
mod convert;
mod disagreement;
mod discovery;
mod embedded;
mod error;
mod handed_out;
mod log;
mod outcome;
mod process;
mod request;
mod rewriting;
mod route_change;
mod route_watch;
mod runtime;
mod wait;

/// The Rust core. Private: use the package.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::cache::RouteCache;
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::completions::Completions;
    #[pymodule_export]
    use crate::convert::{
        broker_cluster_info_from_bytes, broker_data_from_bytes, queue_data_from_bytes,
        topic_queue_mapping_info_from_bytes, topic_route_data_from_bytes,
    };
    #[pymodule_export]
    use crate::discovery::Discovery;
    #[pymodule_export]
    use crate::embedded::EmbeddedNameServer;
    #[pymodule_export]
    use crate::handed_out::Origin;
    #[pymodule_export]
    use crate::log::take_log_records;
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::rewriting::AddressRewriting;
    #[pymodule_export]
    use crate::route_watch::RouteWatch;
    #[pymodule_export]
    use crate::wait::end_calls;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::process::watch_forks(module)
    }
}
