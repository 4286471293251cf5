//! Frames and headers: pieces do not matter, memory follows what arrived, and what was opened is written as it was.

use bytes::{Bytes, BytesMut};
use rocketmq_nameserver_protocol::code::Language;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{EncodeError, ProtocolError};
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, Frame, Progress, SerializeType};
use rocketmq_nameserver_protocol::header::Header;
use rocketmq_nameserver_protocol::request::{
    Answer, DeleteTopicInNamesrv, GetBrokerClusterInfo, GetKvListByNamespace, GetRouteInfo,
    GetTopicsByCluster, PutKvConfig, RegisterBroker, Request, UnregisterBroker, WipeWritePermOfBroker,
};
use serde_json::Value;

use super::{header, json, oracle, tree};

/// The largest frame here. Small, so that it is met; several times [`READ_ROOM`], so that frames outgrow a read.
const LIMIT: usize = 64 * 1024;

/// How much room a read gets before anything is known of the frame.
const READ_ROOM: usize = 16 * 1024;

const FORMS: [SerializeType; 2] = [SerializeType::Json, SerializeType::RocketMq];

/// Takes bytes as a stream of frames; as one frame, its lengths mended so that the rest of it is reached; and as a header
/// in either form.
///
/// # Panics
/// If a promise is broken.
pub fn check(bytes: &[u8]) {
    check_stream(bytes);
    if let Some(frame) = with_good_lengths(bytes) {
        check_stream(&frame);
    }
    for form in FORMS {
        check_header(form, bytes);
    }
}

/// The bytes as one frame: the length word is right and the header fits.
fn with_good_lengths(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, behind) = bytes.split_first_chunk::<4>()?;
    let ([form, length @ ..], content) = behind.split_first_chunk::<4>()?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let header_length = if content.is_empty() { 0 } else { 1 + length.saturating_sub(1) % content.len() };
    let (head, body) = content.split_at(header_length);
    Some(header::frame(form % 2, head, body))
}

/// Cuts a stream as a whole, byte by byte and in uneven pieces.
///
/// # Panics
/// If that makes a difference, or another promise is broken.
pub(crate) fn check_stream(stream: &[u8]) {
    let whole = cut_all(stream, |left| left);
    assert_eq!(cut_all(stream, |_| 1), whole, "byte by byte");
    let uneven = |left: usize| 1 + usize::from(stream[stream.len() - left]) * 3;
    assert_eq!(cut_all(stream, uneven), whole, "in uneven pieces");

    // Put together again they are the stream, as far as it was good.
    let mut rest = stream;
    for Frame { serialize_type, header: head, body } in &whole.frames {
        let frame = header::frame(serialize_type.wire_byte(), head, body);
        rest = rest.strip_prefix(&frame[..]).expect("the frames are what stands in the stream");
    }
    if whole.error.is_none() {
        let partial = matches!(frame::inspect(rest, LIMIT), Ok(Progress::Partial(_)));
        assert!(partial, "only a part of a frame is left over");
    }
    for frame in whole.frames {
        let (form, head) = (frame.serialize_type, frame.header.clone());
        assert_eq!(Command::from_frame(frame.clone()).map(|it| it.header), Header::decode(form, &head));
        check_header(form, &head);
        if let Ok(command) = Command::from_frame(frame) {
            read_as_every_request(&command);
        }
    }
}

/// What was cut off a stream.
#[derive(Debug, PartialEq)]
struct Cut {
    frames: Vec<Frame>,
    /// Why it went no further.
    error: Option<ProtocolError>,
}

/// Cuts all frames off a stream. `piece` says, for what is left, how much comes next.
fn cut_all(stream: &[u8], piece: impl Fn(usize) -> usize) -> Cut {
    let mut frames = Vec::new();
    let mut buffer = BytesMut::new();
    let mut left = stream;
    while !left.is_empty() {
        let room = make_room(&mut buffer, stream.len() - left.len());
        let (next, behind) = left.split_at(piece(left.len()).min(left.len()).min(room));
        left = behind;
        buffer.extend_from_slice(next);
        loop {
            let kept = buffer.len();
            match frame::cut(&mut buffer, LIMIT) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => {
                    assert_eq!(buffer.len(), kept);
                    break;
                }
                Err(error) => {
                    assert_eq!(frame::cut(&mut buffer, LIMIT), Err(error.clone()), "the same error again");
                    assert_eq!(buffer.len(), kept);
                    assert!(!error.to_string().is_empty());
                    return Cut { frames, error: Some(error) };
                }
            }
        }
    }
    assert!(stream.ends_with(&buffer), "what is not cut off is left as it is");
    make_room(&mut buffer, stream.len());
    Cut { frames, error: None }
}

