//! An answer, cut from a raw frame into parts that can be compared (`docs/wire.md` §1).
//!
//! Nothing of the protocol crate has a hand in it. What is not what a server may send at all, such as an argument that
//! is no text, is an error with words and never lost.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::body::{Body, Dialect};

/// The two forms of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Json,
    /// The compact form.
    Binary,
}

/// One answer, in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The form of the header.
    pub form: Form,
    /// The response code.
    pub code: i32,
    /// The server's language: its name, or its number in a binary header.
    pub language: String,
    /// The server's release.
    pub version: i32,
    /// Which request it answers.
    pub opaque: i32,
    /// Its bits.
    pub flag: i32,
    /// Why it failed, in words. An empty one is absent from a binary header.
    pub remark: Option<String>,
    /// The results. In a JSON header absent is not `{}`; in a binary header both are no bytes, and absent here.
    pub ext_fields: Option<BTreeMap<String, String>>,
    /// What else is in a JSON header.
    pub others: BTreeMap<String, Value>,
    /// How the texts of a JSON header are spelled.
    pub header_dialect: Dialect,
    /// The body.
    pub body: Body,
}

impl Answer {
    /// Cuts one whole frame, its length word included, that answers a request with that code.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn cut(frame: &[u8], request_code: i32) -> Result<Answer, String> {
        let mut reader = Reader(frame);
        let total = reader.number(4)? as usize;
        if total != reader.0.len() {
            return Err(format!("the length word says {total}, the frame has {}", reader.0.len()));
        }
        let type_byte = reader.number(1)?;
        let header_length = reader.number(3)? as usize;
        let header = reader.take(header_length)?;
        let body = reader.0;
        let mut answer = match type_byte {
            0 => json_header(header)?,
            1 => binary_header(header)?,
            other => return Err(format!("the serialize type is {other}")),
        };
        answer.body = Body::read(body, request_code, answer.code);
        Ok(answer)
    }
}

fn json_header(bytes: &[u8]) -> Result<Answer, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the header is no UTF-8: {error}"))?;
    let mut fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("the header is no JSON object: {error}"))?;
    let answer = Answer {
        form: Form::Json,
        code: integer(&mut fields, "code")?,
        language: string(&mut fields, "language")?.ok_or("the header has no language")?,
        version: integer(&mut fields, "version")?,
        opaque: integer(&mut fields, "opaque")?,
        flag: integer(&mut fields, "flag")?,
        remark: string(&mut fields, "remark")?,
        ext_fields: match fields.remove("extFields") {
            None => None,
            Some(Value::Object(fields)) => Some(strings(fields)?),
            Some(other) => return Err(format!("extFields are {other}")),
        },
        others: fields.into_iter().collect(),
        header_dialect: Dialect::of(text),
        body: Body::Empty,
    };
    Ok(answer)
}

fn integer(fields: &mut Map<String, Value>, key: &str) -> Result<i32, String> {
    let value = fields.remove(key).ok_or_else(|| format!("the header has no {key}"))?;
    let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| format!("the header's {key} is {value}"))
}

fn string(fields: &mut Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match fields.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("the header's {key} is {other}")),
    }
}

fn strings(fields: Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let entry = |(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        other => Err(format!("the header's extFields have {other} as {key}")),
    };
    fields.into_iter().map(entry).collect()
}

fn binary_header(bytes: &[u8]) -> Result<Answer, String> {
    let mut reader = Reader(bytes);
    let code = i32::from(reader.number(2)? as u16 as i16);
    let language = reader.number(1)?.to_string();
    let version = i32::from(reader.number(2)? as u16 as i16);
    let opaque = reader.number(4)? as i32;
    let flag = reader.number(4)? as i32;
    let remark = reader.text(4)?;
    let fields_length = reader.number(4)? as usize;
    let mut fields = Reader(reader.take(fields_length)?);
    if !reader.0.is_empty() {
        return Err(format!("{} bytes behind the header's fields", reader.0.len()));
    }
    let mut ext_fields = BTreeMap::new();
    while !fields.0.is_empty() {
        let key = fields.text(2)?;
        if ext_fields.insert(key.clone(), fields.text(4)?).is_some() {
            return Err(format!("the header has {key} twice"));
        }
    }
    Ok(Answer {
        form: Form::Binary,
        code,
        language,
        version,
        opaque,
        flag,
        remark: Some(remark).filter(|remark| !remark.is_empty()),
        ext_fields: Some(ext_fields).filter(|fields| !fields.is_empty()),
        others: BTreeMap::new(),
        header_dialect: Dialect::default(),
        body: Body::Empty,
    })
}

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return Err(format!("{length} bytes are promised, {} are there", self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    /// Of up to four bytes.
    fn number(&mut self, size: usize) -> Result<u32, String> {
        Ok(self.take(size)?.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// Behind its length, which has that size.
    fn text(&mut self, size: usize) -> Result<String, String> {
        let length = self.number(size)? as usize;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|error| format!("the header has a text that is no UTF-8: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captures::manifest;

    #[test]
    fn every_capture_can_be_cut_and_has_no_unreadable_body() {
        for capture in manifest() {
            let Some(frame) = capture.frame() else { continue };
            let answer =
                Answer::cut(&frame, capture.code).unwrap_or_else(|why| panic!("{}: {why}", capture.id()));
            assert!(!matches!(answer.body, Body::Unreadable(_)), "{}", capture.id());
            assert_eq!((answer.opaque, answer.flag), (7, 1), "{}", capture.id());
        }
    }

    #[test]
    fn absent_fields_and_no_fields_differ_in_a_json_header_only() {
        let frame = |type_byte: u8, header: &[u8]| {
            let lengths =
                [(4 + header.len() as u32).to_be_bytes(), (header.len() as u32).to_be_bytes()].concat();
            let mut frame = [&lengths, header].concat();
            frame[4] = type_byte;
            frame
        };
        let json = |fields: &str| {
            let header =
                format!(r#"{{"code":0,{fields}"flag":1,"language":"JAVA","opaque":7,"version":479}}"#);
            Answer::cut(&frame(0, header.as_bytes()), 106).map(|answer| answer.ext_fields)
        };
        assert_eq!(json(""), Ok(None));
        assert_eq!(json(r#""extFields":{},"#), Ok(Some(BTreeMap::new())));
        assert!(json(r#""extFields":{"a":1},"#).is_err());
        assert!(json(r#""extFields":null,"#).is_err());
        let binary = [&[0; 20][..], &[0]].concat();
        assert_eq!(Answer::cut(&frame(1, &binary), 106).map(|answer| answer.ext_fields), Ok(None));
        assert!(Answer::cut(&frame(1, &binary[..20]), 106).is_err());
        assert!(Answer::cut(&frame(2, &binary), 106).is_err());
    }
}
