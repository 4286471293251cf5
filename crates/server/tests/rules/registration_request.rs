//! `docs/wire.md` §2.4: the fields and the body of a registration, and what is missing or wrong there.

use rocketmq_nameserver_protocol::command::Command;

use crate::world::{
    BOTH, Change, Envelope, World, answers, ask, both, broker, on, request, shows, version_query,
};

/// What is stored and shown of [`broker`]`("a", 0)`.
const A: &str = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6";

/// A body whose CRC32 is 3896567762, which is more than an i32 can hold; Java masks it.
const LARGE_CRC: &str =
    r#"{"topicConfigSerializeWrapper":{"dataVersion":{"counter":1},"topicConfigTable":{}}}"#;

fn with_body(body: &str) -> Command {
    broker("a", 0).body(body)
}

fn put_order() -> Command {
    request(100, &[("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T1"), ("value", "a:8")])
}

#[tokio::test(start_paused = true)]
async fn the_body_has_the_crc32_of_the_header_unless_that_is_0() {
    let rows = || {
        let crc = |value: &str| vec![on(1, with_body(LARGE_CRC).field("bodyCrc32", value))];
        vec![
            ("none", vec![on(1, with_body(LARGE_CRC))], both("0 {}")),
            ("0", crc("0"), both("0 {}")),
            ("the masked value", crc("1749084114"), both("0 {}")),
            ("another value", crc("1749084115"), both("1 {} crc32 not match")),
            ("a negative value", crc("-1749084114"), both("1 {} crc32 not match")),
            ("outside i32 is 0: the value without the mask", crc("3896567762"), both("0 {}")),
            ("no number is 0", crc("x"), both("0 {}")),
            (
                "a value without a body",
                vec![on(1, with_body("").field("bodyCrc32", "1"))],
                both("1 {} crc32 not match"),
            ),
            ("no value without a body", vec![on(1, with_body("").field("bodyCrc32", "0"))], both("0 {}")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_mismatch_changes_nothing() {
    let rows = || {
        let wrong = vec![on(1, with_body(LARGE_CRC).field("bodyCrc32", "1"))];
        vec![("wrong CRC32", wrong, both(""))]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn only_the_id_must_be_there() {
    let rows = || {
        let id = |value| vec![on(1, broker("a", 0).field("brokerId", value))];
        vec![
            ("no id", vec![on(1, broker("a", 0).without("brokerId"))], both("1 …")),
            ("an id that is no number", id("x"), both("1 …")),
            ("an empty id", id(""), both("1 …")),
            ("an id with a blank", id(" 1"), both("1 …")),
            ("an id with a fraction", id("1.0"), both("1 …")),
            ("an id beyond i64", id("9223372036854775808"), both("1 …")),
            ("no address", vec![on(1, broker("a", 0).without("brokerAddr"))], both("0 {}")),
            ("no cluster", vec![on(1, broker("a", 0).without("clusterName"))], both("0 {}")),
            ("no name", vec![on(1, broker("a", 0).without("brokerName"))], both("0 {}")),
            ("no haServerAddr", vec![on(1, broker("a", 0).without("haServerAddr"))], both("0 {}")),
        ]
    };
    answers(rows).await;

    let rows = || {
        let id = |value| vec![on(1, broker("a", 0).field("brokerId", value))];
        vec![
            ("no id", vec![on(1, broker("a", 0).without("brokerId"))], both("")),
            ("no address", vec![on(1, broker("a", 0).without("brokerAddr").topics(""))], both("c: a; a@c:")),
            ("no haServerAddr", vec![on(1, broker("a", 0).without("haServerAddr"))], both(A)),
            ("a plus sign", id("+0"), both(A)),
            ("a minus sign", id("-0"), both(A)),
            ("leading zeros", id("000"), both(A)),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_fails_half_way_still_brings_the_order_configurations() {
    let rows = || {
        let table = r#"0 {} | {"table":{"T1":"a:8"}}"#;
        let without = |field| vec![ask(put_order()), on(1, broker("a", 0).without(field))];
        vec![
            ("no address", without("brokerAddr"), both(table)),
            ("no name", without("brokerName"), both(table)),
            ("no cluster", without("clusterName"), both(table)),
        ]
    };
    answers(rows).await;
}

/// A Java server stores a null for the name, which later requests stumble over (`docs/conformance.md`).
#[tokio::test(start_paused = true)]
async fn a_registration_without_the_name_of_the_broker_or_its_cluster_changes_nothing() {
    let rows = || {
        let without = |field| vec![on(1, broker("a", 0)), on(2, broker("b", 0).without(field))];
        vec![("no name", without("brokerName"), both(A)), ("no cluster", without("clusterName"), both(A))]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_negative_version_fails_and_a_large_one_does_not() {
    let rows = || {
        let version = |number| vec![on(1, broker("a", 0).version(number))];
        vec![
            ("-1", version(-1), both("1 …")),
            ("the least", version(i32::MIN), both("1 …")),
            ("37", version(37), both("0 {}")),
            ("612, the highest that has a name", version(612), both("0 {}")),
            ("beyond that", version(i32::MAX), both("0 {}")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_topic_does_not_say_has_defaults() {
    let rows = || {
        let topic = |config: &'static str| vec![on(1, broker("a", 0).topics("Z").topic("K", config))];
        vec![
            (
                "nothing but a name",
                topic(r#"{"topicName":"T"}"#),
                both("c: a; a@c: 0=a-0; T: a=6x16/16; Z: a=6"),
            ),
            (
                "everything, with a filter type that nobody knows",
                topic(
                    r#"{"attributes":{},"order":true,"perm":7,"readQueueNums":3,"topicFilterType":"NO_SUCH","topicName":"T","topicSysFlag":2,"writeQueueNums":5}"#,
                ),
                both("c: a; a@c: 0=a-0; T: a=7x3/5!2; Z: a=6"),
            ),
            (
                "keys that nobody knows",
                topic(r#"{"topicName":"T","more":{"a":[1]},"perm":4}"#),
                both("c: a; a@c: 0=a-0; T: a=4x16/16; Z: a=6"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_may_lack_its_parts_but_not_be_garbage() {
    let rows = || {
        let ask_with = |counter: i64| {
            let version = format!(r#"{{"counter":{counter},"stateVersion":0,"timestamp":0}}"#);
            ask(version_query("a", 0, &version))
        };
        vec![
            ("no body", vec![on(1, with_body(""))], both("0 {}")),
            (
                "no body: the data version is all zero",
                vec![on(1, with_body("")), ask_with(0)],
                [
                    r#"0 {changed=false} | {"counter":0,"timestamp":0}"#,
                    r#"0 {changed=false} | {"counter":0,"stateVersion":0,"timestamp":0}"#,
                ],
            ),
            (
                "a body of a 4.x broker: no state version",
                vec![
                    on(
                        1,
                        with_body(
                            r#"{"topicConfigSerializeWrapper":{"dataVersion":{"counter":7,"timestamp":0},"topicConfigTable":{}}}"#,
                        ),
                    ),
                    ask_with(7),
                ],
                [
                    r#"0 {changed=false} | {"counter":7,"timestamp":0}"#,
                    r#"0 {changed=false} | {"counter":7,"stateVersion":0,"timestamp":0}"#,
                ],
            ),
            ("no JSON", vec![on(1, with_body("{"))], both("1 …")),
            ("another type", vec![on(1, with_body("[1]"))], both("1 …")),
        ]
    };
    answers(rows).await;

    let rows = || {
        vec![
            ("no body", vec![on(1, with_body(""))], both("c: a; a@c: 0=a-0")),
            ("no JSON", vec![on(1, with_body("{"))], both("")),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_data_version_has_counter_0_and_the_time_of_the_server() {
    for personality in BOTH {
        let mut world = World::new(personality);
        let body = r#"{"topicConfigSerializeWrapper":{"topicConfigTable":{}}}"#;
        world.ask_on(1, with_body(body)).await;
        let zero = r#"{"counter":0,"stateVersion":0,"timestamp":0}"#;
        let line = world.ask(version_query("a", 0, zero)).await.line();
        assert!(line.starts_with(r#"0 {changed=true} | {"counter":0,"#), "{personality:?}: {line}");
        assert!(!line.contains(r#""timestamp":0"#), "{personality:?}: {line}");
    }
}
