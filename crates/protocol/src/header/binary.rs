//! The header in the compact form (`docs/wire.md` §1.5).
//!
//! ```text
//! i16 code | u8 language | i16 version | i32 opaque | i32 flag | u32 length, remark | u32 length, fields
//! field = u16 length, key | u32 length, value
//! ```

use bytes::{BufMut, BytesMut};

use super::{ExtFields, Header, MAX_EXT_FIELDS};
use crate::code::{Language, Version};
use crate::error::{EncodeError, ProtocolError, Reason};
use crate::model::Name;

pub(super) fn decode(bytes: &[u8]) -> Result<Header, ProtocolError> {
    let mut reader = Reader { bytes, at: 0 };
    let mut header = Header {
        code: i32::from(i16::from_be_bytes(reader.array()?)),
        language: Language(u8::from_be_bytes(reader.array()?)),
        version: Version(i32::from(i16::from_be_bytes(reader.array()?))),
        opaque: i32::from_be_bytes(reader.array()?),
        flag: i32::from_be_bytes(reader.array()?),
        remark: None,
        ext_fields: ExtFields::new(),
    };
    let remark = reader.long_text()?;
    if !remark.is_empty() {
        header.remark = Some(remark);
    }
    // Java reads the length as signed and takes what is negative as "none".
    let length = i32::from_be_bytes(reader.array()?);
    let Ok(length) = usize::try_from(length) else {
        return Ok(header);
    };
    let end =
        reader.at.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(|| reader.too_long())?;
    // An entry that the length cuts is still read whole, as Java does.
    while reader.at < end {
        let key_length = i16::from_be_bytes(reader.array()?);
        let key_length = usize::try_from(key_length).map_err(|_| reader.too_long())?;
        let key = reader.text(key_length)?;
        let value = reader.long_text()?;
        if header.ext_fields.len() == MAX_EXT_FIELDS {
            return Err(ProtocolError::BadHeader { offset: reader.at, reason: Reason::TooMany("fields") });
        }
        header.ext_fields.set(key, value);
    }
    Ok(header)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let array = rest
            .first_chunk()
            .ok_or(ProtocolError::BadHeader { offset: self.at, reason: Reason::UnexpectedEnd })?;
        self.at += N;
        Ok(*array)
    }

    fn text(&mut self, length: usize) -> Result<Name, ProtocolError> {
        let end = self.at.checked_add(length).ok_or_else(|| self.too_long())?;
        let text = self.bytes.get(self.at..end).ok_or_else(|| self.too_long())?;
        self.at = end;
        Ok(match String::from_utf8_lossy(text) {
            std::borrow::Cow::Borrowed(text) => Name::from(text),
            std::borrow::Cow::Owned(text) => Name::from(text),
        })
    }

    fn long_text(&mut self) -> Result<Name, ProtocolError> {
        let length = i32::from_be_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| self.too_long())?;
        self.text(length)
    }

    fn too_long(&self) -> ProtocolError {
        ProtocolError::BadHeader { offset: self.at, reason: Reason::BadLength }
    }
}

pub(super) fn encode(header: &Header, out: &mut BytesMut) -> Result<(), EncodeError> {
    out.put_i16(short("code", header.code)?);
    out.put_u8(header.language.0);
    out.put_i16(short("version", header.version.0)?);
    out.put_i32(header.opaque);
    out.put_i32(header.flag);
    long_text(out, header.remark.as_deref().unwrap_or_default())?;
    let sizes = header.ext_fields.iter().map(|(key, value)| 2 + key.len() + 4 + value.len());
    out.put_u32(length(sizes.sum())?);
    for (key, value) in header.ext_fields.iter() {
        let key_length =
            i16::try_from(key.len()).map_err(|_| EncodeError::KeyTooLong { length: key.len() })?;
        out.put_i16(key_length);
        out.put_slice(key.as_bytes());
        long_text(out, value)?;
    }
    Ok(())
}

fn short(field: &'static str, value: i32) -> Result<i16, EncodeError> {
    i16::try_from(value).map_err(|_| EncodeError::DoesNotFit { field, value })
}

fn long_text(out: &mut BytesMut, text: &str) -> Result<(), EncodeError> {
    out.put_u32(length(text.len())?);
    out.put_slice(text.as_bytes());
    Ok(())
}

