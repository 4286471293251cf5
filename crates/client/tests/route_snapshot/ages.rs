//! How old a route is that was loaded.

use std::time::Duration;

use rocketmq_nameserver::RouteCache;

use crate::folder::{A, Folder, TOPIC, WRITTEN, unix};
use crate::site::{Says, Site, outcome, pass};

/// Far more than a test takes between two looks at the wall clock.
const SLACK: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_loaded_route_has_the_age_that_the_wall_clock_says() {
    const HOUR: i64 = 3_600_000;
    for (offset, ttl, max_stale, expected) in [
        (-10_000, 30, 3600, "a"),
        (-40_000, 30, 3600, "a, stale"),
        (-40_000, 60, 3600, "a"),
        (-HOUR + 60_000, 30, 3600, "a, stale"),
        (-HOUR - 1, 30, 3600, "Connection error"),
        (-HOUR - 1, 30, 2 * 3600, "a, stale"),
        (-40_000, 30, 30, "Connection error"),
        // A year, and an age that no clock reaches.
        (-8_760 * HOUR, 30, 9_000 * 3600, "a, stale"),
        (i64::MIN, 30, 3600, "Connection error"),
        // From the future: said now.
        (HOUR, 30, 3600, "a"),
        (i64::MAX, 30, 3600, "a"),
    ] {
        let folder = Folder::with(&[(TOPIC, "a", offset)]);
        let site = Site::new(&["ns"], Says::Down);
        let seconds = Duration::from_secs;
        let builder: RouteCache =
            folder.builder(site.client()).ttl(seconds(ttl)).max_stale(seconds(max_stale)).build().unwrap();
        let route = builder.get_route(TOPIC).await;
        assert_eq!(outcome(&route), expected, "{offset} ms, ttl {ttl} s, max_stale {max_stale} s");
        if let Ok(route) = route {
            let age = Duration::from_millis(offset.min(0).unsigned_abs());
            assert!(route.age() >= age && route.age() < age + SLACK, "{offset} ms: {:?}", route.age());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn limits_beyond_any_clock_are_no_mistake() {
    let folder = Folder::with(&[(TOPIC, "a", -40_000)]);
    let site = Site::new(&["ns"], Says::Down);
    let cache = folder.builder(site.client()).max_stale(Duration::MAX).build().unwrap();
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a, stale");
    pass(WRITTEN).await;
    let cache = folder.builder(site.client()).ttl(Duration::MAX).max_stale(Duration::MAX).build().unwrap();
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a");
}

#[tokio::test(start_paused = true)]
async fn times_from_the_future_are_set_right_in_the_file() {
    let folder = Folder::with(&[(TOPIC, "a", 86_400_000)]);
    let site = Site::new(&["ns"], Says::Down);
    let cache = folder.cache(&site);
    pass(WRITTEN).await;
    let text = folder.text();
    let written = text.split("\"confirmedAt\":").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    let written: u64 = written.parse().unwrap();
    assert!(written <= unix(0) && written > unix(-60_000), "{written}");
    drop(cache);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_makes_the_route_in_the_file_younger() {
    let folder = Folder::with(&[(TOPIC, "a", -3_000_000)]);
    let site = Site::new(&["ns"], A);
    let cache = folder.cache(&site);
    site.server("ns").was_asked(1).await;
    pass(Duration::from_secs(1)).await;
    cache.save_snapshot().await.unwrap();
    site.all_say(Says::Down);
    let route = folder.cache(&site).get_route(TOPIC).await.unwrap();
    assert!(route.age() < SLACK, "{:?}", route.age());
}
