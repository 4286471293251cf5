//! What the fuzz targets have met before, met again.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use rocketmq_nameserver_protocol::model::{BrokerClusterInfo, TopicRouteData};

use super::{TARGETS, session};

/// How large all corpora may be together, in bytes.
const ROOM: usize = 1 << 20;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The names of the files and folders in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Each seed of a target with its name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(target);
    names(&folder)
        .into_iter()
        .map(|name| {
            let bytes = fs::read(folder.join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

#[test]
fn every_seed_keeps_every_promise() {
    let mut failed = Vec::new();
    let mut room = ROOM;
    for target in TARGETS {
        for (name, bytes) in seeds(target.name) {
            room = room.checked_sub(bytes.len()).expect("the corpora are small");
            if catch_unwind(|| (target.check)(&bytes)).is_err() {
                failed.push(format!("fuzz/corpus/{}/{name}", target.name));
                if target.name == "session" {
                    failed.push(format!("{:?}", session::read(&bytes)));
                }
            }
        }
    }
    assert!(failed.is_empty(), "a promise is broken, see above, by\n{}", failed.join("\n"));
}

#[test]
fn every_target_has_a_check_and_a_corpus() {
    let names_of = |folder: &str| names(&fuzz().join(folder));
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names_of("corpus"), targets);
    let files: BTreeSet<String> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names_of("fuzz_targets"), files);
}

#[test]
fn the_seeds_of_bodies_are_of_every_kind() {
    let count = |read: fn(&[u8]) -> bool| seeds("json").iter().filter(|(_, body)| read(body)).count();
    assert!(count(|body| TopicRouteData::from_bytes(body).is_ok()) > 20);
    assert!(count(|body| BrokerClusterInfo::from_bytes(body).is_ok()) > 20);
    assert!(count(|body| TopicRouteData::from_bytes(body).is_err()) > 20);
}

#[test]
fn the_seeds_of_sessions_see_a_call_end_in_every_way() {
    let all = seeds("session").into_iter().map(|(_, bytes)| session::run(session::read(&bytes)));
    let reached = |what: &str, count: fn(&session::Tally) -> usize| {
        assert!(all.clone().any(|tally| count(&tally) > 0), "{what}");
    };
    reached("answered", |tally| tally.answered);
    reached("expired", |tally| tally.expired);
    reached("cancelled", |tally| tally.cancelled);
    reached("drained", |tally| tally.drained);
    reached("held back", |tally| tally.held_back);
    reached("late", |tally| tally.late);
    reached("opaque in use", |tally| tally.in_use);
    reached("too large", |tally| tally.too_large);
    reached("a silent line", |tally| tally.silent);
    reached("unmatched", |tally| tally.unmatched);
    reached("broken", |tally| tally.broken);
}
