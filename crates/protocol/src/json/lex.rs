//! Text into tokens: white space, strings, whole numbers and keys, each with its place.
//!
//! The text is checked as UTF-8 once, as a whole. Strings are scanned sixteen bytes at a time and borrowed from
//! the text unless they hold an escape.
//!
//! Each kind of token has a short way for what servers send, inlined into whoever reads it, and a way for everything
//! else, out of line, which alone knows all rules and all errors. The short way takes a whole token or nothing.

use std::borrow::Cow;

use crate::error::Reason;

/// A failure and its place in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) offset: usize,
    pub(crate) reason: Reason,
}

pub(crate) type Parsed<T> = Result<T, Failure>;

/// The key of an object's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// In quotes, as JSON has it, or a bare whole number, as fastjson writes it.
    Text(Cow<'a, str>),
    /// The bare word `null`: the entry has no name and is skipped.
    Null,
}

impl Key<'_> {
    /// The key as a field name. No field is called like a bare `null`.
    pub(crate) fn field(&self) -> &str {
        match self {
            Key::Text(text) => text,
            Key::Null => "",
        }
    }
}

/// A place in a text. All reading moves it forward; nothing moves it back.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`, behind a byte order mark if there is one.
    pub(crate) fn new(bytes: &'a [u8]) -> Parsed<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Failure { offset: error.valid_up_to(), reason: Reason::NotUtf8 })?;
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Ok(Cursor { text, at })
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.text.len() - self.at
    }

    pub(crate) fn fail<T>(&self, reason: Reason) -> Parsed<T> {
        Err(Failure { offset: self.at, reason })
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space, not taken. `None` at the end.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_behind_space(),
        }
    }

    #[cold]
    fn peek_behind_space(&mut self) -> Option<u8> {
        let space =
            self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        self.rest().first().copied()
    }

    /// Takes `byte` if it comes next.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = match self.text.as_bytes().get(self.at) {
            Some(next) if *next == byte => true,
            Some(next) if *next > b' ' => false,
            _ => self.peek_behind_space() == Some(byte),
        };
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`, which must come next.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        if self.take(byte) { Ok(()) } else { self.unexpected(what) }
    }

    /// What comes next is not `what`.
    #[cold]
    pub(crate) fn unexpected<T>(&mut self, what: &'static str) -> Parsed<T> {
        match self.peek() {
            Some(_) => self.fail(Reason::Expected(what)),
            None => self.fail(Reason::UnexpectedEnd),
        }
    }

    /// Takes `word` if it comes next; it must not run on into a longer word.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.rest().strip_prefix(word.as_bytes()).is_some_and(|behind| {
            !behind.first().is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_')
        });
        if found {
            self.at += word.len();
        }
        found
    }

    /// A key with its colon.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Parsed<Key<'a>> {
        let key = match self.plain_key() {
            Some(text) => Key::Text(Cow::Borrowed(text)),
            None => self.any_key()?,
        };
        self.expect(b':', "':'")?;
        Ok(key)
    }

    /// Takes `"name":`, spelled just so, if it comes next. Where a compiler knows the name this is a comparison or two, and
    /// the processor goes on behind it without waiting for the end of a search.
    #[inline(always)]
    pub(crate) fn take_field(&mut self, name: &'static str) -> bool {
        let found = self.rest().get(..name.len() + 3).is_some_and(|next| {
            next.first() == Some(&b'"')
                && next.get(1..=name.len()) == Some(name.as_bytes())
                && next.get(name.len() + 1..) == Some(b"\":")
        });
        if found {
            self.at += name.len() + 3;
        }
        found
    }

    /// One digit as a key with its colon, in quotes or bare, if that comes next: the id of a broker.
    #[inline(always)]
    pub(crate) fn plain_digit_key(&mut self) -> Option<i64> {
        let (length, digit) = match self.rest() {
            [digit @ b'0'..=b'9', b':', ..] => (2, digit),
            [b'"', digit @ b'0'..=b'9', b'"', b':', ..] => (4, digit),
            _ => return None,
        };
        self.at += length;
        Some(i64::from(digit - b'0'))
    }

    /// A string without an escape, or a bare whole number of up to 18 digits, if one of them comes next.
    #[inline(always)]
    fn plain_key(&mut self) -> Option<&'a str> {
        if let Some(text) = self.plain_string() {
            return Some(text);
        }
        let start = self.at;
        let (length, _) = leading_integer(self.rest())?;
        (self.rest().get(length) == Some(&b':')).then(|| self.at += length)?;
        self.text.get(start..self.at)
    }

    #[cold]
    fn any_key(&mut self) -> Parsed<Key<'a>> {
        match self.peek() {
            Some(b'"') => self.any_string().map(Key::Text),
            Some(b'-' | b'0'..=b'9') => self.bare_integer().map(Cow::Borrowed).map(Key::Text),
            Some(b'n') if self.take_word("null") => Ok(Key::Null),
            _ => self.unexpected("a key"),
        }
    }

    /// A whole number of up to 18 digits, if one comes next that ends with a comma or bracket.
    #[inline(always)]
    pub(crate) fn plain_integer(&mut self) -> Option<i64> {
        let rest = self.rest();
        if let [digit @ b'0'..=b'9', b',' | b'}', ..] = rest {
            self.at += 1;
            return Some(i64::from(digit - b'0'));
        }
        let (digits, number) = leading_integer(rest)?;
        matches!(rest.get(digits)?, b',' | b'}' | b']').then(|| self.at += digits)?;
        Some(number)
    }

    /// The digits of a whole number without quotes, with its sign, in the spelling of JSON.
    pub(crate) fn bare_integer(&mut self) -> Parsed<&'a str> {
        self.peek();
        let start = self.at;
        let length = integer_length(self.rest())
            .ok_or(Failure { offset: start, reason: Reason::Expected("a whole number") })?;
        self.at = start + length;
        match self.rest().first() {
            Some(b'.' | b'e' | b'E' | b'0'..=b'9' | b'x' | b'X') => {
                Err(Failure { offset: start, reason: Reason::Expected("a whole number") })
            }
            _ => Ok(self.text.get(start..self.at).unwrap_or_default()),
        }
    }

    /// Any JSON number, as it is spelled.
    pub(crate) fn number(&mut self) -> Parsed<&'a str> {
        self.peek();
        let start = self.at;
        let malformed = Failure { offset: self.at, reason: Reason::Expected("a number") };
        self.at += integer_length(self.rest()).ok_or(malformed.clone())?;
        if self.rest().first() == Some(&b'.') {
            self.at += 1;
            self.skip_digits().ok_or(malformed.clone())?;
        }
        if let Some(b'e' | b'E') = self.rest().first() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.rest().first() {
                self.at += 1;
            }
            self.skip_digits().ok_or(malformed.clone())?;
        }
        // A leading zero before more digits, or a word glued to the number.
        if self.rest().first().is_some_and(u8::is_ascii_alphanumeric) {
            return Err(malformed);
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn skip_digits(&mut self) -> Option<()> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    /// A string in double quotes, which must come next.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Parsed<Cow<'a, str>> {
        match self.plain_string() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.any_string(),
        }
    }

    /// A string without an escape, if one comes next.
    #[inline(always)]
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.text.as_bytes().get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let end = start + plain_length(self.text.as_bytes().get(start..)?);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    #[cold]
    fn any_string(&mut self) -> Parsed<Cow<'a, str>> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        match self.run_to_special()? {
            b'"' => {
                let text = self.text.get(start..self.at).unwrap_or_default();
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.escaped_string(start).map(Cow::Owned),
        }
    }

    /// Moves to the next byte that ends a plain run: a quote, a backslash or a control character.
    fn run_to_special(&mut self) -> Parsed<u8> {
        let rest = self.rest();
        let plain = plain_length(rest);
        self.at += plain;
        match rest.get(plain) {
            Some(special @ (b'"' | b'\\')) => Ok(*special),
            Some(_) => self.fail(Reason::ControlCharacter),
            None => self.fail(Reason::UnexpectedEnd),
        }
    }

    /// The rest of a string whose plain run from `start` ended at a backslash.
    #[cold]
    fn escaped_string(&mut self, start: usize) -> Parsed<String> {
        let mut out = String::from(self.text.get(start..self.at).unwrap_or_default());
        loop {
            let run = self.at;
            let special = self.run_to_special()?;
            out.push_str(self.text.get(run..self.at).unwrap_or_default());
            if special == b'"' {
                self.at += 1;
                return Ok(out);
            }
            let character = self.escape()?;
            out.push(character);
        }
    }

    /// One escape, its backslash not yet taken.
    fn escape(&mut self) -> Parsed<char> {
        let bad = Failure { offset: self.at, reason: Reason::BadEscape };
        let Some(&letter) = self.rest().get(1) else {
            return self.fail(Reason::UnexpectedEnd);
        };
        self.at += 2;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.four_hex(0).ok_or(bad)?;
                self.at += 4;
                self.join_surrogates(unit)
            }
            _ => return Err(bad),
        })
    }

    /// The UTF-16 unit that four hex digits spell, `ahead` bytes from here.
    fn four_hex(&self, ahead: usize) -> Option<u32> {
        let digits = self.rest().get(ahead..ahead + 4)?;
        digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
    }

    /// The character of `unit`, with the escape behind it if the two are a surrogate pair. A lone half becomes
    /// U+FFFD: Java writes them (`docs/wire.md` §3.1).
    fn join_surrogates(&mut self, unit: u32) -> char {
        if (0xd800..0xdc00).contains(&unit)
            && self.rest().starts_with(b"\\u")
            && let Some(low @ 0xdc00..=0xdfff) = self.four_hex(2)
        {
            self.at += 6;
            let joined = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            return char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// How many bytes of `-?(0|[1-9][0-9]*)` the text starts with.
fn integer_length(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let digits = text.get(sign..)?;
    match digits.first()? {
        b'0' => Some(sign + 1),
        b'1'..=b'9' => Some(sign + digits.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        _ => None,
    }
}

/// The whole number of up to 18 digits that the text starts with, and how many bytes it takes. `None` for any other, and
/// for zeros in front.
#[inline(always)]
fn leading_integer(text: &[u8]) -> Option<(usize, i64)> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let mut number = 0;
    let mut digits = 0;
    while let Some(digit @ b'0'..=b'9') = text.get(sign + digits) {
        if digits == 18 {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
        digits += 1;
    }
    let zero_in_front = digits > 1 && text.get(sign) == Some(&b'0');
    (digits > 0 && !zero_in_front).then_some((sign + digits, if sign == 1 { -number } else { number }))
}

/// The text if it is a whole number in JSON's spelling.
pub(super) fn integer_text(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (all_digits && (digits.len() == 1 || digits.first() != Some(&b'0'))).then_some(text)
}

/// The number that the whole text spells, if it is one that [`leading_integer`] reads.
#[inline(always)]
pub(crate) fn short_integer(text: &str) -> Option<i64> {
    leading_integer(text.as_bytes()).filter(|(length, _)| *length == text.len()).map(|(_, number)| number)
}

/// How many bytes come before the next quote, backslash or control character.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    let mut passed = 0;
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        if let Some(plain) = first_special(chunk) {
            return passed + plain;
        }
        passed += chunk.len();
        rest = behind;
    }
    passed + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

/// The place of the first byte that ends a plain run.
#[inline(always)]
fn first_special(chunk: &[u8; 16]) -> Option<usize> {
    // Without a branch in it, so that the compiler makes a few vector instructions of the loop.
    let mut marks = [0; 16];
    for (mark, byte) in marks.iter_mut().zip(chunk) {
        *mark = if is_special(*byte) { 0xff } else { 0 };
    }
    let marks = u128::from_le_bytes(marks);
    (marks != 0).then(|| (marks.trailing_zeros() / 8) as usize)
}

/// Whether a plain run ends there.
#[inline(always)]
pub(crate) fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Parsed<String> {
        Cursor::new(text.as_bytes())?.string().map(Cow::into_owned)
    }

    #[test]
    fn strings_are_read_with_every_escape() {
        for (text, expected) in [
            (r#""""#, ""),
            (r#""10.0.0.1:10911""#, "10.0.0.1:10911"),
            (r#""a\"b\\c\/d\b\f\n\r\t""#, "a\"b\\c/d\u{8}\u{c}\n\r\t"),
            (r#""\u4E3B\u9898-\u00fc""#, "主题-ü"),
            (r#""\uD83D\uDE00!""#, "😀!"),
            (r#""raw 主题 😀 \u007f""#, "raw 主题 😀 \u{7f}"),
            // A lone surrogate is real output (wire.md §3.1).
            (r#""\uD83D""#, "\u{fffd}"),
            (r#""\uD83Dx""#, "\u{fffd}x"),
            (r#""\uDE00\uD83D""#, "\u{fffd}\u{fffd}"),
            (r#""\uD83D\u0041""#, "\u{fffd}A"),
            (r#""\uD83D\uD83D\uDE00""#, "\u{fffd}😀"),
        ] {
            assert_eq!(string(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn broken_strings_are_refused_at_their_place() {
        for (text, offset, reason) in [
            (r#""abc"#, 4, Reason::UnexpectedEnd),
            (r#""abc\"#, 4, Reason::UnexpectedEnd),
            (r#""abc\q""#, 4, Reason::BadEscape),
            (r#""\u12"#, 1, Reason::BadEscape),
            (r#""\u12G4""#, 1, Reason::BadEscape),
            (r#""\u+123""#, 1, Reason::BadEscape),
            ("\"a\nb\"", 2, Reason::ControlCharacter),
            ("'a'", 0, Reason::Expected("a string")),
            ("", 0, Reason::UnexpectedEnd),
        ] {
            assert_eq!(string(text), Err(Failure { offset, reason }), "{text}");
        }
    }

    #[test]
    fn plain_runs_end_where_a_byte_by_byte_search_ends_them() {
        let slow = |bytes: &[u8]| {
            bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len())
        };
        for special in 0..=255u8 {
            for length in 0..20 {
                for at in 0..length {
                    let mut bytes = vec![b'!'; length];
                    bytes[at] = special;
                    assert_eq!(plain_length(&bytes), slow(&bytes), "{special:#x} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn bare_integers_are_json_integers() {
        for (text, expected) in
            [("0", "0"), ("-1:", "-1"), ("9223372036854775807}", "9223372036854775807"), (" 7", "7")]
        {
            assert_eq!(Cursor::new(text.as_bytes()).unwrap().bare_integer(), Ok(expected), "{text}");
        }
        for text in ["+0", "01", "0x1", "1.5", "1e3", "-", "a", ""] {
            assert!(Cursor::new(text.as_bytes()).unwrap().bare_integer().is_err(), "{text}");
        }
    }
}
