//! The conformance tests themselves, judged by real servers: these answer their own captures without a difference.

use rocketmq_nameserver_testkit::conformance::replay;
use rocketmq_nameserver_testkit::interop::{InteropError, Jars, RealNameServer, Release, has_tools};

#[test]
fn rocketmq_4_9_7_answers_as_its_captures_say() -> Result<(), InteropError> {
    check_replay(Release::V4_9_7)
}

#[test]
fn rocketmq_5_3_3_answers_as_its_captures_say() -> Result<(), InteropError> {
    check_replay(Release::V5_3_3)
}

#[expect(clippy::print_stdout, reason = "how much was compared, for the record")]
fn check_replay(release: Release) -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let name_server = RealNameServer::start(&Jars::fetch(release)?)?;
    let replayed = replay(&format!("rocketmq-{release}"), name_server.address()).expect("its initial state");
    println!("live {release}: {} answers compared", replayed.compared);
    let lines: Vec<String> =
        replayed.differences.iter().map(|(capture, difference)| format!("{capture}: {difference}")).collect();
    assert!(lines.is_empty(), "{} differences:\n{}", lines.len(), lines.join("\n"));
    Ok(())
}
