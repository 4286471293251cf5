//! `docs/wire.md` §2.4, steps 12 and 13: filter servers, and what a broker is told.

use crate::world::{
    Change, Envelope, answers, ask, both, broker, close, leave, lookup, on, request, routes, set, v5,
};

#[tokio::test(start_paused = true)]
async fn filter_servers_are_replaced_or_removed_but_null_leaves_them() {
    let rows = || {
        let first = || on(1, broker("a", 0).filters(Some(r#"["f","g"]"#)));
        let then = |list| vec![first(), on(1, broker("a", 0).filters(list)), ask(lookup("T1"))];
        vec![
            ("set", vec![first(), ask(lookup("T1"))], both("a=6; a@c: 0=a-0; filters a-0: f g")),
            ("another list", then(Some(r#"["h"]"#)), both("a=6; a@c: 0=a-0; filters a-0: h")),
            ("an empty list", then(Some("[]")), both("a=6; a@c: 0=a-0")),
            ("no such key", then(None), both("a=6; a@c: 0=a-0")),
            ("null", then(Some("null")), both("a=6; a@c: 0=a-0; filters a-0: f g")),
            (
                "no body",
                vec![first(), on(1, broker("a", 0).body("")), ask(lookup("T1"))],
                both("a=6; a@c: 0=a-0"),
            ),
            (
                "they go with the broker",
                vec![
                    first(),
                    ask(leave("a", 0)),
                    on(1, broker("a", 0).filters(Some("null"))),
                    ask(lookup("T1")),
                ],
                both("a=6; a@c: 0=a-0"),
            ),
            (
                "and with its connection",
                vec![first(), close(1), on(2, broker("a", 0).filters(Some("null"))), ask(lookup("T1"))],
                both("a=6; a@c: 0=a-0"),
            ),
            (
                "each member has its own, slaves too",
                vec![first(), on(2, broker("a", 1).filters(Some(r#"["h"]"#))), ask(lookup("T1"))],
                both("a=6; a@c: 0=a-0 1=a-1; filters a-0: f g; filters a-1: h"),
            ),
            (
                "they belong to an address, on 5.x in a cluster",
                vec![
                    on(1, broker("a", 0)),
                    on(1, broker("a", 0).cluster("d").filters(Some(r#"["h"]"#))),
                    ask(lookup("T1")),
                ],
                ["a=6; a@c: 0=a-0; filters a-0: h", "a=6; a@c: 0=a-0"],
            ),
        ]
    };
    routes(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_slave_is_told_its_master_if_that_is_live() {
    let rows = || {
        let told = "0 {haServerAddr=ha-a-0,masterAddr=a-0}";
        let master = || on(1, broker("a", 0));
        let slave = || on(2, broker("a", 1));
        vec![
            ("a master", vec![master(), master()], both("0 {}")),
            ("a slave", vec![master(), slave()], both(told)),
            ("a slave without a master", vec![slave()], both("0 {}")),
            ("a slave whose master has gone", vec![master(), close(1), slave()], both("0 {}")),
            (
                "a slave whose master is not live: a 104 with a wrong name took the live entry",
                vec![master(), ask(leave("x", 0).field("brokerAddr", "a-0")), slave()],
                both("0 {}"),
            ),
            (
                "a slave of another cluster: on 5.x nobody is live there",
                vec![master(), on(2, broker("a", 1).cluster("d"))],
                [told, "0 {}"],
            ),
            ("a slave of another group", vec![master(), on(2, broker("b", 1))], both("0 {}")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_slave_is_not_told_what_its_master_did_not_say() {
    let rows = || {
        vec![(
            "a master without haServerAddr",
            vec![on(1, broker("a", 0).without("haServerAddr")), on(2, broker("a", 1))],
            both("0 {masterAddr=a-0}"),
        )]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn the_order_configurations_come_with_the_answer() {
    let rows = || {
        let put = || {
            let fields = [("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T1"), ("value", "a:8")];
            ask(request(100, &fields))
        };
        let delete = || ask(request(102, &[("namespace", "ORDER_TOPIC_CONFIG"), ("key", "T1")]));
        let master = || on(1, broker("a", 0));
        vec![
            ("the namespace exists", vec![put(), master()], both(r#"0 {} | {"table":{"T1":"a:8"}}"#)),
            ("it is empty", vec![put(), delete(), master()], both(r#"0 {} | {"table":{}}"#)),
            (
                "a slave, too",
                vec![put(), master(), on(2, broker("a", 1))],
                both(r#"0 {haServerAddr=ha-a-0,masterAddr=a-0} | {"table":{"T1":"a:8"}}"#),
            ),
            (
                "switched off, which 4.x cannot",
                vec![put(), set("returnOrderTopicConfigToBroker=false"), master()],
                [r#"0 {} | {"table":{"T1":"a:8"}}"#, "0 {}"],
            ),
            (
                "a refusal has none",
                vec![put(), on(1, broker("a", 0).topics("T1"))],
                v5("1 {} register broker failed"),
            ),
        ]
    };
    answers(rows).await;
}
