//! A call that is dropped after any number of polls: later calls work, nobody waits, and no more is asked than without it.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{FutureExt, LocalBoxFuture};
use rocketmq_nameserver::{RouteCache, RouteWatch};

use crate::play::TOPIC;
use crate::site::{Says, Site, outcome, pass};

const A: Says = Says::Route(&["a"]);

struct Operation {
    name: &'static str,
    start: for<'a> fn(&'a RouteCache, &'a mut RouteWatch) -> LocalBoxFuture<'a, ()>,
    /// How many requests there are at most, those of the watch and of the call after it included.
    requests: usize,
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "get_route",
        start: |cache, _| cache.get_route(TOPIC).map(|route| drop(route.unwrap())).boxed_local(),
        requests: 1,
    },
    Operation {
        // Its own question after the one of the watch.
        name: "refresh_route",
        start: |cache, _| cache.refresh_route(TOPIC).map(|route| drop(route.unwrap())).boxed_local(),
        requests: 2,
    },
    Operation {
        name: "preload",
        start: |cache, _| cache.preload([TOPIC, "U", "V"]).map(drop).boxed_local(),
        requests: 3,
    },
    Operation {
        name: "refresh_routes",
        start: |cache, _| cache.refresh_routes([TOPIC, "U", "V"]).map(drop).boxed_local(),
        requests: 4,
    },
    Operation {
        name: "wait_for_route",
        start: |cache, _| {
            let waits = cache.wait_for_route(TOPIC, |_| true, Duration::from_secs(60));
            waits.map(|route| drop(route.unwrap())).boxed_local()
        },
        requests: 2,
    },
    Operation { name: "watch.next", start: |_, watch| watch.next().map(drop).boxed_local(), requests: 1 },
];

/// Polls that often, with a little time for everybody else after each, then drops. Says whether it completed.
async fn polled(mut future: LocalBoxFuture<'_, ()>, times: usize) -> bool {
    for _ in 0..times {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await.is_ready() {
            return true;
        }
        pass(Duration::from_millis(1)).await;
    }
    false
}

async fn check(operation: &Operation, polls: usize) -> bool {
    let what = format!("{} dropped after {polls} polls", operation.name);
    let site = Site::new(&["ns"], A);
    site.server("ns").takes(Duration::from_millis(5));
    let cache = site.cache();
    let mut watch = cache.watch([TOPIC]).unwrap();
    let completed = polled((operation.start)(&cache, &mut watch), polls).await;

    let next = tokio::time::timeout(Duration::from_millis(100), cache.get_route(TOPIC)).await;
    assert_eq!(outcome(&next.expect(&what)), "a", "{what}");
    // The change that a dropped `next` has not told is told by the next one.
    if !(completed && operation.name == "watch.next") {
        watch.next().now_or_never().expect(&what).expect(&what);
    }
    assert!(watch.next().now_or_never().is_none(), "{what}: told twice");
    pass(Duration::from_secs(1)).await;
    assert!(!cache.explain(TOPIC).asking, "{what}: somebody asks");
    assert_eq!(cache.client().stats().servers[0].in_flight, 0, "{what}: a waiter is left");
    assert!((1..=operation.requests).contains(&site.asked()), "{what}: {} requests", site.asked());
    drop((watch, cache));
    pass(Duration::from_millis(10)).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "{what}: tasks are left");
    completed
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_after_any_number_of_polls_disturbs_nobody() {
    for operation in OPERATIONS {
        let mut polls = 0;
        while !check(operation, polls).await {
            polls += 1;
            assert!(polls < 1000, "{} does not complete", operation.name);
        }
        assert!(polls > 3, "{} completed after {polls} polls: nothing to drop", operation.name);
    }
}
