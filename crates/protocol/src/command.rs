//! Stop 5 of the trip: header and body together, as they cross the wire.
//!
//! Before it comes [`header`](crate::header); behind it [`request`](crate::request), which knows what the body is.

use bytes::{BufMut, Bytes, BytesMut};

use crate::code::{Language, RequestCode, ResponseCode, Version};
use crate::error::{EncodeError, ProtocolError, Refusal};
use crate::frame::{Frame, SerializeType, WORD};
use crate::header::{ExtFields, Header, ONEWAY_FLAG, RESPONSE_FLAG};
use crate::model::Name;

/// The longest header that the header word can say.
const MAX_HEADER: usize = 0x00ff_ffff;

/// A request or a response: RocketMQ's remoting command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who, what, which.
    pub header: Header,
    /// What is too large for the header; empty if there is nothing.
    pub body: Bytes,
}

impl Command {
    /// A request from this project, with the newest version that it knows. Its opaque is set by the session.
    pub fn request(code: RequestCode, ext_fields: ExtFields, body: impl Into<Bytes>) -> Command {
        Command { header: header(code.0, 0, ext_fields), body: body.into() }
    }

    /// A response to a request with that opaque.
    pub fn response(
        opaque: i32,
        code: ResponseCode,
        ext_fields: ExtFields,
        body: impl Into<Bytes>,
    ) -> Command {
        Command { header: Header { opaque, ..header(code.0, RESPONSE_FLAG, ext_fields) }, body: body.into() }
    }

    /// The same, asking for no response.
    pub fn oneway(mut self) -> Command {
        self.header.flag |= ONEWAY_FLAG;
        self
    }

    /// Why the server said no, if it did.
    pub fn refusal(&self) -> Option<Refusal> {
        let code = ResponseCode(self.header.code);
        (code != ResponseCode::SUCCESS).then(|| Refusal { code, remark: self.header.remark.clone() })
    }

    /// Opens a frame.
    ///
    /// # Errors
    /// [`ProtocolError::BadHeader`] with the place of what is wrong.
    pub fn from_frame(frame: Frame) -> Result<Command, ProtocolError> {
        Ok(Command { header: Header::decode(frame.serialize_type, &frame.header)?, body: frame.body })
    }

    /// Appends the command to `out` as one frame.
    ///
    /// # Errors
    /// [`EncodeError`] if it would be larger than `limit` bytes or does not fit the form of the header. Then `out`
    /// is as it was.
    pub fn encode(
        &self,
        serialize_type: SerializeType,
        limit: usize,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        let result = self.append(serialize_type, limit, start, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn append(
        &self,
        serialize_type: SerializeType,
        limit: usize,
        start: usize,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        out.put_slice(&[0; 2 * WORD]);
        self.header.encode(serialize_type, out)?;
        let header_length = out.len() - start - 2 * WORD;
        let size = 2 * WORD + header_length + self.body.len();
        if size > limit || header_length > MAX_HEADER {
            return Err(EncodeError::FrameTooLarge { size, limit });
        }
        let total = u32::try_from(size - WORD).map_err(|_| EncodeError::FrameTooLarge { size, limit })?;
        let header_word = u32::from(serialize_type.wire_byte()) << 24 | (header_length & MAX_HEADER) as u32;
        if let Some((total_word, rest)) =
            out.get_mut(start..).and_then(|frame| frame.split_first_chunk_mut::<WORD>())
        {
            *total_word = total.to_be_bytes();
            if let Some(word) = rest.first_chunk_mut::<WORD>() {
                *word = header_word.to_be_bytes();
            }
        }
        out.put_slice(&self.body);
        Ok(())
    }

    /// The command as one frame.
    ///
    /// # Errors
    /// As [`encode`](Command::encode), with the default limit.
    pub fn to_frame(&self, serialize_type: SerializeType) -> Result<BytesMut, EncodeError> {
        let mut out = BytesMut::new();
        self.encode(serialize_type, crate::frame::DEFAULT_MAX_FRAME_SIZE, &mut out)?;
        Ok(out)
    }
}

fn header(code: i32, flag: i32, ext_fields: ExtFields) -> Header {
    Header {
        code,
        language: Language::RUST,
        version: Version::V5_3_3,
        opaque: 0,
        flag,
        remark: None,
        ext_fields,
    }
}

/// A response that says no.
impl Refusal {
    /// The refusal as a response to a request with that opaque.
    pub fn into_response(self, opaque: i32) -> Command {
        let mut response = Command::response(opaque, self.code, ExtFields::new(), Bytes::new());
        response.header.remark = self.remark;
        response
    }

    /// A refusal in words.
    pub fn new(code: ResponseCode, remark: impl Into<Name>) -> Refusal {
        Refusal { code, remark: Some(remark.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;
    use crate::header::sample;

    #[test]
    fn a_frame_is_written_as_the_specification_shows_it() {
        let command = Command { header: sample(), body: Bytes::new() };
        for (serialize_type, words) in [
            (SerializeType::Json, [0, 0, 0, 0x87, 0, 0, 0, 0x83]),
            (SerializeType::RocketMq, [0, 0, 0, 0x2d, 1, 0, 0, 0x29]),
        ] {
            let mut bytes = command.to_frame(serialize_type).unwrap();
            assert_eq!(&bytes[..8], words, "{serialize_type:?}");
            let frame = frame::cut(&mut bytes, frame::DEFAULT_MAX_FRAME_SIZE).unwrap().unwrap();
            assert_eq!(Command::from_frame(frame), Ok(command.clone()));
        }
    }

    #[test]
    fn a_command_over_the_limit_leaves_the_output_as_it_was() {
        let mut out = BytesMut::from("before");
        let command = Command { header: sample(), body: Bytes::from(vec![0; 100]) };
        let size = 8 + 0x83 + 100;
        let refused = command.encode(SerializeType::Json, size - 1, &mut out);
        assert_eq!(refused, Err(EncodeError::FrameTooLarge { size, limit: size - 1 }));
        assert_eq!(&out[..], b"before");
        assert_eq!(command.encode(SerializeType::Json, size, &mut out), Ok(()));
        assert_eq!(out.len(), 6 + size);
    }
}
