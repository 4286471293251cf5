//! What each source reads.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rocketmq_nameserver::Discovery;

use crate::world::{Network, ask, hosts, next};

/// The first list, or the error of the first call.
async fn first(discovery: Discovery) -> Result<String, String> {
    let client = Network::default().client(discovery);
    let called = client.query_topic_route_info("t").await;
    let servers: Vec<String> = client.server_list().iter().map(ToString::to_string).collect();
    called.map(|_| servers.join(";")).map_err(|error| error.to_string())
}

/// A process cannot change its environment safely, so this test runs itself again in another one.
#[tokio::test(start_paused = true)]
async fn environment_variables() {
    const IN_CHILD: &str = "TEST_OF_DISCOVERY";
    if env::var_os(IN_CHILD).is_none() {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "sources::environment_variables"])
            .envs([(IN_CHILD, "yes"), ("NAMESRV_ADDR", "a:1;b"), ("OTHER", "c,d:2"), ("BAD", "a:x")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    for (discovery, expected) in [
        (Discovery::env(), Ok("a:1;b:9876")),
        (Discovery::env_named("OTHER"), Ok("c:9876;d:2")),
        (Discovery::env_named("BAD"), Err("environment variable BAD: bad NameServer address \"a:x\"")),
        (Discovery::env_named("NONE"), Err("environment variable NONE: it is not set")),
        (Discovery::env_named("NONE").or(Discovery::env()), Ok("a:1;b:9876")),
    ] {
        check(&first(discovery).await, expected);
    }
}

#[tokio::test]
async fn all_addresses_of_a_name() {
    let found = first(Discovery::dns("localhost", 9877)).await.unwrap();
    assert!(found.split(';').all(|server| ["127.0.0.1:9877", "[::1]:9877"].contains(&server)), "{found}");
    assert_eq!(first(Discovery::dns("127.0.0.1", 1)).await.unwrap(), "127.0.0.1:1");
    assert_eq!(first(Discovery::dns("[::1]", 1)).await.unwrap(), "[::1]:1");
}

#[tokio::test]
async fn a_name_that_is_none_is_named_in_the_error() {
    // No character of it can be part of a name, so nobody is asked.
    let name = "a..b";
    let error = first(Discovery::dns(name, 1)).await.unwrap_err();
    assert!(error.contains("DNS name a..b:1: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    for (text, expected) in [
        ("a:1;b", Ok("a:1;b:9876")),
        ("# ours\na:1 # the first\n\r\n  b:2, c:3;\n#d:4", Ok("a:1;b:2;c:3")),
        ("a:1\na:1\n", Ok("a:1")),
        ("", Err("the list is empty")),
        ("# a:1\n", Err("the list is empty")),
        ("a:1;b:x", Err("\"b:x\"")),
        ("http://a:1", Err("scheme")),
        (&"a:1\n".repeat(17_000), Err("longer than 65536 bytes")),
    ] {
        fs::write(&path, text).unwrap();
        check(&first(Discovery::file(&path)).await, expected);
    }
    fs::write(&path, b"a:1;\xff").unwrap();
    check(&first(Discovery::file(&path)).await, Err("UTF-8"));
    check(&first(Discovery::file(folder.path().join("none"))).await, Err("none: "));
    check(&first(Discovery::file(folder.path())).await, Err("file "));
}

fn check(found: &Result<String, String>, expected: Result<&str, &str>) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
        _ => panic!("{found:?} instead of {expected:?}"),
    }
}

fn put(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_and_keeps_its_last_good_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("servers");
    put(&path, "a");
    let client = Network::default().client(Discovery::file(&path));
    ask(&client).await;
    let mut changes = client.server_list_changes();
    put(&path, "b;c");
    assert_eq!(next(&mut changes).await, ("a".into(), "b;c".into()));
    for broken in [None, Some(""), Some("b:x")] {
        match broken {
            None => fs::remove_file(&path).unwrap(),
            Some(text) => put(&path, text),
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(hosts(&client), "b;c", "{broken:?}");
    }
    put(&path, "d");
    assert_eq!(next(&mut changes).await, ("b;c".into(), "d".into()));
}
