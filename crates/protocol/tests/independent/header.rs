//! Frames and headers taken apart by offsets alone (`docs/wire.md` §1), and the crate's headers turned into the same
//! form, so that the two can be compared.

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::header::Header;
use serde_json::{Map, Value, json};

/// The three parts of a whole frame: serialize type, header bytes, body bytes.
pub(crate) fn parts(frame: &[u8]) -> (u8, &[u8], &[u8]) {
    let total = number(frame, 0, 4);
    assert_eq!(total as usize + 4, frame.len(), "length word");
    let header_end = 8 + number(frame, 5, 3) as usize;
    (frame[4], &frame[8..header_end], &frame[header_end..])
}

/// The parts put together again, with the lengths that they now have.
pub(crate) fn frame(serialize_type: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let total = (4 + header.len() + body.len()) as u32;
    let header_word = u32::from(serialize_type) << 24 | header.len() as u32;
    [&total.to_be_bytes()[..], &header_word.to_be_bytes(), header, body].concat()
}

/// The header's fields under their JSON names. A binary header has no `serializeTypeCurrentRPC`, no empty remark and
/// no empty `extFields`; all that are read here are from Java.
pub(crate) fn fields(serialize_type: u8, header: &[u8]) -> Value {
    match serialize_type {
        0 => serde_json::from_slice(header).expect("a JSON header"),
        1 => binary_fields(header),
        other => panic!("serialize type {other}"),
    }
}

fn binary_fields(header: &[u8]) -> Value {
    assert_eq!(header[2], 0, "from Java");
    let mut fields = Map::from_iter([
        ("code".to_owned(), json!(number(header, 0, 2) as i16)),
        ("language".to_owned(), json!("JAVA")),
        ("version".to_owned(), json!(number(header, 3, 2) as i16)),
        ("opaque".to_owned(), json!(number(header, 5, 4) as i32)),
        ("flag".to_owned(), json!(number(header, 9, 4) as i32)),
    ]);
    let remark_end = 17 + number(header, 13, 4) as usize;
    if remark_end > 17 {
        fields.insert("remark".to_owned(), json!(text(header, 17, remark_end)));
    }
    let mut at = remark_end + 4;
    let end = at + number(header, remark_end, 4) as usize;
    assert_eq!(end, header.len(), "nothing behind the fields");
    let mut ext_fields = Map::new();
    while at < end {
        let key_end = at + 2 + number(header, at, 2) as usize;
        let value_end = key_end + 4 + number(header, key_end, 4) as usize;
        let value = text(header, key_end + 4, value_end);
        ext_fields.insert(text(header, at + 2, key_end).to_owned(), json!(value));
        at = value_end;
    }
    if !ext_fields.is_empty() {
        fields.insert("extFields".to_owned(), Value::Object(ext_fields));
    }
    Value::Object(fields)
}

fn number(bytes: &[u8], at: usize, size: usize) -> u32 {
    bytes[at..at + size].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn text(bytes: &[u8], start: usize, end: usize) -> &str {
    std::str::from_utf8(&bytes[start..end]).expect("UTF-8")
}

/// The fields of a header that this crate has opened, in the form of [`fields`]. An empty `extFields` cannot be told
/// from a missing one.
pub(crate) fn fields_of(serialize_type: SerializeType, header: &Header) -> Value {
    let mut fields = Map::from_iter([
        ("code".to_owned(), json!(header.code)),
        ("language".to_owned(), json!(header.language.name())),
        ("version".to_owned(), json!(header.version.0)),
        ("opaque".to_owned(), json!(header.opaque)),
        ("flag".to_owned(), json!(header.flag)),
    ]);
    if let Some(remark) = &header.remark {
        fields.insert("remark".to_owned(), json!(remark.as_str()));
    }
    if !header.ext_fields.is_empty() {
        let ext_fields = header.ext_fields.iter();
        let ext_fields = ext_fields.map(|(key, value)| (key.to_string(), json!(value.as_str())));
        fields.insert("extFields".to_owned(), Value::Object(ext_fields.collect()));
    }
    if serialize_type == SerializeType::Json {
        fields.insert("serializeTypeCurrentRPC".to_owned(), json!("JSON"));
    }
    Value::Object(fields)
}
