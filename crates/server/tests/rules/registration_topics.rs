//! `docs/wire.md` §2.4, steps 9 and 10: which topics a registration brings, and which it takes away.

use crate::world::{ask, both, broker, close, leave, lookup, on, request, routes, set, shows, v5};

const DELETES: &str = "deleteTopicWithBrokerRegistration=true";

#[tokio::test(start_paused = true)]
async fn topics_are_those_of_the_master_or_on_5x_of_the_prime_slave() {
    let rows = || {
        vec![
            (
                "a slave does not say whether it may act as the master: an old one",
                vec![on(1, broker("a", 1))],
                both("c: a; a@c: 1=a-1"),
            ),
            (
                "a slave that says no is prime, and may be written to",
                vec![on(1, broker("a", 1).acting(false))],
                ["c: a; a@c: 1=a-1", "c: a; a@c: 1=a-1; T1: a=6; T2: a=6"],
            ),
            (
                "a slave that says yes is prime, and may not be written to",
                vec![on(1, broker("a", 1).acting(true))],
                ["c: a; a@c: 1=a-1", "c: a; a@c: 1=a-1 acting; T1: a=4; T2: a=4"],
            ),
            (
                "only the write bit goes",
                vec![on(1, broker("a", 1).acting(true).perm(7))],
                v5("c: a; a@c: 1=a-1 acting; T1: a=5; T2: a=5"),
            ),
            (
                "no slave beside a master",
                vec![on(1, broker("a", 0).acting(true)), on(2, broker("a", 1).acting(true).topics("T3 T4"))],
                [
                    "c: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6",
                    "c: a; a@c: 0=a-0 1=a-1 acting; T1: a=6; T2: a=6",
                ],
            ),
            (
                "no slave beside a smaller one",
                vec![on(1, broker("a", 1).acting(true)), on(2, broker("a", 2).acting(true).topics("T3 T4"))],
                v5("c: a; a@c: 1=a-1 2=a-2 acting; T1: a=4; T2: a=4"),
            ),
            (
                "a smaller one takes over",
                vec![on(1, broker("a", 2).acting(true)), on(2, broker("a", 1).acting(true).topics("T3 T4"))],
                v5("c: a; a@c: 1=a-1 2=a-2 acting; T1: a=4; T2: a=4; T3: a=4; T4: a=4"),
            ),
            (
                "an id below 0 is the smallest, but not that of a master",
                vec![on(1, broker("a", 0)), on(2, broker("a", -1).acting(true).topics("T1 T3"))],
                [
                    "c: a; a@c: -1=a--1 0=a-0; T1: a=6; T2: a=6",
                    "c: a; a@c: -1=a--1 0=a-0 acting; T1: a=4; T2: a=6; T3: a=4",
                ],
            ),
            (
                "the name inside counts, not the key",
                vec![on(1, broker("a", 0).topics("T1").topic("K", r#"{"topicName":"T2"}"#))],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6x16/16"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn known_queues_are_rewritten_if_the_data_version_differs() {
    let rows = || {
        let first = || on(1, broker("a", 0).timestamp(5));
        let second = || broker("a", 0).timestamp(5).perm(4);
        let stays = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6";
        let rewritten = "c: a; a@c: 0=a-0; T1: a=4; T2: a=4";
        vec![
            ("the same", vec![first(), on(1, second())], both(stays)),
            ("counter", vec![first(), on(1, second().counter(2))], both(rewritten)),
            ("a smaller counter", vec![first(), on(1, second().counter(0))], both(rewritten)),
            ("timestamp", vec![first(), on(1, second().timestamp(4))], both(rewritten)),
            (
                "state version, which 4.x does not know",
                vec![first(), on(1, second().state(1))],
                [stays, rewritten],
            ),
            (
                "the same from another address",
                vec![first(), on(2, second().at("n"))],
                both("c: a; a@c: 0=n; T1: a=4; T2: a=4"),
            ),
            (
                "the same again after it left",
                vec![first(), ask(leave("a", 0)), on(1, second())],
                both(rewritten),
            ),
            (
                "the same again after its connection closed",
                vec![first(), close(1), on(2, second())],
                both(rewritten),
            ),
            (
                "the same in another cluster: 5.x has none stored there",
                vec![first(), on(1, second().cluster("d"))],
                ["c: a; d: a; a@c: 0=a-0; T1: a=6; T2: a=6", "c: a; d: a; a@c: 0=a-0; T1: a=4; T2: a=4"],
            ),
            (
                "a refused query of the version does not store it",
                vec![first(), ask(request(322, &[])), on(1, second())],
                both(stays),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_lacks_the_broker_comes_back_at_once_on_5x_and_with_a_new_version_on_4x() {
    let rows = || {
        let master = || on(1, broker("a", 0));
        let forget = || ask(request(216, &[("topic", "T1")]));
        let gone = "c: a; a@c: 0=a-0; T2: a=6";
        let back = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6";
        let more = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6; T3: a=6";
        vec![
            ("dropped", vec![master(), forget()], both(gone)),
            ("the same version", vec![master(), forget(), master()], [gone, back]),
            ("another version", vec![master(), forget(), on(1, broker("a", 0).counter(2))], both(back)),
            (
                "a topic more in the same version",
                vec![master(), on(1, broker("a", 0).topics("T1 T2 T3"))],
                [back, more],
            ),
            (
                "one topic alone in the next version",
                vec![master(), on(1, broker("a", 0).topics("T3").counter(2))],
                both(more),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn topics_that_are_missing_are_deleted_only_if_5x_is_told_so() {
    let rows = || {
        let master = || on(1, broker("a", 0));
        let all = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6";
        let one = "c: a; a@c: 0=a-0; T1: a=6";
        let fewer = || broker("a", 0).topics("T1").counter(2);
        vec![
            ("not told so", vec![master(), on(1, fewer())], both(all)),
            ("told so", vec![set(DELETES), master(), on(1, fewer())], [all, one]),
            ("told so later", vec![master(), set(DELETES), on(1, fewer())], [all, one]),
            (
                "not told so any more",
                vec![set(DELETES), master(), set("deleteTopicWithBrokerRegistration=false"), on(1, fewer())],
                both(all),
            ),
            ("in the same version", vec![set(DELETES), master(), on(1, fewer().counter(1))], [all, one]),
            (
                "none is left",
                vec![set(DELETES), master(), on(1, broker("a", 0).topics(""))],
                [all, "c: a; a@c: 0=a-0"],
            ),
            (
                "a static topic in the request",
                vec![set(DELETES), master(), on(1, fewer().mapping("T1", "a", 1))],
                both(all),
            ),
            (
                "other brokers keep them",
                vec![set(DELETES), master(), on(2, broker("b", 0)), on(1, fewer())],
                v5("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6 b=6; T2: b=6"),
            ),
            (
                "a slave deletes nothing",
                vec![set(DELETES), master(), on(2, broker("a", 1).acting(false).topics(""))],
                v5("c: a; a@c: 0=a-0 1=a-1; T1: a=6; T2: a=6"),
            ),
            (
                "a prime slave does",
                vec![
                    set(DELETES),
                    on(1, broker("a", 1).acting(false)),
                    on(1, broker("a", 1).acting(false).topics("T1")),
                ],
                v5("c: a; a@c: 1=a-1; T1: a=6"),
            ),
            (
                "the keys of the table count, not the names inside",
                vec![
                    set(DELETES),
                    on(1, broker("a", 0).topics("T1 T2 T3")),
                    on(1, broker("a", 0).topics("T1").topic("T2", r#"{"topicName":"T4"}"#)),
                ],
                v5("c: a; a@c: 0=a-0; T1: a=6; T2: a=6; T4: a=6x16/16"),
            ),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn static_topics_are_merged_with_a_changed_version_and_never_forgotten() {
    let rows = || {
        let mapped = |epoch| broker("a", 0).mapping("T1", "a", epoch);
        let first = || on(1, mapped(7));
        let look = || ask(lookup("T1"));
        let plain = "a=6; a@c: 0=a-0";
        let seven = "a=6; a@c: 0=a-0; mapped a: 7";
        vec![
            ("no 4.x server knows them", vec![first(), look()], [plain, seven]),
            ("the same version", vec![first(), on(1, mapped(8)), look()], v5(seven)),
            (
                "another version",
                vec![first(), on(1, mapped(8).counter(2)), look()],
                v5("a=6; a@c: 0=a-0; mapped a: 8"),
            ),
            (
                "the broker name inside counts",
                vec![first(), on(1, broker("a", 0).mapping("T1", "x", 8).counter(2)), look()],
                v5("a=6; a@c: 0=a-0; mapped a: 7; mapped x: 8"),
            ),
            ("a registration without it", vec![first(), on(1, broker("a", 0).counter(2)), look()], v5(seven)),
            (
                "the topic is deleted and comes back",
                vec![
                    first(),
                    ask(request(216, &[("topic", "T1")])),
                    on(1, broker("a", 0).counter(2)),
                    look(),
                ],
                v5(seven),
            ),
            (
                "the broker leaves, and another has a topic of that name",
                vec![first(), ask(leave("a", 0)), on(2, broker("b", 0)), look()],
                v5("b=6; b@c: 0=b-0; mapped a: 7"),
            ),
            (
                "the broker's connection closes",
                vec![first(), close(1), on(2, broker("b", 0)), look()],
                v5("b=6; b@c: 0=b-0; mapped a: 7"),
            ),
            (
                "a slave beside a master brings none",
                vec![
                    on(1, broker("a", 0)),
                    on(2, broker("a", 1).acting(false).mapping("T1", "a", 9)),
                    look(),
                ],
                v5("a=6; a@c: 0=a-0 1=a-1"),
            ),
            (
                "the prime slave does",
                vec![on(2, broker("a", 1).acting(false).mapping("T1", "a", 9)), look()],
                v5("a=6; a@c: 1=a-1; mapped a: 9"),
            ),
        ]
    };
    routes(rows).await;
}
