//! Bodies with bare integer keys turned into JSON that `serde_json` reads. For tests alone: the crate itself never
//! repairs a text before it reads it.

use serde_json::Value;

/// The body with every bare integer key in quotes.
pub(crate) fn quoted(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).expect("bodies are UTF-8");
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let token = match next {
            '"' => &rest[..string_length(rest)],
            '-' | '0'..='9' => &rest[..number_length(rest)],
            _ => &rest[..next.len_utf8()],
        };
        rest = &rest[token.len()..];
        let bare_key = next != '"' && token.len() == number_length(token) && rest.starts_with(':');
        if bare_key {
            out.push('"');
            out.push_str(token);
            out.push('"');
        } else {
            out.push_str(token);
        }
    }
    out
}

/// The body as `serde_json` sees it, its bare integer keys in quotes.
pub(crate) fn value(body: &[u8]) -> Value {
    let text = quoted(body);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
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

fn number_length(text: &str) -> usize {
    let sign = usize::from(text.starts_with('-'));
    sign + text[sign..].bytes().take_while(u8::is_ascii_digit).count()
}

#[test]
fn only_bare_integer_keys_are_quoted() {
    for (body, expected) in [
        (r#"{0:"a",-1:"b","2":3}"#, r#"{"0":"a","-1":"b","2":3}"#),
        (r#"{"a{0:b":[1,-2,{10:1}]}"#, r#"{"a{0:b":[1,-2,{"10":1}]}"#),
        (r#"{"\"{0:":"\\",7:"{1:2}"}"#, r#"{"\"{0:":"\\","7":"{1:2}"}"#),
        (r#"{"主":1}"#, r#"{"主":1}"#),
    ] {
        assert_eq!(quoted(body.as_bytes()), expected, "{body}");
    }
}
