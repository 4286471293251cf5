//! The header as JSON text (`docs/wire.md` §1.4).

use bytes::{BufMut, BytesMut};

use super::{ExtFields, Header, MAX_EXT_FIELDS};
use crate::code::{Language, Version};
use crate::error::{ProtocolError, Reason};
use crate::json::lex::{Failure, Parsed, is_special};
use crate::json::{FromJson, Reader, from_bytes, read_fields};

pub(super) fn decode(bytes: &[u8]) -> Result<Header, ProtocolError> {
    from_bytes(bytes).map_err(|error| ProtocolError::BadHeader { offset: error.offset, reason: error.reason })
}

/// `code` and `opaque` must be there: without them an answer belongs to nobody. Everything else has a default.
impl FromJson for Header {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let (mut code, mut opaque) = (None, None);
        let mut header = Header {
            code: 0,
            language: Language::OTHER,
            version: Version(0),
            opaque: 0,
            flag: 0,
            remark: None,
            ext_fields: ExtFields::new(),
        };
        read_fields!(reader, {
            "code" => code = reader.optional()?,
            "extFields" => header.ext_fields = reader.or_default()?,
            "flag" => header.flag = reader.or_default()?,
            "language" => header.language = reader.optional()?.unwrap_or(Language::OTHER),
            "opaque" => opaque = reader.optional()?,
            "remark" => header.remark = reader.optional()?,
            "serializeTypeCurrentRPC" => reader.skip()?,
            "version" => header.version = Version(reader.or_default()?),
        })?;
        let missing = |field| Failure { offset: reader.offset(), reason: Reason::Missing(field) };
        header.code = code.ok_or_else(|| missing("code"))?;
        header.opaque = opaque.ok_or_else(|| missing("opaque"))?;
        Ok(header)
    }
}

/// A name or a number; a name that nobody knows is [`Language::OTHER`].
impl FromJson for Language {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let text = reader.scalar_text()?;
        Ok(text.parse().map_or_else(|_| Language::from_name(&text), Language))
    }
}

/// Numbers and truth values become text, `null` is left out.
impl FromJson for ExtFields {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut ext_fields = ExtFields::new();
        reader.entries(|key, reader| {
            if reader.null() {
                ext_fields.remove(key.field());
            } else if ext_fields.len() == MAX_EXT_FIELDS {
                return Err(Failure { offset: reader.offset(), reason: Reason::TooMany("fields") });
            } else {
                ext_fields.set(key.field(), &*reader.scalar_text()?);
            }
            Ok(())
        })?;
        Ok(ext_fields)
    }
}

/// Compact, keys in alphabetical order, absent fields left out: as Java writes it.
pub(super) fn encode(header: &Header, out: &mut BytesMut) {
    let mut digits = itoa::Buffer::new();
    let mut number = |out: &mut BytesMut, key: &[u8], value: i32| {
        out.put_slice(key);
        out.put_slice(digits.format(value).as_bytes());
    };
    number(out, b"{\"code\":", header.code);
    if header.ext_fields.is_shown() {
        out.put_slice(b",\"extFields\":{");
        for (at, (key, value)) in header.ext_fields.iter().enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            string(out, key);
            out.put_u8(b':');
            string(out, value);
        }
        out.put_u8(b'}');
    }
    number(out, b",\"flag\":", header.flag);
    out.put_slice(b",\"language\":\"");
    out.put_slice(header.language.name().as_bytes());
    number(out, b"\",\"opaque\":", header.opaque);
    if let Some(remark) = &header.remark {
        out.put_slice(b",\"remark\":");
        string(out, remark);
    }
    out.put_slice(b",\"serializeTypeCurrentRPC\":\"JSON\"");
    number(out, b",\"version\":", header.version.0);
    out.put_u8(b'}');
}

/// A string with its quotes and escapes.
fn string(out: &mut BytesMut, text: &str) {
    out.put_u8(b'"');
    // Every byte is looked at, without a branch for each.
    if !text.bytes().fold(false, |any, byte| any | is_special(byte)) {
        out.put_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            escaped(out, character);
        }
    }
    out.put_u8(b'"');
}

