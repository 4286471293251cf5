//! `docs/wire.md` §2.8: the KV store, 100, 101, 102 and 219.

use std::fs;
use std::path::PathBuf;

use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType;

use crate::world::{BOTH, World, answers, ask, both, builder, request};

fn put(namespace: &str, key: &str, value: &str) -> Command {
    request(100, &[("namespace", namespace), ("key", key), ("value", value)])
}

fn put_nothing(namespace: &str, key: &str) -> Command {
    request(100, &[("namespace", namespace), ("key", key)])
}

fn get(namespace: &str, key: &str) -> Command {
    request(101, &[("namespace", namespace), ("key", key)])
}

fn delete(namespace: &str, key: &str) -> Command {
    request(102, &[("namespace", namespace), ("key", key)])
}

fn list(namespace: &str) -> Command {
    request(219, &[("namespace", namespace)])
}

#[tokio::test(start_paused = true)]
async fn a_put_needs_a_namespace_and_a_key() {
    let rows = || {
        let no = both("1 namespace or key is null");
        vec![
            ("all", vec![ask(put("n", "k", "v"))], both("0")),
            ("no value", vec![ask(put_nothing("n", "k"))], both("0")),
            ("empty texts", vec![ask(put("", "", ""))], both("0")),
            ("no namespace", vec![ask(request(100, &[("key", "k"), ("value", "v")]))], no),
            ("no key", vec![ask(request(100, &[("namespace", "n"), ("value", "v")]))], no),
            ("nothing", vec![ask(request(100, &[]))], no),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_value_is_what_was_put_last() {
    let rows = || {
        let missing = both("22 {} No config item, Namespace: n Key: k");
        vec![
            ("put", vec![ask(put("n", "k", "v")), ask(get("n", "k"))], both("0 {value=v}")),
            (
                "put twice",
                vec![ask(put("n", "k", "v")), ask(put("n", "k", "w")), ask(get("n", "k"))],
                both("0 {value=w}"),
            ),
            ("an empty value is one", vec![ask(put("n", "k", "")), ask(get("n", "k"))], both("0 {value=}")),
            ("empty names", vec![ask(put("", "", "v")), ask(get("", ""))], both("0 {value=v}")),
            (
                "nothing is trimmed",
                vec![ask(put("n", " k", " v ")), ask(get("n", " k"))],
                both("0 {value= v }"),
            ),
            ("nothing put", vec![ask(get("n", "k"))], missing),
            ("another key", vec![ask(put("n", "K", "v")), ask(get("n", "k"))], missing),
            ("another namespace", vec![ask(put("m", "k", "v")), ask(get("n", "k"))], missing),
            ("no value", vec![ask(put_nothing("n", "k")), ask(get("n", "k"))], missing),
            (
                "no value over one",
                vec![ask(put("n", "k", "v")), ask(put_nothing("n", "k")), ask(get("n", "k"))],
                missing,
            ),
            ("deleted", vec![ask(put("n", "k", "v")), ask(delete("n", "k")), ask(get("n", "k"))], missing),
            (
                "no namespace",
                vec![ask(request(101, &[("key", "k")]))],
                both("22 {} No config item, Namespace: null Key: k"),
            ),
            (
                "no key",
                vec![ask(request(101, &[("namespace", "n")]))],
                both("22 {} No config item, Namespace: n Key: null"),
            ),
            (
                "neither",
                vec![ask(request(101, &[]))],
                both("22 {} No config item, Namespace: null Key: null"),
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn deleting_always_succeeds() {
    let rows = || {
        vec![
            ("a value", vec![ask(put("n", "k", "v")), ask(delete("n", "k"))], both("0")),
            ("an unknown key", vec![ask(put("n", "k", "v")), ask(delete("n", "x"))], both("0")),
            ("an unknown namespace", vec![ask(delete("n", "k"))], both("0")),
            ("no key", vec![ask(request(102, &[("namespace", "n")]))], both("0")),
            ("no namespace", vec![ask(request(102, &[("key", "k")]))], both("0")),
            ("nothing", vec![ask(request(102, &[]))], both("0")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_listed_as_long_as_the_server_lives() {
    let rows = || {
        let unknown = both("22 No config item, Namespace: n");
        let empty = both(r#"0 | {"table":{}}"#);
        vec![
            (
                "two values",
                vec![ask(put("n", "k", "v")), ask(put("n", "a", "")), ask(list("n"))],
                both(r#"0 | {"table":{"a":"","k":"v"}}"#),
            ),
            (
                "the legacy dialect in UTF-8",
                vec![ask(put("n", "ü", "a/\"☃")), ask(list("n"))],
                both(r#"0 | {"table":{"ü":"a/\"☃"}}"#),
            ),
            ("an unknown one", vec![ask(list("n"))], unknown),
            ("a delete does not make one", vec![ask(delete("n", "k")), ask(list("n"))], unknown),
            (
                "its last key was deleted",
                vec![ask(put("n", "k", "v")), ask(delete("n", "k")), ask(list("n"))],
                empty,
            ),
            ("a value that is none is left out", vec![ask(put_nothing("n", "k")), ask(list("n"))], empty),
            (
                "beside one",
                vec![ask(put("n", "a", "v")), ask(put_nothing("n", "k")), ask(list("n"))],
                both(r#"0 | {"table":{"a":"v"}}"#),
            ),
            (
                "the empty one",
                vec![ask(put("", "k", "v")), ask(list(""))],
                both(r#"0 | {"table":{"k":"v"}}"#),
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_text_in_the_binary_form_is_none() {
    for personality in BOTH {
        let mut world = World::new(personality);
        for (request, expected) in [
            (put("", "k", "v"), "1 namespace or key is null"),
            (put("n", "", "v"), "1 namespace or key is null"),
            (put("n", "k", ""), "0"),
            (get("n", "k"), "22 No config item, Namespace: n Key: k"),
            (list("n"), r#"0 | {"table":{}}"#),
            (get("", ""), "22 No config item, Namespace: null Key: null"),
            (delete("", ""), "0"),
        ] {
            let answer = world.ask_in(SerializeType::RocketMq, 0, request).await;
            assert_eq!(answer.line().replace(" {} ", " "), expected, "{personality:?}");
        }
    }
}

/// A file of this test's own, which is not there yet.
fn fresh_file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rules-kv").join(name);
    match fs::remove_dir_all(&folder) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
    folder.join("kvConfig.json")
}

#[tokio::test(start_paused = true)]
async fn each_change_is_written_to_the_file_and_the_copy_is_what_was_there_before() {
    for personality in BOTH {
        let file = fresh_file(&format!("written-{personality:?}"));
        let copy = file.with_extension("json.bak");
        let mut world = World::of(builder(personality).kv_file(&file));
        let mut before = None;
        for (change, expected) in [
            (put("n", "k", "v"), r#"{"configTable":{"n":{"k":"v"}}}"#),
            (put("m", "ü", "/"), r#"{"configTable":{"m":{"ü":"/"},"n":{"k":"v"}}}"#),
            (delete("n", "k"), r#"{"configTable":{"m":{"ü":"/"},"n":{}}}"#),
        ] {
            assert_eq!(world.ask(change).await.line(), "0");
            assert_eq!(fs::read_to_string(&file).unwrap(), expected);
            assert_eq!(fs::read_to_string(&copy).ok(), before);
            before = Some(expected.to_owned());
        }
        world.end().await;
        let mut next = World::of(builder(personality).kv_file(&file));
        assert_eq!(next.ask(get("m", "ü")).await.line(), "0 {value=/}");
        assert_eq!(next.ask(list("n")).await.line(), r#"0 | {"table":{}}"#);
    }
}

#[tokio::test(start_paused = true)]
async fn the_file_is_read_as_leniently_as_java_reads_it() {
    for (name, text) in [
        ("plain", r#"{"configTable":{"n":{"k":"v"}}}"#),
        ("spaced", "{ \"configTable\" : {\n \"n\" : { \"k\" : \"v\" } } }\n"),
        ("nulls", r#"{"configTable":{"n":{"k":"v","x":null}}}"#),
        ("more", r#"{"configTable":{"n":{"k":"v"}},"other":[1]}"#),
    ] {
        for personality in BOTH {
            let file = fresh_file(&format!("read-{name}-{personality:?}"));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            let mut world = World::of(builder(personality).kv_file(&file));
            assert_eq!(world.ask(list("n")).await.line(), r#"0 | {"table":{"k":"v"}}"#, "{name}");
            let missing = "22 {} No config item, Namespace: n Key: x";
            assert_eq!(world.ask(get("n", "x")).await.line(), missing, "{name}");
        }
    }
}
