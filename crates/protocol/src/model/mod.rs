//! Stop 8 of the trip: what the answers mean. Plain values with the field names of the contract.
//!
//! Before it comes [`json`](crate::json); behind it the caller, who owns the value. Every model compares, orders, hashes, goes through serde with the names
//! of the wire (`brokerDatas`, `queueDatas`, `brokerAddrs` …), and has `to_bytes` and `from_bytes`:
//!
//! * `from_bytes` reads what any NameServer sends, in either dialect, and says where it cannot;
//! * `to_bytes` writes standard JSON: what is absent stays absent, `topicSysFlag` is spelled as 4.9 and later do;
//! * serde reads and writes the same names in strict JSON, for files and other programs.
//!
//! Only [`NamesrvConfig`] is no JSON on the wire, and says itself how it is read and written.

mod broker;
mod cluster;
mod compressed;
mod config;
mod kv_config;
mod long;
mod mapping;
mod members;
mod name;
mod perm;
mod registration;
mod route;
mod topics;

pub use broker::{BrokerAddresses, BrokerData, MASTER_ID};
pub use cluster::BrokerClusterInfo;
pub use compressed::TopicTextFields;
pub use config::NamesrvConfig;
pub use kv_config::KvConfigTable;
pub use mapping::TopicQueueMappingInfo;
pub use members::BrokerMemberGroup;
pub use name::Name;
pub use perm::Perm;
pub use registration::{DataVersion, KvTable, RegisterBrokerBody, TopicConfig, TopicConfigSerializeWrapper};
pub use route::{GZIP, QueueData, TopicRouteData};
pub use topics::TopicList;

/// `from_bytes` and `to_bytes` of a model, with the same promise everywhere.
macro_rules! bytes_of_model {
    ($type:ty) => {
        impl $type {
            /// Reads the body of an answer, in either dialect.
            ///
            /// # Errors
            /// [`DataParseError`](crate::error::DataParseError) with the place: an empty body, text that is cut
            /// short, a field of the wrong type, a number out of range, bytes behind the end.
            pub fn from_bytes(body: &[u8]) -> Result<Self, crate::error::DataParseError> {
                crate::json::from_bytes(body)
            }

            /// Writes standard JSON with the names of the wire.
            pub fn to_bytes(&self) -> Vec<u8> {
                crate::json::to_bytes(self, crate::json::Dialect::Standard)
            }
        }
    };
}
pub(crate) use bytes_of_model;
