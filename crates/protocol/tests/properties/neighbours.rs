//! Whatever is wrong with one answer, the answers around it are theirs who wait for them, or nobody's.

use bytes::Bytes;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::ProtocolError;
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::request::{GetBrokerClusterInfo, Request};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

use super::texts;

/// The opaque of all captures.
const CHANGED: i32 = 7;

/// Opaques that no few changes make of that.
const BEFORE: i32 = 1_234_567_891;
const BEHIND: i32 = -1_987_654_321;

fn answer(opaque: i32, body: &[u8]) -> Command {
    let body = Bytes::copy_from_slice(body);
    Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), body)
}

fn frame(command: &Command) -> Vec<u8> {
    command.to_frame(SerializeType::Json).expect("a short answer").to_vec()
}

/// What three calls are answered when this stream arrives in such pieces, in the order of the answers.
fn answers(stream: &[u8], piece: usize) -> (Vec<(i32, Command)>, Option<ProtocolError>) {
    let mut session = Session::new(SessionConfig::default());
    for opaque in [BEFORE, CHANGED, BEHIND] {
        session
            .call(some_instant(), opaque, GetBrokerClusterInfo.to_command(), None, opaque)
            .expect("a call");
    }
    let mut answers = Vec::new();
    for piece in stream.chunks(piece) {
        session.feed(piece);
        loop {
            match session.next_answer() {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(error) => return (answers, Some(error)),
            }
        }
    }
    (answers, None)
}

proptest! {
    #[test]
    fn a_changed_frame(changed in texts::edited_frames(), piece in 1..500_usize) {
        let (before, behind) = (answer(BEFORE, b"before"), answer(BEHIND, b"behind"));
        let (answers, _) = answers(&[frame(&before), changed, frame(&behind)].concat(), piece);
        prop_assert_eq!(answers.first(), Some(&(BEFORE, before)));
        // Its length may be wrong, so that the one behind it is a part of it or cannot be found.
        for (waiter, answer) in &answers[1..] {
            prop_assert!(*waiter == CHANGED || (*waiter == BEHIND && *answer == behind), "{:?}", answers);
        }
    }

    #[test]
    fn a_changed_body(changed in texts::edited_bodies(105), piece in 1..500_usize) {
        let all = [answer(BEFORE, b"before"), answer(CHANGED, &changed), answer(BEHIND, b"behind")];
        let expected: Vec<_> = [BEFORE, CHANGED, BEHIND].into_iter().zip(all.clone()).collect();
        let (answers, error) = answers(&all.map(|answer| frame(&answer)).concat(), piece);
        prop_assert_eq!((answers, error), (expected, None));
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn some_instant() -> std::time::Instant {
    std::time::Instant::now()
}
