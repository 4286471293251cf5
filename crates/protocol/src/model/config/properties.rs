//! The grammar of `java.util.Properties`, in which a NameServer reads what 318 brings it (`docs/wire.md` §2.9): bytes are
//! characters of Latin-1, settings stand on lines, a backslash escapes or joins two lines.

use super::NamesrvConfig;
use crate::error::{DataParseError, Reason};

impl NamesrvConfig {
    /// Reads settings as Java reads properties:
    ///
    /// * a byte is a character (Latin-1), so UTF-8 beyond ASCII comes out mangled, as it does in the real servers;
    /// * key and value are separated by `=`, `:` or blanks (space, tab, form feed), blanks around that do not count, those
    ///   behind the value do;
    /// * lines whose first character is `#` or `!` are comments;
    /// * `\t`, `\n`, `\r`, `\f` and `\uXXXX` are what they are in Java, any other escaped character is itself;
    /// * a backslash at the end of a line joins it with the next, without the blanks that that one starts with;
    /// * lines end with LF, CR or both; of two equal keys the last counts.
    ///
    /// A lone surrogate escape becomes U+FFFD.
    ///
    /// # Errors
    /// [`DataParseError`] with the place of a `\u` without four hexadecimal digits. Nothing else can be wrong. The real
    /// servers answer it with code 1 and `string2Properties error`.
    pub fn from_properties(body: &[u8]) -> Result<Self, DataParseError> {
        let mut reader = Reader { bytes: body, at: 0 };
        let mut config = NamesrvConfig::default();
        let bad_escape = |offset| DataParseError::new(offset, Reason::BadEscape, body);
        while reader.next_setting() {
            let key = reader.text(is_separator).map_err(bad_escape)?;
            reader.pass_separator();
            let value = reader.text(|_| false).map_err(bad_escape)?;
            config.insert(key, value);
        }
        Ok(config)
    }

    /// Writes settings so that Java reads them as they are: `key=value` lines of ASCII, with escapes only where Java would
    /// take a character for something else.
    pub fn to_properties(&self) -> Vec<u8> {
        let mut out = String::new();
        for (key, value) in self {
            write_text(
                key,
                |character, at| match character {
                    ' ' | '\t' | '\u{c}' | '=' | ':' => true,
                    '#' | '!' => at == 0,
                    _ => false,
                },
                &mut out,
            );
            out.push('=');
            let value_starts = |character, at: usize| at == 0 && is_blank(character);
            write_text(value, value_starts, &mut out);
            out.push('\n');
        }
        out.into_bytes()
    }
}

/// Appends the text. `is_special` says which characters mean something at their place.
fn write_text(text: &str, is_special: impl Fn(char, usize) -> bool, out: &mut String) {
    for (at, character) in text.char_indices() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            '\t' if is_special(character, at) => out.push_str("\\t"),
            '\u{c}' if is_special(character, at) => out.push_str("\\f"),
            _ if is_special(character, at) => out.extend(['\\', character]),
            _ if character.is_ascii() => out.push(character),
            _ => out.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}"))),
        }
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

fn is_separator(character: char) -> bool {
    is_blank(character) || matches!(character, '=' | ':')
}

/// A place in the properties. All reading moves it forward.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Moves to the next setting, past comments and blank lines. Whether there is one.
    fn next_setting(&mut self) -> bool {
        loop {
            self.pass_while(|character| is_blank(character) || is_line_end(character));
            match self.peek_joined() {
                Some('#' | '!') => self.pass_while(|character| !is_line_end(character)),
                Some(_) => return true,
                None if self.peek().is_none() => return false,
                // Lines that are joined may be blank together.
                None => {}
            }
        }
    }

    /// The text up to the first character that ends it and is not escaped, or to the end of the line. On failure the place of
    /// the bad escape.
    fn text(&mut self, is_end: fn(char) -> bool) -> Result<String, usize> {
        let mut units = Vec::new();
        while let Some(character) = self.peek_joined().filter(|character| !is_end(*character)) {
            let start = self.at;
            self.at += 1;
            let unit = match character {
                '\\' => self.escaped().ok_or(start)?,
                _ => u32::from(character),
            };
            units.push(u16::try_from(unit).map_err(|_| start)?);
        }
        Ok(String::from_utf16_lossy(&units))
    }

    /// What the escape behind a backslash stands for.
    fn escaped(&mut self) -> Option<u32> {
        let letter = self.peek()?;
        self.at += 1;
        match letter {
            't' => Some(u32::from('\t')),
            'n' => Some(u32::from('\n')),
            'r' => Some(u32::from('\r')),
            'f' => Some(0xc),
            // Lines are joined first: the four digits may stand on two of them.
            'u' => (0..4).try_fold(0, |unit, _| {
                let digit = self.peek_joined()?.to_digit(16)?;
                self.at += 1;
                Some(unit << 4 | digit)
            }),
            other => Some(u32::from(other)),
        }
    }

    /// Moves from the end of a key to its value: past blanks and one `=` or `:`.
    fn pass_separator(&mut self) {
        let mut is_separated = false;
        while let Some(character) = self.peek_joined() {
            if !is_blank(character) {
                if is_separated || !is_separator(character) {
                    return;
                }
                is_separated = true;
            }
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.bytes.get(self.at).copied().map(char::from)
    }

    /// The next character of the line, which may go on behind a backslash and a line end. `None` at its end.
    fn peek_joined(&mut self) -> Option<char> {
        loop {
            let ended = match self.bytes.get(self.at..).unwrap_or_default() {
                [b'\\', b'\r', b'\n', ..] => 3,
                [b'\\', b'\r' | b'\n', ..] => 2,
                // A last backslash joins its line with nothing.
                [b'\\'] => 1,
                _ => return self.peek().filter(|character| !is_line_end(*character)),
            };
            self.at += ended;
            self.pass_while(is_blank);
        }
    }

    fn pass_while(&mut self, is_passed: fn(char) -> bool) {
        while self.peek().is_some_and(is_passed) {
            self.at += 1;
        }
    }
}

fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "the tables read better without references")]
    fn check(properties: &str, expected: &[(&str, &str)]) {
        let read = NamesrvConfig::from_properties(properties.as_bytes());
        let expected = expected.iter().copied().collect::<NamesrvConfig>();
        assert_eq!(read, Ok(expected), "{properties:?}");
    }

    #[test]
    fn settings_are_separated_in_any_of_javas_ways() {
        for separator in ["=", ":", " ", "\t", "\u{c}", " = ", "  :\t", " \\\n = ", "\\\r\n   ="] {
            check(&format!("  k{separator}v\n"), &[("k", "v")]);
            check(&format!("k{separator}v"), &[("k", "v")]);
        }
        check("k==v", &[("k", "=v")]);
        check("k = :v", &[("k", ":v")]);
        check("k", &[("k", "")]);
        check("k=", &[("k", "")]);
        check("=v", &[("", "v")]);
        check("", &[]);
    }

    #[test]
    fn blanks_behind_a_value_and_escaped_ones_before_it_belong_to_it() {
        check("k=true ", &[("k", "true ")]);
        check("k= \\ v\t\n", &[("k", " v\t")]);
        check("a\\ b\\=c\\:d=v", &[("a b=c:d", "v")]);
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over_and_end_where_their_line_ends() {
        check("#a=1\\\n  ! b=2\n\n \t\nc=3 # 4", &[("c", "3 # 4")]);
        check("\\\n#a=1\nb=2", &[("b", "2")]);
        check("\\\n\n#a=1\n\\\n", &[]);
    }

    #[test]
    fn lines_end_in_any_way_and_go_on_behind_a_backslash() {
        check("a=1\r\nb=2\rc=3\n", &[("a", "1"), ("b", "2"), ("c", "3")]);
        check("a=1\\\r\n  2\\\n\t3\nb=4", &[("a", "123"), ("b", "4")]);
        check("a=1\\\n\nb=2", &[("a", "1"), ("b", "2")]);
        check("a=\\\\\nb=2\\", &[("a", "\\"), ("b", "2")]);
        check("a=\\u00\\\n  41", &[("a", "A")]);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        check("a=1\na=2\n\\u0061=3", &[("a", "3")]);
    }

    #[test]
    fn escapes_are_javas() {
        check(r"k=\t\n\r\f\\\'\a\0", &[("k", "\t\n\r\u{c}\\'a0")]);
        check(r"k=\u00fC\uD83D\uDE00", &[("k", "ü😀")]);
        check(r"k=\uD83D-\uDE00", &[("k", "\u{fffd}-\u{fffd}")]);
    }

    #[test]
    fn a_byte_is_a_character() {
        check("k=ü", &[("k", "Ã¼")]);
        let read = NamesrvConfig::from_properties(b"k=\xfc\xff").unwrap();
        assert_eq!(read.get("k").unwrap(), "üÿ");
    }

    #[test]
    fn an_escape_without_four_digits_is_an_error_at_its_backslash() {
        for (properties, offset) in [
            (r"k=\u", 2),
            (r"k=v\u12", 3),
            (r"k=\u12g4", 2),
            ("k=\\u123\n4", 2),
            (r"\u+123", 0),
            (r"a=1\u 041", 3),
        ] {
            let error = NamesrvConfig::from_properties(properties.as_bytes()).unwrap_err();
            assert_eq!((error.offset, error.reason), (offset, Reason::BadEscape), "{properties:?}");
        }
    }

    #[test]
    fn what_is_written_is_plain_where_it_can_be() {
        for (key, value, expected) in [
            ("orderMessageEnable", "true", "orderMessageEnable=true\n"),
            ("k", "a b\tc:d=e#f!", "k=a b\tc:d=e#f!\n"),
            ("k", "", "k=\n"),
            ("k", "  v ", "k=\\  v \n"),
            ("k", "\tv", "k=\\tv\n"),
            ("k", "C:\\x", "k=C:\\\\x\n"),
            ("k", "1\r\n2", "k=1\\r\\n2\n"),
            ("k", "ü😀", "k=\\u00FC\\uD83D\\uDE00\n"),
            ("a b=c:d", "v", "a\\ b\\=c\\:d=v\n"),
            ("#!", "v", "\\#!=v\n"),
        ] {
            let config = NamesrvConfig::from_iter([(key, value)]);
            let written = String::from_utf8(config.to_properties()).unwrap();
            assert_eq!(written, expected);
            check(&written, &[(key, value)]);
        }
    }
}
