//! No bytes whatever break a promise. The promises are those of the fuzz targets; here they meet bytes that are nearly right.

use proptest::collection::vec;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::frame::SerializeType;

use super::session::Step;
use super::{frame, json, session, texts};

/// A stream that a session reads in pieces of that size while three calls wait.
fn read_as_stream(stream: &[u8], piece: usize) {
    let call = |opaque| Step::Call { opaque, patience: None, size: 0 };
    let pieces = stream.chunks(piece).flat_map(|piece| [Step::Say(piece.to_vec()), Step::Read(piece.len())]);
    session::run([7, 0, -1].map(call).into_iter().chain(pieces));
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
