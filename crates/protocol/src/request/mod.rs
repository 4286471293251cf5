//! Stop 6 of the trip: what can be asked, and what the answer to each question is.
//!
//! Before it comes [`command`](crate::command); behind it [`json`](crate::json) and [`model`](crate::model). Each
//! request is a type that knows its code, its reach and its response, with both directions side by side: the client
//! encodes requests and decodes responses, the embedded server the other way round. A new operation is one file here
//! and one line in the table below.
//!
//! | code | request | response | file |
//! |---|---|---|---|
//! | 100 | [`PutKvConfig`] | `()` | `kv.rs` |
//! | 101 | [`GetKvConfig`] | [`Name`] | `kv.rs` |
//! | 102 | [`DeleteKvConfig`] | `()` | `kv.rs` |
//! | 103 | [`RegisterBroker`] | [`RegisterBrokerResult`] | `broker.rs` |
//! | 104 | [`UnregisterBroker`] | `()` | `broker.rs` |
//! | 105 | [`GetRouteInfo`] | [`TopicRouteData`](crate::model::TopicRouteData) | `route.rs` |
//! | 106 | [`GetBrokerClusterInfo`] | [`BrokerClusterInfo`](crate::model::BrokerClusterInfo) | `cluster.rs` |
//! | 205 | [`WipeWritePermOfBroker`] | `u32` | `permission.rs` |
//! | 206 | [`GetAllTopicListFromNameserver`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 216 | [`DeleteTopicInNamesrv`] | `()` | `topics.rs` |
//! | 217 | [`RegisterTopicInNamesrv`] | `()` | `topics.rs` |
//! | 219 | [`GetKvListByNamespace`] | [`KvTable`](crate::model::KvTable) | `kv.rs` |
//! | 224 | [`GetTopicsByCluster`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 304 | [`GetSystemTopicListFromNs`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 311 | [`GetUnitTopicList`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 312 | [`GetHasUnitSubTopicList`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 313 | [`GetHasUnitSubUnunitTopicList`] | [`TopicList`](crate::model::TopicList) | `topics.rs` |
//! | 318 | [`UpdateNamesrvConfig`] | `()` | `config.rs` |
//! | 319 | [`GetNamesrvConfig`] | [`NamesrvConfig`](crate::model::NamesrvConfig) | `config.rs` |
//! | 322 | [`QueryDataVersion`] | [`QueryDataVersionResult`] | `heartbeat.rs` |
//! | 327 | [`AddWritePermOfBroker`] | `u32` | `permission.rs` |
//! | 901 | [`GetBrokerMemberGroup`] | [`BrokerMemberGroup`](crate::model::BrokerMemberGroup) | `members.rs` |
//! | 904 | [`BrokerHeartbeat`] | `()` | `heartbeat.rs` |

mod broker;
mod cluster;
mod config;
mod heartbeat;
mod kv;
mod members;
mod permission;
mod route;
mod topics;

use bytes::Bytes;

pub use broker::{RegisterBroker, RegisterBrokerResult, UnregisterBroker};
pub use cluster::GetBrokerClusterInfo;
pub use config::{GetNamesrvConfig, UpdateNamesrvConfig};
pub use heartbeat::{BrokerHeartbeat, QueryDataVersion, QueryDataVersionResult};
pub use kv::{DeleteKvConfig, GetKvConfig, GetKvListByNamespace, PutKvConfig};
pub use members::GetBrokerMemberGroup;
pub use permission::{AddWritePermOfBroker, WipeWritePermOfBroker};
pub use route::GetRouteInfo;
pub use topics::{
    DeleteTopicInNamesrv, GetAllTopicListFromNameserver, GetHasUnitSubTopicList,
    GetHasUnitSubUnunitTopicList, GetSystemTopicListFromNs, GetTopicsByCluster, GetUnitTopicList,
    RegisterTopicInNamesrv,
};

use crate::code::{RequestCode, ResponseCode, Version};
use crate::command::Command;
use crate::error::{DataParseError, Reason, Refusal};
use crate::header::ExtFields;
use crate::json::Dialect;
use crate::model::Name;

/// How many servers a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// A read: any server will do, and another one if the first fails.
    One,
    /// A write: each server has its own tables, so it goes to all of them.
    Every,
}

/// A question that a NameServer answers.
pub trait Request: Sized {
    /// Its number on the wire.
    const CODE: RequestCode;
    /// How many servers it goes to.
    const REACH: Reach;
    /// The release since which a NameServer answers it. An older one says nothing at all, not even that it does not know it
    /// (`docs/wire.md` §2.1). What 4.x servers answer is as old as any.
    const SINCE: Version = Version(0);
    /// What a successful answer holds.
    type Response;

    /// The client's side: the request as a command.
    fn to_command(&self) -> Command;

    /// The server's side: the request out of a command.
    ///
    /// # Errors
    /// [`DataParseError`] for a field or body without which the request means nothing. Fields are not checked
    /// beyond that, as Java does not check them (`docs/wire.md` §1.7).
    fn from_command(command: &Command) -> Result<Self, DataParseError>;

    /// The server's side: a successful answer, its body in that dialect if it has one.
    fn to_answer(response: &Self::Response, dialect: Dialect) -> Answer;

    /// The client's side: the response out of a successful answer.
    ///
    /// # Errors
    /// [`DataParseError`] if the body or a result field is not what this request promises.
    fn from_answer(answer: &Answer) -> Result<Self::Response, DataParseError>;
}

/// The parts of a successful response that differ from request to request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Results in the header.
    pub ext_fields: ExtFields,
    /// Results in the body.
    pub body: Bytes,
}

impl Answer {
    /// The answer as a response to a request with that opaque.
    pub fn into_response(self, opaque: i32) -> Command {
        Command::response(opaque, ResponseCode::SUCCESS, self.ext_fields, self.body)
    }

    /// The answer in a response, or why there is none.
    ///
    /// # Errors
    /// [`Refusal`] for every code but success.
    pub fn from_response(response: Command) -> Result<Answer, Refusal> {
        match response.refusal() {
            Some(refusal) => Err(refusal),
            None => Ok(Answer { ext_fields: response.header.ext_fields, body: response.body }),
        }
    }
}

/// A text argument that must be there.
fn required(fields: &ExtFields, key: &'static str) -> Result<Name, DataParseError> {
    fields.get(key).cloned().ok_or(DataParseError::missing(key))
}

/// A numeric argument: the number, `None` where it is missing, an error where Java could not read it either.
fn number<T: std::str::FromStr>(fields: &ExtFields, key: &'static str) -> Result<Option<T>, DataParseError> {
    let parse = |text: &Name| {
        text.parse().map_err(|_| DataParseError {
            offset: 0,
            reason: Reason::Expected("a whole number"),
            excerpt: format!("{key}={}", text.chars().take(DataParseError::EXCERPT).collect::<String>()),
        })
    };
    fields.get(key).map(parse).transpose()
}

/// A truth value as Java reads it: "true" in any case; everything else is false.
fn flag(fields: &ExtFields, key: &'static str) -> Option<bool> {
    fields.get(key).map(|text| text.eq_ignore_ascii_case("true"))
}

/// A truth value as Java writes it.
fn flag_text(flag: bool) -> Name {
    Name::from_static(if flag { "true" } else { "false" })
}
