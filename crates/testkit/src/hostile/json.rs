//! Bodies: every error has its place, what is read is what two other parsers read, and what is written is read back.

use std::fmt::Debug;

use rocketmq_nameserver_protocol::error::DataParseError;
use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, DataVersion, KvTable, QueueData, RegisterBrokerBody, TopicConfig,
    TopicList, TopicQueueMappingInfo, TopicRouteData,
};
use serde::Serialize;

use super::oracle;
use super::tree::{self, Opinion, Tree};

/// Reads a body as each model, and compares routes and cluster infos with what two parsers that are not ours make of it.
///
/// # Panics
/// If a promise is broken.
pub fn check(body: &[u8]) {
    read_as_every_model(body);
    let opinions = opinions(body);
    check_agreement(body, &TopicRouteData::from_bytes(body), &opinions, oracle::route);
    check_agreement(body, &BrokerClusterInfo::from_bytes(body), &opinions, oracle::cluster);
}

/// What each of two parsers that are not ours says about a text, with its name.
pub(crate) fn opinions(text: &[u8]) -> [(&'static str, Opinion); 2] {
    [("serde_json", tree::by_serde_json(text)), ("jsonc-parser", tree::by_jsonc_parser(text))]
}

/// Whether a text was read as the rules read each parser's tree of it: the same value, or both refuse it.
///
/// # Panics
/// If not.
pub(crate) fn check_agreement<T: Debug + PartialEq, E: Debug>(
    text: &[u8],
    found: &Result<T, E>,
    opinions: &[(&str, Opinion)],
    by_rules: fn(&Tree) -> Option<T>,
) {
    for (parser, opinion) in opinions {
        let expected = match opinion {
            Opinion::Unknown => continue,
            Opinion::Refused => None,
            Opinion::Value(tree) => by_rules(tree),
        };
        let text = text.escape_ascii();
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{parser} against {found:?} in {text}");
    }
}

/// Reads a body as each model.
///
/// # Panics
/// If an error has no place in the body, or a value is not read back as it was written.
pub(crate) fn read_as_every_model(body: &[u8]) {
    check_model(body, TopicRouteData::from_bytes);
    check_model(body, BrokerClusterInfo::from_bytes);
    check_model(body, BrokerData::from_bytes);
    check_model(body, QueueData::from_bytes);
    check_model(body, TopicQueueMappingInfo::from_bytes);
    check_model(body, RegisterBrokerBody::from_bytes);
    check_model(body, TopicConfig::from_bytes);
    check_model(body, DataVersion::from_bytes);
    check_model(body, KvTable::from_bytes);
    check_model(body, TopicList::from_bytes);
}

fn check_model<T: Serialize + Debug + PartialEq>(body: &[u8], read: fn(&[u8]) -> Result<T, DataParseError>) {
    match read(body) {
        Ok(value) => {
            for dialect in [Dialect::Standard, Dialect::Legacy] {
                let written = to_bytes(&value, dialect);
                assert_eq!(read(&written).as_ref(), Ok(&value), "written as {}", written.escape_ascii());
            }
        }
        Err(error) => check_error(body, &error),
    }
}

/// An error says where in the body it is, shows that place and no more, and has words for it.
///
/// # Panics
/// If not.
pub(crate) fn check_error(body: &[u8], error: &DataParseError) {
    assert!(error.offset <= body.len(), "{error} in {} bytes", body.len());
    assert!(error.excerpt.chars().count() <= DataParseError::EXCERPT, "{error}");
    assert!(!error.to_string().is_empty());
}
