//! Tokens into values: objects, lists, maps and the leniencies that the table in [`json`](super) names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::MAX_DEPTH;
use super::lex::{Cursor, Failure, Key, Parsed};
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
}

/// Where we are in a body, and how deep.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    /// Where the last key stands.
    key_offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Parsed<Self> {
        if body.is_empty() {
            return Err(Failure { offset: 0, reason: Reason::Empty });
        }
        Ok(Reader { cursor: Cursor::new(body)?, depth: 0, key_offset: 0 })
    }

    /// Nothing but white space may be left.
    pub(crate) fn finish(&mut self) -> Parsed<()> {
        match self.cursor.peek() {
            None => Ok(()),
            Some(_) => self.cursor.fail(Reason::TrailingBytes),
        }
    }

    pub(crate) fn offset(&self) -> usize {
        self.cursor.offset()
    }

    /// The offset of the next token.
    pub(crate) fn next_offset(&mut self) -> usize {
        self.cursor.peek();
        self.cursor.offset()
    }

    /// Takes the bracket that opens one more level.
    fn enter(&mut self, bracket: u8, what: &'static str) -> Parsed<()> {
        if self.depth == MAX_DEPTH && self.cursor.peek() == Some(bracket) {
            return self.cursor.fail(Reason::TooDeep);
        }
        self.cursor.expect(bracket, what)?;
        self.depth += 1;
        Ok(())
    }

    /// A failure of the last key.
    fn fail_at_key<T>(&self, reason: Reason) -> Parsed<T> {
        Err(Failure { offset: self.key_offset, reason })
    }

    /// Hands each entry of an object to `entry`, which must take its value.
    pub(crate) fn entries(&mut self, mut entry: impl FnMut(Key<'a>, &mut Self) -> Parsed<()>) -> Parsed<()> {
        self.enter(b'{', "an object")?;
        if !self.cursor.take(b'}') {
            loop {
                self.key_offset = self.next_offset();
                let key = self.cursor.key()?;
                entry(key, self)?;
                if !self.cursor.take(b',') {
                    self.cursor.expect(b'}', "',' or '}'")?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// As [`entries`](Self::entries), for an object with known fields. `field` takes the value of a field that
    /// it knows and says so, or leaves it and returns `false`. A `$ref` is refused.
    pub(crate) fn fields(&mut self, mut field: impl FnMut(&str, &mut Self) -> Parsed<bool>) -> Parsed<()> {
        self.entries(|key, reader| {
            let known = field(key.field(), reader)?;
            if known {
                Ok(())
            } else if key.field() == "$ref" {
                reader.fail_at_key(Reason::Reference)
            } else {
                reader.skip()
            }
        })
    }

    /// Hands each element of a list to `element`, which must take it.
    pub(crate) fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.enter(b'[', "a list")?;
        if !self.cursor.take(b']') {
            loop {
                element(self)?;
                if !self.cursor.take(b',') {
                    self.cursor.expect(b']', "',' or ']'")?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes a `null` if it comes next.
    pub(crate) fn null(&mut self) -> bool {
        self.cursor.peek() == Some(b'n') && self.cursor.take_word("null")
    }

    /// A value that may be `null`.
    pub(crate) fn optional<T: FromJson>(&mut self) -> Parsed<Option<T>> {
        if self.null() { Ok(None) } else { T::from_json(self).map(Some) }
    }

    /// A value, or its default if it is `null`.
    pub(crate) fn or_default<T: FromJson + Default>(&mut self) -> Parsed<T> {
        self.optional().map(Option::unwrap_or_default)
    }

    pub(crate) fn name(&mut self) -> Parsed<Name> {
        self.cursor.string().map(|text| Name::from(text.as_ref()))
    }

    /// A whole number, in quotes or not.
    fn integer<T: std::str::FromStr>(&mut self, what: &'static str) -> Parsed<T> {
        let offset = self.next_offset();
        let number =
            |digits: &str| digits.parse().map_err(|_| Failure { offset, reason: Reason::OutOfRange(what) });
        if self.cursor.peek() != Some(b'"') {
            return number(self.cursor.bare_integer()?);
        }
        let text = self.cursor.string()?;
        number(integer_text(&text).ok_or(Failure { offset, reason: Reason::Expected("a whole number") })?)
    }

    /// Passes over any value.
    pub(crate) fn skip(&mut self) -> Parsed<()> {
        match self.cursor.peek() {
            Some(b'{') => self.entries(|_, reader| reader.skip()),
            Some(b'[') => self.elements(Self::skip),
            Some(b'"') => self.cursor.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.cursor.number().map(drop),
            Some(_) if ["null", "true", "false"].iter().any(|word| self.cursor.take_word(word)) => Ok(()),
            Some(_) => self.cursor.fail(Reason::Expected("a value")),
            None => self.cursor.fail(Reason::UnexpectedEnd),
        }
    }

    /// Any scalar as text, as Java's servers turn header fields into strings: `5` is "5", `true` is "true".
    /// Lists and objects are refused.
    pub(crate) fn scalar_text(&mut self) -> Parsed<Name> {
        if self.cursor.peek() == Some(b'"') {
            return self.name();
        }
        for word in ["true", "false"] {
            if self.cursor.take_word(word) {
                return Ok(Name::from(word));
            }
        }
        self.cursor.number().map(Name::from)
    }
}

/// The text if it is a whole number in JSON's spelling.
pub(crate) fn integer_text(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (all_digits && (digits.len() == 1 || digits.first() != Some(&b'0'))).then_some(text)
}

impl FromJson for Name {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        reader.name()
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
}

/// A count: a whole number from 0 to 2^31-1, as RocketMQ has them.
impl FromJson for u32 {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let offset = reader.next_offset();
        let number = i32::from_json(reader)?;
        u32::try_from(number).map_err(|_| Failure { offset, reason: Reason::Negative })
    }
}

impl FromJson for bool {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        if reader.cursor.take_word("true") {
            Ok(true)
        } else if reader.cursor.take_word("false") {
            Ok(false)
        } else if reader.cursor.peek().is_none() {
            reader.cursor.fail(Reason::UnexpectedEnd)
        } else {
            reader.cursor.fail(Reason::Expected("true or false"))
        }
    }
}

impl<T: FromJson> FromJson for Arc<T> {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        T::from_json(reader).map(Arc::new)
    }
}

/// A list; its `null` elements are skipped.
impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(reader: &mut Reader<'_>) -> Parsed<Self> {
        let mut list = Vec::new();
        reader.elements(|reader| {
            list.extend(reader.optional::<T>()?);
            Ok(())
        })?;
        Ok(list)
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
    let Key::Text(text) = key else {
        reader.skip()?;
        return Ok(None);
    };
    let Some(key) = K::from_key(text) else {
        return reader.fail_at_key(Reason::Expected(K::WHAT));
    };
    Ok(reader.optional()?.map(|value| (key, value)))
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
        integer_text(text)?.parse().ok()
    }
}

impl FromKey for i64 {
    const WHAT: &'static str = "a whole number of 64 bits as key";

    fn from_key(text: &str) -> Option<Self> {
        integer_text(text)?.parse().ok()
    }
}
