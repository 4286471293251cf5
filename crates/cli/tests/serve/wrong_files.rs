//! Every mistake in a topology file is shown with its line and column before anything listens.

use std::fs::File;

use crate::process::{Scratch, nsctl, nsctl_that_reads, stderr};

/// One mistake each: the file, and what is said of it.
pub(crate) const MISTAKES: &[(&str, &str)] = &[
    // Not JSON.
    ("", "1:1: not valid JSON: the file is empty; topology files are JSON"),
    ("clusters:\n  c:\n", "1:1: not valid JSON: unexpected word; topology files are JSON"),
    (
        "---\n# YAML\nkv: {}\n",
        "1:2: not valid JSON: expected digit following negative sign; topology files are JSON",
    ),
    (
        "\"kv\": {}\n",
        "1:5: not valid JSON: text cannot contain more than one JSON value; topology files are JSON",
    ),
    ("[clusters.c]\n", "1:2: not valid JSON: unexpected token; topology files are JSON"),
    ("{\n  \"kv\": {},\n}", "2:11: not valid JSON: trailing commas are not allowed"),
    ("{\n  // words\n}", "2:3: not valid JSON: comments are not allowed"),
    ("{\"kv\": {}", "1:1: not valid JSON: unterminated object"),
    ("{} {}", "1:4: not valid JSON: text cannot contain more than one JSON value"),
    ("{\"kv\": {\"a\": {\"b\": \"\u{1}\"}}}", "1:21: not valid JSON: control character"),
    ("{\"kv\":\n {\"é\": {\"b\": \"c\nd\"}}}", "2:16: not valid JSON: control character"),
    ("{\"é\":\u{a0}1}", "1:6: not valid JSON: expected value"),
    // Unknown keys.
    ("{\n  \"clusterz\": {}\n}", "2:3: unknown key \"clusterz\", did you mean \"clusters\"?"),
    (
        "{\"clusters\": {\"c\": {\"Brokers\": {}}}}",
        "1:21: unknown key \"Brokers\", did you mean \"brokers\"?",
    ),
    ("{\"$schema\": \"主题\", \"k\": {}}", "1:19: unknown key \"k\", did you mean \"kv\"?"),
    (
        "{\"options\": {}}",
        "1:2: unknown key \"options\"; known here: \"clusters\", \"kv\", \"settings\", \"$schema\"",
    ),
    // Values of the wrong kind.
    ("[]", "1:1: a topology must be an object, not an array"),
    ("{\"clusters\": null}", "1:14: \"clusters\" must be an object, not null"),
    ("{\"clusters\": {\"c\": \"broker-a\"}}", "1:20: the cluster \"c\" must be an object, not \"broker-a\""),
    ("{\"kv\": {\"n\": {\"k\": 1}}}", "1:20: \"k\" must be a string, not 1"),
    (
        "{\"settings\": {\"orderMessageEnable\": true}}",
        "1:37: \"orderMessageEnable\" must be a string, not true",
    ),
    ("{\"settings\": {\"listenPort\": \"1\"}}", "1:15: where it listens is said with --listen"),
    ("{\"settings\": {\"\": \"1\"}}", "1:15: a name must not be empty"),
    ("{\"$schema\": 1}", "1:13: \"$schema\" must be a string, not 1"),
    // What must be there.
    ("{\"clusters\": {\"c\": {}}}", "1:15: \"c\" needs \"brokers\" with at least one entry"),
    ("{\"clusters\": {\"c\": {\"brokers\": {\"a\": {}}}}}", "1:33: \"a\" needs \"brokerAddrs\""),
    ("{\"clusters\": {\"c\": {\"brokers\": {}}}}", "1:15: \"c\" needs \"brokers\" with at least one entry"),
    ("{\"kv\": {\"\": {}}}", "1:9: a name must not be empty"),
    // Twice.
    (
        "{\"kv\": {\"n\": {\"k\": \"v\",\n\"k\": \"v\"}}}",
        "2:1: \"k\" stands here twice, first in line 1, column 15",
    ),
];

