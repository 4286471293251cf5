//! The embedded server answers the captured requests as the real servers did.

use rocketmq_nameserver_server::Personality;
use rocketmq_nameserver_testkit::conformance::{Embedded, KNOWN, Known, LEFT_OUT, replay};

#[test]
fn the_4_9_7_personality_answers_as_the_captures_say() {
    check("rocketmq-4.9.7", Personality::V4);
}

#[test]
fn the_5_3_3_personality_answers_as_the_captures_say() {
    check("rocketmq-5.3.3", Personality::V5);
}

#[expect(clippy::print_stdout, reason = "how much was compared, for the record")]
fn check(server: &str, personality: Personality) {
    let embedded = Embedded::start(personality).expect("a server");
    let replayed = replay(server, embedded.address()).expect("its initial state");
    println!("{server}: {} answers compared", replayed.compared);
    let lines: Vec<String> =
        replayed.differences.iter().map(|(capture, difference)| format!("{capture}: {difference}")).collect();
    assert!(lines.is_empty(), "{} differences:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn the_documentation_gives_the_reason_of_every_rule() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let text = std::fs::read_to_string(path).expect("docs/conformance.md");
    for Known { rule, reason } in KNOWN.iter().chain(LEFT_OUT) {
        assert!(text.contains(&format!("| `{rule}` | {reason} |")), "docs/conformance.md: {rule}");
    }
}
