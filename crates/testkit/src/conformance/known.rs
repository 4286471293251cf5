//! What may differ between a real server and one that conforms, each with its reason. Everything else is a difference.

use std::collections::BTreeSet;

/// Something that may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub rule: &'static str,
    /// Why it may.
    pub reason: &'static str,
}

/// All that may differ. `compare` has these rules and no others.
pub const KNOWN: &[Known] = &[
    Known {
        rule: "map-order",
        reason: "The entries of a JSON object or of a header's fields come in any order: in Java it is that of a hash map.",
    },
    Known {
        rule: "sets",
        reason: "topicList, brokerDatas, queueDatas and the lists in clusterAddrTable are sets in hash order: they are compared as multisets.",
    },
    Known {
        rule: "config-order",
        reason: "4.9.7 lists its settings (319) in hash order; an order is demanded only where the real server sorts.",
    },
    Known {
        rule: "any-address-304",
        reason: "brokerAddr in an answer to 304 is that of the first broker in hash order: any address in the tables will do, but it must be absent where it is absent.",
    },
    Known {
        rule: "place",
        reason: "The settings kvConfigPath, configStorePath, rocketmqHome, listenPort and bindAddress say where a server is installed and listens: they must be there, with any value.",
    },
    Known {
        rule: "version-and-language",
        reason: "The version and the language in the header of an answer say who answers, and nobody acts on them.",
    },
    Known {
        rule: "clock",
        reason: "A registration without a data version gets the server's current time as its timestamp (322 shows it): any time since 2020 is as good as another.",
    },
    Known {
        rule: "exception-text",
        reason: "With code 1 a Java server may answer the text of an exception with its first stack frame, which names a line of its source: the other answer must have code 1 and say what is wrong in its own words, and not in those of another refusal. Only between running servers, never for captures.",
    },
    Known {
        rule: "empty-order-conf",
        reason: "An orderTopicConf \"\" and none mean the same to every client, and are one here (ARCHITECTURE.md, decision 10): it may be absent where the real server has \"\". Only between running servers, never for captures.",
    },
    Known {
        rule: "empty-name-901",
        reason: "A Java server echoes the names that it was asked for in 901, also empty ones; an empty name is left out here, as a missing one is there. Only between running servers, never for captures.",
    },
];

/// Settings that say where a server is installed and listens.
pub(super) const PLACES: [&str; 5] =
    ["kvConfigPath", "configStorePath", "rocketmqHome", "listenPort", "bindAddress"];

/// Where an answer to 322 has a time, and from when on it is the server's clock and not what a broker said: 2020.
pub(super) const CLOCK: (&str, i64) = ("timestamp", 1_577_836_800_000);

/// The entry that the rule `any-address-304` is about.
pub(super) const ADDRESS: &str = "brokerAddr";

/// The entry that the rule `empty-order-conf` is about.
pub(super) const ORDER_CONF: &str = "orderTopicConf";

/// The entries that the rule `empty-name-901` is about.
pub(super) const NAMES_OF_GROUP: [&str; 2] = ["brokerName", "cluster"];

/// The lists that are sets: under these names, or in the object of that name.
pub(super) const SETS: [&str; 3] = ["topicList", "brokerDatas", "queueDatas"];
/// An object whose lists are sets.
pub(super) const OBJECT_OF_SETS: &str = "clusterAddrTable";

/// What a comparison needs to know beside the two answers.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// The addresses of all brokers in the tables, for the rule `any-address-304`.
    pub addresses: &'a BTreeSet<String>,
    /// What is compared with what.
    pub against: Against,
}

/// What an answer is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// A captured answer: without the rules `exception-text` and `empty-order-conf`.
    Captures,
    /// That of a server which is asked at the same time: with all rules.
    RunningServer,
}

/// Remarks with code 1 that are refusals of their own (`docs/wire.md` §5.1), and no exception's.
pub(super) const REFUSALS: [&str; 6] = [
    "crc32 not match",
    "disable",
    "name server not ready",
    "namespace or key is null",
    "register broker failed",
    "string2Properties error",
];

/// Whether a remark is what a Java exception says of itself (`docs/wire.md` §1.8).
pub fn is_exception_text(remark: &str) -> bool {
    ["java.", "org.apache.", "com.alibaba.", "io.netty."].iter().any(|package| remark.starts_with(package))
}
