//! The few names that the script uses, so that its requests meet each other, and the dress of a request.

use super::random::Random;
use crate::conformance::answer::Form;
use crate::conformance::request::{LEGACY_VERSION, Request};

pub(super) const CLUSTERS: [&str; 3] = ["cluster-1", "cluster-2", "集群"];
pub(super) const BROKERS: [&str; 4] = ["broker-a", "broker-b", "broker-ü", "broker/d"];
pub(super) const ADDRESSES: [&str; 6] = [
    "10.9.0.1:10911",
    "10.9.0.2:10911",
    "10.9.0.3:10911",
    "[2001:db8::4]:10911",
    "10.9.0.5:10911",
    "10.9.0.6:10911",
];

/// A topic has the same unit bits on every broker: 311 to 313 look at one of its brokers, the first in hash order.
pub(in crate::conformance) const TOPICS: [(&str, i32); 8] = [
    ("Topic-1", 0),
    ("Topic-2", 0),
    ("Topic-3", 0),
    ("主题", 0),
    ("rmq_sys_SYNC_BROKER_MEMBER_broker-a", 0),
    ("unit-1", 1),
    ("unit-2", 2),
    ("unit-3", 3),
];

/// How many of the topics have no unit bits. They come first.
pub(super) const PLAIN_TOPICS: usize = 5;

pub(super) const NAMESPACES: [&str; 3] = ["ORDER_TOPIC_CONFIG", "NS-1", "命名空间"];

/// Each side of every version at which a server changes its mind (`docs/wire.md` §1.3).
const VERSIONS: [i32; 11] = [0, 36, 37, 317, 399, 400, 401, 412, 413, 475, 479];

/// A topic's name.
pub(super) fn topic(random: &mut Random) -> &'static str {
    TOPICS[random.below(TOPICS.len())].0
}

/// Sets an argument, as a rule; else leaves it out, or sets it to something that is no name and no number.
pub(super) fn say(request: Request, random: &mut Random, key: &str, value: &str) -> Request {
    match random.below(100) {
        0..=93 => request.with(key, value),
        94..=96 => request,
        97 => request.with(key, ""),
        98 => request.with(key, format!(" {value}")),
        _ => request.with(key, "nonsense"),
    }
}

/// Gives a request any version, now and then a binary header, and now and then a flag that is not 0.
pub(super) fn dressed(mut request: Request, random: &mut Random) -> Request {
    if request.version == LEGACY_VERSION && random.percent(60) {
        request.version = VERSIONS[random.below(VERSIONS.len())];
    }
    if random.percent(15) {
        request.form = Form::Binary;
    }
    // 2: no answer is wanted; 1 and 3: a response to nothing; 4 means nothing.
    request.flag = random.weighted(&[(180, 0), (14, 2), (1, 1), (1, 3), (4, 4)]);
    request
}
