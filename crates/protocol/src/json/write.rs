//! Values into text, in either dialect of `docs/wire.md` §3.1.
//!
//! The shapes are serde's; only the spelling of keys and characters differs, so that is all that stands here.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// How Java servers spell JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Valid JSON: keys in quotes, everything from U+007F up and every `/` escaped. What 4.9.4 and later answer
    /// to route queries of clients that are as new.
    #[default]
    Standard,
    /// Whole numbers as keys stand without quotes, text is raw UTF-8. Everything else that a NameServer writes.
    Legacy,
}

/// The value as compact JSON in that dialect.
///
/// ```
/// use rocketmq_nameserver_protocol::json::{Dialect, to_bytes};
/// use std::collections::BTreeMap;
///
/// let addresses = BTreeMap::from([(0, "主:1")]);
/// assert_eq!(to_bytes(&addresses, Dialect::Legacy), r#"{0:"主:1"}"#.as_bytes());
/// assert_eq!(to_bytes(&addresses, Dialect::Standard), br#"{"0":"\u4E3B:1"}"#);
/// ```
pub fn to_bytes<T: Serialize + ?Sized>(value: &T, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut out, Spelling { dialect, quote: Quote::Written });
    // Writing into memory cannot fail, and the models have only keys that JSON can have.
    match value.serialize(&mut serializer) {
        Ok(()) => out,
        Err(error) => {
            debug_assert!(false, "a model that serde_json cannot write: {error}");
            Vec::new()
        }
    }
}

/// `serde_json` writes a number as a key between two calls for quotes, and a string too. So the opening quote is
/// held back until it is known which of the two comes.
struct Spelling {
    dialect: Dialect,
    quote: Quote,
}

/// What became of the opening quote of the string or key at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Written,
    HeldBack,
    /// The key is a bare number, so there is no closing quote either.
    Dropped,
}

impl Spelling {
    fn release_quote<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        match std::mem::replace(&mut self.quote, Quote::Written) {
            Quote::HeldBack => out.write_all(b"\""),
            Quote::Written | Quote::Dropped => Ok(()),
        }
    }

    fn must_escape(&self, character: char) -> bool {
        match self.dialect {
            Dialect::Standard => character >= '\u{7f}' || character == '/',
            Dialect::Legacy => matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}'),
        }
    }
}

/// The largest whole number that every reader of JSON holds exactly. A larger value is text in the standard dialect.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

/// One whole number, as a value or as a key: a key is bare in the legacy dialect.
macro_rules! integer {
    ($($name:ident: $type:ty),*) => {
        $(fn $name<W: Write + ?Sized>(&mut self, out: &mut W, value: $type) -> io::Result<()> {
            match (self.quote, self.dialect) {
                (Quote::HeldBack, Dialect::Standard) => self.release_quote(out)?,
                (Quote::HeldBack, Dialect::Legacy) => self.quote = Quote::Dropped,
                (_, Dialect::Standard) if i64::from(value).unsigned_abs() > LARGEST_EXACT => {
                    return write!(out, "\"{value}\"");
                }
                _ => {}
            }
            write!(out, "{value}")
        })*
    };
}

impl Formatter for Spelling {
    integer!(write_i32: i32, write_i64: i64, write_u32: u32);

    fn begin_string<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.quote = Quote::HeldBack;
        Ok(())
    }

    fn end_string<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        match std::mem::replace(&mut self.quote, Quote::Written) {
            Quote::Written => out.write_all(b"\""),
            // Nothing came between the quotes.
            Quote::HeldBack => out.write_all(b"\"\""),
            Quote::Dropped => Ok(()),
        }
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        self.release_quote(out)?;
        let mut plain = fragment;
        while let Some(at) = plain.find(|character| self.must_escape(character)) {
            let (before, from) = plain.split_at(at);
            out.write_all(before.as_bytes())?;
            let mut rest = from.chars();
            match rest.next() {
                Some('/') => out.write_all(b"\\/")?,
                Some(character) => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04X}")?;
                    }
                }
                None => {}
            }
            plain = rest.as_str();
        }
        out.write_all(plain.as_bytes())
    }

    fn write_char_escape<W: Write + ?Sized>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        self.release_quote(out)?;
        match escape {
            CharEscape::Quote => out.write_all(b"\\\""),
            CharEscape::ReverseSolidus => out.write_all(b"\\\\"),
            CharEscape::Solidus => out.write_all(b"\\/"),
            CharEscape::Backspace => out.write_all(b"\\b"),
            CharEscape::FormFeed => out.write_all(b"\\f"),
            CharEscape::LineFeed => out.write_all(b"\\n"),
            CharEscape::CarriageReturn => out.write_all(b"\\r"),
            CharEscape::Tab => out.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(out, "\\u{byte:04X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_dialect_spells_keys_and_characters_as_java_does() {
        let check = |value: &BTreeMap<i64, &str>, legacy: &str, standard: &str| {
            assert_eq!(String::from_utf8(to_bytes(value, Dialect::Legacy)).unwrap(), legacy);
            assert_eq!(String::from_utf8(to_bytes(value, Dialect::Standard)).unwrap(), standard);
        };
        check(&BTreeMap::from([(-1, ""), (10, "a")]), r#"{-1:"",10:"a"}"#, r#"{"-1":"","10":"a"}"#);
        check(&BTreeMap::from([(0, "a/b")]), r#"{0:"a/b"}"#, r#"{"0":"a\/b"}"#);
        check(
            &BTreeMap::from([(0, "\"\\\u{8}\t\n\u{c}\r\u{b}")]),
            r#"{0:"\"\\\b\t\n\f\r\u000B"}"#,
            r#"{"0":"\"\\\b\t\n\f\r\u000B"}"#,
        );
        check(&BTreeMap::from([(0, "ü😀")]), r#"{0:"ü😀"}"#, r#"{"0":"\u00FC\uD83D\uDE00"}"#);
        check(&BTreeMap::from([(0, "\u{7f}\u{2028}")]), r#"{0:"\u007F\u2028"}"#, r#"{"0":"\u007F\u2028"}"#);
    }

    #[test]
    fn numbers_that_are_values_and_keys_that_are_text_are_the_same_in_both() {
        let value = BTreeMap::from([("", vec![1_i32, -2]), ("7", vec![])]);
        for dialect in [Dialect::Legacy, Dialect::Standard] {
            assert_eq!(to_bytes(&value, dialect), br#"{"":[1,-2],"7":[]}"#, "{dialect:?}");
        }
    }

    #[test]
    fn a_value_beyond_53_bits_is_text_in_the_standard_dialect() {
        let exact = 9_007_199_254_740_991_i64;
        let value = BTreeMap::from([(exact + 1, vec![exact, exact + 1, -exact, -exact - 1])]);
        let legacy =
            "{9007199254740992:[9007199254740991,9007199254740992,-9007199254740991,-9007199254740992]}";
        let standard = r#"{"9007199254740992":[9007199254740991,"9007199254740992",-9007199254740991,"-9007199254740992"]}"#;
        assert_eq!(String::from_utf8(to_bytes(&value, Dialect::Legacy)).unwrap(), legacy);
        assert_eq!(String::from_utf8(to_bytes(&value, Dialect::Standard)).unwrap(), standard);
    }
}
