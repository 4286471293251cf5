//! Numbers with names: request codes, response codes, languages and versions.
//!
//! Unknown numbers are kept as they are: a newer server may send them. Sources: `docs/wire.md` §1.2, §1.3,
//! §2.1 and §5.1.

use std::fmt;

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident { $($(#[$item_doc:meta])* $name:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub i32);

        impl $type {
            $($(#[$item_doc])* pub const $name: $type = $type($value);)*

            /// The name that RocketMQ gives to this number, if it is one that this crate knows.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// The number, then its name in brackets if it has one: `17 (TOPIC_NOT_EXIST)`.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{} ({name})", self.0),
                    None => write!(f, "{}", self.0),
                }
            }
        }

        impl From<i32> for $type {
            fn from(number: i32) -> Self {
                $type(number)
            }
        }
    };
}

numbered! {
    /// What a request asks for. The constants are all the codes that a NameServer answers.
    RequestCode {
        /// Sets one value of the NameServer's KV store.
        PUT_KV_CONFIG = 100,
        /// Reads one value of the KV store.
        GET_KV_CONFIG = 101,
        /// Removes one value of the KV store.
        DELETE_KV_CONFIG = 102,
        /// A broker tells who it is and which topics it has.
        REGISTER_BROKER = 103,
        /// A broker takes its leave.
        UNREGISTER_BROKER = 104,
        /// Where is this topic?
        GET_ROUTEINFO_BY_TOPIC = 105,
        /// Which brokers form which cluster?
        GET_BROKER_CLUSTER_INFO = 106,
        /// Takes the write permission of a broker away.
        WIPE_WRITE_PERM_OF_BROKER = 205,
        /// All topic names.
        GET_ALL_TOPIC_LIST_FROM_NAMESERVER = 206,
        /// Forgets a topic.
        DELETE_TOPIC_IN_NAMESRV = 216,
        /// A broker announces one topic (5.x).
        REGISTER_TOPIC_IN_NAMESRV = 217,
        /// All values of one KV namespace.
        GET_KVLIST_BY_NAMESPACE = 219,
        /// The topics of one cluster.
        GET_TOPICS_BY_CLUSTER = 224,
        /// Names of clusters and brokers, with the address of one broker.
        GET_SYSTEM_TOPIC_LIST_FROM_NS = 304,
        /// Topics that belong to a unit.
        GET_UNIT_TOPIC_LIST = 311,
        /// Topics with a unit subscription.
        GET_HAS_UNIT_SUB_TOPIC_LIST = 312,
        /// Topics with a unit subscription that belong to no unit.
        GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST = 313,
        /// Changes the NameServer's configuration.
        UPDATE_NAMESRV_CONFIG = 318,
        /// Reads the NameServer's configuration.
        GET_NAMESRV_CONFIG = 319,
        /// Has this broker's data changed?
        QUERY_DATA_VERSION = 322,
        /// Gives a broker read and write permission.
        ADD_WRITE_PERM_OF_BROKER = 327,
        /// The members of one broker group (5.x).
        GET_BROKER_MEMBER_GROUP = 901,
        /// A broker's sign of life (5.x).
        BROKER_HEARTBEAT = 904,
        /// The NameServer tells brokers that the smallest id of their group has changed (5.x).
        NOTIFY_MIN_BROKER_ID_CHANGE = 905,
    }
}

numbered! {
    /// How a server answered. Everything but [`SUCCESS`](ResponseCode::SUCCESS) is an error.
    ResponseCode {
        /// Done.
        SUCCESS = 0,
        /// The server failed; the remark says how.
        SYSTEM_ERROR = 1,
        /// The server is overloaded: try again, or elsewhere.
        SYSTEM_BUSY = 2,
        /// A 5.x server does not know the request code. A 4.x server says nothing at all.
        REQUEST_CODE_NOT_SUPPORTED = 3,
        /// A transaction failed (brokers).
        TRANSACTION_FAILED = 4,
        /// The service is not available (brokers).
        SERVICE_NOT_AVAILABLE = 14,
        /// The version is not supported (brokers).
        VERSION_NOT_SUPPORTED = 15,
        /// The configuration key may not be changed.
        NO_PERMISSION = 16,
        /// No route for this topic.
        TOPIC_NOT_EXIST = 17,
        /// The topic is already there (brokers).
        TOPIC_EXIST_ALREADY = 18,
        /// No such KV item or namespace.
        QUERY_NOT_FOUND = 22,
        /// No such subscription group (brokers).
        SUBSCRIPTION_GROUP_NOT_EXIST = 26,
        /// A parameter is not valid (brokers).
        INVALID_PARAMETER = 29,
        /// The consumer is not online (brokers).
        CONSUMER_NOT_ONLINE = 206,
        /// Flow control (brokers).
        FLOW_CONTROL = 215,
        /// The server is shutting down and asks to use another connection (5.2 and later).
        GO_AWAY = 1500,
        /// The controller is not the leader.
        CONTROLLER_NOT_LEADER = 2007,
    }
}

/// The language of a peer's implementation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(pub u8);

/// Names in the order of their numbers.
const LANGUAGES: [&str; 14] = [
    "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS",
    "RUST", "NODE_JS",
];

impl Language {
    /// The Java servers and clients.
    pub const JAVA: Language = Language(0);
    /// Anything without a number of its own; also what unknown names become.
    pub const OTHER: Language = Language(7);
    /// This project. Java knows it since 4.9.4 and ignores it before.
    pub const RUST: Language = Language(12);

    /// The name on the wire, `OTHER` for a number without a name.
    pub fn name(self) -> &'static str {
        LANGUAGES.get(usize::from(self.0)).copied().unwrap_or("OTHER")
    }

    /// The language of that name, [`OTHER`](Language::OTHER) if there is none.
    pub fn from_name(name: &str) -> Language {
        let found = LANGUAGES.iter().position(|known| *known == name);
        found.and_then(|at| u8::try_from(at).ok()).map_or(Language::OTHER, Language)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}

/// The release of a peer, as RocketMQ numbers them (`MQVersion` ordinals, `docs/wire.md` §1.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i32);

impl Version {
    /// Since this release a registration tells of filter servers, and may be compressed.
    pub const V3_0_11: Version = Version(37);
    /// Since this release route answers are in standard JSON if the request comes from it or a later one.
    pub const V4_9_4: Version = Version(401);
    /// The real 4.x server that this project is tested with.
    pub const V4_9_7: Version = Version(407);
    /// The first 5.x release.
    pub const V5_0_0: Version = Version(413);
    /// The real 5.x server that this project is tested with, and the version that it sends itself.
    pub const V5_3_3: Version = Version(479);

    /// Whether this is a 5.x release.
    pub fn is_5x(self) -> bool {
        self >= Version::V5_0_0
    }
}

/// `V5_3_3` or `V5_3_3-SNAPSHOT`; numbers before `V4_0_0` have no name here and are printed as `version 37`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Releases are odd numbers, the snapshot before each is one less.
        let (major, first) = if self.0 >= 412 { (5, 413) } else { (4, 213) };
        if !(212..=611).contains(&self.0) {
            return write!(f, "version {}", self.0);
        }
        let step = (self.0 + 1 - first) / 2;
        write!(f, "V{major}_{}_{}", step / 10, step % 10)?;
        if self.0 % 2 == 0 { f.write_str("-SNAPSHOT") } else { Ok(()) }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_print_as_rocketmq_names_them() {
        for (ordinal, expected) in [
            (37, "version 37"),
            (213, "V4_0_0"),
            (317, "V4_5_2"),
            (399, "V4_9_3"),
            (401, "V4_9_4"),
            (407, "V4_9_7"),
            (409, "V4_9_8"),
            (412, "V5_0_0-SNAPSHOT"),
            (413, "V5_0_0"),
            (441, "V5_1_4"),
            (453, "V5_2_0"),
            (473, "V5_3_0"),
            (478, "V5_3_3-SNAPSHOT"),
            (479, "V5_3_3"),
            (493, "V5_4_0"),
            (611, "V5_9_9"),
            (612, "version 612"),
            (-1, "version -1"),
        ] {
            assert_eq!(Version(ordinal).to_string(), expected, "{ordinal}");
        }
    }

    #[test]
    fn codes_print_with_their_name_and_unknown_ones_as_numbers() {
        assert_eq!(ResponseCode(17).to_string(), "17 (TOPIC_NOT_EXIST)");
        assert_eq!(ResponseCode(-1000).to_string(), "-1000");
        assert_eq!(RequestCode(105).to_string(), "105 (GET_ROUTEINFO_BY_TOPIC)");
    }

    #[test]
    fn languages_survive_their_names_and_unknown_ones_become_other() {
        for number in 0..14 {
            let language = Language(number);
            assert_eq!(Language::from_name(language.name()), language);
        }
        assert_eq!(Language::from_name("COBOL"), Language::OTHER);
        assert_eq!(Language(200).name(), "OTHER");
    }
}
