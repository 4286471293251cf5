//! As much of JSON Schema (draft 2020-12) as the schema of topology files uses. A keyword that it does not know is a
//! failure, so that none is passed over.

use serde_json::{Map, Value};

/// Whether a schema accepts a value. `root` is what `$ref` points into.
pub(crate) fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(anything) = schema.as_bool() {
        return anything;
    }
    let keywords = schema.as_object().expect("a schema is an object");
    keywords.iter().all(|(keyword, wanted)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" | "default" => true,
        "$ref" => {
            let pointer =
                wanted.as_str().and_then(|at| at.strip_prefix('#')).expect("a place in this schema");
            accepts(root, root.pointer(pointer).expect("it is there"), value)
        }
        "type" => match wanted.as_str().expect("one type") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            other => panic!("unknown type {other}"),
        },
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| accepts(root, wanted, item))),
        "enum" => wanted.as_array().expect("a list").contains(value),
        "minimum" => value.as_f64().is_none_or(|number| Some(number) >= wanted.as_f64()),
        "maximum" => value.as_f64().is_none_or(|number| Some(number) <= wanted.as_f64()),
        "minLength" => value
            .as_str()
            .is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().expect("a number")),
        "minProperties" => {
            members(value).is_none_or(|members| members.len() as u64 >= wanted.as_u64().expect("a number"))
        }
        "required" => members(value).is_none_or(|members| {
            let required = wanted.as_array().expect("a list");
            required.iter().all(|key| members.contains_key(key.as_str().expect("a key")))
        }),
        "properties" => members(value).is_none_or(|members| {
            let known = wanted.as_object().expect("schemas");
            known
                .iter()
                .all(|(key, schema)| members.get(key).is_none_or(|value| accepts(root, schema, value)))
        }),
        "additionalProperties" => members(value).is_none_or(|members| {
            let known = keywords.get("properties").and_then(Value::as_object);
            let mut others =
                members.iter().filter(|(key, _)| known.is_none_or(|known| !known.contains_key(*key)));
            if wanted == false {
                others.next().is_none()
            } else {
                others.all(|(_, value)| accepts(root, wanted, value))
            }
        }),
        "propertyNames" => members(value).is_none_or(|members| {
            members.keys().all(|key| accepts(root, wanted, &Value::from(key.as_str())))
        }),
        "pattern" => value.as_str().is_none_or(|text| matches(wanted.as_str().expect("a pattern"), text)),
        other => panic!("unknown keyword {other}"),
    })
}

fn members(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

/// The two patterns that there are.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match pattern {
        "^(0|-?[1-9][0-9]*)$" => {
            let number = text.strip_prefix('-').unwrap_or(text);
            text == "0" || (digits(number) && !number.starts_with('0'))
        }
        "^([^:/\\s]+|\\[[^\\]\\s]+\\]):[0-9]+$" => {
            let Some((host, port)) = text.rsplit_once(':') else { return false };
            let bare = !host.is_empty() && !host.contains([':', '/', ' ']);
            let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            digits(port)
                && (bare || bracketed.is_some_and(|host| !host.is_empty() && !host.contains([']', ' '])))
        }
        other => panic!("unknown pattern {other}"),
    }
}
