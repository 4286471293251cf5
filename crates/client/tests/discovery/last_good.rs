//! The last good list on disk.

use std::fs;
use std::path::Path;

use rocketmq_nameserver::ErrorKind;

use crate::world::{Network, Registry, Says, ask, hosts, next};

/// What the file holds, without its comments.
fn kept(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.join(";")
}

/// Waits for the writer, who works beside everything else.
async fn until_kept(path: &Path, expected: &str) {
    for _ in 0..10_000 {
        if kept(path) == expected {
            return;
        }
        // Time that is paused stands still while the writer works.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(kept(path), expected);
}

#[tokio::test(start_paused = true)]
async fn it_starts_a_client_whose_sources_are_all_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    let registry = Registry::new(Says::List("a;b"));
    let discovery = || registry.discovery().keep_last_good(&path);
    let client = Network::default().client(discovery());
    ask(&client).await;
    until_kept(&path, "a:9876;b:9876").await;
    registry.says(Says::List("b;c"));
    client.server_list_changes().changed().await.unwrap();
    until_kept(&path, "b:9876;c:9876").await;
    client.close().await;

    for says in [Says::Fails, Says::Nothing, Says::Hangs] {
        registry.says(says.clone());
        let client = Network::default().client(discovery());
        ask(&client).await;
        assert_eq!(hosts(&client), "b;c", "{says:?}");
        // Sources are better, as soon as they are there.
        registry.says(Says::List("d"));
        let mut changes = client.server_list_changes();
        assert_eq!(next(&mut changes).await, ("b;c".into(), "d".into()), "{says:?}");
        until_kept(&path, "d:9876").await;
        registry.says(Says::List("b;c"));
        assert_eq!(next(&mut changes).await, ("d".into(), "b;c".into()), "{says:?}");
        until_kept(&path, "b:9876;c:9876").await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_used_while_a_source_has_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    let registry = Registry::new(Says::List("a"));
    let client = Network::default().client(registry.discovery().keep_last_good(&path));
    ask(&client).await;
    until_kept(&path, "a:9876").await;
    // Somebody else's.
    fs::write(&path, fs::read_to_string(&path).unwrap().replace('a', "x")).unwrap();
    let asked = registry.asked();
    registry.says(Says::Fails);
    registry.was_asked(asked + 3).await;
    assert_eq!(hosts(&client), "a");
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    for text in [None, Some("a:1"), Some("# something else\na:1"), Some("")] {
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        let registry = Registry::new(Says::Fails);
        let client = Network::default().client(registry.discovery().keep_last_good(&path));
        let error = client.query_topic_route_info("t").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{text:?}: {error}");
        // And is replaced.
        registry.says(Says::List("b"));
        ask(&client).await;
        until_kept(&path, "b:9876").await;
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_not_there_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(Says::List("a"));
    let discovery = registry.discovery().keep_last_good(folder.path().join("none/servers"));
    let client = Network::default().client(discovery);
    ask(&client).await;
    registry.says(Says::List("b"));
    client.server_list_changes().changed().await.unwrap();
    ask(&client).await;
    assert_eq!(hosts(&client), "b");
}
