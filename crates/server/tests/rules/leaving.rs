//! `docs/wire.md` §2.5: a broker leaves, by request 104 or with its connection.

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_server::Personality;

use crate::world::{
    BOTH, Change, World, answers, ask, both, broker, builder, close, leave, on, request, shows, tell, v5,
    version_query,
};

const V1: &str = r#"{"counter":1,"stateVersion":0,"timestamp":0}"#;
const PAIR: &str = "c: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6";
const NO_MASTER: &str = "c: a; a@c: 1=a-1; T1: a=6; T2: a=6";

#[tokio::test(start_paused = true)]
async fn a_broker_leaves_by_id_on_4x_and_by_address_on_5x() {
    let rows = || {
        let pair = |farewell| vec![on(1, broker("a", 0)), on(2, broker("a", 1)), farewell];
        vec![
            ("the master", pair(ask(leave("a", 0))), both(NO_MASTER)),
            ("the slave", pair(ask(leave("a", 1))), both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6")),
            ("oneway", pair(tell(2, leave("a", 0).oneway())), both(NO_MASTER)),
            ("another address", pair(ask(leave("a", 0).field("brokerAddr", "x"))), [NO_MASTER, PAIR]),
            ("another id", pair(ask(leave("a", 0).field("brokerId", "7"))), [PAIR, NO_MASTER]),
            ("another cluster", pair(ask(leave("a", 0).field("clusterName", "x"))), both(NO_MASTER)),
            ("another name", pair(ask(leave("a", 0).field("brokerName", "x"))), both(PAIR)),
            ("no id", pair(ask(leave("a", 0).without("brokerId"))), both(PAIR)),
            (
                "a successor has its id",
                vec![on(1, broker("a", 0)), on(2, broker("a", 0).at("n")), ask(leave("a", 0))],
                ["", "c: a; a@c: 0=n; T1: a=6; T2: a=6"],
            ),
            ("an unknown broker", vec![ask(leave("a", 0))], both("")),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_farewell_is_always_taken_but_4x_needs_an_id() {
    let rows = || {
        let farewell = |request| vec![on(1, broker("a", 0)), ask(request)];
        vec![
            ("a broker", farewell(leave("a", 0)), both("0")),
            ("an unknown one", farewell(leave("x", 0)), both("0")),
            ("no id", farewell(leave("a", 0).without("brokerId")), ["1 …", "0"]),
            ("an id that is no number", farewell(leave("a", 0).field("brokerId", "x")), ["1 …", "0"]),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_takes_the_live_entry_or_leaves_it() {
    let rows = || {
        let then = |farewell| {
            vec![on(1, broker("a", 0)), on(2, broker("a", 1)), ask(farewell), ask(version_query("a", 0, V1))]
        };
        let lives = r#"0 {changed=false} | {"counter":1,"stateVersion":0,"timestamp":0}"#;
        let gone = "0 {changed=true}";
        vec![
            ("a good farewell takes it", then(leave("a", 0)), both(gone)),
            ("another name takes it", then(leave("a", 0).field("brokerName", "x")), both(gone)),
            (
                "another cluster leaves it on 5.x",
                then(leave("a", 0).field("clusterName", "x")),
                [gone, lives],
            ),
            ("no id takes it on 5.x", then(leave("a", 0).without("brokerId")), v5(gone)),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_member_takes_its_group_along() {
    let rows = || {
        vec![
            ("from the cluster and the topics", vec![on(1, broker("a", 0)), ask(leave("a", 0))], both("")),
            (
                "but not what others have",
                vec![on(1, broker("a", 0)), on(2, broker("b", 0).topics("T2 T3")), ask(leave("a", 0))],
                both("c: b; b@c: 0=b-0; T2: b=6; T3: b=6"),
            ),
            (
                "nor other clusters",
                vec![on(1, broker("a", 0)), on(2, broker("b", 0).cluster("d")), ask(leave("a", 0))],
                both("d: b; b@d: 0=b-0; T1: b=6; T2: b=6"),
            ),
            (
                "its live entry is gone: it comes back as new, with a version that was known",
                vec![on(1, broker("a", 0)), ask(leave("a", 0)), on(1, broker("a", 0).perm(4))],
                both("c: a; a@c: 0=a-0; T1: a=4; T2: a=4"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_master_the_queues_of_an_acting_group_become_read_only() {
    let rows = || {
        let acting = |id| broker("a", id).acting(true).perm(7);
        let pair = |last| vec![on(1, acting(0)), on(2, acting(1)), last];
        let read_only = ["c: a; a@c: 1=a-1; T1: a=7; T2: a=7", "c: a; a@c: 1=a-1 acting; T1: a=5; T2: a=5"];
        vec![
            ("the master leaves", pair(ask(leave("a", 0))), read_only),
            ("its connection closes", pair(close(1)), read_only),
            (
                "a slave leaves",
                pair(ask(leave("a", 1))),
                ["c: a; a@c: 0=a-0; T1: a=7; T2: a=7", "c: a; a@c: 0=a-0 acting; T1: a=7; T2: a=7"],
            ),
            (
                "one of two slaves without a master: once more",
                vec![
                    on(1, acting(1)),
                    on(2, acting(2)),
                    ask(request(327, &[("brokerName", "a")])),
                    ask(leave("a", 2)),
                ],
                v5("c: a; a@c: 1=a-1 acting; T1: a=4; T2: a=4"),
            ),
            (
                "the group does not act",
                vec![
                    on(1, broker("a", 0).acting(false)),
                    on(2, broker("a", 1).acting(false)),
                    ask(leave("a", 0)),
                ],
                both(NO_MASTER),
            ),
            (
                "other groups are not touched",
                vec![on(1, acting(0)), on(2, acting(1)), on(3, broker("b", 0)), ask(leave("a", 0))],
                v5("c: a b; a@c: 1=a-1 acting; b@c: 0=b-0; T1: a=5 b=6; T2: a=5 b=6"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_goes_with_the_connection_that_it_last_registered_over() {
    let rows = || {
        let heartbeat = || {
            request(
                904,
                &[("brokerName", "a"), ("brokerAddr", "a-0"), ("clusterName", "c"), ("brokerId", "0")],
            )
        };
        vec![
            ("its connection", vec![on(1, broker("a", 0)), close(1)], both("")),
            (
                "that of another",
                vec![on(1, broker("a", 0)), on(2, broker("b", 0)), close(2)],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            (
                "an older one",
                vec![on(1, broker("a", 0)), on(2, broker("a", 0)), close(1)],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            ("the newer one", vec![on(1, broker("a", 0)), on(2, broker("a", 0)), close(2)], both("")),
            (
                "a heartbeat over another one moves nothing",
                vec![on(1, broker("a", 0)), on(2, heartbeat()), close(1)],
                v5(""),
            ),
            (
                "one that was shared takes all, other than with Java",
                vec![on(1, broker("a", 0)), on(1, broker("b", 0)), on(1, broker("d", 0)), close(1)],
                both(""),
            ),
            (
                "a member that came with another cluster goes on 4.x and is not found on 5.x",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1).cluster("d")), close(2)],
                [
                    "c: a; d: a; a@c: 0=a-0; T1: a=6; T2: a=6",
                    "c: a; d: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6",
                ],
            ),
            (
                "a slave stays when its master goes",
                vec![on(1, broker("a", 0)), on(2, broker("a", 1)), close(1)],
                both(NO_MASTER),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_in_two_clusters_stays_in_one_of_them() {
    let steps = || vec![on(1, broker("a", 0)), on(1, broker("a", 0).cluster("d"))];
    let rows = || {
        let mut listed = steps();
        listed.extend([ask(leave("a", 0)), ask(request(304, &[]))]);
        vec![("304", listed, both(r#"0 | {"topicList":["a","d"]}"#))]
    };
    answers(rows).await;
    let rows = || {
        let left = |cluster| {
            let mut steps = steps();
            steps.push(ask(leave("a", 0).field("clusterName", cluster)));
            steps
        };
        vec![("it leaves c", left("c"), both("d: a")), ("it leaves d", left("d"), both("c: a"))]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_farewell_takes_effect_before_its_answer_on_4x() {
    let mut world = World::new(Personality::V4);
    world.register(1, broker("a", 0)).await;
    world.send(SerializeType::Json, 0, [leave("a", 0), request(106, &[])]).await;
    assert_eq!(world.receive(0).await.line(), "0");
    assert_eq!(world.receive(0).await.clusters(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_farewells_refuses_without_a_word() {
    for (personality, capacity, expected) in [
        (Personality::V5, "2", ["0", "0", "1"]),
        (Personality::V5, "3", ["0", "0", "0"]),
        (Personality::V4, "", ["0", "0", "0"]),
    ] {
        let mut builder = builder(personality);
        if !capacity.is_empty() {
            builder = builder.setting("unRegisterBrokerQueueCapacity", capacity);
        }
        let mut world = World::of(builder);
        world.send(SerializeType::Json, 0, ["a", "b", "d"].map(|name| leave(name, 0))).await;
        for expected in expected {
            assert_eq!(world.receive(0).await.line(), expected, "{personality:?} {capacity}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_emptied_again() {
    for personality in BOTH {
        let mut world = World::new(personality);
        world.register(1, broker("a", 0)).await;
        for _ in 0..3 {
            assert_eq!(world.ask(leave("a", 0)).await.line(), "0");
            assert_eq!(world.shows().await, "");
            world.register(1, broker("a", 0)).await;
        }
    }
}
