//! Names of all kinds, and what this client makes of them.

use rocketmq_nameserver::{
    NameRuleError, check_group, check_topic, client_id, dlq_topic, is_dlq_topic, is_retry_topic,
    is_system_group, is_system_topic, namespace_of, retry_topic, without_namespace, without_namespace_of,
    wrap_namespace, wrap_namespace_and_retry,
};
use serde_json::{Value, json};

use crate::random::Random;

const COUNT: usize = 300;

const NAMESPACES: [&str; 8] = ["", "ns", "ns", "MQ_INST_1_a", "命名", "%", " ", "TBW102"];

const PREFIXES: [&str; 8] = ["", "", "", "%RETRY%", "%DLQ%", "%RETRY%%DLQ%", "%retry%", "%"];

const NAMES: [&str; 30] = [
    "",
    "orders",
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
    "rmq_sys_",
    "rmq_sys_REVIVE_LOG_C",
    "CID_RMQ_SYS_",
    "CID_RMQ_SYS_TRANS",
    "tbw102",
    "DefaultCluster_REPLY_TOPIC",
    "a%b",
    "%",
    "a.b",
    "a b",
    " ",
    "\t\u{1c}\u{3000}",
    "\u{a0}",
    "\u{85}",
    "主题",
    "😀",
    "a|b-c_9",
    "ns",
];

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    namespace: String,
    name: String,
}

/// Always the same cases of a seed.
pub(crate) fn generate(seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let cases = (0..COUNT).map(|_| {
        let namespace = random.pick(&NAMESPACES).to_owned();
        let within = match random.below(3) {
            0 => format!("{namespace}%"),
            1 => format!("{}%", random.pick(&NAMESPACES)),
            _ => String::new(),
        };
        let mut name = format!("{}{within}{}", random.pick(&PREFIXES), random.pick(&NAMES));
        if random.percent(15) {
            // At the limits and on both sides of them.
            let length = random.pick(&[120, 121, 126, 127, 128, 254, 255, 256]);
            let filling = random.pick(&["x", "x", "x", "主", "😀"]);
            while name.encode_utf16().count() < length {
                name += filling;
            }
        }
        Case { namespace, name }
    });
    cases.collect()
}

impl Case {
    /// The line for the program.
    pub(crate) fn to_json(&self) -> Value {
        json!({"namespace": self.namespace, "name": self.name})
    }

    /// In the shape in which the program prints it.
    pub(crate) fn derived(&self) -> Value {
        let (namespace, name) = (&*self.namespace, &*self.name);
        json!({
            "wrapped": wrap_namespace(namespace, name),
            "wrappedRetry": wrap_namespace_and_retry(namespace, name),
            "without": without_namespace(name),
            "withoutThis": without_namespace_of(name, namespace),
            "namespace": namespace_of(name).unwrap_or_default(),
            "retryTopic": retry_topic(name),
            "dlqTopic": dlq_topic(name),
            "isRetryTopic": is_retry_topic(name),
            "isDlqTopic": is_dlq_topic(name),
            "isSystemTopic": is_system_topic(name),
            "isSystemGroup": is_system_group(name),
            "checkTopic": word(check_topic(name)),
            "checkGroup": word(check_group(name)),
            "clientId": client_id("10.0.0.9", name, Some(namespace), false),
            "streamClientId": client_id("10.0.0.9", name, Some(namespace), true),
        })
    }
}

fn word(checked: Result<(), NameRuleError>) -> &'static str {
    match checked {
        Ok(()) => "fine",
        Err(NameRuleError::Empty) => "blank",
        Err(NameRuleError::TooLong { .. }) => "longer",
        Err(NameRuleError::WrongChar { .. }) => "illegal",
        Err(_) => "other",
    }
}
