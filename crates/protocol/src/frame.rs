//! Stop 3 of the trip: cuts one frame out of a buffer, or says that it cannot (`docs/wire.md` §1).
//!
//! ```text
//! u32 total = 4 + header length + body length
//! u32 header word = serialize type << 24 | header length
//! header bytes, body bytes
//! ```
//!
//! Before it comes [`session`](crate::session), which owns the buffer; behind it [`header`](crate::header).
//! Lengths are checked as soon as their bytes are there, before any memory is taken for them.

use bytes::{Bytes, BytesMut};

use crate::error::ProtocolError;

/// Size of the length word and of the header word, in bytes.
pub(crate) const WORD: usize = 4;

/// The largest frame by default: 16 MiB with the length word, as Java has it
/// (`com.rocketmq.remoting.frameMaxLength`). Real answers beyond it are rare: topic lists of 60,000 names and more.
pub const DEFAULT_MAX_FRAME_SIZE: usize = 16 * 1024 * 1024;

/// How much room there is for the next read, in bytes. A route of 8 brokers has 1.8 KiB, a request 150 bytes; 16 KiB take
/// many of them in one read and are small change for an idle connection.
const READ_ROOM: usize = 16 * 1024;

/// The two forms of a header. Each frame says its own: servers mix them (`docs/wire.md` §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum SerializeType {
    /// Text, understood by everything. The default.
    #[default]
    Json,
    /// The compact form. 4.x servers answer in it when asked in it; stock 5.x servers answer in JSON.
    RocketMq,
}

impl SerializeType {
    /// The top byte of the header word.
    pub fn wire_byte(self) -> u8 {
        match self {
            SerializeType::Json => 0,
            SerializeType::RocketMq => 1,
        }
    }

    /// The form that this top byte stands for.
    pub fn from_wire_byte(byte: u8) -> Result<Self, ProtocolError> {
        match byte {
            0 => Ok(SerializeType::Json),
            1 => Ok(SerializeType::RocketMq),
            other => Err(ProtocolError::UnknownSerializeType(other)),
        }
    }
}

/// One whole frame, cut but not opened. Both parts share the buffer that they arrived in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// How to read the header.
    pub serialize_type: SerializeType,
    /// The header's bytes.
    pub header: Bytes,
    /// The body's bytes, empty if there is none.
    pub body: Bytes,
}

/// What is known of the frame that a buffer starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The frame needs this many bytes in all, its length word included, if that is known yet.
    Partial(Option<usize>),
    /// The frame is whole and this long, its length word included.
    Whole(usize),
}

/// Looks at the frame that `buffer` starts with, as far as it is there, and refuses lengths that cannot be.
///
/// # Errors
/// [`ProtocolError`] for a length word below 4 or over `limit`, an unknown serialize type, and a header that
/// is empty or longer than its frame.
pub fn inspect(buffer: &[u8], limit: usize) -> Result<Progress, ProtocolError> {
    let Some((total_word, rest)) = buffer.split_first_chunk::<WORD>() else {
        return Ok(Progress::Partial(None));
    };
    let total = u32::from_be_bytes(*total_word);
    let size = u64::from(total) + WORD as u64;
    // Java reads the word as signed: what is negative there is far over any limit here.
    if i32::from_be_bytes(*total_word) < WORD as i32 {
        return Err(ProtocolError::FrameTooShort { total: i32::from_be_bytes(*total_word) });
    }
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= limit)
        .ok_or(ProtocolError::FrameTooLarge { size, limit })?;
    if let Some(header_word) = rest.first_chunk::<WORD>() {
        let [type_byte, high, middle, low] = *header_word;
        SerializeType::from_wire_byte(type_byte)?;
        let header = u32::from_be_bytes([0, high, middle, low]) as usize;
        let room = size.saturating_sub(2 * WORD);
        if header == 0 || header > room {
            return Err(ProtocolError::BadHeaderLength { header, room });
        }
    }
    Ok(if buffer.len() < size { Progress::Partial(Some(size)) } else { Progress::Whole(size) })
}

/// Cuts the first frame off `buffer`, or leaves the buffer as it is and returns `None` if it is not whole.
///
/// # Errors
/// As [`inspect`]; the buffer is left as it is.
pub fn cut(buffer: &mut BytesMut, limit: usize) -> Result<Option<Frame>, ProtocolError> {
    let Progress::Whole(size) = inspect(buffer, limit)? else {
        return Ok(None);
    };
    let mut rest = buffer.split_to(size).freeze();
    let head = rest.split_to(2 * WORD);
    let (Some(&type_byte), Some(length)) = (head.get(WORD), head.get(WORD + 1..)) else {
        return Ok(None);
    };
    let header_length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let header = rest.split_to(header_length);
    Ok(Some(Frame { serialize_type: SerializeType::from_wire_byte(type_byte)?, header, body: rest }))
}

