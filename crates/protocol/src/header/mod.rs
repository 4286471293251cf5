//! Stop 4 of the trip: the header of a frame, in either of its two forms (`docs/wire.md` §1.1).
//!
//! Before it comes [`frame`](crate::frame), which says which form it is; behind it [`command`](crate::command),
//! which joins header and body.

mod binary;
mod json;

use bytes::BytesMut;

use crate::code::{Language, Version};
use crate::error::{EncodeError, ProtocolError};
use crate::frame::SerializeType;
use crate::model::Name;

/// Bit 0 of `flag`: this is a response.
pub const RESPONSE_FLAG: i32 = 1;
/// Bit 1 of `flag`: no response is wanted.
pub const ONEWAY_FLAG: i32 = 2;

/// The fields that every command has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Request code or response code.
    pub code: i32,
    /// The sender's language.
    pub language: Language,
    /// The sender's release. Servers change their behaviour on it.
    pub version: Version,
    /// Which request a response belongs to. The one that asks chooses it; it may be negative.
    pub opaque: i32,
    /// [`RESPONSE_FLAG`], [`ONEWAY_FLAG`]; other bits mean nothing.
    pub flag: i32,
    /// Why it failed, in words.
    pub remark: Option<Name>,
    /// Arguments of a request, results of a response.
    pub ext_fields: ExtFields,
}

impl Header {
    /// Whether this is a response.
    pub fn is_response(&self) -> bool {
        self.flag & RESPONSE_FLAG != 0
    }

    /// Whether the sender wants no response.
    pub fn is_oneway(&self) -> bool {
        self.flag & ONEWAY_FLAG != 0
    }

    /// Opens a header.
    ///
    /// # Errors
    /// [`ProtocolError::BadHeader`] with the place of what is wrong.
    pub fn decode(serialize_type: SerializeType, bytes: &[u8]) -> Result<Header, ProtocolError> {
        match serialize_type {
            SerializeType::Json => json::decode(bytes),
            SerializeType::RocketMq => binary::decode(bytes),
        }
    }

    /// Appends the header to `out`.
    pub(crate) fn encode(
        &self,
        serialize_type: SerializeType,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        match serialize_type {
            SerializeType::Json => {
                json::encode(self, out);
                Ok(())
            }
            SerializeType::RocketMq => binary::encode(self, out),
        }
    }
}

/// How many fields a header may have. Real ones have twelve at most; the limit keeps a hostile header from costing more
/// time than its size is worth.
pub const MAX_EXT_FIELDS: usize = 256;

/// A header's own arguments or results by name: few, so a list. Setting a name again replaces its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtFields {
    fields: Vec<(Name, Name)>,
    /// Whether `{}` is written when there are none. Nobody reads the difference, so decoding does not keep it.
    shown_when_empty: bool,
}

impl ExtFields {
    /// No fields.
    pub const fn new() -> Self {
        ExtFields { fields: Vec::new(), shown_when_empty: false }
    }

    /// No fields, but a JSON header shows that: `"extFields":{}`. So Java answers where there could have been results.
    pub const fn shown() -> Self {
        ExtFields { fields: Vec::new(), shown_when_empty: true }
    }

    /// Whether a JSON header has them.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown_when_empty || !self.is_empty()
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Name> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Sets a field.
    pub fn set(&mut self, key: impl Into<Name>, value: impl Into<Name>) {
        let (key, value) = (key.into(), value.into());
        match self.fields.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => self.fields.push((key, value)),
        }
    }

    /// Sets a field, or leaves it out if there is no value.
    pub fn set_optional(&mut self, key: &'static str, value: Option<impl Into<Name>>) {
        if let Some(value) = value {
            self.set(Name::from_static(key), value);
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, key: &str) {
        self.fields.retain(|(known, _)| known != key);
    }

    /// Keeps the fields that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Name, &Name) -> bool) {
        self.fields.retain(|(key, value)| keep(key, value));
    }

    /// All fields, in the order in which they were first set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Name)> {
        self.fields.iter().map(|(key, value)| (key, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl<K: Into<Name>, V: Into<Name>> FromIterator<(K, V)> for ExtFields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        let mut ext_fields = ExtFields::new();
        for (key, value) in fields {
            ext_fields.set(key, value);
        }
        ext_fields
    }
}

#[cfg(test)]
pub(crate) fn sample() -> Header {
    Header {
        code: 105,
        language: Language::RUST,
        version: Version::V5_3_3,
        opaque: 1,
        flag: 0,
        remark: None,
        ext_fields: ExtFields::from_iter([("topic", "TopicTest")]),
    }
}
