//! `docs/wire.md` §2.3: lists of clusters, brokers and topics: 106, 206, 224, 304 and 311 to 313.
//!
//! Sets come in any order from a Java server; this one sorts them.

use crate::world::{Change, Envelope, Step, answers, ask, both, broker, on, request, set, v5};

const LISTS: [i32; 4] = [224, 311, 312, 313];

fn two_clusters() -> Vec<Step> {
    vec![on(1, broker("a", 0)), on(2, broker("a", 1)), on(3, broker("b", 0).cluster("d").topics("T2 T3"))]
}

fn then(code: i32, fields: &[(&str, &str)]) -> Vec<Step> {
    let mut steps = two_clusters();
    steps.push(ask(request(code, fields)));
    steps
}

#[tokio::test(start_paused = true)]
async fn clusters_are_always_written_in_the_legacy_dialect() {
    let rows = || {
        let steps = |version: i32, standard: &str| {
            let query = request(106, &[("acceptStandardJsonOnly", standard)]);
            vec![on(1, broker("a", 0)), on(2, broker("a", 10).at("h/1")), ask(query.version(version))]
        };
        let expected = [
            r#"0 | {"brokerAddrTable":{"a":{"brokerAddrs":{0:"a-0",10:"h/1"},"brokerName":"a","cluster":"c"}},"clusterAddrTable":{"c":["a"]}}"#,
            r#"0 | {"brokerAddrTable":{"a":{"brokerAddrs":{0:"a-0",10:"h/1"},"brokerName":"a","cluster":"c","enableActingMaster":false}},"clusterAddrTable":{"c":["a"]}}"#,
        ];
        vec![
            ("an old client", steps(1, "false"), expected),
            ("a new one", steps(479, "true"), expected),
            ("one without a version", steps(-1, "true"), expected),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_server_has_empty_lists() {
    let rows = || {
        let lists = [206, 224, 304, 311, 312, 313];
        let mut rows: Vec<_> = lists
            .map(|code| {
                ("a list", vec![ask(request(code, &[("cluster", "c")]))], both(r#"0 | {"topicList":[]}"#))
            })
            .into();
        let clusters = r#"0 | {"brokerAddrTable":{},"clusterAddrTable":{}}"#;
        rows.push(("106", vec![ask(request(106, &[]))], both(clusters)));
        rows
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_ghost_has_no_addresses() {
    let rows = || {
        let ghost = || on(1, broker("a", 0).topics("T1"));
        let clusters = r#"0 | {"brokerAddrTable":{"a":{"brokerAddrs":{},"brokerName":"a","cluster":"c","enableActingMaster":false}},"clusterAddrTable":{"c":["a"]}}"#;
        vec![
            ("106", vec![ghost(), ask(request(106, &[]))], v5(clusters)),
            ("304", vec![ghost(), ask(request(304, &[]))], v5(r#"0 | {"topicList":["a","c"]}"#)),
            ("206", vec![ghost(), ask(request(206, &[]))], v5(r#"0 | {"topicList":[]}"#)),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn topics_are_listed_for_all_and_by_cluster() {
    let rows = || {
        vec![
            ("all", then(206, &[]), both(r#"0 | {"topicList":["T1","T2","T3"]}"#)),
            ("of c", then(224, &[("cluster", "c")]), both(r#"0 | {"topicList":["T1","T2"]}"#)),
            ("of d", then(224, &[("cluster", "d")]), both(r#"0 | {"topicList":["T2","T3"]}"#)),
            ("of an unknown cluster", then(224, &[("cluster", "x")]), both(r#"0 | {"topicList":[]}"#)),
            ("of a broker", then(224, &[("cluster", "a")]), both(r#"0 | {"topicList":[]}"#)),
            ("of no cluster", then(224, &[]), both(r#"0 | {"topicList":[]}"#)),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn system_topics_are_the_names_of_clusters_and_brokers() {
    let rows = || {
        vec![
            (
                "with the address of a broker",
                then(304, &[]),
                both(r#"0 | {"brokerAddr":"a-0","topicList":["a","b","c","d"]}"#),
            ),
            (
                "which is a slave's, if there is nobody else",
                vec![on(1, broker("a", 3)), ask(request(304, &[]))],
                both(r#"0 | {"brokerAddr":"a-3","topicList":["a","c"]}"#),
            ),
            (
                "of the first broker that has one",
                vec![
                    on(1, broker("a", 0).without("brokerAddr").topics("")),
                    on(2, broker("b", 0)),
                    ask(request(304, &[])),
                ],
                both(r#"0 | {"brokerAddr":"b-0","topicList":["a","b","c"]}"#),
            ),
            (
                "without an address if nobody has one",
                vec![on(1, broker("a", 0).without("brokerAddr").topics("")), ask(request(304, &[]))],
                both(r#"0 | {"topicList":["a","c"]}"#),
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn unit_topics_go_by_the_bits_of_their_flag() {
    let rows = || {
        let flagged = |flag: i32| format!(r#"{{"topicName":"F{flag}","topicSysFlag":{flag}}}"#);
        let list = |code| {
            let mut all = broker("a", 0);
            for flag in 0..8 {
                all = all.topic(&format!("F{flag}"), &flagged(flag));
            }
            vec![on(1, all), ask(request(code, &[]))]
        };
        vec![
            ("311: bit 1", list(311), both(r#"0 | {"topicList":["F1","F3","F5","F7"]}"#)),
            ("312: bit 2", list(312), both(r#"0 | {"topicList":["F2","F3","F6","F7"]}"#)),
            ("313: bit 2 and not bit 1", list(313), both(r#"0 | {"topicList":["F2","F6"]}"#)),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn lists_can_be_disabled_on_5x_at_once() {
    let rows = || {
        let lists = |setting: &'static str, code: i32| {
            let mut steps = two_clusters();
            steps.push(set(setting));
            steps.push(ask(request(code, &[("cluster", "x")])));
            steps
        };
        let mut rows = Vec::new();
        for code in LISTS {
            let empty = r#"0 | {"topicList":[]}"#;
            rows.push(("topic lists", lists("enableTopicList=false", code), [empty, "1 disable"]));
            rows.push(("and again", lists("enableTopicList=TRUE", code), both(empty)));
            rows.push(("what is not true is false", lists("enableTopicList=yes", code), v5("1 disable")));
            rows.push(("not by the other switch", lists("enableAllTopicList=false", code), both(empty)));
        }
        let all = r#"0 | {"topicList":["T1","T2","T3"]}"#;
        let system = r#"0 | {"brokerAddr":"a-0","topicList":["a","b","c","d"]}"#;
        rows.push(("all topics", lists("enableAllTopicList=false", 206), [all, "1 disable"]));
        rows.push(("not by the other switch", lists("enableTopicList=false", 206), both(all)));
        rows.push(("304 never", lists("enableTopicList=false", 304), both(system)));
        rows.push(("304 never", lists("enableAllTopicList=false", 304), both(system)));
        rows
    };
    answers(rows).await;
}
