//! No bytes whatever break a promise. The promises are those of the fuzz targets; here they meet bytes that are nearly right.

use proptest::collection::vec;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::error::{DataParseError, Reason};
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::NamesrvConfig;

use super::session::Step;
use super::{frame, json, session, texts};

/// A stream that a session reads in pieces of that size while three calls wait.
fn read_as_stream(stream: &[u8], piece: usize) {
    let call = |opaque| Step::Call { opaque, patience: None, size: 0 };
    let pieces = stream.chunks(piece).flat_map(|piece| [Step::Say(piece.to_vec()), Step::Read(piece.len())]);
    session::run([7, 0, -1].map(call).into_iter().chain(pieces));
}

/// Whatever is read of any bytes, the error stands inside of them.
fn check_config(bytes: &[u8]) {
    let stands_inside = |error: &DataParseError| assert!(error.offset < bytes.len(), "{error}");
    match NamesrvConfig::from_properties(bytes) {
        // What Java would read, it would read from what is written of it.
        Ok(config) => {
            assert_eq!(NamesrvConfig::from_properties(&config.to_properties()), Ok(config));
        }
        Err(error) => {
            stands_inside(&error);
            assert_eq!((error.reason, bytes.get(error.offset)), (Reason::BadEscape, Some(&b'\\')));
        }
    }
    match NamesrvConfig::from_lines(bytes) {
        Ok(config) => assert_eq!(NamesrvConfig::from_lines(&config.to_lines()), Ok(config)),
        Err(error) => stands_inside(&error),
    }
}

proptest! {
    #[test]
    fn real_frames_with_bytes_changed(stream in texts::edited_frames(), piece in 1..300_usize) {
        frame::check(&stream);
        read_as_stream(&stream, piece);
    }

    #[test]
    fn real_bodies_with_tokens_changed(
        route in texts::edited_bodies(105),
        cluster in texts::edited_bodies(106),
        kv in texts::edited_bodies(103),
    ) {
        for body in [route, cluster, kv] {
            json::check(&body);
        }
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200), piece in 1..50_usize) {
        frame::check(&bytes);
        json::check(&bytes);
        read_as_stream(&bytes, piece);
    }

    #[test]
    fn any_properties(
        bytes in vec(any::<u8>(), 0..200),
        made_up in vec(prop::sample::select(&b"\\\\\\=: \t\x0c\n\n\r#!uuabt0041D83\xe4\xff"[..]), 0..60),
    ) {
        check_config(&bytes);
        check_config(&made_up);
    }

    #[test]
    fn any_steps(steps in vec(0..12_u8, 0..400)) {
        // Small numbers, so that calls, answers and deadlines meet.
        session::check(&steps);
    }

    #[test]
    fn any_binary_header_behind_good_lengths(bytes in vec(any::<u8>(), 0..60), fields in vec(any::<u8>(), 0..60)) {
        // Random lengths are nearly always too long, so some bytes are made small.
        let mut header: Vec<u8> = bytes.iter().map(|byte| byte % 4).collect();
        header.extend(&fields);
        frame::check_header(SerializeType::RocketMq, &header);
    }

    #[test]
    fn any_text(text in any::<String>(), made_up in texts::route_text()) {
        json::check(text.as_bytes());
        json::check(made_up.as_bytes());
        frame::check_header(SerializeType::Json, text.as_bytes());
    }
}
