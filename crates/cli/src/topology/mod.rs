//! Topology files: brokers, topics and KV entries that a server knows from the start, as `nsctl serve --from` reads
//! them and `nsctl record` writes them.
//!
//! `document` is a JSON text with the place of everything in it and what is wrong there, `read` makes a [`Topology`] of
//! it, `register` says which registrations lead to it. `survey` makes one of a server's answers, `write` the text. The keys are those of the wire. `topology.schema.json` tells
//! editors the same; the tests hold the two together.

mod document;
mod read;
mod register;
mod survey;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use rocketmq_nameserver::protocol::model::TopicConfig;
use rocketmq_nameserver::{Name, TopicQueueMappingInfo};

pub(crate) use survey::{Answers, ORDER_TOPIC_CONFIG, survey};

/// The JSON Schema of topology files.
pub(crate) const SCHEMA: &str = include_str!("../../topology.schema.json");

/// The file name that stands for stdin.
pub(crate) const STDIN: &str = "-";

/// What a server shall know.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Topology {
    groups: Vec<Group>,
    /// Namespace → key → value.
    kv: BTreeMap<Name, BTreeMap<Name, Name>>,
    /// The server's own settings.
    pub(crate) settings: BTreeMap<String, String>,
}

/// A broker group: a master, its slaves, and the topics that they have.
#[derive(Debug, PartialEq)]
struct Group {
    cluster: Name,
    broker_name: Name,
    addresses: BTreeMap<i64, Name>,
    topics: BTreeMap<Name, Topic>,
    enable_acting_master: bool,
    zone_name: Option<Name>,
    /// Address of a member → its filter servers.
    filter_servers: BTreeMap<Name, Vec<Name>>,
}

/// What a group has of a topic.
#[derive(Debug, Clone, PartialEq)]
struct Topic {
    config: TopicConfig,
    /// Its share of a static topic, without names: they are the group's and the topic's.
    mapping: Option<TopicQueueMappingInfo>,
}

impl Topology {
    /// How many broker groups there are.
    pub(crate) fn brokers(&self) -> usize {
        self.groups.len()
    }

    /// How many topics there are.
    pub(crate) fn topics(&self) -> usize {
        self.groups.iter().flat_map(|group| group.topics.keys()).collect::<BTreeSet<_>>().len()
    }
}

/// Reads a topology file, all of it; `-` is stdin.
///
/// # Errors
/// All that is wrong with it, a line for each: file, line, column, what.
pub(crate) fn load(file: &Path) -> Result<Topology, String> {
    let (name, bytes) = if file == Path::new(STDIN) {
        let mut bytes = Vec::new();
        ("stdin".to_owned(), io::stdin().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let bytes = bytes.map_err(|error| format!("cannot read the topology file {name}: {error}"))?;
    read::topology(&bytes).map_err(|wrong| {
        let lines = wrong.iter().map(|wrong| format!("\n{name}:{wrong}"));
        format!("the topology file is not right:{}", lines.collect::<String>())
    })
}
