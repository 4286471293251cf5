//! What can be wrong with bytes: three errors, one for each class that a user of the client sees.
//!
//! | type | when | what happens to the connection |
//! |---|---|---|
//! | [`ProtocolError`] | a frame or header that cannot be trusted | closed: the next frame's start is unknown |
//! | [`DataParseError`] | a body or result field that is not what the request promises | kept |
//! | [`EncodeError`] | a request of our own that cannot be put on the wire | kept, nothing was sent |

use std::fmt;

use crate::code::ResponseCode;
use crate::frame::WORD;
use crate::model::Name;

/// A frame or a header that cannot be read (`docs/wire.md` §1). The stream behind it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The length word is less than the 4 bytes of the header word, or negative.
    FrameTooShort {
        /// The length word as a signed number.
        total: i32,
    },
    /// The frame is longer than the limit. Both count the 4 bytes of the length word.
    FrameTooLarge {
        /// The frame's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The header is longer than the frame that holds it, or empty.
    BadHeaderLength {
        /// The header's length in bytes.
        header: usize,
        /// What the frame has room for.
        room: usize,
    },
    /// The header is neither JSON (0) nor ROCKETMQ binary (1).
    UnknownSerializeType(u8),
    /// The header is not well formed.
    BadHeader {
        /// Where in the header, in bytes from its start.
        offset: usize,
        /// What is wrong there.
        reason: Reason,
    },
    /// The stream ended inside a frame.
    Truncated {
        /// How many bytes of the unfinished frame had arrived.
        have: usize,
    },
}

impl ProtocolError {
    /// The frame may be a real one, and only the limit too low.
    pub fn is_limit_too_low(&self) -> bool {
        matches!(self, ProtocolError::FrameTooLarge { size, .. } if other_protocol(*size).is_none())
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::FrameTooShort { total } => {
                write!(f, "frame length {total} is below the minimum of 4: the peer does not speak RocketMQ")
            }
            ProtocolError::FrameTooLarge { size, limit } => {
                write!(f, "frame of {size} bytes is over the limit of {limit}")?;
                match other_protocol(*size) {
                    Some(name) => write!(f, ": the peer seems to speak {name}, not RocketMQ"),
                    None => write!(f, ": raise max_frame_size if it is meant to be that large"),
                }
            }
            ProtocolError::BadHeaderLength { header, room } => {
                write!(f, "header of {header} bytes in a frame with room for {room}")
            }
            ProtocolError::UnknownSerializeType(other) => {
                write!(f, "unknown header serialize type {other} (0 is JSON, 1 is ROCKETMQ)")
            }
            ProtocolError::BadHeader { offset, reason } => write!(f, "bad header at byte {offset}: {reason}"),
            ProtocolError::Truncated { have } => write!(f, "the stream ended {have} bytes into a frame"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// What the first bytes of well-known protocols make of the length word.
fn other_protocol(size: u64) -> Option<&'static str> {
    let word = u32::try_from(size.checked_sub(WORD as u64)?).ok()?.to_be_bytes();
    match word {
        [b'H', b'T', b'T', b'P'] => Some("HTTP"),
        [b'S', b'S', b'H', b'-'] => Some("SSH"),
        // A TLS alert or handshake record.
        [0x15 | 0x16, 3, ..] => Some("TLS"),
        _ => None,
    }
}

/// Bytes inside a header or body that are not what they should be, without their place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No bytes where a value must be.
    Empty,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// Not UTF-8.
    NotUtf8,
    /// Something else was expected here.
    Expected(&'static str),
    /// Bytes behind the end of the value.
    TrailingBytes,
    /// Deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH) levels.
    TooDeep,
    /// A whole number that does not fit its type.
    OutOfRange(&'static str),
    /// A count below zero.
    Negative,
    /// More of something than is allowed.
    TooMany(&'static str),
    /// A backslash that starts no JSON escape.
    BadEscape,
    /// A raw control character inside a string.
    ControlCharacter,
    /// A field without which the value means nothing.
    Missing(&'static str),
    /// A fastjson `$ref`: the value stands elsewhere in the document.
    Reference,
    /// A length that reaches over the end of what holds it.
    BadLength,
    /// A body that does not have the CRC32 that its header claims. The text is that of the real servers.
    Crc32Mismatch,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Empty => f.write_str("nothing there"),
            Reason::UnexpectedEnd => f.write_str("the text ends too early"),
            Reason::NotUtf8 => f.write_str("not UTF-8"),
            Reason::Expected(what) => write!(f, "expected {what}"),
            Reason::TrailingBytes => f.write_str("bytes behind the end of the value"),
            Reason::TooDeep => write!(f, "nested deeper than {} levels", crate::json::MAX_DEPTH),
            Reason::OutOfRange(what) => write!(f, "number out of range for {what}"),
            Reason::TooMany(what) => write!(f, "too many {what}"),
            Reason::Negative => f.write_str("a count below zero"),
            Reason::BadEscape => f.write_str("bad escape in a string"),
            Reason::ControlCharacter => f.write_str("raw control character in a string"),
            Reason::Missing(field) => write!(f, "missing field {field}"),
            Reason::Reference => f.write_str("a $ref to another part of the document is not supported"),
            Reason::BadLength => f.write_str("a length reaches over the end"),
            Reason::Crc32Mismatch => f.write_str("crc32 not match"),
        }
    }
}

/// A body or result field that does not hold what the request promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataParseError {
    /// Where in the body, in bytes from its start; 0 for a header field.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
    /// The surroundings of that place, at most [`DataParseError::EXCERPT`] bytes, for a log or a bug report.
    pub excerpt: String,
}

impl DataParseError {
    /// How much of the body an error keeps, in bytes.
    pub const EXCERPT: usize = 80;

    pub(crate) fn new(offset: usize, reason: Reason, body: &[u8]) -> Self {
        let start = offset.saturating_sub(Self::EXCERPT / 2);
        let end = body.len().min(start.saturating_add(Self::EXCERPT));
        let around = body.get(start..end).unwrap_or_default();
        DataParseError { offset, reason, excerpt: String::from_utf8_lossy(around).into_owned() }
    }

    /// An answer without a field that it must have.
    pub fn missing(field: &'static str) -> Self {
        DataParseError { offset: 0, reason: Reason::Missing(field), excerpt: String::new() }
    }
}

impl fmt::Display for DataParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad data at byte {}: {}", self.offset, self.reason)?;
        if self.excerpt.is_empty() { Ok(()) } else { write!(f, ", near {:?}", self.excerpt) }
    }
}

