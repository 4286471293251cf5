//! Two answers to one request: what differs and may not. What may differ is in [`known`](super::known).

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::{Value, json};

use super::answer::{Answer, Form};
use super::body::{Body, Dialect};
use super::known::{
    ADDRESS, Against, CLOCK, NAMES_OF_GROUP, OBJECT_OF_SETS, ORDER_CONF, PLACES, REFUSALS, Rules, SETS,
    is_exception_text,
};
use super::reply::Reply;

/// One thing that differs and may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is: `code`, `extFields.value`, `body.queueDatas[broker-a].perm`.
    pub what: String,
    /// What is right.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

/// What differs and may not.
pub fn compare(expected: &Reply, found: &Reply, rules: &Rules<'_>) -> Vec<Difference> {
    let mut differences = Differences(Vec::new());
    match (expected, found) {
        // Two answers with different codes have nothing in common that is worth more lines.
        (Reply::Answer(expected), Reply::Answer(found)) if expected.code == found.code => {
            differences.answers(expected, found, rules);
        }
        (expected, found) if expected == found => {}
        (expected, found) => differences.add("answer", expected, found),
    }
    differences.0
}

/// A text that is not too long for a message.
pub fn shortened(text: &str) -> String {
    const ENOUGH: usize = 300;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, what: impl Into<String>, expected: impl fmt::Display, found: impl fmt::Display) {
        let [expected, found] = [expected.to_string(), found.to_string()].map(|text| shortened(&text));
        self.0.push(Difference { what: what.into(), expected, found });
    }

    fn differ<T: PartialEq + fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.add(what, format_args!("{expected:?}"), format_args!("{found:?}"));
        }
    }

    fn answers(&mut self, expected: &Answer, found: &Answer, rules: &Rules<'_>) {
        self.differ("header form", &expected.form, &found.form);
        self.differ("flag", &expected.flag, &found.flag);
        self.differ("opaque", &expected.opaque, &found.opaque);
        if !may_be_worded_differently(expected, found, rules) {
            self.differ("remark", &expected.remark, &found.remark);
            if (expected.form, found.form) == (Form::Json, Form::Json) && expected.remark == found.remark {
                self.dialects("header spelling", expected.header_dialect, found.header_dialect);
            }
        }
        if expected.form == found.form {
            self.differ("other header fields", &expected.others, &found.others);
        }
        match (&expected.ext_fields, &found.ext_fields) {
            (Some(expected), Some(found)) => {
                self.values("extFields", List::Row, &json!(expected), &json!(found));
            }
            (None, None) => {}
            (expected, found) => self.add("extFields", presence(expected.as_ref()), presence(found.as_ref())),
        }
        self.bodies(&expected.body, &found.body, rules);
    }

    fn dialects(&mut self, what: &str, expected: Dialect, found: Dialect) {
        if expected != found {
            self.add(what, expected.words(), found.words());
        }
    }

    fn bodies(&mut self, expected: &Body, found: &Body, rules: &Rules<'_>) {
        match (expected, found) {
            (Body::Json(expected), Body::Json(found)) => {
                let before = self.0.len();
                let known = allowed(&expected.value, &found.value, rules);
                self.values("body", List::Row, known.as_ref().unwrap_or(&expected.value), &found.value);
                self.dialects("body spelling", expected.dialect, found.dialect);
                if self.0.len() == before && known.is_none() {
                    let mut pairs = expected.spelling.iter().zip(&found.spelling);
                    if let Some((expected, found)) = pairs.find(|(one, other)| one != other) {
                        self.add("body spelling", expected, found);
                    }
                }
            }
            (Body::Lines(expected), Body::Lines(found)) => self.settings(expected, found),
            (expected, found) if expected == found => {}
            (expected, found) => self.add("body", expected, found),
        }
    }

    /// Where the real server sorts, the other must.
    fn settings(&mut self, expected: &[(String, String)], found: &[(String, String)]) {
        let object = |lines: &[(String, String)]| {
            let lines = lines.iter().map(|(key, value)| {
                let value = if PLACES.contains(&key.as_str()) { "any" } else { value };
                (key.clone(), json!(value))
            });
            Value::Object(lines.collect())
        };
        self.values("settings", List::Row, &object(expected), &object(found));
        self.differ("number of lines", &expected.len(), &found.len());
        if expected.is_sorted() && !found.is_sorted() {
            self.add("settings", "sorted lines", "lines in another order");
        }
    }

    /// `list` is what a list at this place is.
    fn values(&mut self, what: &str, list: List, expected: &Value, found: &Value) {
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => {
                for (name, expected) in expected {
                    let what = format!("{what}.{name}");
                    match found.get(name) {
                        Some(found) => self.values(&what, list.under(name), expected, found),
                        None => self.add(what, expected, "nothing"),
                    }
                }
                for (name, found) in found.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                    self.add(format!("{what}.{name}"), "nothing", found);
                }
            }
            (Value::Array(expected), Value::Array(found)) if list != List::Row => {
                self.sets(what, expected, found);
            }
            (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                    self.values(&format!("{what}[{index}]"), List::Row, expected, found);
                }
            }
            (expected, found) if expected == found => {}
            (expected, found) => self.add(what, expected, found),
        }
    }

    /// Elements of one name are compared in detail if each side has just one of them that the other has not.
    fn sets(&mut self, what: &str, expected: &[Value], found: &[Value]) {
        let (missing, extra) = missing_and_extra(expected, found);
        let (missing, extra) = (by_name(missing), by_name(extra));
        let (mut not_there, mut too_many) = (Vec::new(), Vec::new());
        for (name, missing) in &missing {
            match (missing.as_slice(), extra.get(name).map(Vec::as_slice)) {
                ([expected], Some([found])) if expected.is_object() => {
                    self.values(&format!("{what}[{name}]"), List::Row, expected, found);
                }
                (missing, extra) => {
                    not_there.extend_from_slice(missing);
                    too_many.extend_from_slice(extra.unwrap_or_default());
                }
            }
        }
        too_many
            .extend(extra.iter().filter(|(name, _)| !missing.contains_key(*name)).flat_map(|(_, all)| all));
        let list = |elements: &[&Value]| match elements {
            [] => "no others".to_owned(),
            all => format!("{} others: {}", all.len(), json!(all)),
        };
        if !(not_there.is_empty() && too_many.is_empty()) {
            self.add(what, list(&not_there), list(&too_many));
        }
    }
}

