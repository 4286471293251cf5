//! `docs/wire.md` §2.4, steps 1 to 8: who is in which group.

use crate::world::{
    Change, answers, ask, both, broker, close, leave, lookup, on, request, shows, tell, v5, version_query,
    wait,
};

/// The data version that brokers here register with.
const V1: &str = r#"{"counter":1,"stateVersion":0,"timestamp":0}"#;

#[tokio::test(start_paused = true)]
async fn a_group_goes_by_its_name_and_keeps_its_first_cluster() {
    let rows = || {
        vec![
            ("one broker", vec![on(1, broker("a", 0))], both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6")),
            (
                "two of one group",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1))],
                both("c: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "two groups",
                vec![on(1, broker("a", 0)), on(2, broker("b", 0).topics("T2 T3"))],
                both("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6; T2: a=6 b=6; T3: b=6"),
            ),
            (
                "a name that comes with another cluster is in the lists of both",
                vec![on(1, broker("a", 0)), on(1, broker("a", 0).cluster("d"))],
                both("c: a; d: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "another member brings another cluster",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1).cluster("d"))],
                both("c: a; d: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "an id moves to another address",
                vec![on(1, broker("a", 0)), on(2, broker("a", 0).at("n"))],
                both("c: a; a@c: 0=n; T1: a=6; T2: a=6"),
            ),
            (
                "a oneway registration takes effect",
                vec![tell(1, broker("a", 0).oneway())],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "ids may be below 0",
                vec![on(1, broker("a", 0)), on(2, broker("a", -1))],
                both("c: a; a@c: -1=a--1 0=a-0; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn acting_master_and_zone_are_those_of_the_last_registration() {
    let rows = || {
        let acting = || on(1, broker("a", 0).acting(true).zone("z"));
        vec![
            (
                "both set, which 4.x does not know",
                vec![acting()],
                ["c: a; a@c: 0=a-0; T1: a=6; T2: a=6", "c: a; a@c: 0=a-0 acting zone z; T1: a=6; T2: a=6"],
            ),
            (
                "absent is false and no zone",
                vec![acting(), on(1, broker("a", 0))],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "false, and another zone",
                vec![acting(), on(1, broker("a", 0).acting(false).zone("y"))],
                v5("c: a; a@c: 0=a-0 zone y; T1: a=6; T2: a=6"),
            ),
            (
                "a member without them clears them for its group",
                vec![acting(), on(2, broker("a", 1))],
                v5("c: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "what is not true is false",
                vec![on(1, broker("a", 0).field("enableActingMaster", "1"))],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "true is true in any case",
                vec![on(1, broker("a", 0).field("enableActingMaster", "TRUE"))],
                v5("c: a; a@c: 0=a-0 acting; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_address_has_one_role() {
    let rows = || {
        vec![
            (
                "the master becomes a slave",
                vec![on(1, broker("a", 0)), on(1, broker("a", 1).at("a-0"))],
                both("c: a; a@c: 1=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "a slave becomes the master, and its topics are taken although their version is known",
                vec![on(1, broker("a", 1)), on(1, broker("a", 0).at("a-1"))],
                both("c: a; a@c: 0=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "a slave takes the place of the master",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1)), on(2, broker("a", 0).at("a-1"))],
                both("c: a; a@c: 0=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "an address has one role in each group",
                vec![on(1, broker("a", 0).at("x")), on(1, broker("b", 1).at("x"))],
                both("c: a b; a@c: 0=x; b@c: 1=x; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_stays_with_a_live_holder_of_a_larger_state_version() {
    let rows = || {
        let holder = |state| on(1, broker("a", 0).at("h").state(state));
        let newcomer = || on(2, broker("a", 0).at("n").state(2));
        vec![
            (
                "larger",
                vec![holder(3), newcomer()],
                ["c: a; a@c: 0=n; T1: a=6; T2: a=6", "c: a; a@c: 0=h; T1: a=6; T2: a=6"],
            ),
            ("equal", vec![holder(2), newcomer()], both("c: a; a@c: 0=n; T1: a=6; T2: a=6")),
            ("smaller", vec![holder(1), newcomer()], both("c: a; a@c: 0=n; T1: a=6; T2: a=6")),
            (
                "larger, but not live: a 104 with a wrong name took the live entry",
                vec![holder(3), ask(leave("x", 0).field("brokerAddr", "h")), newcomer()],
                both("c: a; a@c: 0=n; T1: a=6; T2: a=6"),
            ),
            (
                "the holder itself may come with a smaller one",
                vec![holder(3), holder(1)],
                both("c: a; a@c: 0=h; T1: a=6; T2: a=6"),
            ),
            (
                "the newcomer has lost its former role already",
                vec![holder(3), on(2, broker("a", 1).at("n")), newcomer()],
                v5("c: a; a@c: 0=h; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;

    let rows = || {
        let steps = || {
            vec![
                on(1, broker("a", 0).at("h").state(3)),
                on(2, broker("a", 1).at("n")),
                on(2, broker("a", 0).at("n").state(2)),
            ]
        };
        let mut asked = steps();
        asked.push(ask(version_query("a", 0, V1).field("brokerAddr", "n")));
        vec![
            ("the one that is dropped is told nothing", steps(), v5("0 {}")),
            ("and is not live any more", asked, v5("0 {changed=true}")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_registration_with_a_single_topic_is_refused_by_5x() {
    let rows = || {
        let single = |id| broker("a", id).topics("T1");
        vec![
            ("master", vec![on(1, single(0))], ["0 {}", "1 {} register broker failed"]),
            ("slave", vec![on(1, single(1))], ["0 {}", "1 {} register broker failed"]),
            ("an empty table", vec![on(1, broker("a", 0).topics(""))], both("0 {}")),
            ("the id is known", vec![on(1, broker("a", 0)), on(1, single(0))], both("0 {}")),
            (
                "the id is known at another address",
                vec![on(1, broker("a", 0)), on(2, single(0).at("n"))],
                both("0 {}"),
            ),
            (
                "again, as it is still unknown",
                vec![on(1, single(0)), on(1, single(0))],
                v5("1 {} register broker failed"),
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_first_registration_leaves_a_ghost_until_a_104_with_its_name() {
    let rows = || {
        let single = |id| broker("a", id).topics("T1");
        vec![
            ("it has no address", vec![on(1, single(0))], ["c: a; a@c: 0=a-0; T1: a=6", "c: a; a@c:"]),
            ("it outlives the connection", vec![on(1, single(0)), close(1)], ["", "c: a; a@c:"]),
            ("and any time", vec![on(1, single(0)), wait(1000), on(2, lookup("T1"))], v5("c: a; a@c:")),
            ("a 104 with its name", vec![on(1, single(0)), ask(leave("a", 0))], both("")),
            (
                "a 104 with another name",
                vec![on(1, single(0)), ask(leave("b", 0).field("brokerAddr", "a-0"))],
                v5("c: a; a@c:"),
            ),
            (
                "the master is not touched by a slave's refusal",
                vec![on(1, broker("a", 0)), on(2, single(1))],
                v5("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "a former role of the address is gone before the refusal",
                vec![on(1, broker("a", 0)), on(1, single(1).at("a-0"))],
                v5("c: a; a@c:; T1: a=6; T2: a=6"),
            ),
        ]
    };
    shows(rows).await;

    let ghosts = || {
        let steps = || vec![on(1, broker("a", 0).topics("T1")), ask(request(304, &[]))];
        vec![("304 lists it", steps(), v5(r#"0 | {"topicList":["a","c"]}"#))]
    };
    answers(ghosts).await;
}
