//! JSON texts as trees, by two parsers that are not the crate's: `serde_json` for standard JSON, `jsonc-parser` for
//! bodies with bare integer keys too. Both keep equal keys and their order.

use std::fmt;

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};
use rocketmq_nameserver_protocol::json::MAX_DEPTH;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Any JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Null,
    Truth(bool),
    /// As it is spelled, or as `serde_json` spells it.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    /// A bare `null` as a key is `None`.
    Object(Vec<(Option<String>, Tree)>),
}

/// What a parser says about a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Opinion {
    /// It is this value.
    Value(Tree),
    /// It is not what RocketMQ servers write, in either dialect.
    Refused,
    /// This parser cannot know: the text has something that the crate tolerates and the parser does not.
    Unknown,
}

/// The opinion of `serde_json`: standard JSON only.
pub(crate) fn by_serde_json(text: &[u8]) -> Opinion {
    if nests_too_deep(text) {
        return Opinion::Refused;
    }
    // A byte order mark is tolerated.
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    match serde_json::from_slice(text) {
        Ok(tree) => Opinion::Value(tree),
        Err(error) => {
            let reason = error.to_string();
            let tolerated = [
                // Bare keys, lone surrogates, numbers beyond an f64 in fields that are skipped, a zero with a sign.
                "key must be a string",
                "lone leading surrogate",
                "unexpected end of hex escape",
                "number out of range",
                NEGATIVE_ZERO,
            ];
            if tolerated.iter().any(|known| reason.contains(known)) {
                Opinion::Unknown
            } else {
                Opinion::Refused
            }
        }
    }
}

/// The opinion of `jsonc-parser`: both dialects, its other leniencies off.
pub(crate) fn by_jsonc_parser(text: &[u8]) -> Opinion {
    let Ok(text) = std::str::from_utf8(text) else { return Opinion::Refused };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if nests_too_deep(text.as_bytes()) || !has_only_json_characters(text) {
        return Opinion::Refused;
    }
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: true,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(text, &CollectOptions::default(), &strict) {
        Ok(result) => result.value.and_then(tree_of).map_or(Opinion::Refused, Opinion::Value),
        Err(error) => match error.kind() {
            // A lone surrogate.
            ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => Opinion::Unknown,
            _ => Opinion::Refused,
        },
    }
}

/// Whether a text that is JSON nests deeper than the crate follows. Other parsers have other limits, or none.
fn nests_too_deep(text: &[u8]) -> bool {
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            b'"' if !escaped => inside = !inside,
            b'{' | b'[' if !inside => depth += 1,
            b'}' | b']' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
        escaped = inside && *byte == b'\\' && !escaped;
    }
    false
}

/// No raw control characters inside strings and no exotic white space outside: `jsonc-parser` lets both pass.
fn has_only_json_characters(text: &str) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for character in text.chars() {
        let good = if inside {
            character >= ' '
        } else {
            character.is_ascii() && (character >= ' ' || matches!(character, '\t' | '\n' | '\r'))
        };
        if !good {
            return false;
        }
        if character == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && character == '\\' && !escaped;
    }
    true
}

/// `None` if a bare key is neither a whole number nor `null`.
fn tree_of(value: Value<'_>) -> Option<Tree> {
    Some(match value {
        Value::NullKeyword(_) => Tree::Null,
        Value::BooleanLit(literal) => Tree::Truth(literal.value),
        Value::NumberLit(literal) => Tree::Number(literal.value.to_owned()),
        Value::StringLit(literal) => Tree::Text(literal.value.into_owned()),
        Value::Array(array) => Tree::List(array.elements.into_iter().map(tree_of).collect::<Option<_>>()?),
        Value::Object(object) => {
            let mut entries = Vec::new();
            for property in object.properties {
                let key = match property.name {
                    ObjectPropName::String(literal) => Some(literal.value.into_owned()),
                    ObjectPropName::Word(literal) if literal.value == "null" => None,
                    ObjectPropName::Word(literal) if is_whole(literal.value) => {
                        Some(literal.value.to_owned())
                    }
                    ObjectPropName::Word(_) => return None,
                };
                entries.push((key, tree_of(property.value)?));
            }
            Tree::Object(entries)
        }
    })
}

/// Whether this is `-?(0|[1-9][0-9]*)`.
pub(crate) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let no_leading_zero = digits == "0" || !digits.starts_with('0');
    no_leading_zero && !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
}

/// `serde_json` has `-0` and `-0.0` as one; the first is a whole number and the second is not.
const NEGATIVE_ZERO: &str = "a zero with a sign";

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_unit<E: Error>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Tree, E> {
                Ok(Tree::Truth(truth))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Tree, E> {
                Ok(Tree::Number(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Tree, E> {
                Ok(Tree::Number(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Tree, E> {
                if number == 0.0 && number.is_sign_negative() {
                    return Err(E::custom(NEGATIVE_ZERO));
                }
                // Not a whole number, or one beyond 64 bits: no field takes it.
                Ok(Tree::Number(format!("{number:e}")))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    elements.push(element);
                }
                Ok(Tree::List(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Tree>()? {
                    entries.push((Some(key), value));
                }
                Ok(Tree::Object(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
