//! The rules of frames and headers that a client meets (`docs/wire.md` §1), through a session, in both forms of the
//! header. Every frame here is put together by offsets; the crate's own writer has no part in it.

#[path = "../independent/header.rs"]
#[allow(dead_code, reason = "shared with the tests of the captures")]
mod header;

mod headers;
mod lengths;
mod matching;

use std::time::Instant;

use rocketmq_nameserver_protocol::error::ProtocolError;
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, Request};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

const JSON: u8 = 0;
const BINARY: u8 = 1;

/// A header with these fields and nothing else that could be left out.
fn head(form: u8, code: i16, opaque: i32, flag: i32) -> Vec<u8> {
    if form == JSON {
        return format!(r#"{{"code":{code},"flag":{flag},"opaque":{opaque}}}"#).into();
    }
    let language_and_version = [0, 1, 0xdf];
    let no_remark_no_fields = [0; 8];
    [
        &code.to_be_bytes()[..],
        &language_and_version,
        &opaque.to_be_bytes(),
        &flag.to_be_bytes(),
        &no_remark_no_fields,
    ]
    .concat()
}

/// A good answer.
fn answer(form: u8, opaque: i32) -> Vec<u8> {
    header::frame(form, &head(form, 0, opaque, 1), format!("body {opaque}").as_bytes())
}

/// A session in which these opaques wait, each for itself.
fn waiting(opaques: &[i32]) -> Session<i32> {
    let mut session = Session::new(SessionConfig::default());
    for opaque in opaques {
        ask(&mut session, *opaque, None);
    }
    session
}

fn ask(session: &mut Session<i32>, opaque: i32, deadline: Option<Instant>) {
    session.call(some_instant(), opaque, GetBrokerClusterInfo.to_command(), deadline, opaque).unwrap();
}

/// All answers that are ready, with the opaque of the waiter; each must have found its own.
fn ready(session: &mut Session<i32>) -> Result<Vec<i32>, ProtocolError> {
    let mut answers = Vec::new();
    while let Some((waiter, command)) = session.next_answer()? {
        assert_eq!(command.header.opaque, waiter);
        assert_eq!(command.body, format!("body {waiter}"));
        answers.push(waiter);
    }
    Ok(answers)
}

/// The stream is refused with this error, at once and for ever, and nobody gets an answer.
fn refuses(what: &str, stream: &[u8], expected: &ProtocolError) {
    let mut session = waiting(&[1]);
    session.feed(stream);
    for _ in 0..2 {
        assert_eq!(session.next_answer().as_ref(), Err(expected), "{what}");
    }
    assert_eq!(session.in_flight(), 1, "{what}");
    assert_eq!(session.drain().collect::<Vec<_>>(), [1]);
}

/// Always the same instant. Deadlines count from it.
fn some_instant() -> Instant {
    static INSTANT: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
    *INSTANT.get_or_init(Instant::now)
}
