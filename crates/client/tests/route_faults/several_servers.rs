//! Faults of one server beside others.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::{Discovery, RouteCache, ServerAddress};

use crate::play::{Step, TOPIC, Watched, play};
use crate::site::{Says, Site, outcome, pass};

const A: Says = Says::Route(&["a"]);
const AB: Says = Says::Route(&["a", "b"]);

async fn play_beside(steps: &[Step]) {
    let site = Site::new(&["n1", "n2"], A);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, steps).await;
}

const FOUND: Step =
    Step { what: "before", says: &[], seconds: 1, route: "a", told: &["found 1"], requests: 1..=1 };

#[tokio::test(start_paused = true)]
async fn a_fault_of_one_server_is_not_seen_where_another_one_works() {
    for (says, requests) in [
        // Two or three refreshes, of which the first tries the faulty server twice; and a look every 2.5 to 5 s whether it is
        // back, which is a connection that is refused.
        (Says::Down, 14..=32),
        // The looks are requests for something else.
        (Says::NotReady, 3..=4),
        (Says::Nothing, 3..=4),
        // That is no fault: each refresh asks both.
        (Says::NotFound, 4..=6),
    ] {
        let site = Site::new(&["n1", "n2"], A);
        let cache = site.cache();
        let watch = Watched::of(&cache);
        let fault = Step { what: "fault", says: &[], seconds: 60, route: "a", told: &[], requests };
        play(&site, &cache, &watch, &[FOUND]).await;
        site.server("n1").says(says);
        play(&site, &cache, &watch, &[fault]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_or_slow_server_at_the_head_of_the_list_costs_a_new_topic_a_twentieth_of_a_second() {
    for (says, delay) in [(Says::Nothing, Duration::ZERO), (A, Duration::from_secs(2))] {
        let site = Site::new(&["n1", "n2"], A);
        site.server("n1").says(says);
        site.server("n1").takes(delay);
        let cache = site.cache();
        let watch = Watched::of(&cache);
        let started = tokio::time::Instant::now();
        assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
        assert!(started.elapsed() <= Duration::from_millis(60), "{:?}", started.elapsed());
        let rows = [
            Step { what: "found", says: &[], seconds: 1, route: "a", told: &["found 1"], requests: 0..=0 },
            // One request for each refresh: the client has left it.
            Step { what: "later", says: &[], seconds: 300, route: "a", told: &[], requests: 10..=14 },
        ];
        play(&site, &cache, &watch, &rows).await;
        assert_eq!((site.server("n1").asked(), says), (1, says));
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_gone_when_two_servers_do_not_know_it_and_not_before() {
    play_beside(&[
        FOUND,
        Step {
            what: "one",
            says: &[("n1", Says::NotFound)],
            seconds: 60,
            route: "a",
            told: &[],
            requests: 4..=6,
        },
        Step {
            what: "one, the other one is down",
            says: &[("n2", Says::Down)],
            seconds: 60,
            route: "a, stale",
            told: &[],
            requests: 10..=60,
        },
        Step {
            what: "two",
            says: &[("n2", Says::NotFound)],
            seconds: 38,
            route: "not found",
            told: &["gone: not found"],
            requests: 2..=40,
        },
        Step {
            what: "it is back",
            says: &[("n2", A)],
            seconds: 4,
            route: "a",
            told: &["found 1"],
            requests: 2..=4,
        },
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn while_all_servers_are_down_for_an_hour_the_route_is_served_and_then_it_is_gone() {
    let site = Site::new(&["n1", "n2"], A);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    let down = [
        FOUND,
        // No more than 170 questions at two servers each, and a look at each server every 2.5 to 5 s.
        Step {
            what: "59 minutes",
            says: &[("*", Says::Down)],
            seconds: 59 * 60,
            route: "a, stale",
            told: &[],
            requests: 1000..=3400,
        },
        Step {
            what: "an hour",
            says: &[],
            seconds: 120,
            route: "Connection error",
            told: &["gone: too old"],
            requests: 20..=220,
        },
        Step { what: "up", says: &[("*", A)], seconds: 4, route: "a", told: &["found 1"], requests: 1..=2 },
    ];
    play(&site, &cache, &watch, &down).await;
    assert!(cache.stats().questions < 230, "{:?}", cache.stats());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_removed_from_discovery_is_left_and_the_route_stays() {
    let site = Site::new(&["n1", "n2"], A);
    let list = Arc::new(Mutex::new("n1"));
    let discovery = Discovery::from_fn(Duration::from_secs(10), {
        let list = Arc::clone(&list);
        move || ready(ServerAddress::parse_list(*list.lock().unwrap()))
    });
    let cache = RouteCache::new(site.builder().discovery(discovery).build().unwrap());
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, &[FOUND]).await;
    for (left, next) in [("n1", "n2"), ("n2", "n1")] {
        *list.lock().unwrap() = next;
        pass(Duration::from_secs(11)).await;
        let before = site.server(left).asked();
        let row = Step { what: next, says: &[], seconds: 60, route: "a", told: &[], requests: 2..=3 };
        play(&site, &cache, &watch, &[row]).await;
        assert_eq!(site.server(left).asked(), before, "{left}");
    }
    // What the new server says counts.
    site.server("n2").says(AB);
    *list.lock().unwrap() = "n2";
    let other = Step {
        what: "another route",
        says: &[],
        seconds: 40,
        route: "a b",
        told: &["+b", "queues of b"],
        requests: 1..=2,
    };
    play(&site, &cache, &watch, &[other]).await;
}

#[tokio::test(start_paused = true)]
async fn twins_that_disagree_are_not_asked_in_turn() {
    play_beside(&[
        FOUND,
        Step {
            what: "disagree",
            says: &[("n2", AB)],
            seconds: 3600,
            route: "a",
            told: &[],
            requests: 126..=160,
        },
        // The client leaves a server that fails, and does not come back while the other one works.
        Step {
            what: "the first fails",
            says: &[("n1", Says::Down)],
            seconds: 40,
            route: "a b",
            told: &["+b", "queues of b"],
            requests: 1..=20,
        },
        Step {
            what: "it is back",
            says: &[("n1", A)],
            seconds: 3600,
            route: "a b",
            told: &[],
            requests: 126..=160,
        },
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_does_not_let_the_other_twin_change_the_route() {
    let site = Site::new(&["n1", "n2"], A);
    let cache = RouteCache::builder(site.client()).scheduled_refresh(false).build().unwrap();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, &[FOUND]).await;
    site.server("n2").says(AB);
    // n1 answers, but this topic late: the other one is asked, too, and is there first.
    site.server("n1").takes_for(TOPIC, Duration::from_millis(200));
    let mut disagreed = 0;
    for round in 1..=10 {
        let asked = site.asked();
        let (route, _) = tokio::join!(cache.refresh_route(TOPIC), async {
            for _ in 0..20 {
                cache.refresh_route("U").await.unwrap();
                pass(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(outcome(&route), "a", "{round}");
        let requests = site.asked() - asked - 20;
        // n1, n2, and n1 again to settle it. One call in ten may be asked twice, but for the first ones.
        assert!((1..=3).contains(&requests), "{requests}");
        disagreed += usize::from(requests == 3);
    }
    assert!(disagreed > 5, "{disagreed}");
    assert_eq!((watch.told(), cache.stats().changed), (Vec::new(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_twin_that_is_slow_is_left_once_and_not_come_back_to() {
    let site = Site::new(&["n1", "n2"], A);
    site.server("n2").says(AB);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, &[FOUND]).await;
    site.server("n1").takes(Duration::from_secs(1));
    let rows = [
        Step {
            what: "slow",
            says: &[],
            seconds: 60,
            route: "a b",
            told: &["+b", "queues of b"],
            requests: 3..=4,
        },
        Step { what: "later", says: &[], seconds: 600, route: "a b", told: &[], requests: 21..=27 },
    ];
    play(&site, &cache, &watch, &rows).await;
}

#[tokio::test(start_paused = true)]
async fn where_both_twins_say_something_new_it_is_told_once() {
    let site = Site::new(&["n1", "n2"], A);
    let cache = RouteCache::builder(site.client()).scheduled_refresh(false).build().unwrap();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, &[FOUND]).await;
    site.all_say(AB);
    site.server("n1").takes_for(TOPIC, Duration::from_millis(200));
    let (route, _) = tokio::join!(cache.refresh_route(TOPIC), cache.refresh_route("U"));
    assert_eq!((outcome(&route), route.unwrap().source()), ("a b".to_owned(), "n1:9876"));
    let row = Step {
        what: "after",
        says: &[],
        seconds: 1,
        route: "a b",
        told: &["+b", "queues of b"],
        requests: 0..=0,
    };
    play(&site, &cache, &watch, &[row]).await;
}