/// Makes room for the next read and says how much there is. What arrived so far says how much there may be.
fn make_room(buffer: &mut BytesMut, arrived: usize) -> usize {
    frame::make_room(buffer, LIMIT);
    let (memory, bound) = (buffer.capacity(), LIMIT.min(2 * arrived + READ_ROOM));
    assert!(memory > buffer.len(), "there is always room for more");
    assert!(memory <= bound, "{memory} bytes of memory, {arrived} arrived");
    memory - buffer.len()
}

/// Opens a header, and writes it in both forms if it can be opened.
///
/// # Panics
/// If an error has no place in the header, a parser that is not ours reads it otherwise, or it changes on the way out
/// and in again.
pub(crate) fn check_header(form: SerializeType, bytes: &[u8]) {
    let found = Header::decode(form, bytes);
    if form == SerializeType::Json {
        // `serde_json` does not keep how a number is spelled, and arguments are kept as they are spelled.
        let opinion = ("jsonc-parser", tree::by_jsonc_parser(bytes));
        json::check_agreement(bytes, &found, &[opinion], oracle::header);
    }
    match found {
        Ok(header) => FORMS.into_iter().for_each(|form| check_written(form, &header)),
        Err(ProtocolError::BadHeader { offset, .. }) => {
            assert!(offset <= bytes.len(), "{offset} of {}", bytes.len());
        }
        Err(other) => panic!("{other:?} from a header"),
    }
}

fn check_written(form: SerializeType, header: &Header) {
    let command = Command { header: header.clone(), body: Bytes::from_static(b"body") };
    let mut out = BytesMut::from("before");
    if let Err(error) = command.encode(form, DEFAULT_MAX_FRAME_SIZE, &mut out) {
        assert_eq!(&out[..], b"before", "nothing is written of what does not fit");
        match error {
            EncodeError::DoesNotFit { value, .. } => assert!(i16::try_from(value).is_err()),
            EncodeError::KeyTooLong { length } => assert!(i16::try_from(length).is_err()),
            other => panic!("{other:?} for {header:?}"),
        }
        assert_eq!(form, SerializeType::RocketMq, "everything fits in JSON");
        return;
    }
    let expected = Command { header: as_written(form, header), ..command };
    let (_, head, _) = header::parts(&out[6..]);
    if form == SerializeType::Json {
        let by_serde: Value = serde_json::from_slice(head).expect("standard JSON");
        assert_eq!(by_serde, header::fields_of(form, &expected.header));
    }
    let mut frame = out.split_off(6);
    let read = frame::cut(&mut frame, DEFAULT_MAX_FRAME_SIZE).expect("good lengths").expect("a whole frame");
    assert!(frame.is_empty(), "one frame and no more");
    assert_eq!(Command::from_frame(read), Ok(expected));
}

/// What a form cannot say is lost: JSON has languages by name, the binary form has no empty remark.
fn as_written(form: SerializeType, header: &Header) -> Header {
    let mut header = header.clone();
    match form {
        SerializeType::Json => header.language = Language::from_name(header.language.name()),
        SerializeType::RocketMq => header.remark = header.remark.filter(|remark| !remark.is_empty()),
    }
    header
}

/// Reads a command as each request and as the answer to each.
fn read_as_every_request(command: &Command) {
    drop(RegisterBroker::from_command(command));
    drop(UnregisterBroker::from_command(command));
    drop(GetRouteInfo::from_command(command));
    drop(GetBrokerClusterInfo::from_command(command));
    drop(PutKvConfig::from_command(command));
    drop(WipeWritePermOfBroker::from_command(command));
    drop(GetTopicsByCluster::from_command(command));
    drop(DeleteTopicInNamesrv::from_command(command));
    if let Ok(answer) = Answer::from_response(command.clone()) {
        let errors = [
            RegisterBroker::from_answer(&answer).err(),
            GetRouteInfo::from_answer(&answer).err(),
            GetBrokerClusterInfo::from_answer(&answer).err(),
            GetKvListByNamespace::from_answer(&answer).err(),
            GetTopicsByCluster::from_answer(&answer).err(),
        ];
        errors.iter().flatten().for_each(|error| json::check_error(&answer.body, error));
    }
    json::read_as_every_model(&command.body);
}
