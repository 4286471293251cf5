//! Conformance and real servers: these answer their own captures without a difference, and the embedded server does a
//! random script as they do.

use rocketmq_nameserver_server::Personality;
use rocketmq_nameserver_testkit::conformance::{
    Embedded, Generation, SEED, STEPS, differences_of_frames, replay, side_by_side,
};
use rocketmq_nameserver_testkit::interop::{InteropError, Jars, RealNameServer, Release, has_tools};

#[test]
fn rocketmq_4_9_7_answers_as_its_captures_say() -> Result<(), InteropError> {
    check_replay(Release::V4_9_7)
}

#[test]
fn rocketmq_5_3_3_answers_as_its_captures_say() -> Result<(), InteropError> {
    check_replay(Release::V5_3_3)
}

#[test]
fn the_embedded_server_does_the_script_as_rocketmq_4_9_7_does() -> Result<(), InteropError> {
    check_script(Release::V4_9_7, Generation::Four, Personality::V4)
}

#[test]
fn the_embedded_server_does_the_script_as_rocketmq_5_3_3_does() -> Result<(), InteropError> {
    check_script(Release::V5_3_3, Generation::Five, Personality::V5)
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

#[expect(clippy::print_stdout, reason = "how much was compared, for the record")]
fn check_script(
    release: Release,
    generation: Generation,
    personality: Personality,
) -> Result<(), InteropError> {
    if !has_tools() {
        return Ok(());
    }
    let name_server = RealNameServer::start(&Jars::fetch(release)?)?;
    let embedded = Embedded::start(personality).expect("a server");
    let addresses = [name_server.address(), embedded.address()];
    let (count, lines) = differences_of_frames(generation, addresses).expect("two servers");
    assert!(lines.is_empty(), "{release}: {} differences:\n{}", lines.len(), lines.join("\n"));
    println!("live {release} and embedded: {count} odd frames");
    let report = side_by_side(generation, addresses, SEED, STEPS, |_, _, _| {}).expect("two servers");
    assert!(report.found.is_empty(), "{release}: {report}");
    println!("live {release} and embedded: {report}");
    Ok(())
}
