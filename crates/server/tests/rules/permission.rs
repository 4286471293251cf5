//! `docs/wire.md` §2.6: a broker stops and starts to be written to, 205 and 327.

use crate::world::{Broker, Step, answers, ask, both, broker, on, request, shows};

fn wipe() -> Step {
    ask(request(205, &[("brokerName", "a")]))
}

fn add() -> Step {
    ask(request(327, &[("brokerName", "a")]))
}

#[tokio::test(start_paused = true)]
async fn the_answer_counts_the_topics_that_have_the_broker() {
    let rows = || {
        let after = |last| vec![on(1, broker("a", 0)), on(2, broker("b", 0).topics("T2 T3 T4")), last];
        let named = |code, name| ask(request(code, &[("brokerName", name)]));
        vec![
            ("wipe a", after(named(205, "a")), both("0 {wipeTopicCount=2}")),
            ("wipe b", after(named(205, "b")), both("0 {wipeTopicCount=3}")),
            ("wipe nobody", after(named(205, "x")), both("0 {wipeTopicCount=0}")),
            ("wipe without a name", after(ask(request(205, &[]))), both("0 {wipeTopicCount=0}")),
            ("add a", after(named(327, "a")), both("0 {addTopicCount=2}")),
            ("add b", after(named(327, "b")), both("0 {addTopicCount=3}")),
            ("add nobody", after(named(327, "x")), both("0 {addTopicCount=0}")),
            ("add without a name", after(ask(request(327, &[]))), both("0 {addTopicCount=0}")),
            (
                "even if nothing changes",
                vec![on(1, broker("a", 0)), wipe(), wipe()],
                both("0 {wipeTopicCount=2}"),
            ),
        ]
    };
    answers(rows).await;
}

#[tokio::test(start_paused = true)]
async fn wiping_takes_the_write_bit_and_adding_sets_6() {
    let rows = || {
        let perm = |perm| on(1, broker("a", 0).perm(perm));
        vec![
            ("7, wiped", vec![perm(7), wipe()], both("c: a; a@c: 0=a-0; T1: a=5; T2: a=5")),
            (
                "7, wiped and added: the bit 1 is lost",
                vec![perm(7), wipe(), add()],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            ("6, wiped", vec![perm(6), wipe()], both("c: a; a@c: 0=a-0; T1: a=4; T2: a=4")),
            ("14, wiped", vec![perm(14), wipe()], both("c: a; a@c: 0=a-0; T1: a=12; T2: a=12")),
            ("2, wiped", vec![perm(2), wipe()], both("c: a; a@c: 0=a-0; T1: a=0; T2: a=0")),
            ("4, wiped", vec![perm(4), wipe()], both("c: a; a@c: 0=a-0; T1: a=4; T2: a=4")),
            ("7, added", vec![perm(7), add()], both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6")),
            ("4, added", vec![perm(4), add()], both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6")),
            (
                "2, added: it may be read now",
                vec![perm(2), add()],
                both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6"),
            ),
            ("0, added", vec![perm(0), add()], both("c: a; a@c: 0=a-0; T1: a=6; T2: a=6")),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn only_the_queues_of_that_broker_change() {
    let rows = || {
        let two = |last| vec![on(1, broker("a", 0)), on(2, broker("b", 0).topics("T2 T3").perm(7)), last];
        vec![
            ("wiped", two(wipe()), both("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=4; T2: a=4 b=7; T3: b=7")),
            ("added", two(add()), both("c: a b; a@c: 0=a-0; b@c: 0=b-0; T1: a=6; T2: a=6 b=7; T3: b=7")),
        ]
    };
    shows(rows).await;
}

#[tokio::test(start_paused = true)]
async fn it_lasts_per_topic_until_the_topic_comes_with_a_changed_version() {
    let rows = || {
        let wiped = |registrations: Vec<Broker>| {
            let mut steps = vec![on(1, broker("a", 0)), wipe()];
            steps.extend(registrations.into_iter().map(|broker| on(1, broker)));
            steps
        };
        let all = || broker("a", 0);
        let one = || broker("a", 0).topics("T1").counter(2);
        let none_back = "c: a; a@c: 0=a-0; T1: a=4; T2: a=4";
        let one_back = "c: a; a@c: 0=a-0; T1: a=6; T2: a=4";
        let all_back = "c: a; a@c: 0=a-0; T1: a=6; T2: a=6";
        vec![
            ("the same version", wiped(vec![all(), all()]), both(none_back)),
            ("another version", wiped(vec![all().counter(2)]), both(all_back)),
            ("one topic in another version", wiped(vec![one()]), both(one_back)),
            ("and then all with that version", wiped(vec![one(), all().counter(2)]), both(one_back)),
            ("and then all with the next", wiped(vec![one(), all().counter(3)]), both(all_back)),
        ]
    };
    shows(rows).await;
}
