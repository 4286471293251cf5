//! No bytes whatever break a promise. The promises are those of the fuzz targets; here they meet bytes that are nearly right.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib;
use proptest::collection::vec;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::code::Version;
use rocketmq_nameserver_protocol::error::{DataParseError, Reason};
use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::model::{NamesrvConfig, RegisterBrokerBody, TopicTextFields};

use super::session::Step;
use super::{frame, json, session, texts, upkeep};

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

/// Compressed or not, a registration is read or refused by every kind of server; what one of 4.x reads, one of 5.x does too.
fn check_registration(bytes: &[u8]) {
    for version in [Version::V4_9_7, Version::V5_3_3] {
        let read = |fields| RegisterBrokerBody::from_compressed(bytes, version, fields);
        let (old, new) = (read(TopicTextFields::Five), read(TopicTextFields::FiveOrMore));
        assert!(old.is_err() || new.is_ok() || version.is_5x(), "{old:?} {new:?}");
        for body in [old, new].into_iter().flatten() {
            // What is carried once is carried again.
            let again = body.to_compressed(Version::V5_3_3);
            let again =
                RegisterBrokerBody::from_compressed(&again, Version::V5_3_3, TopicTextFields::FiveOrMore);
            assert_eq!(again, Ok(body));
        }
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
    fn any_compressed_registration(
        body in upkeep::compressible_body(),
        bytes in vec(any::<u8>(), 0..60),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        is_stream_changed in any::<bool>(),
        is_5x in any::<bool>(),
    ) {
        check_registration(&bytes);
        check_registration(&compress_to_vec_zlib(&bytes, 1));
        let change = |mut bytes: Vec<u8>| {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes
        };
        let stream = body.to_compressed(if is_5x { Version::V5_3_3 } else { Version::V4_9_7 });
        if is_stream_changed {
            check_registration(&change(stream));
        } else {
            let inflated = decompress_to_vec_zlib(&stream).expect("a good stream");
            check_registration(&compress_to_vec_zlib(&change(inflated), 1));
        }
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
