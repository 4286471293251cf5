//! Names of topics, groups and clients (`docs/wire.md` §4.11), by the rules of Java's client 5.3.3.
//!
//! | file | what |
//! |---|---|
//! | `names/namespace.rs` | namespaces, which are a part of the name |
//! | `names/rules.rs` | what a topic and a group may be called |

mod namespace;
mod rules;

pub use namespace::{
    namespace_of, without_namespace, without_namespace_of, wrap_namespace, wrap_namespace_and_retry,
};
pub use rules::{GROUP_MAX_LENGTH, NameRuleError, TOPIC_MAX_LENGTH, check_group, check_topic};

/// How the topics begin from which a consumer group gets messages again that it could not handle.
pub const RETRY_GROUP_TOPIC_PREFIX: &str = "%RETRY%";

/// How the topics begin that hold what a consumer group could not handle however often it got it: dead letters.
pub const DLQ_GROUP_TOPIC_PREFIX: &str = "%DLQ%";

/// How the names of further system topics begin.
pub const SYSTEM_TOPIC_PREFIX: &str = "rmq_sys_";

/// How the names of system groups begin.
pub const CID_RMQ_SYS_PREFIX: &str = "CID_RMQ_SYS_";

/// System topics by name.
const SYSTEM_TOPICS: [&str; 10] = [
    "TBW102",
    "SCHEDULE_TOPIC_XXXX",
    "BenchmarkTest",
    "RMQ_SYS_TRANS_HALF_TOPIC",
    "RMQ_SYS_TRACE_TOPIC",
    "RMQ_SYS_TRANS_OP_HALF_TOPIC",
    "TRANS_CHECK_MAX_TIME_TOPIC",
    "SELF_TEST_TOPIC",
    "OFFSET_MOVED_EVENT",
    "CHECKPOINT_TOPIC",
];

/// The topic from which a consumer group gets messages again.
///
/// ```
/// assert_eq!(rocketmq_nameserver::retry_topic("payers"), "%RETRY%payers");
/// ```
pub fn retry_topic(group: &str) -> String {
    format!("{RETRY_GROUP_TOPIC_PREFIX}{group}")
}

/// The topic of a consumer group's dead letters.
///
/// ```
/// assert_eq!(rocketmq_nameserver::dlq_topic("payers"), "%DLQ%payers");
/// ```
pub fn dlq_topic(group: &str) -> String {
    format!("{DLQ_GROUP_TOPIC_PREFIX}{group}")
}

/// Whether a consumer group gets messages again from this topic.
pub fn is_retry_topic(topic: &str) -> bool {
    topic.starts_with(RETRY_GROUP_TOPIC_PREFIX)
}

/// Whether this topic holds dead letters.
pub fn is_dlq_topic(topic: &str) -> bool {
    topic.starts_with(DLQ_GROUP_TOPIC_PREFIX)
}

/// Whether brokers have this topic for their own use: `TBW102` and nine more, and what begins with [`SYSTEM_TOPIC_PREFIX`].
/// Topics that a broker registers under its own and its cluster's name are not among them.
pub fn is_system_topic(topic: &str) -> bool {
    SYSTEM_TOPICS.contains(&topic) || topic.starts_with(SYSTEM_TOPIC_PREFIX)
}

/// Whether brokers have this group for their own use: it begins with [`CID_RMQ_SYS_PREFIX`].
pub fn is_system_group(group: &str) -> bool {
    group.starts_with(CID_RMQ_SYS_PREFIX)
}

/// The id under which a client appears at brokers: `ip@instance`, with `@unit` if there is a unit, and `@STREAM` for a client that
/// asks for streams.
///
/// Java's clients take the instance name of the process id and a time, `4711#1234567890`, unless one is given. Beside this, a
/// unit name changes the URL of an HTTP endpoint (`HttpEndpoint::unit`), and nothing else. A unit name of blanks is none.
///
/// ```
/// use rocketmq_nameserver::client_id;
///
/// assert_eq!(client_id("10.0.0.9", "4711#12", None, false), "10.0.0.9@4711#12");
/// assert_eq!(client_id("10.0.0.9", "payer", Some("cn-1"), true), "10.0.0.9@payer@cn-1@STREAM");
/// ```
pub fn client_id(ip: &str, instance: &str, unit_name: Option<&str>, stream: bool) -> String {
    let mut id = format!("{ip}@{instance}");
    if let Some(unit_name) = unit_name.filter(|unit_name| !rules::is_blank(unit_name)) {
        id.push('@');
        id.push_str(unit_name);
    }
    if stream {
        id.push_str("@STREAM");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_4_11_topics_are_told_apart_by_name_and_prefix() {
        for (topic, is_retry, is_dlq, is_system) in [
            ("TBW102", false, false, true),
            ("tbw102", false, false, false),
            ("TBW1020", false, false, false),
            ("CHECKPOINT_TOPIC", false, false, true),
            ("rmq_sys_", false, false, true),
            ("rmq_sys_SYNC_BROKER_MEMBER_a", false, false, true),
            ("xrmq_sys_", false, false, false),
            ("RMQ_SYS_TRACE_TOPIC", false, false, true),
            ("RMQ_SYS_OTHER", false, false, false),
            ("%RETRY%g", true, false, false),
            ("%RETRY%", true, false, false),
            ("%RETRY", false, false, false),
            ("%DLQ%g", false, true, false),
            ("%retry%g", false, false, false),
            ("%RETRY%TBW102", true, false, false),
            ("DefaultCluster", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(is_retry_topic(topic), is_retry, "{topic}");
            assert_eq!(is_dlq_topic(topic), is_dlq, "{topic}");
            assert_eq!(is_system_topic(topic), is_system, "{topic}");
        }
        assert!(
            is_system_group("CID_RMQ_SYS_TRANS") && !is_system_group("CID_RMQ_SYS") && !is_system_group("")
        );
    }

    #[test]
    fn rule_4_11_a_client_id_has_a_unit_unless_it_is_blank() {
        for (unit, stream, expected) in [
            (None, false, "i@n"),
            (Some("u"), false, "i@n@u"),
            (Some(""), false, "i@n"),
            (Some(" \t"), false, "i@n"),
            (Some(" u "), false, "i@n@ u "),
            (None, true, "i@n@STREAM"),
            (Some("u"), true, "i@n@u@STREAM"),
        ] {
            assert_eq!(client_id("i", "n", unit, stream), expected, "{unit:?} {stream}");
        }
    }
}
