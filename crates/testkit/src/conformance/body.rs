//! A body as a value, and how it is spelled (`docs/wire.md` §3).
//!
//! The value is read by a parser that is not this project's; the spelling is looked up in the text.

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::hostile::tree::{self, Opinion, Tree};

/// Requests for settings are answered in lines and not in JSON.
const GET_NAMESRV_CONFIG: i32 = 319;

/// What a body says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// There is none.
    Empty,
    /// JSON in whatever dialect.
    Json(Json),
    /// `key=value` in lines, in their order.
    Lines(Vec<(String, String)>),
    /// Something else.
    Unreadable(Vec<u8>),
}

/// A JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Json {
    /// What it says. A bare `null` as a key is [`NULL_KEY`].
    pub value: Value,
    /// How it says it, in large.
    pub dialect: Dialect,
    /// How it says it, in small: every text and number as it is spelled, sorted.
    pub spelling: Vec<String>,
}

/// What stands for a bare `null` as a key, which 4.9.7 writes for a broker without a name.
pub const NULL_KEY: &str = "<a bare null>";

impl Body {
    /// Reads the body of an answer with `code` to a request with `request_code`.
    pub fn read(body: &[u8], request_code: i32, code: i32) -> Body {
        if body.is_empty() {
            return Body::Empty;
        }
        let read = if request_code == GET_NAMESRV_CONFIG && code == 0 { lines(body) } else { json(body) };
        read.unwrap_or_else(|| Body::Unreadable(body.to_vec()))
    }

    /// Whether it is a JSON object with that key.
    pub fn has(&self, key: &str) -> bool {
        matches!(self, Body::Json(json) if json.value.get(key).is_some())
    }
}

/// All of it, for a message.
impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("without a body"),
            Body::Json(json) => write!(f, "with {}", json.value),
            Body::Lines(lines) => write!(f, "with the lines {lines:?}"),
            Body::Unreadable(bytes) => write!(f, "with the unreadable {}", bytes.escape_ascii()),
        }
    }
}

/// Every line must have a `=` and an end.
fn lines(body: &[u8]) -> Option<Body> {
    let text = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    let line = |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    text.split('\n').map(line).collect::<Option<_>>().map(Body::Lines)
}

fn json(body: &[u8]) -> Option<Body> {
    let text = std::str::from_utf8(body).ok()?;
    let Opinion::Value(tree) = tree::by_jsonc_parser(body) else { return None };
    let (dialect, spelling) = spelled(text);
    Some(Body::Json(Json { value: value_of(tree)?, dialect, spelling }))
}

/// `None` if a key is there twice: no Java server writes that.
fn value_of(tree: Tree) -> Option<Value> {
    Some(match tree {
        Tree::Null => Value::Null,
        Tree::Truth(truth) => Value::Bool(truth),
        Tree::Number(number) => Value::Number(number.parse::<Number>().ok()?),
        Tree::Text(text) => Value::String(text),
        Tree::List(elements) => Value::Array(elements.into_iter().map(value_of).collect::<Option<_>>()?),
        Tree::Object(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key.unwrap_or_else(|| NULL_KEY.to_owned());
                if object.insert(key, value_of(value)?).is_some() {
                    return None;
                }
            }
            Value::Object(object)
        }
    })
}

/// Which spellings occur in a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    /// `{0:`
    pub bare_integer_keys: bool,
    /// `{"0":`
    pub quoted_integer_keys: bool,
    /// `ü`
    pub raw_non_ascii: bool,
    /// `\u00FC`
    pub escaped_non_ascii: bool,
    /// `/`
    pub raw_slashes: bool,
    /// `\/`
    pub escaped_slashes: bool,
    /// Between the tokens.
    pub white_space: bool,
}

impl Dialect {
    /// The spellings in a text that is JSON.
    pub fn of(text: &str) -> Dialect {
        spelled(text).0
    }

    /// In words, for a message.
    pub fn words(&self) -> String {
        let all = [
            (self.bare_integer_keys, "bare integer keys"),
            (self.quoted_integer_keys, "quoted integer keys"),
            (self.raw_non_ascii, "raw non-ASCII"),
            (self.escaped_non_ascii, "escaped non-ASCII"),
            (self.raw_slashes, "raw slashes"),
            (self.escaped_slashes, "escaped slashes"),
            (self.white_space, "white space"),
        ];
        let there: Vec<&str> = all.iter().filter_map(|(there, words)| there.then_some(*words)).collect();
        if there.is_empty() { "nothing special".to_owned() } else { there.join(", ") }
    }

