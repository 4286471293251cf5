//! Single changes of an answer: those that are differences, and those that are none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::captures::Capture;
use crate::conformance::answer::{Answer, Form};
use crate::conformance::body::{Body, Json};
use crate::conformance::known::PLACES;

/// Is shown each changed answer, and what was changed.
pub(super) type Show<'a> = &'a mut dyn FnMut(String, Answer);

/// Every change that must be found.
pub(super) fn harmful(capture: &Capture, answer: &Answer, show: Show<'_>) {
    header(answer, show);
    match &answer.body {
        Body::Empty => show("a body".to_owned(), with_body(answer, Body::read(b"{}", 105, 0))),
        Body::Lines(lines) => settings(answer, lines, show),
        Body::Json(json) => {
            show("no body".to_owned(), with_body(answer, Body::Empty));
            for path in paths(&json.value) {
                values(&json.value, &path, &mut |what, value| {
                    show(what, with_body(answer, with_value(json, value)));
                });
            }
            spelling(capture, json, show);
        }
        Body::Unreadable(_) => {}
    }
}

/// Every change that the rules allow.
pub(super) fn harmless(answer: &Answer, addresses: &BTreeSet<String>, show: Show<'_>) {
    show("the version".to_owned(), Answer { version: 1, ..answer.clone() });
    show("the language".to_owned(), Answer { language: "RUST".to_owned(), ..answer.clone() });
    let Body::Json(json) = &answer.body else {
        if let Body::Lines(lines) = &answer.body {
            for (index, _) in lines.iter().enumerate().filter(|(_, (key, _))| PLACES.contains(&key.as_str()))
            {
                let mut lines = lines.clone();
                lines[index].1 = "/elsewhere".to_owned();
                show(lines[index].0.clone(), with_body(answer, Body::Lines(lines)));
            }
        }
        return;
    };
    for set in ["/topicList", "/brokerDatas", "/queueDatas", "/clusterAddrTable/cluster-0"] {
        let mut value = json.value.clone();
        if let Some(list) = value.pointer_mut(set).and_then(Value::as_array_mut) {
            list.reverse();
            show(set.to_owned(), with_body(answer, with_value(json, value)));
        }
    }
    if json.value.get("brokerAddr").is_some() {
        for address in addresses {
            let mut value = json.value.clone();
            value["brokerAddr"] = json!(address);
            show(address.clone(), with_body(answer, with_value(json, value)));
        }
    }
}

/// Written out, so that a large body is not copied only to be thrown away.
fn with_body(answer: &Answer, body: Body) -> Answer {
    Answer {
        form: answer.form,
        code: answer.code,
        language: answer.language.clone(),
        version: answer.version,
        opaque: answer.opaque,
        flag: answer.flag,
        remark: answer.remark.clone(),
        ext_fields: answer.ext_fields.clone(),
        others: answer.others.clone(),
        header_dialect: answer.header_dialect,
        body,
    }
}

fn with_value(json: &Json, value: Value) -> Body {
    Body::Json(Json { value, dialect: json.dialect, spelling: json.spelling.clone() })
}

fn header(answer: &Answer, show: Show<'_>) {
    let mut add = |what: &str, change: &dyn Fn(&mut Answer)| {
        let mut answer = answer.clone();
        change(&mut answer);
        show(what.to_owned(), answer);
    };
    add("the code", &|answer| answer.code += 1);
    add("the opaque", &|answer| answer.opaque += 1);
    add("the flag", &|answer| answer.flag |= 2);
    add("the form of the header", &|answer| {
        answer.form = if answer.form == Form::Json { Form::Binary } else { Form::Json };
    });
    add("another header field", &|answer| drop(answer.others.insert("more".to_owned(), json!(1))));
    if answer.form == Form::Json {
        add("the spelling of the header", &|answer| answer.header_dialect.white_space ^= true);
    }
    match answer.remark.clone() {
        None => add("a remark", &|answer| answer.remark = Some(String::new())),
        Some(remark) => {
            add("no remark", &|answer| answer.remark = None);
            add("the remark", &|answer| answer.remark = Some(format!("{remark} ")));
        }
    }
    match answer.ext_fields.clone() {
        None => add("fields", &|answer| answer.ext_fields = Some([].into())),
        Some(fields) => {
            add("no fields", &|answer| answer.ext_fields = None);
            let one_more = |answer: &mut Answer, key: &str, value: String| {
                answer.ext_fields.get_or_insert_default().insert(key.to_owned(), value)
            };
            add("one more field", &|answer| drop(one_more(answer, "more", String::new())));
            for (key, value) in fields {
                add(&key, &|answer| drop(one_more(answer, &key, format!("{value}0"))));
                let none =
                    |answer: &mut Answer| answer.ext_fields.as_mut().and_then(|fields| fields.remove(&key));
                add(&format!("no {key}"), &|answer| drop(none(answer)));
            }
        }
    }
}

