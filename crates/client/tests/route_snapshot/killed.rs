//! Processes that are killed while they write, and several that write the same file.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rocketmq_nameserver::{RouteCache, SyncNameServerClient, SyncRouteCache};

use crate::folder::{Folder, file};
use crate::site::{Says, Site};

const TOPICS: usize = 500;

fn filled() -> Folder {
    let topics: Vec<String> = (0..TOPICS).map(|number| format!("T{number}")).collect();
    let entries: Vec<_> = topics.iter().map(|topic| (topic.as_str(), topic.as_str(), -1000)).collect();
    let folder = Folder::new();
    std::fs::write(folder.file(), file(&entries)).unwrap();
    folder
}

/// How many topics a cache takes from the file.
fn loaded(path: &Path) -> usize {
    let cache = cache(path);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Waits for it.
    let _nobody_answers = runtime.block_on(cache.get_route("no topic"));
    usize::try_from(cache.stats().loaded).unwrap()
}

/// A cache whose server is down.
fn cache(path: &Path) -> RouteCache {
    RouteCache::builder(Site::new(&["ns"], Says::Down).client()).snapshot(path).build().unwrap()
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_a_whole_file() {
    const IN_CHILD: &str = "TEST_OF_SNAPSHOT";
    if let Some(path) = env::var_os(IN_CHILD) {
        // Nobody is there to be asked; port 1 refuses.
        let client = SyncNameServerClient::builder().servers("127.0.0.1:1").build_sync().unwrap();
        let cache = SyncRouteCache::builder(&client).snapshot(path).build_sync().unwrap();
        loop {
            writeln!(io::stdout(), "writes").unwrap();
            cache.save_snapshot().unwrap();
        }
    }
    let folder = filled();
    for round in 1..=20 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "killed::a_process_that_is_killed_while_it_writes_leaves_a_whole_file",
            ])
            .env(IN_CHILD, folder.file())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let writes = lines.filter(|line| line.ends_with("writes")).take(round).count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(writes, round, "it ended by itself");
        assert_eq!(loaded(&folder.file()), TOPICS, "round {round}");
    }
}

#[test]
fn caches_that_write_the_same_file_never_leave_a_torn_one() {
    let folder = filled();
    let path = folder.file();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let cache = cache(&path);
                    while !over.load(Ordering::Relaxed) {
                        cache.save_snapshot().await.unwrap();
                    }
                });
            });
        }
        let all: Vec<usize> = (0..50).map(|_| loaded(&path)).collect();
        over.store(true, Ordering::Relaxed);
        assert!(all.iter().all(|loaded| *loaded == TOPICS), "{all:?}");
    });
}
