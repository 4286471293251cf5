//! Headers that close the connection, and odd ones that do not.

use rocketmq_nameserver_protocol::code::{Language, Version};
use rocketmq_nameserver_protocol::error::{ProtocolError, Reason};
use rocketmq_nameserver_protocol::model::Name;

use super::{BINARY, JSON, answer, head, header, ready, refuses, waiting};

#[test]
fn json_headers_that_cannot_be_matched_close_the_connection() {
    let bad = |offset, reason| ProtocolError::BadHeader { offset, reason };
    for (marked, reason) in [
        // Without an opaque, or with one that no request can have, the answer belongs to nobody.
        (r#"{"code":0,"flag":1}↓"#, Reason::Missing("opaque")),
        (r#"{"code":0,"flag":1,"opaque":null}↓"#, Reason::Missing("opaque")),
        (r#"{"flag":1,"opaque":1}↓"#, Reason::Missing("code")),
        (r#"{"code":0,"flag":1,"opaque":↓2147483648}"#, Reason::OutOfRange("32 bits")),
        (r#"{"code":0,"flag":1,"opaque":↓-2147483649}"#, Reason::OutOfRange("32 bits")),
        (r#"{"code":0,"flag":1,"opaque":↓"4294967297"}"#, Reason::OutOfRange("32 bits")),
        (r#"{"code":↓2147483648,"flag":1,"opaque":1}"#, Reason::OutOfRange("32 bits")),
        (r#"{"code":0,"flag":1,"opaque":↓1.0}"#, Reason::Expected("a whole number")),
        (r#"{"code":0,"flag":1,"opaque":↓"x"}"#, Reason::Expected("a whole number")),
        (r#"{"code":0,"flag":1,"opaque":↓true}"#, Reason::Expected("a whole number")),
        (r#"{"code":0,"flag":↓[],"opaque":1}"#, Reason::Expected("a whole number")),
        (r#"{"code":0,"flag":1,"opaque":1,"remark":↓5}"#, Reason::Expected("a string")),
        (r#"{"code":0,"flag":1,"opaque":1,"extFields":↓[]}"#, Reason::Expected("an object")),
        (r#"{"code":0,"flag":1,"opaque":1,"extFields":↓"a=b"}"#, Reason::Expected("an object")),
        (r#"{"code":0,"flag":1,"opaque":1,"extFields":{"a":↓{}}}"#, Reason::Expected("a number")),
        (r#"{"code":0,"flag":1,"opaque":1,"extFields":{"a":↓["b"]}}"#, Reason::Expected("a number")),
        (r#"{"code":0,"flag":1,"opaque":1,"language":↓{}}"#, Reason::Expected("a number")),
        (r#"↓[{"code":0}]"#, Reason::Expected("an object")),
        ("↓null", Reason::Expected("an object")),
        ("↓GET / HTTP/1.1", Reason::Expected("an object")),
        (r#"{"code":0,"flag":1,"opaque":1}↓{}"#, Reason::TrailingBytes),
        (r#"{"code":0,"flag":1,"opaque":1↓"#, Reason::UnexpectedEnd),
        (r#"{↓code:0,"flag":1,"opaque":1}"#, Reason::Expected("a key")),
        ("  ↓", Reason::UnexpectedEnd),
    ] {
        let (before, behind) = marked.split_once('↓').unwrap();
        let head = format!("{before}{behind}");
        // Even a good answer behind it comes too late.
        let stream = [header::frame(JSON, head.as_bytes(), b"body 1"), answer(JSON, 1)].concat();
        refuses(marked, &stream, &bad(before.len(), reason));
    }
    let not_utf8 = [&br#"{"code":0,"opaque":1,"remark":""#[..], b"\xff\"}"].concat();
    refuses("not UTF-8", &header::frame(JSON, &not_utf8, b""), &bad(31, Reason::NotUtf8));
}

#[test]
fn odd_json_headers_that_java_may_write_or_relay_are_read() {
    for head in [
        r#"{"code":0,"flag":1,"opaque":1,"extFields":{"a":5,"b":true,"c":null,"d":1.5,"e":"x"}}"#,
        r#"{"code":"0","flag":"1","opaque":"1","version":"479"}"#,
        r#"{"opaque":1,"flag":1,"code":0,"remark":null,"extFields":null,"language":null,"version":null}"#,
        "\u{feff}{ \"code\" : 0 , \"flag\" : 1 , \"opaque\" : 1 , \"new\" : { \"a\" : [ ] } }",
        r#"{"code":0,"flag":1,"language":"KLINGON","opaque":9,"opaque":1}"#,
        r#"{"code":0,"flag":-1,"language":99,"opaque":1}"#,
        r#"{"code":0,"flag":5,"opaque":1}"#,
    ] {
        let mut session = waiting(&[1]);
        session.feed(&header::frame(JSON, head.as_bytes(), b"body 1"));
        assert_eq!(ready(&mut session), Ok(vec![1]), "{head}");
    }
    let mut session = waiting(&[1]);
    let head = r#"{"code":0,"flag":1,"opaque":1,"extFields":{"a":5,"b":true,"c":null,"d":1.5,"e":""},"language":3,"version":399}"#;
    session.feed(&header::frame(JSON, head.as_bytes(), b""));
    let (_, command) = session.next_answer().unwrap().unwrap();
    let fields: Vec<_> =
        command.header.ext_fields.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    assert_eq!(fields, [("a", "5"), ("b", "true"), ("d", "1.5"), ("e", "")]);
    assert_eq!((command.header.language, command.header.version), (Language(3), Version(399)));
}

/// A binary header with this remark length and these bytes from the remark on.
fn binary(remark_length: u32, behind: &[u8]) -> Vec<u8> {
    [&head(BINARY, 0, 1, 1)[..13], &remark_length.to_be_bytes(), behind].concat()
}

#[test]
fn binary_headers_whose_lengths_do_not_fit_close_the_connection() {
    let none = 0_u32.to_be_bytes();
    let long_key = [&b"\x80\x00"[..], &[b'k'; 32_768], b"\x00\x00\x00\x01v"].concat();
    let entry = b"\x00\x01k\x00\x00\x00\x01v";
    let fields = |length: u32, entries: &[u8]| binary(0, &[&length.to_be_bytes()[..], entries].concat());
    for (what, head, offset, reason) in [
        ("20 bytes", binary(0, &none[..3]), 17, Reason::UnexpectedEnd),
        ("1 byte", vec![0], 0, Reason::UnexpectedEnd),
        ("a remark over the end", binary(5, &none), 17, Reason::BadLength),
        ("a remark of -1", binary(u32::MAX, &none), 17, Reason::BadLength),
        ("a remark of 2 GiB", binary(0x7fff_ffff, &none), 17, Reason::BadLength),
        ("a remark up to the end", binary(4, &none), 21, Reason::UnexpectedEnd),
        ("fields over the end", fields(9, entry), 21, Reason::BadLength),
        ("fields of 2 GiB", fields(0x7fff_ffff, entry), 21, Reason::BadLength),
        ("a key over the end", fields(8, b"\x00\x07k\x00\x00\x00\x01v"), 23, Reason::BadLength),
        ("a key over 32767", fields(8, b"\x80\x00k\x00\x00\x00\x01v"), 23, Reason::BadLength),
        ("a key of 32768 that is there", fields(32_775, &long_key), 23, Reason::BadLength),
        ("a value over the end", fields(8, b"\x00\x01k\x00\x00\x00\x02v"), 28, Reason::BadLength),
        ("a value of -1", fields(8, b"\x00\x01k\xff\xff\xff\xffv"), 28, Reason::BadLength),
        ("half a value's length", fields(5, b"\x00\x01k\x00\x00"), 24, Reason::UnexpectedEnd),
        ("half a key's length", fields(9, b"\x00\x01k\x00\x00\x00\x01v\x00"), 29, Reason::UnexpectedEnd),
    ] {
        let stream = [header::frame(BINARY, &head, b"body 1"), answer(BINARY, 1)].concat();
        refuses(what, &stream, &ProtocolError::BadHeader { offset, reason });
    }
}

#[test]
fn odd_binary_headers_that_java_reads_are_read() {
    let fields = |length: i32, entries: &[u8]| binary(0, &[&length.to_be_bytes()[..], entries].concat());
    for (what, head, expected) in [
        ("bytes behind the fields", fields(8, b"\x00\x01k\x00\x00\x00\x01vrest"), &[("k", "v")][..]),
        ("a negative length", fields(-1, b"\x00\x01k\x00\x00\x00\x01v"), &[]),
        ("a length that ends in an entry", fields(1, b"\x00\x01k\x00\x00\x00\x01v"), &[("k", "v")]),
        ("an empty key and value", fields(6, b"\x00\x00\x00\x00\x00\x00"), &[("", "")]),
        ("an empty value", fields(7, b"\x00\x01k\x00\x00\x00\x00"), &[("k", "")]),
        (
            "two equal keys",
            fields(16, b"\x00\x01k\x00\x00\x00\x01a\x00\x01k\x00\x00\x00\x01b"),
            &[("k", "b")],
        ),
        ("bytes that are not UTF-8", fields(8, b"\x00\x01k\x00\x00\x00\x01\xff"), &[("k", "\u{fffd}")]),
    ] {
        let mut session = waiting(&[1]);
        session.feed(&header::frame(BINARY, &head, b"body 1"));
        let (_, command) = session.next_answer().unwrap().expect(what);
        let found = command.header.ext_fields.iter().map(|(key, value)| (&key[..], &value[..]));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{what}");
    }
    let mut session = waiting(&[1]);
    session.feed(&header::frame(BINARY, &binary(3, b"\xe4\xb8\xad\x00\x00\x00\x00"), b""));
    let (_, command) = session.next_answer().unwrap().unwrap();
    assert_eq!(command.header.remark, Some(Name::from("中")));
}