/// What a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// Its order counts.
    Row,
    /// Its order does not.
    Set,
    /// The lists in the object at this place are sets.
    SetsInside,
}

impl List {
    /// What a list is that has this name in an object that is itself at such a place.
    fn under(self, name: &str) -> List {
        match self {
            List::SetsInside => List::Set,
            _ if SETS.contains(&name) => List::Set,
            _ if name == OBJECT_OF_SETS => List::SetsInside,
            _ => List::Row,
        }
    }
}

/// The elements that the one list has and the other has not, and the reverse, each as often as that.
fn missing_and_extra<'a>(one: &'a [Value], other: &'a [Value]) -> (Vec<&'a Value>, Vec<&'a Value>) {
    // What is the same at both ends is most of it, as a rule.
    let start = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    (less(one, other), less(other, one))
}

fn less<'a>(one: &'a [Value], other: &'a [Value]) -> Vec<&'a Value> {
    let mut there: HashMap<&Value, usize> = HashMap::new();
    for element in other {
        *there.entry(element).or_default() += 1;
    }
    let is_missing = |element: &&'a Value| match there.get_mut(element) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    one.iter().filter(is_missing).collect()
}

/// A text is its own name; a broker and its queues are named after the broker.
fn by_name(elements: Vec<&Value>) -> BTreeMap<String, Vec<&Value>> {
    let mut named: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for element in elements {
        let name = element.get("brokerName").unwrap_or(element);
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        named.entry(name).or_default().push(element);
    }
    named
}

fn presence(fields: Option<&BTreeMap<String, String>>) -> String {
    fields.map_or_else(|| "absent".to_owned(), |fields| json!(fields).to_string())
}

/// The rule `exception-text`.
fn may_be_worded_differently(expected: &Answer, found: &Answer, rules: &Rules<'_>) -> bool {
    let says_why = |remark: &str| !remark.is_empty() && !REFUSALS.contains(&remark);
    rules.against == Against::RunningServer
        && (expected.code, found.code) == (1, 1)
        && expected.remark.as_deref().is_some_and(is_exception_text)
        && found.remark.as_deref().is_some_and(says_why)
}

/// The expected value with what was found where the rules allow it, if there is such a place.
fn allowed(expected: &Value, found: &Value, rules: &Rules<'_>) -> Option<Value> {
    if let Some(expected) = without_empty_names(expected, found, rules) {
        return Some(expected);
    }
    let (key, value) = allowed_entry(expected, found, rules)?;
    let mut expected = expected.clone();
    match value {
        Some(value) => expected[key] = value.clone(),
        None => drop(expected.as_object_mut()?.remove(key)),
    }
    Some(expected)
}

/// The rule `empty-name-901`.
fn without_empty_names(expected: &Value, found: &Value, rules: &Rules<'_>) -> Option<Value> {
    let group = "brokerMemberGroup";
    let (there, found) = (expected.get(group)?, found.get(group)?);
    let empty = NAMES_OF_GROUP.into_iter().filter(|name| is_left_out(there, found, name)).collect::<Vec<_>>();
    if empty.is_empty() || rules.against != Against::RunningServer {
        return None;
    }
    let mut expected = expected.clone();
    let names = expected.get_mut(group)?.as_object_mut()?;
    names.retain(|name, _| !empty.contains(&name.as_str()));
    Some(expected)
}

/// Whether there should be an empty text, and nothing is.
fn is_left_out(expected: &Value, found: &Value, key: &str) -> bool {
    expected.get(key).and_then(Value::as_str).is_some_and(str::is_empty) && found.get(key).is_none()
}

/// Which entry may be what was found there.
fn allowed_entry<'a>(
    expected: &Value,
    found: &'a Value,
    rules: &Rules<'_>,
) -> Option<(&'static str, Option<&'a Value>)> {
    let both = |key| Some((expected.get(key)?, found.get(key)?)).filter(|(right, found)| right != found);
    // The rule `any-address-304`.
    if let Some((_, address)) = both(ADDRESS) {
        let is_known = expected.get("topicList").is_some() && rules.addresses.contains(address.as_str()?);
        return is_known.then_some((ADDRESS, Some(address)));
    }
    // The rule `clock`.
    let (timestamp, start) = CLOCK;
    if let Some((right, found)) = both(timestamp) {
        let is_now = |time: &Value| time.as_i64().is_some_and(|time| time >= start);
        return (is_now(right) && is_now(found)).then_some((timestamp, Some(found)));
    }
    // The rule `empty-order-conf`.
    let left_out = is_left_out(expected, found, ORDER_CONF) && rules.against == Against::RunningServer;
    left_out.then_some((ORDER_CONF, None))
}
