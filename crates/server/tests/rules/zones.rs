//! `docs/wire.md` §4.9: a client that wants brokers of its zone only.

use rocketmq_nameserver_protocol::command::Command;

use crate::world::{
    Change, Envelope, Step, answers, ask, both, broker, lookup, on, request, routes, set, shows, v5,
};

fn in_zone(zone: &str) -> Command {
    lookup("T1").field("__ZONE_MODE", "true").field("__ZONE_NAME", zone)
}

/// Groups `a` of zone `z`, `b` of zone `y`, `d` of no zone, each with a filter server; the slave of `e` has zone `y`.
fn four_groups() -> Vec<Step> {
    let filtered = |name: &str, id| broker(name, id).filters(Some(r#"["f"]"#));
    vec![
        on(1, filtered("a", 0).zone("z")),
        on(2, filtered("b", 0).zone("y")),
        on(3, filtered("d", 0)),
        on(4, filtered("e", 1).acting(false).zone("y")),
    ]
}

const ALL: &str = "a=6; a@c: 0=a-0 zone z; b=6; b@c: 0=b-0 zone y; d=6; d@c: 0=d-0; e=6; e@c: 1=e-1 zone y; \
    filters a-0: f; filters b-0: f; filters d-0: f; filters e-1: f";
const IN_Z: &str = "a=6; a@c: 0=a-0 zone z; e=6; e@c: 1=e-1 zone y; filters a-0: f; filters e-1: f";

#[tokio::test(start_paused = true)]
async fn groups_of_other_zones_go_with_their_queues_and_filter_servers_if_they_have_a_master() {
    let rows = || {
        let query = |query: Command| {
            let mut steps = four_groups();
            steps.push(ask(query));
            steps
        };
        let mode = |mode: &str| query(in_zone("z").field("__ZONE_MODE", mode));
        vec![
            ("no zone", query(lookup("T1")), v5(ALL)),
            ("zone z", query(in_zone("z")), v5(IN_Z)),
            ("in any case", query(in_zone("Z")), v5(IN_Z)),
            ("an unknown zone", query(in_zone("x")), v5("e=6; e@c: 1=e-1 zone y; filters e-1: f")),
            ("mode TRUE", mode("TRUE"), v5(IN_Z)),
            ("mode false", mode("false"), v5(ALL)),
            ("mode yes", mode("yes"), v5(ALL)),
            ("an empty mode", mode(""), v5(ALL)),
            ("a blank before it", mode(" true"), v5(ALL)),
            ("no mode", query(in_zone("z").without("__ZONE_MODE")), v5(ALL)),
            ("no name", query(in_zone("z").without("__ZONE_NAME")), v5(ALL)),
            ("an empty name", query(in_zone("")), v5(ALL)),
            ("a blank name", query(in_zone(" \t")), v5(ALL)),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_may_be_left_and_that_is_a_success() {
    let rows = || {
        let steps = |zone| vec![on(1, broker("a", 0)), ask(in_zone(zone))];
        let empty = r#"0 | {"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#;
        vec![("no group is in it", steps("z"), v5(empty))]
    };
    answers(rows).await;
    let rows = || {
        let unknown = vec![on(1, broker("a", 0)), ask(in_zone("z").field("topic", "T9"))];
        let text = "17 No topic route info in name server for the topic: T9\nSee \
            https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";
        vec![("an unknown topic is still not found", unknown, v5(text))]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_written_in_the_legacy_dialect() {
    let rows = || {
        let query = |query: Command| {
            vec![
                on(1, broker("a", 0).zone("z").at("h/1")),
                ask(query.field("acceptStandardJsonOnly", "true").version(479)),
            ]
        };
        let legacy = r#"0 | {"brokerDatas":[{"brokerAddrs":{0:"h/1"},"brokerName":"a","cluster":"c","enableActingMaster":false,"zoneName":"z"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#;
        let standard = r#"0 | {"brokerDatas":[{"brokerAddrs":{"0":"h\/1"},"brokerName":"a","cluster":"c","enableActingMaster":false,"zoneName":"z"}],"filterServerTable":{},"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#;
        vec![
            ("with a zone", query(in_zone("z")), v5(legacy)),
            ("without one", query(lookup("T1")), v5(standard)),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_acting_master_is_a_master_and_static_topics_stay() {
    let rows = || {
        let slave = || on(1, broker("a", 1).acting(true).zone("y"));
        vec![
            (
                "a slave that acts as the master is filtered",
                vec![set("supportActingMaster=true"), slave(), ask(in_zone("z"))],
                v5(""),
            ),
            (
                "a slave that does not is not",
                vec![slave(), ask(in_zone("z"))],
                v5("a=4; a@c: 1=a-1 acting zone y"),
            ),
            (
                "the shares of a static topic are not filtered",
                vec![on(1, broker("a", 0).zone("y").mapping("T1", "a", 7)), ask(in_zone("z"))],
                v5("mapped a: 7"),
            ),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_slave_without_a_zone_clears_that_of_its_master() {
    let rows = || {
        let steps = vec![on(1, broker("a", 0).zone("z")), on(2, broker("a", 1)), ask(in_zone("z"))];
        vec![("the master is in no zone any more", steps, v5(""))]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_4x_server_does_not_know_zones() {
    let rows = || {
        let steps = vec![on(1, broker("a", 0).zone("z")), on(2, broker("b", 0)), ask(in_zone("z"))];
        vec![(
            "nothing is filtered, and nothing shown",
            steps,
            ["a=6; a@c: 0=a-0; b=6; b@c: 0=b-0", "a=6; a@c: 0=a-0 zone z"],
        )]
    };
    routes(rows).await;
    let rows = || {
        let cluster = request(106, &[("__ZONE_MODE", "true"), ("__ZONE_NAME", "z")]);
        let steps = vec![on(1, broker("a", 0)), ask(cluster)];
        vec![("only routes are filtered", steps, both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"))]
    };
    shows(rows).await;
}