impl std::error::Error for DataParseError {}

/// A command of our own that cannot be put on the wire. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be longer than the limit, or its header longer than 24 bits can say.
    FrameTooLarge {
        /// The size in bytes that it would have.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A field's name is longer than the binary header can say (32,767 bytes).
    KeyTooLong {
        /// The name's length in bytes.
        length: usize,
    },
    /// A code or version that does not fit the 16 bits of the binary header.
    DoesNotFit {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: i32,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::FrameTooLarge { size, limit } => {
                write!(f, "a frame of {size} bytes is over the limit of {limit}: raise max_frame_size")
            }
            EncodeError::KeyTooLong { length } => {
                write!(f, "a field name of {length} bytes is over the limit of 32767")
            }
            EncodeError::DoesNotFit { field, value } => {
                write!(f, "{field} {value} does not fit the binary header")
            }
        }
    }
}

impl std::error::Error for EncodeError {}

/// A response code other than `SUCCESS`: the server understood and said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, as a number.
    pub code: ResponseCode,
    /// Why, in the server's words; some refusals have none.
    pub remark: Option<Name>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered code {}", self.code)?;
        let remark = self.remark.as_deref().unwrap_or_default();
        // Java's remarks have lines; an error has one.
        let lines: Vec<&str> = remark.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() { Ok(()) } else { write!(f, ": {}", lines.join(" ").trim_end_matches('.')) }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_without_its_full_stop() {
        for (remark, expected) in [
            (
                "No topic route info: T\nSee https://x for further details.",
                "17 (TOPIC_NOT_EXIST): No topic route info: T See https://x for further details",
            ),
            ("", "17 (TOPIC_NOT_EXIST)"),
        ] {
            let refusal = Refusal::new(ResponseCode::TOPIC_NOT_EXIST, remark);
            assert_eq!(refusal.to_string(), format!("the server answered code {expected}"));
        }
    }

    #[test]
    fn a_peer_that_speaks_something_else_is_named() {
        for (bytes, name) in
            [(b"HTTP", "HTTP"), (b"SSH-", "SSH"), (b"\x15\x03\x03\x00", "TLS"), (b"AAAA", "meant to be")]
        {
            let size = u64::from(u32::from_be_bytes(*bytes)) + 4;
            let text = ProtocolError::FrameTooLarge { size, limit: 1 }.to_string();
            assert!(text.contains(name), "{text}");
        }
    }
}
