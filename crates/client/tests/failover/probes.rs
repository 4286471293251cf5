//! A server that failed is asked in the background until it works again, and not longer than its client lives.

use std::time::Duration;

use rocketmq_nameserver::AsyncNameServerClient;
use tokio::runtime::{Builder, Handle};
use tokio::time::Instant;

use crate::world::Behaviour::{self, *};
use crate::world::{World, ask, stats, timed, until};

const FAILURES: [Behaviour; 8] = [Silent, Slow(5_000), NotReady, Busy, GoesAway, HangsUp, Refuses, BlackHole];

/// The longest time between two probes: one that waits for an answer, and then the longest pause.
const LONGEST: Duration = Duration::from_secs(3 + 5);

async fn client_that_left_a(world: &World) -> AsyncNameServerClient {
    let client = world.client();
    assert_eq!(ask(&client).await.unwrap(), "b");
    client
}

#[tokio::test(start_paused = true)]
async fn a_server_that_works_again_takes_over_when_the_one_in_use_fails() {
    for failure in FAILURES {
        for away in [Duration::ZERO, Duration::from_secs(60)] {
            let what = format!("{failure:?} for {away:?}");
            let world = World::of(&[failure, Answers]);
            let client = client_that_left_a(&world).await;
            tokio::time::sleep(away).await;
            assert_eq!(stats(&client, "a").probes_answered, 0, "{what}: that is no sign of health");
            world.set("a", Answers);
            let took = until(&what, || stats(&client, "a").probes_answered > 0).await;
            assert!(took <= 2 * LONGEST, "{what}: {took:?}");
            assert_eq!(ask(&client).await.unwrap(), "b", "{what}: nobody leaves what works");
            for fails in [Refuses, HangsUp] {
                world.set("b", fails);
            }
            let (answer, took) = timed(&client).await;
            assert_eq!((answer.unwrap().as_str(), took), ("a", 0), "{what}");
            let asked = world.asked("b");
            assert_eq!((ask(&client).await.unwrap().as_str(), world.asked("b")), ("a", asked), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn probes_come_less_and_less_often_and_end_when_the_server_works() {
    let world = World::of(&[Refuses, Answers]);
    let client = client_that_left_a(&world).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let dialled = world.dialled("a");
    let pauses: Vec<Duration> = dialled.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] <= Duration::from_millis(110), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(5_010)), "{pauses:?}");
    let late = &pauses[8..];
    assert!(late.iter().all(|pause| *pause >= Duration::from_millis(2_500)), "{pauses:?}");
    let mut different = late.to_vec();
    different.dedup();
    assert!(different.len() > late.len() / 2, "their pauses are a matter of chance: {pauses:?}");
    assert_eq!(stats(&client, "a").probes, dialled.len() as u64 - 1);
    assert_eq!((stats(&client, "a").probes_answered, stats(&client, "a").errors), (0, 1));

    world.set("a", Answers);
    until("it is well", || stats(&client, "a").probes_answered > 0).await;
    let probes = stats(&client, "a").probes;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!((stats(&client, "a").probes, stats(&client, "a").probes_answered), (probes, 1));
}

#[tokio::test(start_paused = true)]
async fn a_single_server_is_not_probed() {
    let world = World::of(&[Refuses]);
    let client = world.client();
    ask(&client).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((world.dialled("a").len(), stats(&client, "a").probes), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn probes_end_with_a_disconnect_a_close_and_the_last_clone() {
    // A slow peer notices only when it answers that nobody is there any more.
    for failure in FAILURES.into_iter().filter(|failure| !matches!(failure, Slow(_))) {
        for end in ["disconnect", "close", "drop"] {
            for later in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(30)] {
                let what = format!("{failure:?}, {end} after {later:?}");
                let before = Handle::current().metrics().num_alive_tasks();
                let world = World::of(&[failure, Answers]);
                let client = client_that_left_a(&world).await;
                let clone = client.clone();
                tokio::time::sleep(later).await;
                drop(clone);
                match end {
                    "disconnect" => client.disconnect().await,
                    "close" => client.close().await,
                    _ => {}
                }
                let kept = (end != "drop").then_some(client);
                // The peers' ends are gone a moment later.
                let tasks = || Handle::current().metrics().num_alive_tasks();
                let took = until(&what, || tasks() == before).await;
                assert!(took <= Duration::from_millis(5), "{what}: {took:?}");
                let dialled = world.dialled("a").len();
                tokio::time::sleep(Duration::from_secs(60)).await;
                assert_eq!(world.dialled("a").len(), dialled, "{what}");
                drop(kept);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_after_a_disconnect_has_the_server_probed_again() {
    let world = World::of(&[Refuses, Answers]);
    let client = client_that_left_a(&world).await;
    client.disconnect().await;
    world.set("a", Answers);
    assert_eq!(ask(&client).await.unwrap(), "b");
    until("a probe", || stats(&client, "a").probes_answered == 1).await;
}

#[test]
fn probes_start_anew_when_their_runtime_is_gone() {
    let world = World::of(&[Refuses, Answers]);
    let client = world.client();
    let runtime = || Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let first = runtime();
    first.block_on(async { assert_eq!(ask(&client).await.unwrap(), "b") });
    drop(first);
    world.set("a", Answers);
    runtime().block_on(async {
        assert_eq!(ask(&client).await.unwrap(), "b");
        until("a probe", || stats(&client, "a").probes_answered == 1).await;
    });
}

#[tokio::test(start_paused = true)]
async fn many_clients_probe_each_for_itself_and_not_at_the_same_moment() {
    let world = World::of(&[Refuses, Answers]);
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(client_that_left_a(&world).await);
    }
    tokio::time::sleep(Duration::from_millis(120)).await;
    let mut probes: Vec<Instant> = world.dialled("a").split_off(20);
    assert_eq!(probes.len(), 20, "the first one of each client, at most 100 ms after the failure");
    probes.dedup();
    assert!(probes.len() > 5, "all at the same time: {probes:?}");
    drop(clients.split_off(1));
    world.set("a", Answers);
    until("the last client's", || stats(&clients[0], "a").probes_answered == 1).await;
}
