//! A request as bytes, written here and not by the protocol crate: a conformance test must not lean on what it judges.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::answer::Form;

/// The opaque of every request, as in the captures.
pub const OPAQUE: i32 = 7;

/// The version that most captured requests have in their header: 4.9.3, the last that gets the legacy dialect.
pub const LEGACY_VERSION: i32 = 399;

/// A request whose opaque is [`OPAQUE`] and whose language is JAVA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub code: i32,
    /// The version in the header.
    pub version: i32,
    /// 0, or 2 for a request that wants no answer.
    pub flag: i32,
    /// The arguments.
    pub ext_fields: BTreeMap<String, String>,
    /// The body, empty if there is none.
    pub body: Vec<u8>,
    /// The form of the header.
    pub form: Form,
}

impl Request {
    /// A request without arguments and body, with a JSON header and the legacy version.
    pub fn new(code: i32) -> Request {
        Request {
            code,
            version: LEGACY_VERSION,
            flag: 0,
            ext_fields: BTreeMap::new(),
            body: Vec::new(),
            form: Form::Json,
        }
    }

    /// The same with one more argument.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Request {
        self.ext_fields.insert(key.to_owned(), value.to_string());
        self
    }

    /// The same with that argument, if a server would see none.
    #[must_use]
    pub fn with_at_least(self, key: &str, value: &str) -> Request {
        if self.said(key).is_none() { self.with(key, value) } else { self }
    }

    /// The same with that body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// An argument as a server sees it: what is empty in a binary header is absent (`docs/wire.md` §1.5).
    pub fn said(&self, key: &str) -> Option<&str> {
        let value = self.ext_fields.get(key)?;
        (self.form == Form::Json || !value.is_empty()).then_some(value)
    }

    /// One whole frame (`docs/wire.md` §1).
    pub fn to_frame(&self) -> Vec<u8> {
        let (type_byte, header) = match self.form {
            Form::Json => (0_u32, self.json_header()),
            Form::Binary => (1, self.binary_header()),
        };
        let total = (4 + header.len() + self.body.len()) as u32;
        let header_word = type_byte << 24 | header.len() as u32;
        [&total.to_be_bytes()[..], &header_word.to_be_bytes(), &header, &self.body].concat()
    }

    fn json_header(&self) -> Vec<u8> {
        let mut header = json!({
            "code": self.code,
            "flag": self.flag,
            "language": "JAVA",
            "opaque": OPAQUE,
            "serializeTypeCurrentRPC": "JSON",
            "version": self.version,
        });
        if !self.ext_fields.is_empty() {
            let fields: Map<String, Value> =
                self.ext_fields.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            header["extFields"] = Value::Object(fields);
        }
        header.to_string().into_bytes()
    }

    fn binary_header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        header.extend_from_slice(&(self.code as i16).to_be_bytes());
        header.push(0);
        header.extend_from_slice(&(self.version as i16).to_be_bytes());
        header.extend_from_slice(&OPAQUE.to_be_bytes());
        header.extend_from_slice(&self.flag.to_be_bytes());
        header.extend_from_slice(&0_u32.to_be_bytes());
        let mut fields = Vec::new();
        for (key, value) in &self.ext_fields {
            fields.extend_from_slice(&(key.len() as u16).to_be_bytes());
            fields.extend_from_slice(key.as_bytes());
            fields.extend_from_slice(&(value.len() as u32).to_be_bytes());
            fields.extend_from_slice(value.as_bytes());
        }
        header.extend_from_slice(&(fields.len() as u32).to_be_bytes());
        header.extend_from_slice(&fields);
        header
    }
}

/// `105 {"topic":"T"}, version 399`, and what else is not usual.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { code, version, flag, ext_fields, body, form } = self;
        write!(f, "{code} {}, version {version}", json!(ext_fields))?;
        if *form == Form::Binary {
            f.write_str(", binary header")?;
        }
        if *flag != 0 {
            write!(f, ", flag {flag}")?;
        }
        match std::str::from_utf8(body) {
            Ok("") => Ok(()),
            Ok(text) => write!(f, ", body {}", super::compare::shortened(text)),
            Err(_) => write!(f, ", body {}", super::compare::shortened(&hex(body))),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_the_specification_shows_it() {
        let mut request = Request { version: 479, ..Request::new(105).with("topic", "TopicTest") };
        let header = r#"{"code":105,"extFields":{"topic":"TopicTest"},"flag":0,"language":"JAVA","opaque":7,"serializeTypeCurrentRPC":"JSON","version":479}"#;
        assert_eq!(request.to_frame()[..8], [0, 0, 0, 0x87, 0, 0, 0, 0x83]);
        assert_eq!(&request.to_frame()[8..], header.as_bytes());
        request.form = Form::Binary;
        let expected = "0000002d 01000029 0069 00 01df 00000007 00000000 00000000 00000014 \
                        0005746f706963 00000009546f70696354657374";
        assert_eq!(hex(&request.to_frame()), expected.replace(' ', ""));
    }
}
