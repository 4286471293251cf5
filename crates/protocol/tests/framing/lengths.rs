//! Length words and header words: what cannot be is refused as soon as its bytes are there, and no memory is taken for
//! what is only claimed.

use rocketmq_nameserver_protocol::error::ProtocolError;
use rocketmq_nameserver_protocol::frame::DEFAULT_MAX_FRAME_SIZE;
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

use super::{BINARY, JSON, answer, head, header, ready, refuses, waiting};

#[test]
fn a_stream_that_ends_inside_a_frame_is_truncated() {
    for form in [JSON, BINARY] {
        let stream = [answer(form, 1), answer(form, 2)].concat();
        let first = answer(form, 1).len();
        for length in 0..stream.len() {
            let mut session = waiting(&[1, 2]);
            session.feed(&stream[..length]);
            let answers = ready(&mut session).unwrap();
            let left = length - if answers.is_empty() { 0 } else { first };
            let expected = if left == 0 { Ok(()) } else { Err(ProtocolError::Truncated { have: left }) };
            assert_eq!(session.end_of_stream(), expected, "{length} bytes");
        }
    }
}

#[test]
fn lengths_that_cannot_be_are_refused_as_soon_as_they_are_there() {
    let limit = DEFAULT_MAX_FRAME_SIZE;
    let too_large = |size: u64| ProtocolError::FrameTooLarge { size, limit };
    for (total, expected) in [
        (0, ProtocolError::FrameTooShort { total: 0 }),
        (3, ProtocolError::FrameTooShort { total: 3 }),
        (-1, ProtocolError::FrameTooShort { total: -1 }),
        (-4, ProtocolError::FrameTooShort { total: -4 }),
        (i32::MIN, ProtocolError::FrameTooShort { total: i32::MIN }),
        // 16,777,212 is served, 16,777,213 is not (wire.md §1).
        (16_777_213, too_large(16_777_217)),
        (i32::MAX, too_large(0x8000_0003)),
        // The start of an HTTP answer, and of a TLS alert.
        (i32::from_be_bytes(*b"HTTP"), too_large(0x4854_5454)),
        (i32::from_be_bytes([0x15, 3, 3, 0]), too_large(0x1503_0304)),
    ] {
        let what = format!("total {total}");
        refuses(&what, &total.to_be_bytes(), &expected);
        refuses(&what, &[&total.to_be_bytes()[..], &[0; 12]].concat(), &expected);
    }
    let mut session = waiting(&[1]);
    session.feed(&16_777_212_i32.to_be_bytes());
    assert_eq!(session.next_answer(), Ok(None));
}

#[test]
fn header_words_that_cannot_be_are_refused_as_soon_as_they_are_there() {
    let total = 64_u32.to_be_bytes();
    let bad_length = |header| ProtocolError::BadHeaderLength { header, room: 60 };
    for (word, expected) in [
        (0x0000_0000_u32, bad_length(0)),
        (0x0100_0000, bad_length(0)),
        (0x0000_003d, bad_length(61)),
        (0x0100_003d, bad_length(61)),
        (0x00ff_ffff, bad_length(0x00ff_ffff)),
        (0x0200_0010, ProtocolError::UnknownSerializeType(2)),
        (0x0300_0000, ProtocolError::UnknownSerializeType(3)),
        (0xff00_0010, ProtocolError::UnknownSerializeType(255)),
    ] {
        refuses(&format!("header word {word:#x}"), &[total, word.to_be_bytes()].concat(), &expected);
    }
    // The smallest total that is one: nothing but a header word.
    let empty = ProtocolError::BadHeaderLength { header: 0, room: 0 };
    refuses("an empty frame", &[0, 0, 0, 4, 0, 0, 0, 0], &empty);
    let mut session = waiting(&[1]);
    session.feed(&[0, 0, 0, 4]);
    assert_eq!(session.next_answer(), Ok(None), "the header word is still to come");
}

#[test]
fn a_good_answer_in_front_of_a_bad_frame_is_still_handed_over() {
    for form in [JSON, BINARY] {
        let mut session = waiting(&[1, 2]);
        session.feed(&[answer(form, 1), vec![0, 0, 0, 1]].concat());
        let first = session.next_answer().unwrap().map(|(waiter, _)| waiter);
        assert_eq!(first, Some(1));
        assert_eq!(session.next_answer(), Err(ProtocolError::FrameTooShort { total: 1 }));
        assert_eq!(session.drain().collect::<Vec<_>>(), [2]);
    }
}

#[test]
fn room_is_made_for_what_arrived_and_not_for_what_is_claimed() {
    // The input buffer is the only memory whose size a length word could steer, so its capacity is what is measured.
    // Beyond what it was given, a session may hold the room for one read.
    const ROOM: usize = 16 * 1024;
    let limit = DEFAULT_MAX_FRAME_SIZE;
    for claimed in [u32::MAX, 0x7fff_ffff, 0x1603_0100, (limit - 4) as u32, (limit - 3) as u32] {
        let mut session = waiting(&[1]);
        session.feed(&claimed.to_be_bytes());
        let refused = session.next_answer().is_err();
        assert_eq!(refused, claimed as usize > limit - 4, "{claimed}");
        assert!(session.input().capacity() <= 4 + ROOM, "{claimed}: {}", session.input().capacity());
    }
    // A frame of the largest size, as a slow peer sends it: never more room than twice what is there, nor than the
    // limit.
    let mut session = waiting(&[1]);
    let head = head(JSON, 0, 1, 1);
    let body = vec![b' '; limit - 8 - head.len()];
    let frame = header::frame(JSON, &head, &body);
    let mut rest = &frame[..];
    while !rest.is_empty() {
        assert_eq!(session.next_answer(), Ok(None));
        let input = session.input();
        let (have, capacity) = (input.len(), input.capacity());
        assert!(capacity > have, "no room");
        assert!(capacity <= (2 * have).max(have + ROOM).min(limit), "{capacity} for {have}");
        let (piece, behind) = rest.split_at(rest.len().min(capacity - have));
        input.extend_from_slice(piece);
        session.received(piece.len());
        rest = behind;
    }
    let (_, command) = session.next_answer().unwrap().expect("the whole frame");
    assert_eq!(command.body.len(), body.len());
}

#[test]
fn a_frame_limit_of_ones_own_counts_the_length_word() {
    for form in [JSON, BINARY] {
        let frame = answer(form, 1);
        for (limit, expected) in [
            (frame.len(), Ok(None)),
            (
                frame.len() - 1,
                Err(ProtocolError::FrameTooLarge { size: frame.len() as u64, limit: frame.len() - 1 }),
            ),
        ] {
            let mut session =
                Session::<()>::new(SessionConfig { max_frame_size: limit, ..SessionConfig::default() });
            session.feed(&frame);
            assert_eq!(session.next_answer(), expected);
            assert_eq!(session.unmatched(), u64::from(expected.is_ok()), "taken in, though nobody waits");
        }
    }
}
