//! A JSON value with one thing changed, for every thing that can be.

use serde_json::{Value, json};

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A string, number or truth value is another one of its kind.
    OtherValue,
    /// A list has lost an element.
    LostElement,
    /// An entry of an object has another key.
    RenamedKey,
}

/// Every change with its place and the changed value.
pub(crate) fn changes(value: &Value) -> Vec<(Change, String, Value)> {
    let mut changes = Vec::new();
    match value {
        Value::String(text) => changes.push((Change::OtherValue, String::new(), json!(format!("{text}x")))),
        Value::Number(number) => {
            let number = number.as_i64().expect("servers write whole numbers");
            changes.push((Change::OtherValue, String::new(), json!(number + 1)));
        }
        Value::Bool(truth) => changes.push((Change::OtherValue, String::new(), json!(!truth))),
        Value::Null => {}
        Value::Array(list) => {
            for (at, element) in list.iter().enumerate() {
                let mut shorter = list.clone();
                shorter.remove(at);
                changes.push((Change::LostElement, format!("/{at}"), json!(shorter)));
                for (change, place, inner) in self::changes(element) {
                    let mut changed = list.clone();
                    changed[at] = inner;
                    changes.push((change, format!("/{at}{place}"), json!(changed)));
                }
            }
        }
        Value::Object(entries) => {
            for (key, element) in entries {
                let mut renamed = entries.clone();
                renamed.remove(key);
                renamed.insert(other_key(key), element.clone());
                changes.push((Change::RenamedKey, format!("/{key}"), json!(renamed)));
                for (change, place, inner) in self::changes(element) {
                    let mut changed = entries.clone();
                    changed.insert(key.clone(), inner);
                    changes.push((change, format!("/{key}{place}"), json!(changed)));
                }
            }
        }
    }
    changes
}

/// Another key of the same kind: a broker id stays a number.
fn other_key(key: &str) -> String {
    match key.parse::<i64>() {
        Ok(number) => (number + 100).to_string(),
        Err(_) => format!("{key}x"),
    }
}
