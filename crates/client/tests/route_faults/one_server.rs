//! Faults of the only server.

use std::time::Duration;

use crate::play::{Step, TOPIC, Watched, play};
use crate::site::{Says, Site, outcome, pass};

const A: Says = Says::Route(&["a"]);
const AB: Says = Says::Route(&["a", "b"]);

/// A route is refreshed 22.5 to 28.5 s after it was confirmed; failed questions are asked again after about 1, 2, 4, 8, 16 s and
/// then every 22.5 to 37.5 s. The numbers below follow from that.
async fn play_alone(first: Says, steps: &[Step]) {
    let site = Site::new(&["ns"], first);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, steps).await;
}

const FOUND: Step =
    Step { what: "before", says: &[], seconds: 1, route: "a", told: &["found 1"], requests: 1..=1 };

#[tokio::test(start_paused = true)]
async fn an_hour_without_faults_is_an_hour_of_fresh_routes() {
    play_alone(
        A,
        &[
            FOUND,
            Step { what: "an hour", says: &[], seconds: 3600, route: "a", told: &[], requests: 126..=160 },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_over_before_the_next_refresh_is_not_noticed() {
    play_alone(
        A,
        &[
            FOUND,
            Step {
                what: "down",
                says: &[("*", Says::Down)],
                seconds: 20,
                route: "a",
                told: &[],
                requests: 0..=0,
            },
            // The connection that died is no failure: the question goes over a new one.
            Step { what: "up", says: &[("*", A)], seconds: 10, route: "a", told: &[], requests: 1..=1 },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_takes_longer_leaves_a_stale_route_and_a_resync() {
    play_alone(
        A,
        &[
            FOUND,
            // A first question and its retries after about 1, 2, 4, 8, 16 s; one more connection for each that dies.
            Step {
                what: "down",
                says: &[("*", Says::Down)],
                seconds: 60,
                route: "a, stale",
                told: &[],
                requests: 5..=7,
            },
            Step {
                what: "up",
                says: &[("*", A)],
                seconds: 38,
                route: "a",
                told: &["resynced"],
                requests: 1..=2,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_server_after_a_restart_does_not_take_the_route_away() {
    play_alone(
        A,
        &[
            FOUND,
            Step {
                what: "down",
                says: &[("*", Says::Down)],
                seconds: 5,
                route: "a",
                told: &[],
                requests: 0..=0,
            },
            Step {
                what: "empty",
                says: &[("*", Says::NotFound)],
                seconds: 60,
                route: "a, stale",
                told: &[],
                requests: 5..=7,
            },
            Step {
                what: "one broker is back",
                says: &[("*", Says::Route(&["b"]))],
                seconds: 38,
                route: "b",
                told: &["resynced", "-a", "+b", "queues of a", "queues of b"],
                requests: 1..=2,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_ready_for_ten_seconds_costs_a_few_requests() {
    play_alone(
        A,
        &[
            FOUND,
            Step { what: "time passes", says: &[], seconds: 20, route: "a", told: &[], requests: 0..=0 },
            // Asked at 22.5 to 28.5 s, and again about 1, 3, 7 s after that.
            Step {
                what: "not ready",
                says: &[("*", Says::NotReady)],
                seconds: 10,
                route: "a, stale",
                told: &[],
                requests: 2..=4,
            },
            Step {
                what: "ready",
                says: &[("*", A)],
                seconds: 10,
                route: "a",
                told: &["resynced"],
                requests: 1..=1,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_topic_fails_at_once_whatever_the_server_suffers_from() {
    for (says, expected, requests) in [
        (Says::Down, "Connection error", 1),
        (Says::NotReady, "Response error", 1),
        (Says::NotFound, "not found", 1),
        (Says::Nothing, "Timeout error", 1),
    ] {
        let site = Site::new(&["ns"], says);
        let cache = site.cache();
        assert_eq!((outcome(&cache.get_route(TOPIC).await).as_str(), site.asked()), (expected, requests));
        // "Not found" is remembered, other failures are not: who is new is not told of the past.
        cache.get_route(TOPIC).await.unwrap_err();
        assert_eq!(site.asked() == 1, says == Says::NotFound, "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flapping_server_is_a_working_one() {
    let site = Site::new(&["ns"], A);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    play(&site, &cache, &watch, &[FOUND]).await;
    let before = site.asked();
    for round in 0..120 {
        site.all_say(if round % 2 == 0 { Says::Down } else { A });
        pass(Duration::from_secs(5)).await;
        let route = cache.get_route(TOPIC).await.unwrap();
        assert_eq!(route.broker_data_list.len(), 1);
        // 28.5 s, and the three retries that reach a time at which it is up.
        assert!(route.age() <= Duration::from_secs(38), "{:?}", route.age());
    }
    assert!(watch.told().iter().all(|change| change == "resynced"));
    // 600 s at no less than 22.5 s for each refresh, each with at most three retries.
    assert!((20..=108).contains(&(site.asked() - before)), "{}", site.asked() - before);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_for_an_hour_loses_the_route_and_not_before() {
    play_alone(
        A,
        &[
            FOUND,
            // 5 retries, and then no less than 22.5 s for each of the others.
            Step {
                what: "59 minutes",
                says: &[("*", Says::Down)],
                seconds: 59 * 60,
                route: "a, stale",
                told: &[],
                requests: 90..=170,
            },
            // An unknown topic now: the watch asks every 3 s, and so does this call.
            Step {
                what: "an hour",
                says: &[],
                seconds: 120,
                route: "Connection error",
                told: &["gone: too old"],
                requests: 1..=45,
            },
            Step {
                what: "up",
                says: &[("*", AB)],
                seconds: 4,
                route: "a b",
                told: &["found 2"],
                requests: 1..=2,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_asked_rarely_and_the_route_stays() {
    play_alone(
        A,
        &[
            FOUND,
            // Each question waits for 5 s, and one that finds the line dead is asked once more.
            Step {
                what: "silent",
                says: &[("*", Says::Nothing)],
                seconds: 90,
                route: "a, stale",
                told: &[],
                requests: 3..=12,
            },
            Step {
                what: "it speaks",
                says: &[("*", A)],
                seconds: 44,
                route: "a",
                told: &["resynced"],
                requests: 1..=3,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_is_waited_for_behind_the_callers_back() {
    let site = Site::new(&["ns"], A);
    let cache = site.cache();
    let watch = Watched::of(&cache);
    site.server("ns").takes(Duration::from_millis(1400));
    let rows = [
        Step { what: "found late", says: &[], seconds: 2, route: "a", told: &["found 1"], requests: 1..=1 },
        Step { what: "a minute", says: &[], seconds: 23, route: "a", told: &[], requests: 0..=1 },
        // It is asked 1.5 s before the route is stale at the latest.
        Step {
            what: "a change",
            says: &[("*", AB)],
            seconds: 31,
            route: "a b",
            told: &["+b", "queues of b"],
            requests: 1..=2,
        },
    ];
    play(&site, &cache, &watch, &rows).await;
}

#[tokio::test(start_paused = true)]
async fn a_route_that_shrinks_is_believed_and_each_broker_told() {
    play_alone(
        Says::Route(&["a", "b", "c"]),
        &[
            Step {
                what: "before",
                says: &[],
                seconds: 1,
                route: "a b c",
                told: &["found 3"],
                requests: 1..=1,
            },
            Step {
                what: "one less",
                says: &[("*", AB)],
                seconds: 29,
                route: "a b",
                told: &["-c", "queues of c"],
                requests: 1..=1,
            },
            Step {
                what: "one left",
                says: &[("*", A)],
                seconds: 29,
                route: "a",
                told: &["-b", "queues of b"],
                requests: 1..=2,
            },
            Step {
                what: "none",
                says: &[("*", Says::Route(&[]))],
                seconds: 29,
                route: "",
                told: &["-a", "queues of a"],
                requests: 1..=2,
            },
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_topic_stays_for_an_hour_with_one_server_unless_it_is_invalidated() {
    for invalidate in [false, true] {
        let site = Site::new(&["ns"], A);
        let cache = site.cache();
        let watch = Watched::of(&cache);
        play(&site, &cache, &watch, &[FOUND]).await;
        site.all_say(Says::NotFound);
        if invalidate {
            assert!(cache.invalidate(TOPIC));
            let gone = Step {
                what: "invalidated",
                says: &[],
                seconds: 1,
                route: "not found",
                told: &["gone: not found"],
                requests: 1..=1,
            };
            play(&site, &cache, &watch, &[gone]).await;
        } else {
            let rows = [
                Step {
                    what: "kept",
                    says: &[],
                    seconds: 59 * 60,
                    route: "a, stale",
                    told: &[],
                    requests: 90..=170,
                },
                Step {
                    what: "too old",
                    says: &[],
                    seconds: 120,
                    route: "not found",
                    told: &["gone: too old"],
                    requests: 1..=45,
                },
            ];
            play(&site, &cache, &watch, &rows).await;
        }
    }
}
