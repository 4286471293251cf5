//! A read whose answer is late is asked of a second server too, but not too often, and a write never is.

use std::time::Duration;

use futures_util::future::join_all;
use rocketmq_nameserver::protocol::request::PutKvConfig;
use tokio::time::Instant;

use crate::world::Behaviour::*;
use crate::world::{LATE, LIMIT, World, ask, check_took, stats, timed, until};

#[tokio::test(start_paused = true)]
async fn a_hedge_that_wins_is_counted_and_the_silent_server_is_an_error_once() {
    let world = World::of(&[Silent, Answers]);
    let client = world.client();
    for _ in 0..10 {
        assert_eq!(ask(&client).await.unwrap(), "b");
    }
    assert_eq!((client.stats().hedges(), client.stats().hedges_won()), (1, 1));
    let (a, b) = (stats(&client, "a"), stats(&client, "b"));
    assert_eq!((a.hedges, a.hedges_won, a.errors), (0, 0, 1));
    assert_eq!((b.hedges, b.hedges_won, b.errors), (1, 1, 0));
    assert_eq!(a.in_flight, 0, "it is forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_loses_changes_nothing() {
    let world = World::of(&[Slow(80), Slow(80)]);
    let client = world.client();
    for _ in 0..4 {
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "a");
        check_took("the first one", took, 80);
    }
    let stats = client.stats();
    assert_eq!((stats.hedges(), stats.hedges_won(), stats.errors()), (4, 0, 0));
    assert!(stats.servers.iter().all(|server| server.probes == 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_others_and_only_this_call_late_has_not_failed() {
    // One connection answers in turn, so that the last of these calls is late while the others are answered.
    let world = World::of(&[Slow(8), Answers]);
    let client = world.client();
    let answers = join_all((0..8).map(|_| ask(&client))).await;
    assert_eq!(answers.last().unwrap().as_ref().unwrap(), "b", "the hedge wins");
    assert_eq!(ask(&client).await.unwrap(), "a", "and nobody leaves");
    assert_eq!((stats(&client, "a").errors, stats(&client, "a").probes), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn at_most_one_call_in_ten_is_asked_twice_but_for_a_burst_of_five() {
    const CALLS: u64 = 300;
    // Later than an answer may be, so that each call wants a hedge.
    let world = World::of(&[Slow(300), Slow(300)]);
    let client = world.client();
    for _ in 0..CALLS {
        assert_eq!(ask(&client).await.unwrap(), "a");
    }
    let hedges = client.stats().hedges();
    assert!((CALLS / 10..=CALLS / 10 + 5).contains(&hedges), "{hedges} hedges in {CALLS} calls");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_always_late_leaves_a_hedge_for_when_it_falls_silent() {
    for calls in 100..110 {
        let world = World::of(&[Slow(300), Slow(300)]);
        let client = world.client();
        for _ in 0..calls {
            ask(&client).await.unwrap();
        }
        world.set("a", Silent);
        world.set("b", Answers);
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "b");
        assert!(took <= 250 + 500 + 5, "late at 250 ms, and by now very late: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_late_after_most_recent_answers_were_there() {
    for (slowest, late) in [(0, 10), (30, 30), (100, 100), (400, 250)] {
        let world = World::of(&[Answers, Answers]);
        let client = world.client();
        // Alone, so that there are samples of this server.
        world.set("b", Refuses);
        for number in 0..64 {
            world.set("a", if number < 58 { Answers } else { Slow(slowest) });
            ask(&client).await.unwrap();
        }
        world.set("b", Answers);
        until("b is well", || stats(&client, "b").errors == 0 || stats(&client, "b").probes_answered > 0)
            .await;
        world.set("a", Silent);
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "b", "{slowest}");
        check_took(&format!("the slowest took {slowest}"), took, late);
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_on_a_server_that_falls_silent_leave_it_although_few_may_be_hedged() {
    let world = World::of(&[Answers, Answers]);
    let client = world.client();
    ask(&client).await.unwrap();
    world.set("a", Silent);
    let started = Instant::now();
    let answers = join_all((0..200).map(|_| ask(&client))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == "b"));
    // The first few at once, the others when those have found out.
    check_took("all", u64::try_from(started.elapsed().as_millis()).unwrap(), 3 * LATE);
}

#[tokio::test(start_paused = true)]
async fn without_hedges_a_silent_server_has_its_share_of_the_time_and_then_the_next_is_asked() {
    let world = World::of(&[Silent, Answers]);
    let client = world.builder().hedged_reads(false).build().unwrap();
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.unwrap(), "b");
    check_took("its share", took, u64::try_from(LIMIT.as_millis()).unwrap() / 2);
    assert_eq!(client.stats().hedges(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_single_server_and_a_write_are_never_asked_twice() {
    let alone = World::of(&[Slow(1_000)]).client();
    ask(&alone).await.unwrap();
    assert_eq!((alone.stats().hedges(), alone.stats().requests()), (0, 1));

    let client = World::of(&[Slow(1_000), Slow(1_000)]).client();
    let put = PutKvConfig { namespace: "n".into(), key: "k".into(), value: "v".into() };
    assert!(client.request_every(&put).await.is_complete());
    assert_eq!((client.stats().hedges(), client.stats().requests()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_known_to_fail_is_no_help() {
    let world = World::of(&[Answers, Refuses]);
    let client = world.client();
    // A write tells of the one that is down.
    let put = PutKvConfig { namespace: "n".into(), key: "k".into(), value: "v".into() };
    assert!(!client.request_every(&put).await.is_complete());
    world.set("a", Slow(500));
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.unwrap().as_str(), took / 100), ("a", 5));
    assert_eq!(client.stats().hedges(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_quiet_pause_between_calls_is_no_silence() {
    let client = World::of(&[Answers, Answers]).client();
    for _ in 0..5 {
        assert_eq!(ask(&client).await.unwrap(), "a");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!((client.stats().hedges(), client.stats().errors()), (0, 0));
}
