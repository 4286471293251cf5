//! `docs/wire.md` §2.2: where a topic is, 105.

use std::time::Duration;

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_server::Personality;

use crate::world::{
    BOTH, Change, Envelope, World, answers, ask, both, broker, builder, leave, lookup, on, request, routes,
    set, shows, v5,
};

const ACTING: &str = "supportActingMaster=true";
const V4_URL: &str = "http://rocketmq.apache.org/docs/faq/";
const V5_URL: &str = "https://rocketmq.apache.org/docs/bestPractice/06FAQ";

fn not_found(topic: &str, personality: Personality) -> String {
    let url = if personality == Personality::V4 { V4_URL } else { V5_URL };
    format!("17 No topic route info in name server for the topic: {topic}\nSee {url} for further details.")
}

#[tokio::test(start_paused = true)]
async fn an_unknown_topic_is_named_in_the_words_of_each_generation() {
    for personality in BOTH {
        let mut world = World::new(personality);
        for (query, form, topic) in [
            (lookup("T1"), SerializeType::Json, "T1"),
            (lookup(""), SerializeType::Json, ""),
            (lookup(" T1"), SerializeType::Json, " T1"),
            (request(105, &[]), SerializeType::Json, "null"),
            (lookup("T1"), SerializeType::RocketMq, "T1"),
            (request(105, &[]), SerializeType::RocketMq, "null"),
            // An empty text in the binary form is none.
            (lookup(""), SerializeType::RocketMq, "null"),
        ] {
            let answer = world.ask_in(form, 0, query).await;
            assert_eq!(answer.line(), not_found(topic, personality), "{personality:?} {form:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_not_found_where_names_differ_or_its_brokers_are_gone() {
    for personality in BOTH {
        let mut world = World::new(personality);
        world.register(1, broker("a", 0)).await;
        for topic in ["t1", "T1 ", "T", "a", "c"] {
            assert_eq!(world.route(topic).await, not_found(topic, personality));
        }
        assert_eq!(world.route("T1").await, "a=6; a@c: 0=a-0");
        world.close(1).await;
        assert_eq!(world.route("T1").await, not_found("T1", personality));
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_is_written_in_the_dialect_of_the_request() {
    let rows = || {
        let query = |version: i32, standard: Option<&str>| {
            let mut query = lookup("T1");
            if let Some(standard) = standard {
                query = query.field("acceptStandardJsonOnly", standard);
            }
            vec![on(1, broker("a", 0).at("h/1")), ask(query.version(version))]
        };
        let legacy = [
            r#"0 | {"brokerDatas":[{"brokerAddrs":{0:"h/1"},"brokerName":"a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#,
            r#"0 | {"brokerDatas":[{"brokerAddrs":{0:"h/1"},"brokerName":"a","cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#,
        ];
        let standard = [
            r#"0 | {"brokerDatas":[{"brokerAddrs":{"0":"h\/1"},"brokerName":"a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#,
            r#"0 | {"brokerDatas":[{"brokerAddrs":{"0":"h\/1"},"brokerName":"a","cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#,
        ];
        vec![
            ("version -1", query(-1, None), legacy),
            ("version 0", query(0, None), legacy),
            ("version 400", query(400, None), legacy),
            ("version 401", query(401, None), standard),
            ("version 479", query(479, None), standard),
            ("beyond all versions", query(i32::MAX, None), standard),
            ("an old client that accepts it", query(1, Some("true")), standard),
            ("in any case", query(1, Some("TRUE")), standard),
            ("an old client that does not", query(1, Some("false")), legacy),
            ("1 is not true", query(1, Some("1")), legacy),
            ("nor is a blank before it", query(1, Some(" true")), legacy),
            ("a new client cannot say no", query(479, Some("false")), standard),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_route_has_the_groups_of_the_topic_their_members_and_their_queues() {
    let rows = || {
        vec![
            (
                "a group of two",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1)), ask(lookup("T1"))],
                both("a=6; a@c: 0=a-0 1=a-1"),
            ),
            (
                "two groups in two clusters",
                vec![
                    on(1, broker("a", 0)),
                    on(2, broker("b", 0).cluster("d").perm(4).topics("T1 T3")),
                    ask(lookup("T1")),
                ],
                both("a=6; a@c: 0=a-0; b=4; b@d: 0=b-0"),
            ),
            (
                "only slaves are left",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1)), ask(leave("a", 0)), ask(lookup("T1"))],
                both("a=6; a@c: 1=a-1"),
            ),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn the_order_configuration_is_shown_if_it_is_enabled_and_there() {
    let rows = || {
        let master = || on(1, broker("a", 0));
        let put =
            || ask(request(100, &[("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T1"), ("value", "a:8")]));
        let enable = || set("orderMessageEnable=true");
        let plain = "a=6; a@c: 0=a-0";
        let ordered = "a=6; a@c: 0=a-0; order a:8";
        vec![
            ("not enabled", vec![master(), put(), ask(lookup("T1"))], both(plain)),
            ("enabled", vec![master(), put(), enable(), ask(lookup("T1"))], both(ordered)),
            ("enabled and not there", vec![master(), enable(), ask(lookup("T1"))], both(plain)),
            ("there for another topic", vec![master(), put(), enable(), ask(lookup("T2"))], both(plain)),
            (
                "not enabled any more",
                vec![master(), put(), enable(), set("orderMessageEnable=false"), ask(lookup("T1"))],
                both(plain),
            ),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn the_smallest_slave_is_shown_as_master_if_both_sides_want_it_and_nobody_may_write() {
    let rows = || {
        let slave = |id| on(u32::try_from(id).unwrap(), broker("a", id).acting(true));
        let look = || ask(lookup("T1"));
        let sync = "rmq_sys_SYNC_BROKER_MEMBER_a";
        vec![
            ("wanted", vec![set(ACTING), slave(1), look()], v5("a=4; a@c: 0=a-1 acting")),
            ("wanted later", vec![slave(1), set(ACTING), look()], v5("a=4; a@c: 0=a-1 acting")),
            ("not by the server", vec![slave(1), look()], v5("a=4; a@c: 1=a-1 acting")),
            (
                "not by the group",
                vec![set(ACTING), on(1, broker("a", 1).acting(false).perm(4)), look()],
                v5("a=4; a@c: 1=a-1"),
            ),
            (
                "not by the group's last registration",
                vec![set(ACTING), slave(1), on(2, broker("a", 2)), look()],
                v5("a=4; a@c: 1=a-1 2=a-2"),
            ),
            (
                "the smallest of several",
                vec![set(ACTING), slave(2), slave(3), look()],
                v5("a=4; a@c: 0=a-2 3=a-3 acting"),
            ),
            (
                "an id below 0 is the smallest",
                vec![set(ACTING), slave(1), on(9, broker("a", -1).acting(true)), look()],
                v5("a=4; a@c: 0=a--1 1=a-1 acting"),
            ),
            (
                "there is a master",
                vec![set(ACTING), on(1, broker("a", 0).acting(true).perm(4)), slave(2), look()],
                v5("a=4; a@c: 0=a-0 2=a-2 acting"),
            ),
            (
                "the master has gone",
                vec![set(ACTING), on(9, broker("a", 0).acting(true)), slave(2), ask(leave("a", 0)), look()],
                v5("a=4; a@c: 0=a-2 acting"),
            ),
            (
                "the queue may be written to",
                vec![set(ACTING), slave(1), ask(request(327, &[("brokerName", "a")])), look()],
                v5("a=6; a@c: 1=a-1 acting"),
            ),
            (
                "the topic by which members find each other",
                vec![
                    set(ACTING),
                    on(1, broker("a", 1).acting(true).topics(&format!("T1 {sync}"))),
                    ask(lookup(sync)),
                ],
                v5("a=4; a@c: 1=a-1 acting"),
            ),
            (
                "4.x cannot want it",
                vec![set(ACTING), on(9, broker("a", 0).perm(4)), slave(1), ask(leave("a", 0)), look()],
                ["a=4; a@c: 1=a-1", "a=4; a@c: 0=a-1 acting"],
            ),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_acting_master_keeps_its_id_in_106_and_901() {
    let steps = || vec![set(ACTING), on(1, broker("a", 1).acting(true)), ask(lookup("T1"))];
    let rows = || vec![("106", steps(), v5("c: a; a@c: 1=a-1 acting; T1: a=4; T2: a=4"))];
    shows(rows).await;
    let rows = || {
        let mut steps = steps();
        steps.push(ask(request(901, &[("clusterName", "c"), ("brokerName", "a")])));
        let group = r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{1:"a-1"},"brokerName":"a","cluster":"c"}}"#;
        vec![("901", steps, v5(group))]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_5x_server_may_wait_before_it_answers_105() {
    for (wait, seconds) in [(None, 45), (Some("10"), 10), (Some("0"), 0)] {
        let mut builder = builder(Personality::V5).setting("needWaitForService", "true");
        if let Some(wait) = wait {
            builder = builder.setting("waitSecondsForService", wait);
        }
        let mut world = World::of(builder);
        world.register(1, broker("a", 0)).await;
        if seconds > 0 {
            assert_eq!(world.route("T1").await, "1 name server not ready");
            world.advance(Duration::from_millis(seconds * 1000 - 1)).await;
            assert_eq!(world.route("T1").await, "1 name server not ready");
            assert_eq!(world.ask(request(106, &[])).await.code(), 0);
            assert_eq!(world.ask(request(206, &[])).await.code(), 0);
            world.advance(Duration::from_millis(1)).await;
        }
        assert_eq!(world.route("T1").await, "a=6; a@c: 0=a-0", "{wait:?}");
    }
}
