//! Tokens into values: objects, lists, maps and the leniencies that the table in [`json`](super) names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use super::MAX_DEPTH;
use super::lex::{Cursor, Failure, Key, Parsed, short_integer};
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

/// What looking once for each known field of an object, in order, has come to.
pub(crate) enum Pass {
    /// The object has ended.
    End,
    /// There were some, and something is left.
    Found,
    /// The next field is not spelled as any of them.
    Nothing,
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

/// Where we are in a body, and how deep.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    /// Where the last key stands.
    key_offset: usize,
    /// The last key, if it is not known yet whether it comes as the field that somebody looks for.
    unusual_key: Option<Key<'a>>,
}

/// Reads an object with known fields: for each name, in the order in which servers write them, what to do with its value.
/// Fields that are not named are passed over; a `$ref` is refused.
macro_rules! read_fields {
    ($reader:ident, { $($name:literal $(| $alias:literal)* => $take:expr),+ $(,)? }) => {
        $reader.fields(|$reader| {
            let mut found = false;
            $(if $reader.at($name) $(|| $reader.at($alias))* {
                $take;
                if !$reader.has_next_field()? {
                    return Ok($crate::json::de::Pass::End);
                }
                found = true;
            })+
            Ok(if found { $crate::json::de::Pass::Found } else { $crate::json::de::Pass::Nothing })
        })
    };
}
pub(crate) use read_fields;

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Parsed<Self> {
        if body.is_empty() {
            return Err(Failure { offset: 0, reason: Reason::Empty });
        }
        Ok(Reader { cursor: Cursor::new(body)?, depth: 0, key_offset: 0, unusual_key: None })
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
    #[inline(always)]
    pub(crate) fn next_offset(&mut self) -> usize {
        self.cursor.peek();
        self.cursor.offset()
    }

    /// Takes the bracket that opens one more level.
    #[inline(always)]
    fn enter(&mut self, bracket: u8, what: &'static str) -> Parsed<()> {
        if self.depth == MAX_DEPTH && self.cursor.peek() == Some(bracket) {
            return self.cursor.fail(Reason::TooDeep);
        }
        self.cursor.expect(bracket, what)?;
        self.depth += 1;
        Ok(())
    }

    /// Hands each of the things between two brackets, with commas in between, to `one`, which must take it.
    #[inline(always)]
    fn separated(
        &mut self,
        (open, close): (u8, u8),
        what: &'static str,
        comma_or_end: &'static str,
        mut one: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        self.enter(open, what)?;
        if !self.cursor.take(close) {
            loop {
                one(self)?;
                if !self.cursor.take(b',') {
                    self.cursor.expect(close, comma_or_end)?;
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A failure of the last key.
    fn fail_at_key<T>(&self, reason: Reason) -> Parsed<T> {
        Err(Failure { offset: self.key_offset, reason })
    }

    /// Hands each entry of an object to `entry`, which must take its value.
    #[inline(always)]
    pub(crate) fn entries(&mut self, mut entry: impl FnMut(Key<'a>, &mut Self) -> Parsed<()>) -> Parsed<()> {
        self.separated((b'{', b'}'), "an object", "',' or '}'", |reader| {
            reader.key_offset = reader.next_offset();
            let key = reader.cursor.key()?;
            entry(key, reader)
        })
    }

    /// As [`entries`](Self::entries), for whole numbers as keys; entries whose key is `null` are passed over.
    #[inline(always)]
    pub(crate) fn numbered(&mut self, mut entry: impl FnMut(i64, &mut Self) -> Parsed<()>) -> Parsed<()> {
        self.separated((b'{', b'}'), "an object", "',' or '}'", |reader| {
            match reader.cursor.plain_digit_key() {
                Some(number) => entry(number, reader),
                None => match reader.number_key()? {
                    Some(number) => entry(number, reader),
                    None => Ok(()),
                },
            }
        })
    }

    #[cold]
    fn number_key(&mut self) -> Parsed<Option<i64>> {
        self.key_offset = self.next_offset();
        let key = self.cursor.key()?;
        map_key(&key, self)
    }

    /// What [`read_fields`] does: `pass` takes what it finds when it looks for each known field once. Where fields come in
    /// the order in which they are looked for, one pass takes all.
    #[inline(always)]
    pub(crate) fn fields(&mut self, mut pass: impl FnMut(&mut Self) -> Parsed<Pass>) -> Parsed<()> {
        self.enter(b'{', "an object")?;
        if !self.cursor.take(b'}') {
            loop {
                match pass(self)? {
                    Pass::End => break,
                    Pass::Found => {}
                    Pass::Nothing if self.unusual_key.is_none() => {
                        self.key_offset = self.next_offset();
                        self.unusual_key = Some(self.cursor.key()?);
                    }
                    Pass::Nothing => {
                        self.unknown_field()?;
                        if !self.has_next_field()? {
                            break;
                        }
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes the comma or the end behind a field.
    #[inline(always)]
    pub(crate) fn has_next_field(&mut self) -> Parsed<bool> {
        let has_next = self.cursor.take(b',');
        if !has_next {
            self.cursor.expect(b'}', "',' or '}'")?;
        }
        Ok(has_next)
    }

    /// Whether the next field has that name. If so its key is taken.
    #[inline(always)]
    pub(crate) fn at(&mut self, name: &'static str) -> bool {
        match &self.unusual_key {
            None => self.cursor.take_field(name),
            Some(key) => {
                let found = key.field() == name;
                if found {
                    self.unusual_key = None;
                }
                found
            }
        }
    }

    #[cold]
    fn unknown_field(&mut self) -> Parsed<()> {
        match self.unusual_key.take() {
            Some(key) if key.field() == "$ref" => self.fail_at_key(Reason::Reference),
            _ => self.skip(),
        }
    }

    /// Hands each element of a list to `element`, which must take it.
    #[inline(always)]
    pub(crate) fn elements(&mut self, element: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.separated((b'[', b']'), "a list", "',' or ']'", element)
    }

    /// A list that may be `null`, with room from the start for as many elements as the rest of the body may hold if they are
    /// as long as usual. For the few long lists only: each one takes some KiB in the worst case.
    #[inline(always)]
    pub(crate) fn roomy_list<T: FromJson>(&mut self) -> Parsed<Vec<T>> {
        const USUAL_LENGTH: usize = 80;
        let room = (self.cursor.left() / USUAL_LENGTH).min(32);
        if self.null() { Ok(Vec::new()) } else { self.list(Vec::with_capacity(room)) }
    }

    /// A list; its `null` elements are skipped.
    #[inline(always)]
    fn list<T: FromJson>(&mut self, mut list: Vec<T>) -> Parsed<Vec<T>> {
        self.elements(|reader| {
            if !reader.null() {
                list.push(T::from_json(reader)?);
            }
            Ok(())
        })?;
        Ok(list)
    }

    /// Takes a `null` if it comes next.
    #[inline(always)]
    pub(crate) fn null(&mut self) -> bool {
        self.cursor.peek() == Some(b'n') && self.cursor.take_word("null")
    }

    /// A value that may be `null`.
    #[inline(always)]
    pub(crate) fn optional<T: FromJson>(&mut self) -> Parsed<Option<T>> {
        T::optional(self)
    }

    /// A value, or its default if it is `null`.
    #[inline(always)]
    pub(crate) fn or_default<T: FromJson + Default>(&mut self) -> Parsed<T> {
        self.optional().map(Option::unwrap_or_default)
    }

    /// A text, borrowed from the body if it can be. A reader of many names keeps these until it has all fields and makes the
    /// names where they are to stay.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Parsed<Cow<'a, str>> {
        self.cursor.string()
    }

    /// A text that may be `null`.
    #[inline(always)]
    pub(crate) fn optional_text(&mut self) -> Parsed<Option<Cow<'a, str>>> {
        match self.cursor.plain_string() {
            Some(text) => Ok(Some(Cow::Borrowed(text))),
            None if self.null() => Ok(None),
            None => self.text().map(Some),
        }
    }

    /// A whole number, in quotes or not.
    #[inline(always)]
    fn integer<T: FromStr + TryFrom<i64>>(&mut self, what: &'static str) -> Parsed<T> {
        match self.plain_integer(what)? {
            Some(number) => Ok(number),
            None => self.any_integer(what),
        }
    }

    /// A whole number that may be `null`.
    #[inline(always)]
    fn optional_integer<T: FromStr + TryFrom<i64>>(&mut self, what: &'static str) -> Parsed<Option<T>> {
        match self.plain_integer(what)? {
            None if !self.null() => self.any_integer(what).map(Some),
            number => Ok(number),
        }
    }

    /// A whole number as servers write it, if one comes next.
    #[inline(always)]
    fn plain_integer<T: TryFrom<i64>>(&mut self, what: &'static str) -> Parsed<Option<T>> {
        let offset = self.offset();
        let Some(number) = self.cursor.plain_integer() else { return Ok(None) };
        T::try_from(number).map(Some).map_err(|_| Failure { offset, reason: Reason::OutOfRange(what) })
    }

    #[cold]
    fn any_integer<T: FromStr>(&mut self, what: &'static str) -> Parsed<T> {
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
    pub(crate) fn scalar_text(&mut self) -> Parsed<Cow<'a, str>> {
        if self.cursor.peek() == Some(b'"') {
            return self.text();
        }
        for word in ["true", "false"] {
            if self.cursor.take_word(word) {
                return Ok(Cow::Borrowed(word));
            }
        }
        self.cursor.number().map(Cow::Borrowed)
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
fn map_key<K: FromKey>(key: &Key<'_>, reader: &mut Reader<'_>) -> Parsed<Option<K>> {
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