    /// Looks at a string with its quotes.
    fn look(&mut self, string: &str, is_key: bool) {
        let inside = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
        self.quoted_integer_keys |= is_key && tree::is_whole(inside);
        self.raw_non_ascii |= !inside.is_ascii();
        let mut rest = inside.chars();
        while let Some(character) = rest.next() {
            match character {
                '\\' => match rest.next() {
                    Some('/') => self.escaped_slashes = true,
                    // Both dialects escape the controls, which end with 0x9F.
                    Some('u') => {
                        self.escaped_non_ascii |= !rest.as_str().starts_with("00")
                            || matches!(rest.as_str().as_bytes().get(2), Some(b'A'..=b'F' | b'a'..=b'f'));
                    }
                    _ => {}
                },
                '/' => self.raw_slashes = true,
                _ => {}
            }
        }
    }
}

/// The spellings of a text that is JSON, in large and in small.
fn spelled(text: &str) -> (Dialect, Vec<String>) {
    let (mut dialect, mut tokens, mut rest) = (Dialect::default(), Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            _ if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        rest = behind;
        let is_key = rest.trim_start().starts_with(':');
        if first == '"' {
            dialect.look(token, is_key);
            tokens.push(token.to_owned());
        } else if is_word(first) {
            dialect.bare_integer_keys |= is_key && tree::is_whole(token);
            tokens.push(token.to_owned());
        } else {
            dialect.white_space |= first.is_whitespace();
        }
    }
    tokens.sort_unstable();
    (dialect, tokens)
}

/// A number or a keyword is made of these.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '+' | '.')
}

/// How long the string is that the text starts with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_told_apart_and_values_are_not() {
        let plain = Dialect::default();
        for (text, same, expected) in [
            (r#"{0:"a"}"#, r#"{"0":"a"}"#, Dialect { bare_integer_keys: true, ..plain }),
            (r#"{"-1":1}"#, r#"{-1:1}"#, Dialect { quoted_integer_keys: true, ..plain }),
            (r#"["{0:1}"]"#, r#"["{0:1}"]"#, plain),
            (r#"["ü"]"#, r#"["\u00FC"]"#, Dialect { raw_non_ascii: true, ..plain }),
            (r#"["\u00FC"]"#, r#"["ü"]"#, Dialect { escaped_non_ascii: true, ..plain }),
            (r#"["\u000B\u009F\\u00FC"]"#, "[\"\\u000b\\u009f\\\\u00FC\"]", plain),
            (r#"["a/b"]"#, r#"["a\/b"]"#, Dialect { raw_slashes: true, ..plain }),
            (r#"["a\/b"]"#, r#"["a/b"]"#, Dialect { escaped_slashes: true, ..plain }),
            (r#"{"\"": 1}"#, r#"{"\"":1}"#, Dialect { white_space: true, ..plain }),
        ] {
            assert_eq!(Dialect::of(text), expected, "{text}");
            let (Body::Json(one), Body::Json(other)) =
                (Body::read(text.as_bytes(), 105, 0), Body::read(same.as_bytes(), 105, 0))
            else {
                panic!("{text}");
            };
            assert_eq!(one.value, other.value, "{text}");
            if text != same && expected == plain {
                assert_ne!(one.spelling, other.spelling, "{text}");
            }
        }
    }

    #[test]
    fn what_no_server_may_send_is_unreadable() {
        for (text, request_code) in
            [("{\"a\":1,\"a\":1}", 105), ("{a:1}", 105), ("{\"a\":1,}", 105), ("a=b", 319), ("a\n", 319)]
        {
            let unreadable = Body::Unreadable(text.as_bytes().to_vec());
            assert_eq!(Body::read(text.as_bytes(), request_code, 0), unreadable, "{text}");
        }
        let line = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(Body::read(b"a=b=c\nd=\n", 319, 0), Body::Lines(vec![line("a", "b=c"), line("d", "")]));
        assert_eq!(Body::read(b"", 105, 0), Body::Empty);
    }
}