type Lines = Vec<(String, String)>;

fn settings(answer: &Answer, lines: &[(String, String)], show: Show<'_>) {
    let mut add = |what: String, change: &dyn Fn(&mut Lines)| {
        let mut lines = lines.to_vec();
        change(&mut lines);
        show(what, with_body(answer, Body::Lines(lines)));
    };
    add("one more line".to_owned(), &|lines| lines.push(("more".to_owned(), String::new())));
    add("a line twice".to_owned(), &|lines| lines.push(lines[0].clone()));
    if lines.is_sorted() {
        add("the order of lines".to_owned(), &|lines| lines.swap(0, 1));
    }
    for (index, (key, _)) in lines.iter().enumerate() {
        add(format!("no {key}"), &|lines| drop(lines.remove(index)));
        if !PLACES.contains(&key.as_str()) {
            add(key.clone(), &|lines| lines[index].1.push('0'));
        }
    }
}

/// The JSON pointer of every value in a value.
fn paths(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        paths(value).into_iter().map(move |path| format!("/{name}{path}")).collect::<Vec<_>>()
    };
    let mut all = vec![String::new()];
    match value {
        Value::Object(object) => all.extend(object.iter().flat_map(|(key, value)| below(key.clone(), value))),
        Value::Array(list) => {
            all.extend(list.iter().enumerate().flat_map(|(index, value)| below(index.to_string(), value)));
        }
        _ => {}
    }
    all
}

/// The value with each change that can be made at that place.
fn values(value: &Value, path: &str, show: &mut dyn FnMut(String, Value)) {
    let mut add = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut value = value.clone();
        change(value.pointer_mut(path).expect("it is there"));
        show(format!("{what} at {path:?}"), value);
    };
    match value.pointer(path).expect("it is there") {
        Value::Null => add("a value", &|value| *value = json!(0)),
        Value::Bool(truth) => add("the value", &|value| *value = json!(!truth)),
        Value::Number(number) => {
            add("the number", &|value| *value = json!(number.as_i64().map(|number| number + 1)));
            add("a text", &|value| *value = json!(number.to_string()));
        }
        Value::String(text) => add("the text", &|value| *value = json!(format!("{text}x"))),
        Value::Object(object) => {
            add("one more entry", &|value| value["more"] = json!(0));
            for key in object.keys() {
                add(&format!("no {key}"), &|value| {
                    drop(value.as_object_mut().and_then(|all| all.remove(key)));
                });
            }
        }
        Value::Array(list) => {
            let elements = |value: &mut Value, change: &dyn Fn(&mut Vec<Value>)| {
                change(value.as_array_mut().expect("it is a list"));
            };
            add("one more element", &|value| elements(value, &|all| all.push(json!("more"))));
            for (index, element) in list.iter().enumerate() {
                add("one element less", &|value| elements(value, &|all| drop(all.remove(index))));
                add("an element twice", &|value| elements(value, &|all| all.push(element.clone())));
            }
        }
    }
}

/// The same value, spelled otherwise.
fn spelling(capture: &Capture, json: &Json, show: Show<'_>) {
    let frame = capture.frame().expect("there is an answer");
    let header_end = 8 + u32::from_be_bytes([0, frame[5], frame[6], frame[7]]) as usize;
    let text = std::str::from_utf8(&frame[header_end..]).expect("UTF-8");
    for (from, to) in [
        ("{0:\"", "{\"0\":\""),
        (",1:\"", ",\"1\":\""),
        ("{\"0\":\"", "{0:\""),
        ("\":\"", "\": \""),
        ("ü", "\\u00FC"),
        ("\\u00FC", "ü"),
        ("\\u00FC", "\\u00fc"),
        ("10911", "1091\\u0031"),
        ("Topic00", "T\\u006Fpic00"),
    ] {
        if !text.contains(from) {
            continue;
        }
        // One of them is enough to be another text.
        let body = text.replacen(from, to, 1);
        let total = (header_end - 4 + body.len()) as u32;
        let spelled = [&total.to_be_bytes(), &frame[4..header_end], body.as_bytes()].concat();
        let mutant = Answer::cut(&spelled, capture.code).expect("a readable answer");
        let Body::Json(same) = &mutant.body else { panic!("{}: {from}", capture.id()) };
        assert_eq!(same.value, json.value, "{}: {from} is another value", capture.id());
        show(format!("{to} for {from}"), mutant);
    }
}