/// Makes room in `buffer` for the next read. The room grows with what has arrived, never ahead of it to what a frame only
/// claims, and never beyond `limit` for one frame.
pub fn make_room(buffer: &mut BytesMut, limit: usize) {
    let have = buffer.len();
    let wanted = match inspect(buffer, limit) {
        Ok(Progress::Partial(Some(size))) => size.saturating_sub(have).min(have.max(READ_ROOM)),
        _ => READ_ROOM,
    };
    let enough = wanted.min(READ_ROOM / 4);
    if buffer.capacity() - have >= enough || buffer.try_reclaim(enough) {
        return;
    }
    // A new buffer of just the right size: growing in place would double it.
    let mut larger = BytesMut::with_capacity(have + wanted);
    larger.extend_from_slice(buffer);
    *buffer = larger;
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = DEFAULT_MAX_FRAME_SIZE;

    #[allow(clippy::needless_pass_by_value, reason = "the tables read better without references")]
    fn check(bytes: &[u8], expected: Result<Progress, ProtocolError>) {
        assert_eq!(inspect(bytes, LIMIT), expected, "{bytes:02x?}");
    }

    #[test]
    fn impossible_lengths_are_refused_as_soon_as_they_are_read() {
        check(&[0, 0, 0, 3], Err(ProtocolError::FrameTooShort { total: 3 }));
        check(&[0, 0, 0, 0], Err(ProtocolError::FrameTooShort { total: 0 }));
        check(&[0xff, 0xff, 0xff, 0xff], Err(ProtocolError::FrameTooShort { total: -1 }));
        check(&[0x80, 0, 0, 0], Err(ProtocolError::FrameTooShort { total: i32::MIN }));
        // 16,777,212 is served, 16,777,213 closes as soon as its head is read (wire.md §1).
        check(&16_777_212u32.to_be_bytes(), Ok(Progress::Partial(Some(LIMIT))));
        check(
            &16_777_213u32.to_be_bytes(),
            Err(ProtocolError::FrameTooLarge { size: LIMIT as u64 + 1, limit: LIMIT }),
        );
        check(
            &[0x7f, 0xff, 0xff, 0xff],
            Err(ProtocolError::FrameTooLarge { size: 0x8000_0003, limit: LIMIT }),
        );
        check(&[0, 0, 0, 10, 2, 0, 0, 1], Err(ProtocolError::UnknownSerializeType(2)));
        check(&[0, 0, 0, 10, 0xff, 0, 0, 1], Err(ProtocolError::UnknownSerializeType(255)));
        check(&[0, 0, 0, 10, 0, 0, 0, 0], Err(ProtocolError::BadHeaderLength { header: 0, room: 6 }));
        check(&[0, 0, 0, 10, 0, 0, 0, 7], Err(ProtocolError::BadHeaderLength { header: 7, room: 6 }));
        check(&[0, 0, 0, 4, 0, 0, 0, 1], Err(ProtocolError::BadHeaderLength { header: 1, room: 0 }));
    }

    #[test]
    fn a_partial_frame_says_what_it_needs_as_early_as_it_can() {
        check(&[], Ok(Progress::Partial(None)));
        check(&[0, 0, 0], Ok(Progress::Partial(None)));
        check(&[0, 0, 0, 6], Ok(Progress::Partial(Some(10))));
        check(&[0, 0, 0, 6, 0, 0, 0, 2, b'{'], Ok(Progress::Partial(Some(10))));
        check(&[0, 0, 0, 6, 0, 0, 0, 2, b'{', b'}'], Ok(Progress::Whole(10)));
        check(&[0, 0, 0, 6, 0, 0, 0, 2, b'{', b'}', 9, 9], Ok(Progress::Whole(10)));
    }

    #[test]
    fn room_grows_with_what_arrives_and_not_with_what_is_claimed() {
        let mut buffer = BytesMut::from(&[0, 0xff, 0xff, 0xfc, 0, 0, 0, 1][..]);
        make_room(&mut buffer, LIMIT);
        assert!(buffer.capacity() <= 8 + READ_ROOM);
        while buffer.len() < LIMIT {
            make_room(&mut buffer, LIMIT);
            assert!(buffer.capacity() > buffer.len() && buffer.capacity() <= LIMIT, "{}", buffer.capacity());
            buffer.resize(buffer.capacity(), b' ');
        }
    }

    #[test]
    fn cutting_takes_one_frame_and_leaves_the_next() {
        let mut buffer = BytesMut::from(&[0, 0, 0, 8, 1, 0, 0, 2, b'h', b'd', b'b', b'o', 7, 7][..]);
        let frame = cut(&mut buffer, LIMIT).unwrap().unwrap();
        assert_eq!(frame.serialize_type, SerializeType::RocketMq);
        assert_eq!((&frame.header[..], &frame.body[..]), (&b"hd"[..], &b"bo"[..]));
        assert_eq!(&buffer[..], [7, 7]);
        assert_eq!(cut(&mut buffer, LIMIT), Ok(None));
        assert_eq!(&buffer[..], [7, 7]);
    }
}
