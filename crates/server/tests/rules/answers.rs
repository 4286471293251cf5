//! `docs/wire.md` §1.1, §1.6, §1.7 and §2.1: who gets an answer, and in which form.

use rocketmq_nameserver_protocol::code::{Language, Version};
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::SerializeType::{Json, RocketMq};
use rocketmq_nameserver_server::Personality;

use crate::world::{
    BOTH, Change, Envelope, World, answers, ask, both, broker, leave, lookup, matches, on, request, shows, v5,
};

/// Codes that are not a NameServer's: of brokers and controllers, of 5.0, of no one.
const NOT_HERE: [i32; 12] = [-1, 0, 10, 47, 107, 305, 316, 317, 905, 999, 1001, 32767];

#[tokio::test(start_paused = true)]
async fn an_unknown_code_is_refused_by_5x() {
    let mut world = World::new(Personality::V5);
    for code in NOT_HERE {
        let line = world.ask(request(code, &[])).await.line();
        assert_eq!(line, format!("3  request type {code} not supported"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_code_gets_silence_from_4x_and_the_connection_stays() {
    let mut world = World::new(Personality::V4);
    world.register(1, broker("a", 0)).await;
    for code in NOT_HERE.into_iter().chain([217, 901, 904]) {
        let fields = [("topic", "N"), ("brokerName", "a"), ("brokerAddr", "a-0"), ("clusterName", "c")];
        world.tell(1, request(code, &fields)).await;
        world.tell(1, request(code, &[])).await;
    }
    assert_eq!(world.shows().await, "c: a; a@c: 0=a-0; T1: a=6; T2: a=6");
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_the_form_of_its_request_on_4x_and_is_json_on_5x() {
    for (name, request, expected, is_exception) in [
        ("a success", request(206, &[]), r#"0 | {"topicList":[]}"#, false),
        ("a refusal", request(219, &[("namespace", "n")]), "22 No config item, Namespace: n", false),
        ("a refusal in words", request(100, &[]), "1 namespace or key is null", false),
        ("an exception", broker("a", 0).without("brokerId").into(), "1 …", true),
    ] {
        for personality in BOTH {
            for form in [Json, RocketMq] {
                let mut world = World::new(personality);
                let answer = world.ask_in(form, 0, request.clone()).await;
                assert!(matches(&answer.line(), expected), "{name}: {}", answer.line());
                let mirrored = personality == Personality::V4 && !is_exception;
                let due = if mirrored { form } else { Json };
                assert_eq!(answer.form, due, "{personality:?} {form:?}: {name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_change_its_form_with_every_request() {
    for personality in BOTH {
        let mut world = World::new(personality);
        for form in [Json, RocketMq, Json, RocketMq, RocketMq] {
            let registered = world.ask_in(form, 1, broker("a", 0)).await;
            assert_eq!(registered.code(), 0);
        }
        assert_eq!(world.shows().await, "c: a; a@c: 0=a-0; T1: a=6; T2: a=6", "{personality:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_names_its_request_and_its_server() {
    for (personality, version) in [(Personality::V4, 407), (Personality::V5, 479)] {
        for form in [Json, RocketMq] {
            for request in [request(106, &[]), lookup("none"), broker("a", 0).without("brokerId").into()] {
                // The world has compared the opaque.
                let header = World::new(personality).ask_in(form, 0, request).await.command.header;
                assert_eq!((header.version, header.flag), (Version(version), 1), "{personality:?}");
                assert!([Language::JAVA, Language::RUST].contains(&header.language));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_bits_for_response_and_oneway_mean_something() {
    for personality in BOTH {
        let mut world = World::new(personality);
        for (flag, answered) in [
            (0, true),
            (4, true),
            (1 << 30, true),
            (i32::MIN, true),
            (2, false),
            (6, false),
            (1, false),
            (3, false),
            (-1, false),
        ] {
            let mut query = request(206, &[]);
            query.header.flag = flag;
            if answered {
                assert_eq!(world.ask(query).await.command.header.flag, 1, "{personality:?} {flag}");
            } else {
                world.tell(0, query).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn oneway_requests_take_effect_and_responses_do_not() {
    for (flag, shown) in [(2, "c: a; a@c: 0=a-0; T1: a=6; T2: a=6"), (1, ""), (3, "")] {
        for personality in BOTH {
            let mut world = World::new(personality);
            let mut registration = broker("a", 0).version(479);
            registration.header.flag = flag;
            world.tell(1, registration).await;
            assert_eq!(world.shows().await, shown, "{personality:?} {flag}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_oneway_request_that_fails_is_not_answered_either() {
    for personality in BOTH {
        let mut world = World::new(personality);
        for request in [
            broker("a", 0).without("brokerId").oneway(),
            lookup("none").oneway(),
            request(999, &[]).oneway(),
            request(100, &[]).oneway(),
        ] {
            world.tell(1, request).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fields_and_bodies_that_nobody_asked_for_are_ignored() {
    let rows = || {
        let more = |command: Command| {
            command
                .field("ns", "x")
                .field("nsd", "true")
                .field("bname", "y")
                .field("oway", "z")
                .field("lo", "1")
        };
        vec![
            (
                "216",
                vec![on(1, broker("a", 0)), ask(more(request(216, &[("topic", "T1")])))],
                both("c: a; a@c: 0=a-0; T2: a=6"),
            ),
            ("104", vec![on(1, broker("a", 0)), ask(more(leave("a", 0)).body("{"))], both("")),
        ]
    };
    shows(rows).await;
    let rows = || {
        vec![
            (
                "106 with a body",
                vec![ask(request(106, &[]).body("{"))],
                both(r#"0 | {"brokerAddrTable":{},"clusterAddrTable":{}}"#),
            ),
            (
                "904 with a body",
                vec![ask(request(904, &[("clusterName", "c"), ("brokerAddr", "x")]).body("{"))],
                v5("0"),
            ),
        ]
    };
    answers(rows).await;
}
