//! `docs/wire.md` §2.7: a topic is deleted, 216.

use rocketmq_nameserver_protocol::frame::SerializeType;

use crate::world::{BOTH, Step, World, answers, ask, both, broker, on, request, shows};

const START: &str = "c: a; d: b; a@c: 0=a-0; b@d: 0=b-0; T1: a=6; T2: a=6 b=6; T3: b=6";

fn after(fields: &[(&str, &str)]) -> Vec<Step> {
    vec![on(1, broker("a", 0)), on(2, broker("b", 0).cluster("d").topics("T2 T3")), ask(request(216, fields))]
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_deleted_everywhere_or_in_one_cluster() {
    let rows = || {
        vec![
            (
                "everywhere",
                after(&[("topic", "T2")]),
                both("c: a; d: b; a@c: 0=a-0; b@d: 0=b-0; T1: a=6; T3: b=6"),
            ),
            (
                "an empty cluster is everywhere",
                after(&[("topic", "T2"), ("clusterName", "")]),
                both("c: a; d: b; a@c: 0=a-0; b@d: 0=b-0; T1: a=6; T3: b=6"),
            ),
            (
                "in one cluster",
                after(&[("topic", "T2"), ("clusterName", "c")]),
                both("c: a; d: b; a@c: 0=a-0; b@d: 0=b-0; T1: a=6; T2: b=6; T3: b=6"),
            ),
            (
                "in the only cluster that has it",
                after(&[("topic", "T1"), ("clusterName", "c")]),
                both("c: a; d: b; a@c: 0=a-0; b@d: 0=b-0; T2: a=6 b=6; T3: b=6"),
            ),
            ("in another cluster", after(&[("topic", "T1"), ("clusterName", "d")]), both(START)),
            ("in an unknown cluster", after(&[("topic", "T2"), ("clusterName", "x")]), both(START)),
            ("an unknown topic", after(&[("topic", "T9")]), both(START)),
            ("no topic", after(&[]), both(START)),
            ("no topic in a cluster", after(&[("clusterName", "c")]), both(START)),
            ("an empty name", after(&[("topic", "")]), both(START)),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_always_success() {
    let rows = || {
        vec![
            ("a topic", after(&[("topic", "T2")]), both("0")),
            ("an unknown topic", after(&[("topic", "T9")]), both("0")),
            ("an unknown cluster", after(&[("topic", "T2"), ("clusterName", "x")]), both("0")),
            ("no topic", after(&[]), both("0")),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_cluster_is_none_in_the_binary_form_too() {
    for personality in BOTH {
        let mut world = World::new(personality);
        world.register(1, broker("a", 0)).await;
        let delete = request(216, &[("topic", "T1"), ("clusterName", "")]);
        assert_eq!(world.ask_in(SerializeType::RocketMq, 0, delete).await.line(), "0");
        assert_eq!(world.shows().await, "c: a; a@c: 0=a-0; T2: a=6", "{personality:?}");
    }
}
