//! Time that jumps. The cache reads the monotonic clock only, so a wall clock that is set changes nothing; what is left is a
//! process that was stopped.

use std::time::Duration;

use rocketmq_nameserver::{DEFAULT_MAX_STALE, RouteCache};

use crate::play::{Step, TOPIC, Watched, play};
use crate::site::{Says, Site, outcome, pass};

const A: Says = Says::Route(&["a"]);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_process_that_was_stopped_serves_what_it_has_and_asks_once() {
    let site = Site::new(&["ns"], A);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    pass(Duration::from_secs(1)).await;
    tokio::time::advance(HOUR / 2).await;
    let route = cache.get_route(TOPIC).await.unwrap();
    assert!(route.is_stale() && route.age() >= HOUR / 2);
    // One refresh is due, not the 60 that were missed.
    let rows = [
        Step {
            what: "asked",
            says: &[],
            seconds: 1,
            route: "a",
            told: &["found 1", "resynced"],
            requests: 0..=1,
        },
        Step { what: "and no more", says: &[], seconds: 20, route: "a", told: &[], requests: 0..=0 },
    ];
    play(&site, &cache, &watch, &rows).await;
    assert_eq!(site.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_became_too_old_while_the_process_was_stopped_is_asked_for_before_it_is_given_up() {
    for (says, route, expected) in [
        (A, "a", &["resynced"][..]),
        (Says::Route(&["a", "b"]), "a b", &["resynced", "+b", "queues of b"]),
        (Says::NotReady, "Response error", &["gone: too old"]),
    ] {
        let site = Site::new(&["ns"], A);
        let cache = site.cache();
        let watch = Watched::of(&cache);
        pass(Duration::from_secs(1)).await;
        assert_eq!(watch.told(), ["found 1"]);
        site.all_say(says);
        tokio::time::advance(DEFAULT_MAX_STALE + HOUR).await;
        let after = Duration::from_secs(1);
        pass(after).await;
        assert_eq!(outcome(&cache.get_route(TOPIC).await), route);
        assert_eq!(watch.told(), expected, "{says:?}");
        assert!((2..=3).contains(&site.asked()), "{}", site.asked());
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_may_refresh_is_given_up_by_age_alone() {
    let site = Site::new(&["ns"], A);
    let cache = RouteCache::builder(site.client()).scheduled_refresh(false).build().unwrap();
    cache.get_route(TOPIC).await.unwrap();
    tokio::time::advance(DEFAULT_MAX_STALE + HOUR).await;
    pass(Duration::from_secs(1)).await;
    assert!(cache.peek(TOPIC).is_none());
    assert_eq!((cache.topics().len(), site.asked()), (0, 1));
}
