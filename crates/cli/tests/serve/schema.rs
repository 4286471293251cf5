//! The schema of topology files says what nsctl does: neither can change without the other.

use serde_json::{Value, json};

use crate::process::{Scratch, Serving, nsctl, stderr, stdout};
use crate::schema_check::accepts;
use crate::wrong_files::{MISTAKES, MISTAKES_IN_A_BROKER, with_broker};

const EXAMPLE: &str = include_str!("../../topology.example.json");

fn schema() -> Value {
    let output = nsctl(&["serve", "--schema"]);
    assert!(output.status.success());
    serde_json::from_str(&stdout(&output)).expect("JSON")
}

fn is_accepted(schema: &Value, text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|value| accepts(schema, schema, &value))
}

#[test]
fn it_is_printed_as_it_stands_in_the_repository() {
    let committed: Value = serde_json::from_str(include_str!("../../topology.schema.json")).expect("JSON");
    assert_eq!(schema(), committed);
    assert_eq!(committed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let topics = committed["$defs"]["topics"]["description"].as_str().expect("a text");
    assert!(topics.contains("A broker with exactly one topic is fine here"), "{topics}");
}

#[test]
fn it_accepts_the_example_and_so_does_nsctl() {
    let schema = schema();
    assert!(is_accepted(&schema, EXAMPLE));
    // Whole, but for the KV store.
    let mut example: Value = serde_json::from_str(EXAMPLE).expect("JSON");
    example.as_object_mut().expect("an object").remove("kv");
    let file = Scratch::new("example.json", example.to_string());
    let server = Serving::start(&["--from", file.path()]);
    for (topic, brokers) in [("orders", 2), ("payments", 2), ("audit", 1)] {
        let route: Value = serde_json::from_str(&server.ask(&["route", topic, "-o", "json"])).expect("JSON");
        assert_eq!(route["brokerDatas"].as_array().map(Vec::len), Some(brokers), "{topic}");
    }
}

#[test]
fn it_refuses_what_nsctl_refuses() {
    let schema = schema();
    // What a schema cannot see: two places that must differ, and which numbers and names are possible.
    let unseen = ["stands here twice", "is the address of", "not valid JSON"];
    for (text, said) in MISTAKES {
        let seen = !unseen.iter().any(|unseen| said.contains(unseen));
        assert_eq!(
            is_accepted(&schema, text),
            !seen && serde_json::from_str::<Value>(text).is_ok(),
            "{text:?}"
        );
    }
    let too_fine = ["9223372036854775808", "h:0", "127.0.0.1:99999", "[::1]:65536", "[::x]"];
    for (members, said) in MISTAKES_IN_A_BROKER {
        let seen = !unseen.iter().any(|unseen| said.contains(unseen))
            && !too_fine.iter().any(|fine| members.contains(fine));
        assert_eq!(is_accepted(&schema, &with_broker(members)), !seen, "{members}");
    }
}

#[test]
fn it_knows_the_keys_that_nsctl_knows() {
    let schema = schema();
    let broker = |members: &str| with_broker(&format!(r#""brokerAddrs": {{"0": "h:1"}}, {members}"#));
    for (at, text) in [
        ("", r#"{"no such key": 1}"#.to_owned()),
        (
            "/$defs/cluster",
            r#"{"clusters": {"c": {"brokers": {"a": {"brokerAddrs": {"0": "h:1"}}}, "no such key": 1}}}"#
                .to_owned(),
        ),
        ("/$defs/broker", broker(r#""no such key": 1"#)),
        ("/$defs/mapping", broker(r#""topics": {"T": {"topicQueueMappingInfo": {"no such key": 1}}}"#)),
        ("/$defs/topic", broker(r#""topics": {"T": {"no such key": 1}}"#)),
    ] {
        let file = Scratch::new("keys.json", text);
        let said = stderr(&nsctl(&["serve", "--from", file.path()]));
        let (_, known) = said.trim_end().split_once("known here: ").expect("they are listed");
        let mut known: Vec<&str> = known.split(", ").map(|key| key.trim_matches('"')).collect();
        known.sort_unstable();
        let properties =
            schema.pointer(at).and_then(|object| object["properties"].as_object()).expect("an object");
        let mut properties: Vec<&str> = properties.keys().map(String::as_str).collect();
        properties.sort_unstable();
        assert_eq!(known, properties, "{at}");
    }
}

#[test]
fn its_defaults_are_those_of_nsctl() {
    let file =
        Scratch::new("defaults.json", with_broker(r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {}}"#));
    let server = Serving::start(&["--from", file.path()]);
    let route: Value = serde_json::from_str(&server.ask(&["route", "T", "-o", "json"])).expect("JSON");
    let schema = schema();
    for key in ["readQueueNums", "writeQueueNums", "perm", "topicSysFlag"] {
        assert_eq!(
            route["queueDatas"][0][key], schema["$defs"]["topic"]["properties"][key]["default"],
            "{key}"
        );
    }
    let broker = &schema["$defs"]["broker"]["properties"];
    assert_eq!(broker["enableActingMaster"]["default"], route["brokerDatas"][0]["enableActingMaster"]);
    assert_eq!(route["brokerDatas"][0]["enableActingMaster"], json!(false));
}
