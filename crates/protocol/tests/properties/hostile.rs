//! No bytes whatever make the crate panic, and every error points into what it was given.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{DataParseError, ProtocolError};
use rocketmq_nameserver_protocol::frame::{self, SerializeType};
use rocketmq_nameserver_protocol::header::Header;
use rocketmq_nameserver_protocol::model::{
    BrokerClusterInfo, BrokerData, DataVersion, KvTable, QueueData, RegisterBrokerBody, TopicConfig,
    TopicQueueMappingInfo, TopicRouteData,
};
use rocketmq_nameserver_protocol::request::{
    Answer, GetBrokerClusterInfo, GetRouteInfo, RegisterBroker, Request, UnregisterBroker,
};
use rocketmq_nameserver_protocol::session::{Session, SessionConfig};

use super::texts;

/// Reads a body as each model.
fn read_as_every_model(body: &[u8]) {
    check_error(body, TopicRouteData::from_bytes(body));
    check_error(body, BrokerClusterInfo::from_bytes(body));
    check_error(body, BrokerData::from_bytes(body));
    check_error(body, QueueData::from_bytes(body));
    check_error(body, TopicQueueMappingInfo::from_bytes(body));
    check_error(body, RegisterBrokerBody::from_bytes(body));
    check_error(body, TopicConfig::from_bytes(body));
    check_error(body, DataVersion::from_bytes(body));
    check_error(body, KvTable::from_bytes(body));
}

fn check_error<T>(body: &[u8], result: Result<T, DataParseError>) {
    if let Err(error) = result {
        assert!(error.offset <= body.len(), "{error} in {} bytes", body.len());
        assert!(error.excerpt.chars().count() <= DataParseError::EXCERPT, "{error}");
        assert!(!error.to_string().is_empty());
    }
}

/// Reads a command as each request and as the answer to each.
fn read_as_every_request(command: &Command) {
    drop(RegisterBroker::from_command(command));
    drop(UnregisterBroker::from_command(command));
    drop(GetRouteInfo::from_command(command));
    drop(GetBrokerClusterInfo::from_command(command));
    if let Ok(answer) = Answer::from_response(command.clone()) {
        check_error(&answer.body, RegisterBroker::from_answer(&answer));
        check_error(&answer.body, GetRouteInfo::from_answer(&answer));
        check_error(&answer.body, GetBrokerClusterInfo::from_answer(&answer));
    }
    read_as_every_model(&command.body);
}

/// A stream through a session, in pieces of that size, as far as it goes.
fn read_as_stream(stream: &[u8], piece: usize) {
    // A limit near the sizes here, so that it is met.
    let config = SessionConfig { max_frame_size: 4096, ..SessionConfig::default() };
    let mut session = Session::new(config);
    for opaque in [7, 0, -1] {
        session.call(some_instant(), opaque, GetBrokerClusterInfo.to_command(), None, opaque).unwrap();
    }
    let mut broken = None;
    for part in stream.chunks(piece) {
        let room = session.input().capacity();
        assert!(room <= 4096 + (16 << 10) + 2 * stream.len(), "{room}");
        session.feed(part);
        loop {
            match session.next_answer() {
                Ok(Some((waiter, command))) => {
                    assert_eq!(command.header.opaque, waiter);
                    assert_eq!(broken, None);
                    read_as_every_request(&command);
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    assert_eq!(broken.get_or_insert(error.clone()), &error, "the same error for ever");
                    break;
                }
            }
        }
    }
    drop(session.end_of_stream());
}

proptest! {
    #[test]
    fn real_frames_with_bytes_changed(stream in texts::edited_frames(), piece in 1..300_usize) {
        read_as_stream(&stream, piece);
        // The same bytes as one frame whose lengths are right, so that the changes reach the reader behind them.
        if let Some((_, behind)) = stream.split_first_chunk::<4>() {
            let total = u32::try_from(behind.len()).unwrap();
            read_as_stream(&[&total.to_be_bytes()[..], behind].concat(), piece);
        }
    }

    #[test]
    fn real_bodies_with_tokens_changed(
        route in texts::edited_bodies(105),
        cluster in texts::edited_bodies(106),
        kv in texts::edited_bodies(103),
    ) {
        for body in [route, cluster, kv] {
            read_as_every_model(&body);
        }
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200), piece in 1..50_usize) {
        read_as_stream(&bytes, piece);
        read_as_every_model(&bytes);
        for form in [SerializeType::Json, SerializeType::RocketMq] {
            if let Err(error) = Header::decode(form, &bytes) {
                let ProtocolError::BadHeader { offset, .. } = error else { panic!("{error:?}") };
                prop_assert!(offset <= bytes.len());
            }
        }
        let before = BytesMut::from(&bytes[..]);
        let mut buffer = before.clone();
        match frame::cut(&mut buffer, 1 << 20) {
            Ok(Some(frame)) => {
                prop_assert_eq!(8 + frame.header.len() + frame.body.len() + buffer.len(), bytes.len());
            }
            Ok(None) | Err(_) => prop_assert_eq!(buffer, before),
        }
    }

    #[test]
    fn any_binary_header_behind_good_lengths(bytes in vec(any::<u8>(), 0..60), fields in vec(any::<u8>(), 0..60)) {
        // Random lengths are nearly always too long, so some bytes are made small.
        let mut header: Vec<u8> = bytes.iter().map(|byte| byte % 4).collect();
        header.extend(&fields);
        drop(Header::decode(SerializeType::RocketMq, &header));
    }

    #[test]
    fn any_text(text in any::<String>(), made_up in texts::route_text()) {
        read_as_every_model(text.as_bytes());
        read_as_every_model(made_up.as_bytes());
        drop(Header::decode(SerializeType::Json, text.as_bytes()));
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn some_instant() -> std::time::Instant {
    std::time::Instant::now()
}