fn escaped(out: &mut BytesMut, character: char) {
    match character {
        '"' => out.put_slice(b"\\\""),
        '\\' => out.put_slice(b"\\\\"),
        '\n' => out.put_slice(b"\\n"),
        '\r' => out.put_slice(b"\\r"),
        '\t' => out.put_slice(b"\\t"),
        '\0'..='\u{1f}' => out.put_slice(format!("\\u{:04X}", u32::from(character)).as_bytes()),
        other => out.put_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_request_is_written_as_the_specification_shows_it() {
        let mut out = BytesMut::new();
        encode(&sample(), &mut out);
        let expected = r#"{"code":105,"extFields":{"topic":"TopicTest"},"flag":0,"language":"RUST","opaque":1,"serializeTypeCurrentRPC":"JSON","version":479}"#;
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
        assert_eq!(decode(&out).unwrap(), sample());
    }

    #[test]
    fn odd_but_tolerable_headers_are_read() {
        let base = Header {
            language: Language::OTHER,
            version: Version(0),
            ext_fields: ExtFields::new(),
            ..sample()
        };
        let check =
            |text: &str, expected: Header| assert_eq!(decode(text.as_bytes()), Ok(expected), "{text}");
        check(r#"{"code":105,"opaque":1}"#, base.clone());
        check("\u{feff} {\"opaque\" : 1 ,\n\"code\":105, \"new\":[{}]}", base.clone());
        check(
            r#"{"code":"105","opaque":"1","flag":null,"remark":null,"extFields":null,"language":null}"#,
            base.clone(),
        );
        check(r#"{"code":105,"opaque":1,"language":3}"#, Header { language: Language(3), ..base.clone() });
        check(r#"{"code":105,"opaque":1,"language":"COBOL"}"#, base.clone());
        check(r#"{"code":105,"opaque":-2147483648}"#, Header { opaque: i32::MIN, ..base.clone() });
        let ext_fields = ExtFields::from_iter([("a", "5"), ("b", "true"), ("e", ""), ("f", "1.5")]);
        check(
            r#"{"code":105,"opaque":1,"extFields":{"a":5,"b":true,"c":null,"e":"","f":1.5}}"#,
            Header { ext_fields, ..base.clone() },
        );
        check(
            r#"{"code":105,"opaque":1,"remark":"a\nb"}"#,
            Header { remark: Some(Name::from("a\nb")), ..base },
        );
    }

    use crate::model::Name;

    #[test]
    fn headers_that_say_too_little_or_too_much_are_refused_with_their_place() {
        let check = |text: &str, offset: usize, reason: Reason| {
            assert_eq!(decode(text.as_bytes()), Err(ProtocolError::BadHeader { offset, reason }), "{text}");
        };
        check("", 0, Reason::Empty);
        check("[]", 0, Reason::Expected("an object"));
        check(r#"{"opaque":1}"#, 12, Reason::Missing("code"));
        check(r#"{"code":0}"#, 10, Reason::Missing("opaque"));
        check(r#"{"code":0,"opaque":2147483648}"#, 19, Reason::OutOfRange("32 bits"));
        check(r#"{"code":0,"opaque":1,"extFields":[]}"#, 33, Reason::Expected("an object"));
        let many: Vec<String> = (0..=MAX_EXT_FIELDS).map(|key| format!("\"{key}\":1")).collect();
        let text = format!("{{\"extFields\":{{{}}}}}", many.join(","));
        let at = text.rfind(':').unwrap() + 1;
        check(&text, at, Reason::TooMany("fields"));
        check(r#"{"code":0,"opaque":1} x"#, 22, Reason::TrailingBytes);
        check(r#"{"code":0,"opaque":1"#, 20, Reason::UnexpectedEnd);
        assert_eq!(
            decode(b"{\"code\":\xff}"),
            Err(ProtocolError::BadHeader { offset: 8, reason: Reason::NotUtf8 })
        );
    }
}