/// A length that Java reads as not negative.
fn length(bytes: usize) -> Result<u32, EncodeError> {
    let fits = i32::try_from(bytes).ok().and_then(|length| u32::try_from(length).ok());
    fits.ok_or(EncodeError::FrameTooLarge { size: bytes, limit: i32::MAX as usize })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    /// The example of wire.md §1.5, without the two words of its frame.
    const EXAMPLE: &[u8] =
        b"\x00\x69\x0c\x01\xdf\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x14\
        \x00\x05topic\x00\x00\x00\x09TopicTest";

    #[test]
    fn the_example_of_the_specification_is_written_and_read() {
        let mut out = BytesMut::new();
        encode(&sample(), &mut out).unwrap();
        assert_eq!(&out[..], EXAMPLE);
        assert_eq!(decode(EXAMPLE), Ok(sample()));
    }

    /// `EXAMPLE` with bytes replaced from an offset on, cut or extended to a length.
    fn changed(at: usize, bytes: &[u8], length: usize) -> Vec<u8> {
        let mut changed = EXAMPLE.to_vec();
        changed.resize(length, 0);
        changed.splice(at..at + bytes.len(), bytes.iter().copied());
        changed
    }

    #[test]
    fn lengths_that_reach_too_far_are_refused() {
        let whole = EXAMPLE.len();
        for (name, bytes) in [
            ("remark beyond the header", changed(13, &[0, 0, 0, 99], whole)),
            ("negative remark", changed(13, &[0xff; 4], whole)),
            ("fields beyond the header", changed(17, &[0, 0, 0, 0x15], whole)),
            ("key beyond the header", changed(21, &[0, 99], whole)),
            ("key over 32767", changed(21, &[0x80, 0], whole)),
            ("value beyond the header", changed(28, &[0, 0, 0, 10], whole)),
            ("value of 2 GiB", changed(28, &[0x7f, 0xff, 0xff, 0xff], whole)),
        ] {
            let refused =
                matches!(decode(&bytes), Err(ProtocolError::BadHeader { reason: Reason::BadLength, .. }));
            assert!(refused, "{name}: {:?}", decode(&bytes));
        }
        for length in 0..21 {
            let error = decode(&EXAMPLE[..length]).unwrap_err();
            assert!(
                matches!(error, ProtocolError::BadHeader { reason: Reason::UnexpectedEnd, .. }),
                "{length}: {error:?}"
            );
        }
    }

    #[test]
    fn what_java_tolerates_is_read() {
        let none = Header { ext_fields: ExtFields::new(), ..sample() };
        assert_eq!(decode(&changed(17, &[0xff; 4], EXAMPLE.len())), Ok(none), "negative field length");
        assert_eq!(decode(&changed(0, &[], EXAMPLE.len() + 3)), Ok(sample()), "bytes behind the fields");
        assert_eq!(
            decode(&changed(17, &[0, 0, 0, 1], EXAMPLE.len())),
            Ok(sample()),
            "length that ends in an entry"
        );
        let lossy = Header { ext_fields: ExtFields::from_iter([("topic", "\u{fffd}opicTest")]), ..sample() };
        assert_eq!(decode(&changed(32, &[0xff], EXAMPLE.len())), Ok(lossy), "invalid UTF-8");
        let empty_value = changed(17, &[0, 0, 0, 11, 0, 5, b't', b'o', b'p', b'i', b'c', 0, 0, 0, 0], 32);
        let expected = Header { ext_fields: ExtFields::from_iter([("topic", "")]), ..sample() };
        assert_eq!(decode(&empty_value), Ok(expected), "an empty value is empty, not missing");
    }

    #[test]
    fn what_does_not_fit_is_refused_before_it_is_sent() {
        let long = "k".repeat(32_768);
        let key = Header { ext_fields: ExtFields::from_iter([(long.as_str(), "")]), ..sample() };
        assert_eq!(encode(&key, &mut BytesMut::new()), Err(EncodeError::KeyTooLong { length: 32_768 }));
        let code = Header { code: 40_000, ..sample() };
        assert_eq!(
            encode(&code, &mut BytesMut::new()),
            Err(EncodeError::DoesNotFit { field: "code", value: 40_000 })
        );
    }
}
