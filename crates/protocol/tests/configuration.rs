//! 318 and 319: every captured request and answer, both ways, and lines that are odd. What must come out is read from the
//! captures by eye and by means of its own (`docs/wire.md` §2.9).

#[path = "../../testkit/src/captures.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the testkit crate")]
mod captures;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::error::{Reason, Refusal};
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::NamesrvConfig;
use rocketmq_nameserver_protocol::request::{Answer, GetNamesrvConfig, Request, UpdateNamesrvConfig};

use captures::Capture;

/// The captured requests of that code as their servers got them, with the answers.
fn captured<R: Request>() -> Vec<(Capture, Command, Command)> {
    let captured = captures::manifest().into_iter().filter(|capture| capture.code == R::CODE.0);
    captured
        .map(|capture| {
            assert!(capture.ext_fields.is_empty(), "{}", capture.id());
            let sent = Command::request(R::CODE, ExtFields::new(), capture.request_body.clone());
            let mut bytes = BytesMut::from(&capture.frame().expect("an answer")[..]);
            let frame = frame::cut(&mut bytes, DEFAULT_MAX_FRAME_SIZE).unwrap().expect("a whole frame");
            (capture, sent, Command::from_frame(frame).unwrap())
        })
        .collect()
}

#[test]
fn the_captured_configurations_have_every_line_of_their_servers() {
    let captured = captured::<GetNamesrvConfig>();
    assert_eq!(captured.len(), 2);
    for (capture, sent, answered) in captured {
        let request = GetNamesrvConfig::from_command(&sent).unwrap();
        assert_eq!((request, &request.to_command()), (GetNamesrvConfig, &sent));

        let text = String::from_utf8(answered.body.to_vec()).unwrap();
        let answer = Answer::from_response(answered).unwrap();
        let config = GetNamesrvConfig::from_answer(&answer).unwrap();
        let (count, port, black_list) = match &*capture.server {
            "rocketmq-4.9.7" => (20, "9886", None),
            "rocketmq-5.3.3" => (40, "9876", Some("configBlackList;configStorePath;kvConfigPath")),
            other => panic!("{other}"),
        };
        assert_eq!((config.len(), text.lines().count()), (count, count));
        let orders = captures::initial_state()[&capture.server].config.order_message_enable;
        for (key, value) in [
            ("listenPort", Some(port)),
            ("orderMessageEnable", Some(&*orders.to_string())),
            ("configBlackList", black_list),
            ("kvConfigPath", Some("/opt/rocketmq/namesrv/kvConfig.json")),
            ("ListenPort", None),
        ] {
            assert_eq!(config.get(key).map(|value| &**value), value, "{}: {key}", capture.id());
        }
        // The lines, put in order, are all that there is, and no value has anything for Java to take for something else.
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.sort_unstable_by_key(|line| line.split('=').next());
        assert_eq!(config.to_lines(), lines.concat().as_bytes());
        assert_eq!(config.to_properties(), config.to_lines());
        assert_eq!(NamesrvConfig::from_properties(&answer.body).as_ref(), Ok(&config));
        let written = GetNamesrvConfig::to_answer(&config, Dialect::Legacy);
        assert_eq!(GetNamesrvConfig::from_answer(&written).as_ref(), Ok(&config));
    }
}

#[test]
fn the_captured_changes_say_what_was_to_change_and_whether_it_did() {
    let captured = captured::<UpdateNamesrvConfig>();
    assert_eq!(captured.len(), 8);
    for (capture, sent, answered) in captured {
        let (key, value) = capture.request_body.split_once('=').unwrap();
        let expected = UpdateNamesrvConfig { config: NamesrvConfig::from_iter([(key, value)]) };
        let request = UpdateNamesrvConfig::from_command(&sent).unwrap();
        assert_eq!(request, expected, "{}", capture.id());
        // It ends its lines, the tool that made the captures did not.
        assert_eq!(request.to_command().body, format!("{}\n", capture.request_body).as_bytes());

        let remark = match (&*capture.name, &*capture.server) {
            ("config-update-forbidden", "rocketmq-4.9.7") => Some("Can not update config path"),
            ("config-update-forbidden", _) => Some("Can not update config in black list."),
            _ => None,
        };
        let expected = remark.map_or(Ok(()), |remark| Err(Refusal::new(ResponseCode::NO_PERMISSION, remark)));
        let answer = Answer::from_response(answered);
        let answer = answer.map(|answer| UpdateNamesrvConfig::from_answer(&answer).unwrap());
        assert_eq!(answer, expected, "{}", capture.id());
    }
}

#[test]
fn a_change_without_a_body_changes_nothing_and_one_that_cannot_be_read_says_where() {
    let command = |body| Command::request(UpdateNamesrvConfig::CODE, ExtFields::new(), body);
    assert_eq!(UpdateNamesrvConfig::from_command(&command("")), Ok(UpdateNamesrvConfig::default()));
    let error = UpdateNamesrvConfig::from_command(&command("a=1\nb=\\u00g0")).unwrap_err();
    assert_eq!((error.offset, error.reason), (6, Reason::BadEscape));
}

#[test]
fn lines_are_taken_as_they_are() {
    for (lines, expected) in [
        ("a=1\nb=2\n", &[("a", "1"), ("b", "2")][..]),
        ("a=1\nb=2", &[("a", "1"), ("b", "2")]),
        ("a=1\na=2\n", &[("a", "2")]),
        ("a = b=c:d \\u0041 #\n", &[("a ", " b=c:d \\u0041 #")]),
        ("=\n#a=\r\n", &[("", ""), ("#a", "\r")]),
        ("主=题\n", &[("主", "题")]),
        ("", &[]),
    ] {
        let expected = NamesrvConfig::from_iter(expected.iter().copied());
        assert_eq!(NamesrvConfig::from_lines(lines.as_bytes()), Ok(expected), "{lines:?}");
    }
}

#[test]
fn lines_that_are_none_are_refused_with_their_place() {
    for (lines, offset, reason) in [
        (&b"a=1\nb\nc=3\n"[..], 4, Reason::Expected("key=value")),
        (b"a=1\n\nc=3\n", 4, Reason::Expected("key=value")),
        (b"a=\xff\n", 2, Reason::NotUtf8),
    ] {
        let error = NamesrvConfig::from_lines(lines).unwrap_err();
        assert_eq!((error.offset, error.reason), (offset, reason), "{lines:?}");
    }
    let error = GetNamesrvConfig::from_answer(&Answer::default()).unwrap_err();
    assert_eq!(error.reason, Reason::Empty, "no server has no settings");
}

#[test]
fn a_configuration_is_an_object_for_serde() {
    let config = NamesrvConfig::from_iter([("b", "2"), ("a", "1")]);
    let json = serde_json::json!({"a": "1", "b": "2"});
    assert_eq!(serde_json::to_value(&config).unwrap(), json);
    assert_eq!(serde_json::from_value::<NamesrvConfig>(json).unwrap(), config);
}
