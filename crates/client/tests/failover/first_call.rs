//! What a server that fails costs: the first call a little, later ones nothing.

use std::time::Duration;

use rocketmq_nameserver::ErrorKind;
use tokio::time::Instant;

use crate::world::Behaviour::{self, *};
use crate::world::{LATE, LIMIT, RACE, World, ask, check_took, stats, timed};

/// What the first server does wrong, whether it was well before, and what that costs the first call.
const FAILURES: &[(Behaviour, bool, u64)] = &[
    (Silent, false, LATE),
    (Silent, true, LATE),
    (Slow(1_000), false, LATE),
    (Slow(1_000), true, LATE),
    (NotReady, false, 0),
    (NotReady, true, 0),
    (Busy, true, 0),
    (GoesAway, false, 0),
    (GoesAway, true, 0),
    (HangsUp, false, 0),
    (HangsUp, true, 0),
    (Refuses, false, 0),
    (BlackHole, false, RACE),
    (OpensLate(1_000), false, RACE),
];

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_costs_the_first_call_a_little_and_later_ones_nothing() {
    for (failure, was_well, cost) in FAILURES {
        let what = format!("{failure:?}, well before: {was_well}");
        let world = World::of(&[if *was_well { Answers } else { *failure }, Answers]);
        let client = world.client();
        if *was_well {
            assert_eq!(ask(&client).await.unwrap(), "a", "{what}");
            world.set("a", *failure);
        }
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "b", "{what}");
        check_took(&what, took, *cost);
        let asked = world.asked("a");
        let started = Instant::now();
        for _ in 0..100 {
            assert_eq!(ask(&client).await.unwrap(), "b", "{what}");
        }
        assert!(started.elapsed().is_zero(), "{what}: later calls do not pay");
        assert_eq!(world.asked("a"), asked, "{what}: nor ask it");
        assert_eq!(stats(&client, "b").connects, 1, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_in_any_way_for_long_disturbs_nobody_although_it_is_probed() {
    for (failure, ..) in FAILURES {
        let world = World::of(&[*failure, Answers]);
        let client = world.client();
        ask(&client).await.unwrap();
        let asked = world.asked("a");
        for _ in 0..600 {
            let (answer, took) = timed(&client).await;
            // A slow server does answer probes, but nobody leaves one that works for it.
            assert_eq!((answer.unwrap().as_str(), took), ("b", 0), "{failure:?}");
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert_eq!(world.asked("a"), asked, "{failure:?}");
        assert!(stats(&client, "a").probes > 0, "{failure:?}");
        assert_eq!(stats(&client, "b").errors, 0, "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_passes_two_servers_that_fail_in_different_ways() {
    for (first, second, cost) in [
        // The third one is late after twice the time.
        (Silent, Silent, 3 * LATE),
        (Silent, Refuses, LATE),
        (Silent, BlackHole, 3 * LATE),
        (Silent, Busy, LATE),
        (Refuses, Silent, LATE),
        (Refuses, BlackHole, RACE),
        (BlackHole, Silent, RACE + LATE),
        (BlackHole, BlackHole, 2 * RACE),
        (BlackHole, Refuses, RACE),
        (NotReady, BlackHole, RACE),
    ] {
        let what = format!("{first:?}, then {second:?}");
        let world = World::of(&[first, second, Answers]);
        let client = world.client();
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "c", "{what}");
        check_took(&what, took, cost);
        let (answer, took) = timed(&client).await;
        assert_eq!((answer.unwrap().as_str(), took), ("c", 0), "{what}: the next call knows both");
    }
}

#[tokio::test(start_paused = true)]
async fn with_all_servers_down_a_call_fails_within_its_time_and_names_each() {
    for (first, second, kind, cost) in [
        (Silent, Silent, ErrorKind::Timeout, LIMIT),
        (Refuses, Refuses, ErrorKind::Connection, Duration::ZERO),
        // The default limit for connecting, and the second one has begun a little later.
        (BlackHole, BlackHole, ErrorKind::Connection, Duration::from_millis(3_000 + RACE)),
        (HangsUp, Refuses, ErrorKind::Connection, Duration::ZERO),
        (BlackHole, Refuses, ErrorKind::Connection, Duration::from_secs(3)),
        (NotReady, Busy, ErrorKind::Response, Duration::ZERO),
    ] {
        let what = format!("{first:?}, {second:?}");
        let client = World::of(&[first, second]).client();
        let (answer, took) = timed(&client).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.is_retryable(), "{what}");
        check_took(&what, took, u64::try_from(cost.as_millis()).unwrap());
        for server in ["a:9876", "b:9876"] {
            assert!(error.attempts().iter().any(|attempt| attempt.server == server), "{what}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_call_leaves_time_for_each_server() {
    for failure in [Silent, BlackHole] {
        let client = World::of(&[failure, Answers]).client().with_timeout(Duration::from_millis(80));
        let (answer, took) = timed(&client).await;
        assert_eq!(answer.unwrap(), "b", "{failure:?}");
        check_took("its share", took, 40);
    }
}

#[tokio::test(start_paused = true)]
async fn the_connection_that_lost_the_race_serves_later() {
    let world = World::of(&[OpensLate(1_000), Answers]);
    let client = world.client();
    let (answer, took) = timed(&client).await;
    assert_eq!(answer.unwrap(), "b");
    check_took("the race", took, RACE);
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.set("b", Refuses);
    // Closes the connection to b, but not for good.
    world.set("b", HangsUp);
    let (answer, took) = timed(&client).await;
    assert_eq!((answer.unwrap().as_str(), took), ("a", 0));
    assert_eq!(world.dialled("a").len(), 1, "the connection that was begun then");
}

#[tokio::test(start_paused = true)]
async fn the_race_is_won_by_who_opens_first_and_its_delay_can_be_set() {
    let millis = Duration::from_millis;
    for (name, first, second, delay, winner, cost) in [
        ("in time", 249, 0, millis(250), "a", 249),
        ("just behind the other", 300, 100, millis(250), "a", 300),
        ("overtaken", 400, 100, millis(250), "b", 350),
        ("a short delay", 100, 0, millis(20), "b", 20),
        ("none", 100, 0, Duration::ZERO, "b", 0),
        ("a long one", 900, 0, millis(1_000), "a", 900),
    ] {
        let world = World::of(&[OpensLate(first), OpensLate(second)]);
        let client = world.builder().connect_race_delay(delay).build().unwrap();
        for connects in [true, false] {
            if connects {
                let started = Instant::now();
                client.connect().await.unwrap();
                check_took(name, u64::try_from(started.elapsed().as_millis()).unwrap(), cost);
            }
            assert_eq!(ask(&client).await.unwrap(), winner, "{name}");
        }
        let sent = [stats(&client, "a").requests - stats(&client, "a").probes, stats(&client, "b").requests];
        assert_eq!(sent.iter().sum::<u64>(), 2, "{name}: each request is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_flaps_never_costs_more_than_a_hedge() {
    let world = World::of(&[Answers, Answers]);
    let client = world.client();
    ask(&client).await.unwrap();
    for round in 0..40 {
        let (fails, works) = if round % 2 == 0 { ("a", "b") } else { ("b", "a") };
        world.set(works, Answers);
        // Long enough for a probe.
        tokio::time::sleep(Duration::from_secs(10)).await;
        world.set(fails, if round % 4 < 2 { Silent } else { Refuses });
        for _ in 0..20 {
            let (answer, took) = timed(&client).await;
            assert!(answer.is_ok() && took <= LATE + 5, "round {round}: {answer:?} after {took} ms");
        }
    }
}
