//! Files that are too long to be read while somebody waits for the cache to be made.

use crate::folder::{Folder, file};
use crate::site::{Says, Site, outcome};

/// So many topics, each with a route of its own or all with one.
fn filled(topics: usize, own_routes: bool) -> Folder {
    let names: Vec<String> = (0..topics).map(|number| format!("topic-{number}")).collect();
    let broker = |name| if own_routes { name } else { "a" };
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), broker(name.as_str()), -1000)).collect();
    let folder = Folder::new();
    std::fs::write(folder.file(), file(&entries)).unwrap();
    folder
}

#[tokio::test]
async fn a_call_waits_for_a_long_file_and_is_served_from_it() {
    let folder = filled(2_500, true);
    assert!(folder.text().len() > 256 << 10);
    let site = Site::new(&["ns"], Says::Down);
    let cache = folder.cache(&site);
    assert_eq!(outcome(&cache.get_route("topic-2499").await), "topic-2499");
    let cache = folder.cache(&site);
    let routes = cache.preload(["topic-0", "topic-2499"]).await;
    assert_eq!(routes.iter().map(outcome).collect::<Vec<_>>(), ["topic-0", "topic-2499"]);
}

#[tokio::test]
async fn a_hundred_thousand_topics_are_loaded_and_kept() {
    let topics = 100_000;
    let folder = filled(topics, false);
    let site = Site::new(&["ns"], Says::Down);
    let cache = folder.cache(&site);
    // Waits until everything was read.
    cache.save_snapshot().await.unwrap();
    assert_eq!((cache.topics().len(), cache.stats().loaded), (topics, topics as u64));
    assert_eq!(outcome(&cache.get_route("topic-99999").await), "a");
    let shared = cache.get_route("topic-0").await.unwrap();
    assert!(std::sync::Arc::ptr_eq(shared.route(), cache.get_route("topic-1").await.unwrap().route()));
    assert!(folder.text().len() < 16 << 20, "they share a route on disk, too");
    let again = folder.cache(&site);
    again.save_snapshot().await.unwrap();
    assert_eq!(again.topics().len(), topics);
}
