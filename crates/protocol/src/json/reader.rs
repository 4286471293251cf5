//! Tokens into objects, lists and numbers: a reader that knows where it is in a body and how deep. What they become is in
//! [`values`](super::values).

use std::borrow::Cow;
use std::str::FromStr;

use super::MAX_DEPTH;
use super::lex::{Cursor, Failure, Key, Parsed, integer_text};
use super::values::{FromJson, map_key};
use crate::error::Reason;

/// What looking once for each known field of an object, in order, has come to.
pub(crate) enum Pass {
    /// The object has ended.
    End,
    /// There were some, and something is left.
    Found,
    /// The next field is not spelled as any of them.
    Nothing,
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
                    return Ok($crate::json::reader::Pass::End);
                }
                found = true;
            })+
            Ok(if found { $crate::json::reader::Pass::Found } else { $crate::json::reader::Pass::Nothing })
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
    pub(super) fn fail_at_key<T>(&self, reason: Reason) -> Parsed<T> {
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
    pub(super) fn list<T: FromJson>(&mut self, mut list: Vec<T>) -> Parsed<Vec<T>> {
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
    pub(super) fn integer<T: FromStr + TryFrom<i64>>(&mut self, what: &'static str) -> Parsed<T> {
        match self.plain_integer(what)? {
            Some(number) => Ok(number),
            None => self.any_integer(what),
        }
    }

    /// A whole number that may be `null`.
    #[inline(always)]
    pub(super) fn optional_integer<T: FromStr + TryFrom<i64>>(
        &mut self,
        what: &'static str,
    ) -> Parsed<Option<T>> {
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

    /// `true` or `false`.
    #[inline(always)]
    pub(super) fn truth(&mut self) -> Parsed<bool> {
        if self.cursor.take_word("true") {
            Ok(true)
        } else if self.cursor.take_word("false") {
            Ok(false)
        } else {
            self.cursor.unexpected("true or false")
        }
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
