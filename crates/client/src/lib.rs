//! Asks RocketMQ NameServers where things are: which brokers hold a topic, how many queues they have and with what
//! permission, and which brokers form which cluster; and everything else that operators and brokers ask of them. For
//! RocketMQ 4.x and 5.x, from async and from blocking code.
//!
//! ```no_run
//! use rocketmq_nameserver::{DEFAULT_TIMEOUT, create_sync_client};
//!
//! let client = create_sync_client("127.0.0.1", 9876, DEFAULT_TIMEOUT)?;
//! let route = client.query_topic_route_info("TopicTest")?;
//! for broker in &route.broker_data_list {
//!     println!("{} in {}: {:?}", broker.broker_name, broker.cluster, broker.broker_addresses);
//! }
//! # Ok::<(), rocketmq_nameserver::NameServerError>(())
//! ```
//!
//! * [`AsyncNameServerClient`] and [`SyncNameServerClient`]: the same client for async and for blocking code, made by
//!   [`create_async_client`] and [`create_sync_client`], or by [`AsyncNameServerClient::builder`] for several servers
//!   and other limits.
//! * [`RouteCache`] and [`SyncRouteCache`]: routes that stay fresh, and are served while servers fail or, from a snapshot,
//!   before any has answered.
//! * [`Discovery`]: finds the servers, and finds them again when they change.
//! * [`AddressRewriting`]: the addresses to use where those that brokers advertise cannot be reached.
//! * [`TopicRouteData`], [`BrokerClusterInfo`] and their parts: the answers.
//! * [`publish_queues`] and [`subscribe_queues`]: what a producer and a consumer make of a route;
//!   [`find_broker_address_in_publish`] and its like: the address of a broker in it.
//! * [`RouteCache::route_to_publish`], and the same of a client: where to send messages of a topic that does not exist yet.
//! * [`wrap_namespace`], [`retry_topic`], [`check_topic`] and their like: names of topics and groups.
//! * [`PerServer`]: what each server said to a write, which goes to all of them.
//! * [`AllRoutes`]: what each server says about a topic, and where they disagree.
//! * [`NameServerError`]: what went wrong, at which server, in which phase, and what to do about it.
//!
//! Messages, consumer groups and everything else that brokers do are not here.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod address;
mod address_rewriting;
mod administration;
mod blocking;
mod blocking_administration;
mod blocking_runtime;
mod broker_address;
mod cache;
mod call;
mod client;
mod config;
mod default_topic;
mod dial;
mod disagreement;
mod discover;
mod endpoint;
mod error;
mod failure;
mod health;
mod java_order;
mod link;
mod locality;
mod mailbox;
mod names;
mod per_server;
mod question;
mod queues;
mod release;
mod replaced_file;
mod route_query;
mod stats;
mod uri;
mod zone;

/// The examples of the project's README, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../../../README.zh-CN.md")]
mod readme {}

pub use address::{DEFAULT_PORT, ServerAddress};
pub use address_rewriting::{AddressRewriting, AdvertisedAddress};
pub use blocking::{SyncNameServerClient, create_sync_client};
// For the Python package, which has more to look after while it blocks.
#[doc(hidden)]
pub use blocking_runtime::BlockingRuntime;
pub use broker_address::{
    FindBrokerResult, find_broker_addr_by_topic, find_broker_address_in_admin,
    find_broker_address_in_publish, find_broker_address_in_subscribe, select_broker_addr,
};
pub use cache::{
    CachedRoute, Change, DEFAULT_IDLE_AFTER, DEFAULT_MAX_STALE, DEFAULT_NEGATIVE_TTL,
    DEFAULT_REFRESHES_PER_SECOND, DEFAULT_TTL, Explanation, Gone, Happened, Kept, QueueCounts, RouteCache,
    RouteCacheBuilder, RouteCacheStats, RouteChange, RouteWatch, SyncRouteCache, WatchThread,
};
pub use client::{AsyncNameServerClient, create_async_client};
pub use config::{
    ClientBuilder, Connecting, DEFAULT_BATCH_IN_FLIGHT, DEFAULT_CONNECT_RACE_DELAY, DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_TIMEOUT, Stream,
};
pub use default_topic::{
    AUTO_CREATE_TOPIC_KEY_TOPIC, DEFAULT_TOPIC_QUEUE_NUMS, RouteToPublish, default_topic_route,
};
pub use disagreement::{
    AllClusters, AllRoutes, AllTopics, BrokerOpinion, ClusterDifference, Difference, ListDifference, Opinion,
};
#[cfg(feature = "http")]
pub use discover::HttpEndpoint;
pub use discover::{Discovery, ServerListChange, ServerListChanges};
pub use error::{ErrorKind, NameServerError, Result};
pub use failure::{Attempt, Failure, Phase};
pub use names::{
    CID_RMQ_SYS_PREFIX, DLQ_GROUP_TOPIC_PREFIX, GROUP_MAX_LENGTH, NameRuleError, RETRY_GROUP_TOPIC_PREFIX,
    SYSTEM_TOPIC_PREFIX, TOPIC_MAX_LENGTH, check_group, check_topic, client_id, dlq_topic, is_dlq_topic,
    is_retry_topic, is_system_group, is_system_topic, namespace_of, retry_topic, without_namespace,
    without_namespace_of, wrap_namespace, wrap_namespace_and_retry,
};
pub use per_server::PerServer;
pub use queues::{
    LOGICAL_QUEUE_MOCK_BROKER_NAME_NOT_EXIST, LOGICAL_QUEUE_MOCK_BROKER_PREFIX, MAX_QUEUES, MAX_WRONG_ITEMS,
    MessageQueue, OrderConfItemError, OrderConfItemProblem, PublishQueues, StaticEndpoints, SubscribeQueues,
    physical_broker, publish_queues, static_topic_endpoints, subscribe_queues,
};
pub use rocketmq_nameserver_protocol as protocol;
pub use rocketmq_nameserver_protocol::code::{ResponseCode, Version};
pub use rocketmq_nameserver_protocol::frame::SerializeType;
pub use rocketmq_nameserver_protocol::model::{
    BrokerAddresses, BrokerClusterInfo, BrokerData, BrokerMemberGroup, DataVersion, KvTable, Name,
    NamesrvConfig, Perm, QueueData, RegisterBrokerBody, TopicConfig, TopicList, TopicQueueMappingInfo,
    TopicRouteData,
};
pub use rocketmq_nameserver_protocol::request::{
    BrokerHeartbeat, QueryDataVersion, QueryDataVersionResult, RegisterBroker, RegisterBrokerResult,
    UnregisterBroker,
};
pub use stats::{ClientStats, ConnectionState, ServerStats};