/// One mistake each, in a broker: its members, and what is said of it. They stand in line 2.
pub(crate) const MISTAKES_IN_A_BROKER: &[(&str, &str)] = &[
    (r#""brokerAddrs": {"0": "h:1"}, "zone": "z""#, r#"2:30: unknown key "zone"; known here: "brokerAddrs""#),
    (
        r#""brokerAddrs": {"0": "h:1"}, "zonename": "z""#,
        r#"2:30: unknown key "zonename", did you mean "zoneName"?"#,
    ),
    (
        r#""brokerAddrs": {"x": "h:1"}"#,
        r#"2:17: a broker id is a whole number, 0 for the master, and not "x""#,
    ),
    (r#""brokerAddrs": {"1.5": "h:1"}"#, "2:17: a broker id is"),
    (r#""brokerAddrs": {"01": "h:1"}"#, "2:17: a broker id is"),
    (r#""brokerAddrs": {"+1": "h:1"}"#, "2:17: a broker id is"),
    (r#""brokerAddrs": {"9223372036854775808": "h:1"}"#, "2:17: a broker id is"),
    (r#""brokerAddrs": {"0": "h"}"#, r#"2:22: "0" must be an address, HOST:PORT, not "h""#),
    (
        r#""brokerAddrs": {"0": "h:0"}"#,
        r#"2:22: "0" must be an address with a port from 1 to 65535, not "h:0""#,
    ),
    (
        r#""brokerAddrs": {"0": "127.0.0.1:99999"}"#,
        r#"2:22: "0" must be an address with a port from 1 to 65535, not "127.0.0.1:99999""#,
    ),
    (
        r#""brokerAddrs": {"0": "[::1]:65536"}"#,
        r#"2:22: "0" must be an address with a port from 1 to 65535, not "[::1]:65536""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:"}"#,
        r#"2:22: "0" must be an address with a port from 1 to 65535, not "h:""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:+1"}"#,
        r#"2:22: "0" must be an address with a port from 1 to 65535, not "h:+1""#,
    ),
    (r#""brokerAddrs": {"0": ":10911"}"#, "2:22: "),
    (r#""brokerAddrs": {"0": "::1:10911"}"#, "2:22: "),
    (r#""brokerAddrs": {"0": "[::x]:10911"}"#, "2:22: "),
    (r#""brokerAddrs": {"0": "http://h:1"}"#, "2:22: "),
    (r#""brokerAddrs": {"0": 10911}"#, r#"2:22: "0" must be a string, not 10911"#),
    (
        r#""brokerAddrs": {"0": "h:1", "1": "h:1"}"#,
        r#"2:34: "h:1" is the address of another member of this broker, too, in line 2, column 22"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1", "0": "h:2"}"#,
        r#"2:29: "0" stands here twice, first in line 2, column 17"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "enableActingMaster": "yes""#,
        r#"2:52: "enableActingMaster" must be true or false, not "yes""#,
    ),
    (r#""brokerAddrs": {"0": "h:1"}, "zoneName": 1"#, r#"2:42: "zoneName" must be a string, not 1"#),
    (
        r#""brokerAddrs": {"0": "h:1"}, "filterServerTable": {"h:1": "f:1"}"#,
        r#"2:59: "h:1" must be a list of strings, not "f:1""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "filterServerTable": {"h:1": ["f:1", 2]}"#,
        r#"2:59: "h:1" must be a list of strings, not an array"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "filterServerTable": {"h:2": []}"#,
        r#"2:52: "h:2" is the address of no member of this broker"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"topicQueueMappingInfo": {"bname": "a"}}}"#,
        r#"2:73: unknown key "bname"; known here: "currIdMap""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"topicQueueMappingInfo": {"currIdMap": {"x": 1}}}}"#,
        r#"2:87: the id of a logical queue is a whole number from 0, and not "x""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"topicQueueMappingInfo": {"currIdMap": {"0": -1}}}}"#,
        r#"2:92: "0" must be a whole number from 0 to 2147483647, not -1"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"topicQueueMappingInfo": {"epoch": "1"}}}"#,
        r#"2:82: "epoch" must be a whole number"#,
    ),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": ["T"]"#, r#"2:40: "topics" must be an object, not an array"#),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"": {}}"#, "2:41: a name must not be empty"),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": 8}"#, r#"2:46: the topic "T" must be an object, not 8"#),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"queues": 8}}"#,
        r#"2:47: unknown key "queues"; known here: "readQueueNums", "#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perms": 6}}"#,
        r#"2:47: unknown key "perms", did you mean "perm"?"#,
    ),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perm": "RWZ"}}"#, r#"2:55: "perm" must be "RW", "R""#),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perm": ""}}"#, r#"2:55: "perm" must be "#),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perm": 16}}"#, r#"2:55: "perm" must be "#),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perm": -1}}"#, r#"2:55: "perm" must be "#),
    (r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"perm": true}}"#, r#"2:55: "perm" must be "#),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"readQueueNums": -1}}"#,
        r#"2:64: "readQueueNums" must be a whole number from 0 to 2147483647, not -1"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"writeQueueNums": 2147483648}}"#,
        r#"2:65: "writeQueueNums" must be"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"readQueueNums": 1.5}}"#,
        r#"2:64: "readQueueNums" must be"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"readQueueNums": "8"}}"#,
        r#"2:64: "readQueueNums" must be a whole number from 0 to 2147483647, not "8""#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"topicSysFlag": 4294967296}}"#,
        r#"2:63: "topicSysFlag" must be"#,
    ),
    (
        r#""brokerAddrs": {"0": "h:1"}, "topics": {"T": {"order": 1}}"#,
        r#"2:56: "order" must be true or false, not 1"#,
    ),
];

/// A file with one broker that has those members.
pub(crate) fn with_broker(members: &str) -> String {
    format!("{{\"clusters\": {{\"cluster\": {{\"brokers\": {{\"a-broker\": {{\n{members}\n}}}}}}}}}}")
}

fn said_of(name: &str, text: impl AsRef<[u8]>) -> String {
    let file = Scratch::new(name, text);
    let output = nsctl(&["serve", "--listen", "127.0.0.1:0", "--from", file.path()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(output.stdout.is_empty(), "nothing has listened");
    let said = stderr(&output);
    let said = said.strip_prefix("nsctl: the topology file is not right:\n").expect("it says so");
    let lines = said.lines().map(|line| line.strip_prefix(&format!("{}:", file.path())).expect("the file"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_mistake_has_its_line_and_column() {
    let whole = MISTAKES.iter().map(|(text, expected)| ((*text).to_owned(), *expected));
    let brokers = MISTAKES_IN_A_BROKER.iter().map(|(members, expected)| (with_broker(members), *expected));
    let differ = whole.chain(brokers).filter_map(|(text, expected)| {
        let said = said_of("mistake.json", &text);
        let is_right = said.starts_with(expected) && said.lines().count() == 1;
        (!is_right).then(|| format!("{text}\n  says   {said}\n  not    {expected}\n"))
    });
    let differ: String = differ.collect();
    assert!(differ.is_empty(), "\n{differ}");
}

#[test]
fn all_mistakes_are_shown_in_their_order() {
    let text = r#"{
  "clusters": {
    "east": {"brokers": {"broker-a": {"brokerAddrs": {"0": "h:1"}, "topic": {}}}},
    "west": {"brokers": {
      "broker-a": {"brokerAddrs": {"0": "h:1"}},
      "broker-b": {"brokerAddrs": {"zero": "h", "1": "h:1"}}
    }}
  }
}"#;
    let expected = "3:68: unknown key \"topic\", did you mean \"topics\"?
5:7: the broker \"broker-a\" stands in another cluster too, in line 3, column 26
5:41: \"h:1\" is the address of another broker, too, in line 3, column 60
6:36: a broker id is a whole number, 0 for the master, and not \"zero\"
6:44: \"zero\" must be an address, HOST:PORT, not \"h\"
6:54: \"h:1\" is the address of another broker, too, in line 3, column 60";
    assert_eq!(said_of("mistakes.json", text), expected);
    let many: Vec<String> = (0..100).map(|key| format!("\"no-{key}\": 1")).collect();
    let said = said_of("many.json", format!("{{{}}}", many.join(",\n")));
    assert_eq!(said.lines().count(), 20);
    assert!(said.ends_with("(and 80 more)"), "{said}");
}

#[test]
fn stdin_is_named_where_it_is_not_right() {
    let from_stdin = |stdin: File| {
        let output = nsctl_that_reads(stdin, &["serve", "--listen", "127.0.0.1:0", "--from", "-"]);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true));
        stderr(&output)
    };
    let mistake = Scratch::new("stdin.json", "{\n \"kv\": 1}");
    assert_eq!(
        from_stdin(mistake.open()),
        "nsctl: the topology file is not right:\nstdin:2:8: \"kv\" must be an object, not 1\n"
    );
    let folder = from_stdin(File::open(env!("CARGO_MANIFEST_DIR")).expect("it is there"));
    assert!(folder.starts_with("nsctl: cannot read the topology file stdin: "), "{folder}");
}

#[test]
fn bytes_that_are_not_text_have_their_place_too() {
    let said = said_of("bytes.json", b"{\n \"\xc3\xa9\xff\": 1}");
    assert_eq!(said, "2:4: not UTF-8");
    let deep = said_of("deep.json", "[".repeat(100_000));
    assert!(deep.contains("nesting depth"), "{deep}");
}
