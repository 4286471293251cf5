//! A call that is dropped while it is hedged or races leaves nothing waiting, and disturbs nobody.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::world::Behaviour::{self, *};
use crate::world::{World, ask, until};

/// Drops a call after so many polls, with some time for everybody else after each. Says whether it completed.
async fn check(behaviours: &[Behaviour], polls: usize) -> bool {
    let what = format!("{behaviours:?} after {polls} polls");
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let world = World::of(behaviours);
    let client = world.client();
    let completed = {
        let mut call = pin!(ask(&client));
        let mut completed = false;
        for _ in 0..polls {
            completed = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await.is_ready();
            if completed {
                break;
            }
            tokio::time::advance(Duration::from_millis(10)).await;
            tokio::task::yield_now().await;
        }
        completed
    };
    // Probes may wait where nothing is answered, but no call does.
    let waiting = || {
        let servers = client.stats().servers;
        let waiting = |server: &rocketmq_nameserver::ServerStats| {
            let probes = usize::from(server.probes > server.probes_answered);
            server.in_flight.saturating_sub(probes)
        };
        servers.iter().map(waiting).sum::<usize>()
    };
    until(&what, || waiting() == 0).await;
    assert!(ask(&client).await.is_ok(), "{what}: the next call");
    until(&what, || waiting() == 0).await;
    drop(client);
    until(&what, || tasks() == before).await;
    completed
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_after_any_number_of_polls_leaves_nothing() {
    for (behaviours, at_least) in [
        // A hedge under way from the fifth.
        (&[Silent, Slow(60)][..], 8),
        (&[Slow(200), NotFound], 15),
        (&[Silent, Silent, Slow(60)], 15),
        // A race under way from the 25th.
        (&[BlackHole, OpensLate(60)], 25),
        (&[OpensLate(300), OpensLate(200)], 25),
        (&[Silent, BlackHole, Slow(60)], 15),
    ] {
        let mut polls = 0;
        while !check(behaviours, polls).await {
            polls += 1;
            assert!(polls < 1_000, "{behaviours:?} does not complete");
        }
        assert!(polls >= at_least, "{behaviours:?} completed after {polls} polls");
    }
}
