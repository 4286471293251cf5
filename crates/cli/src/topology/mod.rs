//! Topology files: brokers, topics and KV entries that a server knows from the start, as `nsctl serve --from` reads
//! them.
//!
//! `document` is a JSON text with the place of everything in it and what is wrong there, `read` makes a [`Topology`] of
//! it, `register` says which registrations lead to it. The keys are those of the wire. `topology.schema.json` tells
//! editors the same; the tests hold the two together.

mod document;
mod read;
mod register;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use rocketmq_nameserver::Name;
use rocketmq_nameserver::protocol::model::TopicConfig;

/// The JSON Schema of topology files.
pub(crate) const SCHEMA: &str = include_str!("../../topology.schema.json");

/// The file name that stands for stdin.
pub(crate) const STDIN: &str = "-";

/// What a server shall know.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    groups: Vec<Group>,
    /// Namespace → key → value.
    kv: BTreeMap<Name, BTreeMap<Name, Name>>,
}

/// A broker group: a master, its slaves, and the topics that they have.
#[derive(Debug)]
struct Group {
    cluster: Name,
    broker_name: Name,
    addresses: BTreeMap<i64, Name>,
    topics: Vec<TopicConfig>,
    enable_acting_master: bool,
    zone_name: Option<Name>,
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
