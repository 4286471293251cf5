//! `docs/wire.md` §2.5: the members of a group, 901, and one topic from a broker, 217. Only 5.x knows them.

use rocketmq_nameserver_protocol::command::Command;

use crate::world::{Envelope, Step, answers, ask, broker, on, request, set, shows, v5};

fn members(fields: &[(&str, &str)]) -> Vec<Step> {
    vec![on(1, broker("a", 0)), on(2, broker("a", 1)), ask(request(901, fields))]
}

/// 217 with queues on those brokers.
fn announce(topic: &str, queues: &[&str]) -> Command {
    let queue = |name: &&str| {
        format!(r#"{{"brokerName":"{name}","perm":4,"readQueueNums":3,"topicSysFlag":1,"writeQueueNums":5}}"#)
    };
    let queues: Vec<String> = queues.iter().map(queue).collect();
    request(217, &[("topic", topic)]).body(&format!(r#"{{"queueDatas":[{}]}}"#, queues.join(",")))
}

#[tokio::test(start_paused = true)]
async fn a_group_is_found_by_its_name_and_the_cluster_is_only_echoed() {
    let rows = || {
        let group = |fields| members(fields);
        vec![
            (
                "a group",
                group(&[("clusterName", "c"), ("brokerName", "a")]),
                v5(
                    r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{0:"a-0",1:"a-1"},"brokerName":"a","cluster":"c"}}"#,
                ),
            ),
            (
                "another cluster",
                group(&[("clusterName", "x"), ("brokerName", "a")]),
                v5(
                    r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{0:"a-0",1:"a-1"},"brokerName":"a","cluster":"x"}}"#,
                ),
            ),
            (
                "an unknown group",
                group(&[("clusterName", "c"), ("brokerName", "x")]),
                v5(
                    r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{},"brokerName":"x","cluster":"c"}}"#,
                ),
            ),
            (
                "no cluster",
                group(&[("brokerName", "a")]),
                v5(
                    r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{0:"a-0",1:"a-1"},"brokerName":"a"}}"#,
                ),
            ),
            (
                "no name",
                group(&[("clusterName", "c")]),
                v5(r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{},"cluster":"c"}}"#),
            ),
            (
                "neither",
                group(&[]),
                v5(r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{}}}"#),
            ),
        ]
    };
    answers(rows).await;
}

/// Java echoes it (`docs/conformance.md`).
#[tokio::test(start_paused = true)]
async fn an_empty_name_is_as_good_as_none() {
    let rows = || {
        vec![(
            "empty, not missing",
            members(&[("clusterName", ""), ("brokerName", "")]),
            v5(r#"0 not set any response code | {"brokerMemberGroup":{"brokerAddrs":{}}}"#),
        )]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_stored_on_brokers_that_are_registered_up_to_the_first_that_is_not() {
    let rows = || {
        let after = |request: Command| {
            vec![on(1, broker("a", 0)), on(2, broker("b", 0).topics("T2 T3")), ask(request)]
        };
        let start = "c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6; T2: a=6 b=6; T3: b=6";
        vec![
            (
                "a new topic",
                after(announce("N", &["a"])),
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; N: a=4x3/5!1; T1: a=6; T2: a=6 b=6; T3: b=6"),
            ),
            (
                "on two brokers",
                after(announce("N", &["a", "b"])),
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; N: a=4x3/5!1 b=4x3/5!1; T1: a=6; T2: a=6 b=6; T3: b=6"),
            ),
            (
                "a known topic is rewritten",
                after(announce("T2", &["a"])),
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6; T2: a=4x3/5!1 b=6; T3: b=6"),
            ),
            (
                "a known topic on another broker",
                after(announce("T1", &["b"])),
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6 b=4x3/5!1; T2: a=6 b=6; T3: b=6"),
            ),
            ("an unknown broker", after(announce("N", &["x"])), v5(start)),
            ("a new topic with an unknown broker behind", after(announce("N", &["a", "x"])), v5(start)),
            (
                "a known topic with an unknown broker between",
                after(announce("T2", &["a", "x", "b"])),
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6; T2: a=4x3/5!1 b=6; T3: b=6"),
            ),
            ("no queues", after(announce("N", &[])), v5(start)),
            ("no body", after(request(217, &[("topic", "N")])), v5(start)),
            ("null", after(request(217, &[("topic", "N")]).body("null")), v5(start)),
            ("not JSON", after(request(217, &[("topic", "N")]).body("{")), v5(start)),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn announcing_a_topic_fails_only_for_a_body_that_is_not_json() {
    let rows = || {
        let after = |request: Command| vec![on(1, broker("a", 0)), ask(request)];
        let bare = || request(217, &[("topic", "N")]);
        vec![
            ("stored", after(announce("N", &["a"])), v5("0")),
            ("an unknown broker", after(announce("N", &["x"])), v5("0")),
            ("no body", after(bare()), v5("0")),
            ("null", after(bare().body("null")), v5("0")),
            ("an empty object", after(bare().body("{}")), v5("0")),
            ("only other parts of a route", after(bare().body(r#"{"brokerDatas":[]}"#)), v5("0")),
            ("not JSON", after(bare().body("{")), v5("1 …")),
            ("not JSON at all", after(bare().body("queues")), v5("1 …")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_announced_topic_survives_registrations_that_do_not_have_it() {
    let rows = || {
        let steps = |setting| {
            vec![
                set(setting),
                on(1, broker("a", 0)),
                ask(announce("N", &["a"])),
                on(1, broker("a", 0).counter(2)),
            ]
        };
        vec![
            (
                "it stays",
                steps("deleteTopicWithBrokerRegistration=false"),
                v5("c: a; a@c: 0=a-0; N: a=4x3/5!1; T1: a=6; T2: a=6"),
            ),
            (
                "unless missing topics are deleted",
                steps("deleteTopicWithBrokerRegistration=true"),
                v5("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;
}
