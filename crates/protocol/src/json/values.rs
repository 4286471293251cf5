//! What a body may hold, and how each of it is read: texts, numbers, lists, maps and their keys, with the leniencies that
//! the table in [`json`](super) names. The models have theirs beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lex::{Failure, Key, Parsed, integer_text, short_integer};
use super::reader::Reader;
use crate::error::{DataParseError, Reason};
use crate::model::Name;

/// Reads one whole value; only white space may follow it.
pub(crate) fn from_bytes<T: FromJson>(body: &[u8]) -> Result<T, DataParseError> {
    let read = || {
        let mut reader = Reader::new(body)?;
        let value = T::from_json(&mut reader)?;
        reader.finish()?;
        Ok(value)
    };
    read().map_err(|failure: Failure| DataParseError::new(failure.offset, failure.reason, body))
}

/// A value that knows how it stands in a body.
pub(crate) trait FromJson: Sized {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self>;

    /// The value, or `None` if it is `null`.
    #[inline(always)]
    fn optional(reader: &mut Reader<'_>) -> Parsed<Option<Self>> {
        if reader.null() { Ok(None) } else { Self::from_json(reader).map(Some) }
    }
}

impl FromJson for Name {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.text().map(|text| Name::from(&*text))
    }
}

impl FromJson for i64 {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.integer("64 bits")
    }
}

impl FromJson for i32 {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.integer("32 bits")
    }

    #[inline(always)]
    fn optional(reader: &mut Reader<'_>) -> Parsed<Option<Self>> {
        reader.optional_integer("32 bits")
    }
}

/// A count: a whole number from 0 to 2^31-1, as RocketMQ has them.
impl FromJson for u32 {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let offset = reader.next_offset();
        let number = i32::from_json(reader)?;
        u32::try_from(number).map_err(|_| Failure { offset, reason: Reason::Negative })
    }

    #[inline(always)]
    fn optional(reader: &mut Reader<'_>) -> Parsed<Option<Self>> {
        let offset = reader.next_offset();
        let Some(number) = i32::optional(reader)? else { return Ok(None) };
        u32::try_from(number).map(Some).map_err(|_| Failure { offset, reason: Reason::Negative })
    }
}

impl FromJson for bool {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.truth()
    }
}

impl<T: FromJson> FromJson for Arc<T> {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        T::from_json(reader).map(Arc::new)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.list(Vec::new())
    }
}

/// A map; entries with a `null` key or value are skipped, of two equal keys the last wins.
impl<K: FromKey + Ord, V: FromJson> FromJson for BTreeMap<K, V> {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut map = BTreeMap::new();
        reader.entries(|key, reader| {
            if let Some((key, value)) = entry(&key, reader)? {
                map.insert(key, value);
            }
            Ok(())
        })?;
        Ok(map)
    }
}

/// The value of a map's entry with its key, `None` if either is `null`.
pub(crate) fn entry<K: FromKey, V: FromJson>(
    key: &Key<'_>,
    reader: &mut Reader<'_>,
) -> Parsed<Option<(K, V)>> {
    let Some(key) = map_key(key, reader)? else { return Ok(None) };
    Ok(reader.optional()?.map(|value| (key, value)))
}

/// The key of a map's entry; `None` if it is `null`, and then the value is passed over.
pub(super) fn map_key<K: FromKey>(key: &Key<'_>, reader: &mut Reader<'_>) -> Parsed<Option<K>> {
    let Key::Text(text) = key else {
        reader.skip()?;
        return Ok(None);
    };
    match K::from_key(text) {
        None => reader.fail_at_key(Reason::Expected(K::WHAT)),
        known => Ok(known),
    }
}

/// A type that stands as the key of a map.
pub(crate) trait FromKey: Sized {
    /// What the key must be, for the error.
    const WHAT: &'static str;

    fn from_key(text: &str) -> Option<Self>;
}

impl FromKey for Name {
    const WHAT: &'static str = "a name as key";

    fn from_key(text: &str) -> Option<Self> {
        Some(Name::from(text))
    }
}

impl FromKey for i32 {
    const WHAT: &'static str = "a whole number of 32 bits as key";

    fn from_key(text: &str) -> Option<Self> {
        short_integer(text).map_or_else(|| integer_text(text)?.parse().ok(), |number| number.try_into().ok())
    }
}

impl FromKey for i64 {
    const WHAT: &'static str = "a whole number of 64 bits as key";

    fn from_key(text: &str) -> Option<Self> {
        short_integer(text).or_else(|| integer_text(text)?.parse().ok())
    }
}
