//! The native half of the Python package `pyrocketmq.nameserver`. Private to it; `_native.pyi` describes it.
//!
//! Python owns its types, Rust fills them: `convert` makes the package's dataclasses, `error` its exceptions. `client`
//! has the calls, blocking and asyncio, and `request` what else can be asked, with its `arguments` and its `outcome`; `wait` runs a blocking call without the GIL on the `blocking_runtime`, which the
//! calling thread drives; `completions` brings finished calls to an event loop from the `runtime` of a background thread.
//! `cache` is the core's route cache on such a client, `handed_out` the objects of its routes, `route_watch` tells of their
//! changes, which `route_change` turns into objects. `discovery` finds servers, `embedded` is a server for tests.
//! `queues`, `broker_address`, `default_topic` and `names` are the core's rules, on what `passed_route` makes of an
//! object. No thread of ours ever takes the GIL.

mod arguments;
mod blocking_runtime;
mod broker_address;
mod cache;
mod client;
mod completions;
mod convert;
mod default_topic;
mod discovery;
mod embedded;
mod error;
mod handed_out;
mod log;
mod names;
mod outcome;
mod passed_route;
mod process;
mod queues;
mod request;
mod route_change;
mod route_watch;
mod runtime;
mod wait;

/// The Rust core. Private: use the package.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::broker_address::{
        find_broker_addr_by_topic, find_broker_address_in_admin, find_broker_address_in_publish,
        find_broker_address_in_subscribe, select_broker_addr,
    };
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
    use crate::default_topic::{default_topic_route, route_to_publish, start_route_to_publish};
    #[pymodule_export]
    use crate::discovery::Discovery;
    #[pymodule_export]
    use crate::embedded::EmbeddedNameServer;
    #[pymodule_export]
    use crate::handed_out::Origin;
    #[pymodule_export]
    use crate::log::take_log_records;
    #[pymodule_export]
    use crate::names::{
        check_group, check_topic, client_id, dlq_topic, is_dlq_topic, is_retry_topic, is_system_group,
        is_system_topic, namespace_of, retry_topic, without_namespace, without_namespace_of, wrap_namespace,
        wrap_namespace_and_retry,
    };
    #[pymodule_export]
    use crate::queues::{physical_broker, publish_queues, static_topic_endpoints, subscribe_queues};
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::route_watch::RouteWatch;
    #[pymodule_export]
    use crate::wait::end_calls;

    #[pymodule_export]
    const MAX_QUEUES: u64 = rocketmq_nameserver::MAX_QUEUES;
    #[pymodule_export]
    const MAX_WRONG_ITEMS: usize = rocketmq_nameserver::MAX_WRONG_ITEMS;
    #[pymodule_export]
    const LOGICAL_QUEUE_MOCK_BROKER_PREFIX: &str = rocketmq_nameserver::LOGICAL_QUEUE_MOCK_BROKER_PREFIX;
    #[pymodule_export]
    const LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST: &str =
        rocketmq_nameserver::LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST;
    #[pymodule_export]
    const AUTO_CREATE_TOPIC_KEY_TOPIC: &str = rocketmq_nameserver::AUTO_CREATE_TOPIC_KEY_TOPIC;
    #[pymodule_export]
    const DEFAULT_TOPIC_QUEUE_NUMS: u32 = rocketmq_nameserver::DEFAULT_TOPIC_QUEUE_NUMS;
    #[pymodule_export]
    const TOPIC_MAX_LENGTH: usize = rocketmq_nameserver::TOPIC_MAX_LENGTH;
    #[pymodule_export]
    const GROUP_MAX_LENGTH: usize = rocketmq_nameserver::GROUP_MAX_LENGTH;
    #[pymodule_export]
    const RETRY_GROUP_TOPIC_PREFIX: &str = rocketmq_nameserver::RETRY_GROUP_TOPIC_PREFIX;
    #[pymodule_export]
    const DLQ_GROUP_TOPIC_PREFIX: &str = rocketmq_nameserver::DLQ_GROUP_TOPIC_PREFIX;
    #[pymodule_export]
    const SYSTEM_TOPIC_PREFIX: &str = rocketmq_nameserver::SYSTEM_TOPIC_PREFIX;
    #[pymodule_export]
    const CID_RMQ_SYS_PREFIX: &str = rocketmq_nameserver::CID_RMQ_SYS_PREFIX;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::process::watch_forks(module)
    }
}
