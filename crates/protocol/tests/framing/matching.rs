//! Which answer goes to whom, and which to nobody.

use std::time::Duration;

use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::Refusal;
use rocketmq_nameserver_protocol::request::Answer;
use rocketmq_nameserver_protocol::session::Expired;

use super::{BINARY, JSON, answer, ask, head, header, ready, some_instant, waiting};

#[test]
fn answers_share_a_segment_and_come_in_any_order_and_any_form() {
    for forms in [[JSON; 3], [BINARY; 3], [JSON, BINARY, JSON]] {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let mut session = waiting(&[1, 2, 3]);
            let stream: Vec<u8> =
                (forms.iter().zip(order)).flat_map(|(form, it)| answer(*form, it)).collect();
            session.feed(&stream);
            assert_eq!(ready(&mut session), Ok(order.to_vec()), "{forms:?}");
            assert_eq!((session.in_flight(), session.unmatched()), (0, 0));
            assert_eq!(session.end_of_stream(), Ok(()));
        }
    }
}

#[test]
fn a_frame_may_come_in_pieces_with_the_start_of_the_next() {
    for form in [JSON, BINARY] {
        let stream = [answer(form, 1), answer(form, 2)].concat();
        let first = answer(form, 1).len();
        for at in 0..=stream.len() {
            let mut session = waiting(&[1, 2]);
            session.feed(&stream[..at]);
            let early = ready(&mut session).unwrap();
            assert_eq!(early.len(), usize::from(at >= first) + usize::from(at == stream.len()), "{at}");
            session.feed(&stream[at..]);
            let late = ready(&mut session).unwrap();
            assert_eq!([early, late].concat(), [1, 2], "{at}");
        }
    }
}

#[test]
fn frames_that_nobody_waits_for_are_dropped_and_counted() {
    for form in [JSON, BINARY] {
        for (what, head) in [
            ("an answer to another opaque", head(form, 0, 2, 1)),
            ("an answer to the negative opaque", head(form, 0, -1, 1)),
            ("a request of the peer with our opaque", head(form, 105, 1, 0)),
            ("a oneway request with our opaque", head(form, 905, 1, 2)),
            ("a request with other bits set", head(form, 105, 1, 4)),
        ] {
            let mut session = waiting(&[1]);
            session.feed(&[header::frame(form, &head, b"x"), answer(form, 1)].concat());
            assert_eq!(ready(&mut session), Ok(vec![1]), "{what}");
            assert_eq!((session.unmatched(), session.in_flight()), (1, 0), "{what}");
        }
        let mut session = waiting(&[1]);
        session.feed(&[answer(form, 1), answer(form, 1)].concat());
        assert_eq!(ready(&mut session), Ok(vec![1]), "a second answer to the same request");
        assert_eq!(session.unmatched(), 1);
    }
}

#[test]
fn opaques_at_the_ends_of_their_range_match() {
    let opaques = [i32::MIN, -1, 0, i32::MAX];
    for form in [JSON, BINARY] {
        let mut session = waiting(&opaques);
        let stream: Vec<u8> = opaques.iter().rev().flat_map(|opaque| answer(form, *opaque)).collect();
        session.feed(&stream);
        assert_eq!(ready(&mut session), Ok(vec![i32::MAX, 0, -1, i32::MIN]));
    }
}

#[test]
fn an_answer_after_its_deadline_is_dropped_and_the_others_are_not() {
    let start = some_instant();
    let after = |seconds| start + Duration::from_secs(seconds);
    for form in [JSON, BINARY] {
        let mut session = waiting(&[]);
        ask(&mut session, 1, Some(after(1)));
        ask(&mut session, 2, Some(after(2)));
        assert_eq!(session.next_deadline(), Some(after(1)));
        assert_eq!(session.next_expired(after(1)), Some(Expired { waiter: Some(1), silent: true }));
        assert_eq!(session.next_expired(after(1)), None);
        session.feed(&[answer(form, 1), answer(form, 2)].concat());
        assert_eq!(ready(&mut session), Ok(vec![2]));
        assert_eq!((session.unmatched(), session.next_deadline()), (1, None));
        // Half an answer is a sign of life, but not an answer.
        ask(&mut session, 3, Some(after(3)));
        session.feed(&answer(form, 3)[..9]);
        assert_eq!(ready(&mut session), Ok(vec![]));
        assert_eq!(session.next_expired(after(3)), Some(Expired { waiter: Some(3), silent: false }));
    }
}

#[test]
fn every_code_but_success_is_a_refusal_with_its_number() {
    for form in [JSON, BINARY] {
        for (code, name) in [
            (1, ResponseCode::SYSTEM_ERROR),
            (2, ResponseCode::SYSTEM_BUSY),
            (3, ResponseCode::REQUEST_CODE_NOT_SUPPORTED),
            (17, ResponseCode::TOPIC_NOT_EXIST),
            (1500, ResponseCode::GO_AWAY),
            (-1000, ResponseCode(-1000)),
            (i16::MAX, ResponseCode(32_767)),
        ] {
            let mut session = waiting(&[1]);
            session.feed(&header::frame(form, &head(form, code, 1, 1), b"not a body"));
            let (_, command) = session.next_answer().unwrap().expect("an answer");
            let refusal = Refusal { code: name, remark: None };
            assert_eq!(Answer::from_response(command), Err(refusal), "{code}");
        }
        let mut session = waiting(&[1]);
        session.feed(&answer(form, 1));
        let (_, command) = session.next_answer().unwrap().expect("an answer");
        assert_eq!(command.refusal(), None);
        assert_eq!(Answer::from_response(command).map(|answer| answer.body), Ok("body 1".into()));
    }
}

#[test]
fn an_answer_without_a_body_has_an_empty_one() {
    for form in [JSON, BINARY] {
        let mut session = waiting(&[1]);
        session.feed(&header::frame(form, &head(form, 0, 1, 1), b""));
        let (_, Command { body, .. }) = session.next_answer().unwrap().expect("an answer");
        assert!(body.is_empty());
    }
}
