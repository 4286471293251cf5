//! When the file is written.

use std::fs;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::folder::{A, Folder, TOPIC, WRITTEN, eventually};
use crate::site::{Says, Site, outcome, pass};

/// How often the file is written in so many seconds: it is taken away each time.
async fn written(folder: &Folder, seconds: u64) -> usize {
    let mut times = 0;
    for _ in 0..4 * seconds {
        pass(Duration::from_millis(250)).await;
        times += usize::from(fs::remove_file(folder.file()).is_ok());
    }
    times
}

#[tokio::test(start_paused = true)]
async fn what_is_found_changed_or_gone_is_on_disk_soon_and_together() {
    let site = Site::new(&["ns-1", "ns-2"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    pass(WRITTEN).await;
    assert!(!folder.file().exists(), "nothing was found yet");
    for topic in ["T", "U", "V"] {
        cache.get_route(topic).await.unwrap();
    }
    pass(Duration::from_millis(500)).await;
    assert!(!folder.file().exists(), "more may come");
    assert_eq!(written(&folder, 5).await, 1, "three topics in one file");
    site.all_say(Says::Route(&["b"]));
    cache.refresh_route("T").await.unwrap();
    eventually(|| folder.text().contains("b:10911")).await;
    site.all_say(Says::NotFound);
    cache.refresh_route("T").await.unwrap_err();
    eventually(|| !folder.has("T") && folder.has("U")).await;
}

#[tokio::test(start_paused = true)]
async fn confirmations_are_written_once_per_ttl_and_silence_never() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    for topic in ["T", "U", "V"] {
        cache.get_route(topic).await.unwrap();
    }
    assert_eq!(written(&folder, 5).await, 1);
    let times = written(&folder, 300).await;
    assert!((7..=10).contains(&times), "{times} in 5 minutes");
    // A refresh may be under way just then.
    site.all_say(Says::Down);
    written(&folder, 31).await;
    assert_eq!(written(&folder, 100).await, 0, "nothing is confirmed, so there is nothing to write");
    assert_eq!(outcome(&cache.get_route(TOPIC).await), "a, stale");
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_and_again_is_gathered_for_a_second_each_time() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    let mut times = 0;
    // Something new at every look, so that there is something to write as soon as a file is.
    for topic in 0..3_000 {
        cache.get_route(&topic.to_string()).await.unwrap();
        pass(Duration::from_millis(1)).await;
        times += usize::from(fs::remove_file(folder.file()).is_ok());
    }
    assert!((2..=4).contains(&times), "{times} in 3 seconds");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_leaves_the_file_with_the_cache() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    cache.get_route("T").await.unwrap();
    for _ in 0..70 {
        pass(Duration::from_secs(10)).await;
        cache.get_route("U").await.unwrap();
    }
    assert!(!folder.has("T") && folder.has("U"));
}

#[tokio::test(start_paused = true)]
async fn whatever_ends_a_cache_ends_its_writing() {
    for end in ["close", "drop"] {
        let site = Site::new(&["ns"], A);
        let folder = Folder::new();
        let cache = folder.cache(&site);
        cache.get_route(TOPIC).await.unwrap();
        let closed = (end == "close").then(|| {
            cache.close();
            cache.clone()
        });
        drop(cache);
        pass(Duration::from_secs(600)).await;
        assert!(!folder.file().exists(), "{end}: the last second may be missing");
        drop(closed);
        pass(Duration::from_secs(1)).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0, "{end}: tasks are left");
    }
}

#[tokio::test(start_paused = true)]
async fn a_save_that_nobody_waits_for_is_carried_out() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    cache.get_route(TOPIC).await.unwrap();
    assert!(futures_util::FutureExt::now_or_never(cache.save_snapshot()).is_none());
    // Time passes only when it is done.
    pass(Duration::from_millis(1)).await;
    assert!(folder.has(TOPIC));
}

#[test]
fn a_runtime_that_ends_leaves_the_writing_to_the_next_one() {
    let site = Site::new(&["ns"], A);
    let folder = Folder::new();
    let cache = folder.cache(&site);
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime().block_on(async { cache.get_route(TOPIC).await.unwrap() });
    assert!(!folder.file().exists());
    runtime().block_on(async {
        // The old runtime's connections are gone too.
        cache.refresh_route(TOPIC).await.unwrap();
        pass(WRITTEN).await;
    });
    assert!(folder.has(TOPIC));
}
