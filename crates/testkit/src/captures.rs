//! Real answers of RocketMQ 4.9.7 and 5.3.3 NameServers, and the state that those servers were in.
//!
//! The files are in `captures/`, and its README says how they came about. This module needs serde and nothing of
//! this project, so the tests of the protocol crate include it as a file and stay free of the other crates.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One request and what came back, in the order in which they were sent. All have opaque 7 and language JAVA.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Who was asked: `rocketmq-4.9.7` or `rocketmq-5.3.3`.
    pub server: String,
    /// What was asked, in words that are unique per server.
    pub name: String,
    /// The request code.
    pub code: i32,
    /// The arguments in the request's header.
    pub ext_fields: BTreeMap<String, String>,
    /// The request's body, empty if it had none.
    pub request_body: String,
    /// The version in the request's header.
    pub request_version: i32,
    /// Whether the request's header was in the binary form; JSON otherwise.
    pub binary_header: bool,
    /// What a reader should know about it.
    #[serde(default)]
    pub note: Option<String>,
    response: Option<String>,
}

impl Capture {
    /// The raw answer: one whole frame, its length word included. `None` if the server never answered.
    ///
    /// # Panics
    /// If the manifest names a file that is not there.
    pub fn frame(&self) -> Option<Vec<u8>> {
        self.response.as_deref().map(read)
    }

    /// `rocketmq-4.9.7/route`, for messages.
    pub fn id(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
}

/// What one server knew before the first request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Its brokers, each registered again and again without a change.
    pub brokers: Vec<Broker>,
    /// Its KV store: namespace → key → value.
    pub kv: BTreeMap<String, BTreeMap<String, String>>,
    /// The settings that matter for the answers.
    pub config: Config,
}

/// The settings that the requests touch.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Whether routes carry the topic's order configuration.
    pub order_message_enable: bool,
}

/// One broker group.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Broker {
    /// The group's name.
    pub broker_name: String,
    /// The cluster that it belongs to.
    pub cluster_name: String,
    /// Its members: id → address.
    pub broker_addrs: BTreeMap<i64, String>,
    /// Its topics.
    pub topics: Topics,
    /// The ids that registered the topics. `None` for the Java broker.
    #[serde(default)]
    pub registered_by: Option<Vec<String>>,
    /// What the registrations said about acting masters. `None` for the Java broker.
    #[serde(default)]
    pub enable_acting_master: Option<bool>,
    /// The data version of every registration. `None` for the Java broker.
    #[serde(default)]
    pub data_version: Option<DataVersion>,
}

/// A broker's topics: listed, or a numbered row of equal ones.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Topics {
    /// A numbered row.
    Row {
        /// How to make it.
        generate: Row,
    },
    /// Topic → its queues.
    Listed(BTreeMap<String, Queues>),
}

impl Topics {
    /// Each topic with its queues.
    pub fn each(&self) -> BTreeMap<String, Queues> {
        match self {
            Topics::Listed(topics) => topics.clone(),
            Topics::Row { generate } => (generate.from..=generate.to)
                .map(|number| (generate.name.replace("%06d", &format!("{number:06}")), generate.queues))
                .collect(),
        }
    }
}

/// A numbered row of equal topics.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    /// Their name, `%06d` being the number.
    pub name: String,
    /// The first number.
    pub from: u32,
    /// The last number.
    pub to: u32,
    /// The queues of each.
    #[serde(flatten)]
    pub queues: Queues,
}

/// A topic's queues on one broker group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queues {
    /// How many may be read.
    pub read_queue_nums: u32,
    /// How many may be written.
    pub write_queue_nums: u32,
    /// Permission bits.
    pub perm: i32,
    /// Unit bits.
    pub topic_sys_flag: i32,
}

/// How new a broker's topics are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DataVersion {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Changes so far.
    pub counter: i64,
    /// Role changes so far.
    pub state_version: i64,
}

/// Every capture, in the order in which the requests were sent: first all of 4.9.7, then all of 5.3.3.
///
/// # Panics
/// If `captures/manifest.json` is not there or not what this module says.
pub fn manifest() -> Vec<Capture> {
    parse("manifest.json")
}

/// Server → what it knew before the first request.
///
/// # Panics
/// If `captures/initial-state.json` is not there or not what this module says.
pub fn initial_state() -> BTreeMap<String, State> {
    parse("initial-state.json")
}

/// The folder, seen from whichever crate of `crates/` this file is built into.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/captures")
}

fn read(file: &str) -> Vec<u8> {
    let path = folder().join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parse<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_slice(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_one_whole_frame_and_every_state_is_complete() {
        let captures = manifest();
        for capture in &captures {
            let Some(frame) = capture.frame() else {
                assert!(capture.note.is_some(), "{}", capture.id());
                continue;
            };
            let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
            assert_eq!(length as usize + 4, frame.len(), "{}", capture.id());
        }
        for (server, state) in initial_state() {
            assert!(captures.iter().any(|capture| capture.server == server), "{server}");
            assert_eq!(state.brokers.len(), 9, "{server}");
            assert_eq!(state.brokers[0].topics.each().len(), 1000, "{server}");
        }
    }
}
