//! Text into tokens: white space, strings, whole numbers and keys, each with its place.
//!
//! The text is checked as UTF-8 once, as a whole. Strings are scanned eight bytes at a time and borrowed from
//! the text unless they hold an escape.

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

    pub(crate) fn fail<T>(&self, reason: Reason) -> Parsed<T> {
        Err(Failure { offset: self.at, reason })
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space, not taken. `None` at the end.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                other => return Some(*other),
            }
        }
        None
    }

    /// Takes `byte` if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`, which must come next.
    pub(crate) fn expect(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        match self.peek() {
            Some(next) if next == byte => {
                self.at += 1;
                Ok(())
            }
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
    pub(crate) fn key(&mut self) -> Parsed<Key<'a>> {
        let key = match self.peek() {
            Some(b'"') => Key::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Key::Text(Cow::Borrowed(self.bare_integer()?)),
            Some(b'n') if self.take_word("null") => Key::Null,
            Some(_) => return self.fail(Reason::Expected("a key")),
            None => return self.fail(Reason::UnexpectedEnd),
        };
        self.expect(b':', "':'")?;
        Ok(key)
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
    pub(crate) fn string(&mut self) -> Parsed<Cow<'a, str>> {
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

/// How many bytes come before the next quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let mut passed = 0;
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (LOW_BITS * b'"' as u64);
        let slash = word ^ (LOW_BITS * b'\\' as u64);
        // A byte is zero where it borrows from its high bit; bytes from 0x80 up never match. A borrow can mark
        // a byte above a real match, never one below, and only the lowest mark is used.
        let marks = (quote.wrapping_sub(LOW_BITS) & !quote
            | slash.wrapping_sub(LOW_BITS) & !slash
            | word.wrapping_sub(LOW_BITS * 0x20) & !word)
            & HIGH_BITS;
        if marks != 0 {
            return passed + (marks.trailing_zeros() / 8) as usize;
        }
        passed += 8;
        rest = behind;
    }
    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    passed + special.unwrap_or(rest.len())
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
