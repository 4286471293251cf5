//! The KV store's file: what a server leaves there, and what it makes of what it finds (`docs/wire.md` §2.8).

use std::fs;
use std::io;
use std::path::Path;

use rocketmq_nameserver_protocol::model::Name;
use rocketmq_nameserver_protocol::request::{DeleteKvConfig, GetKvConfig, GetKvListByNamespace, PutKvConfig};
use rocketmq_nameserver_server::NameServer;
use tempfile::TempDir;
use tokio::io::duplex;

use crate::peer::Peer;

const STORE: &str = r#"{"configTable":{"N":{"k":"v"}}}"#;

fn put(key: &str, value: &str) -> PutKvConfig {
    PutKvConfig { namespace: "N".into(), key: key.into(), value: value.into() }
}

fn open(file: &Path) -> io::Result<NameServer> {
    NameServer::builder().kv_file(file).build()
}

fn connect(server: &NameServer) -> Peer<tokio::io::DuplexStream> {
    let (near, far) = duplex(4096);
    tokio::spawn(server.serve_stream(far));
    Peer::new(near)
}

/// The value of `k` in the namespace `N`.
fn stored(server: &NameServer) -> Option<Name> {
    server.snapshot().kv.get("N").and_then(|table| table.get("k")).cloned()
}

#[tokio::test]
async fn every_change_is_in_the_file_and_the_one_before_is_in_its_copy() {
    let folder = TempDir::new().unwrap();
    // The folder is made, as Java does.
    let file = folder.path().join("namesrv/kvConfig.json");
    let server = open(&file).unwrap();
    assert!(!file.exists());
    assert!(open(&file).unwrap_err().to_string().contains("another NameServer uses it"));
    let mut peer = connect(&server);
    for (number, (put, text)) in [
        (put("k", "v"), r#"{"configTable":{"N":{"k":"v"}}}"#),
        (put("主题", "a\"b\n"), "{\"configTable\":{\"N\":{\"k\":\"v\",\"主题\":\"a\\\"b\\n\"}}}"),
        (put("k", ""), "{\"configTable\":{\"N\":{\"k\":\"\",\"主题\":\"a\\\"b\\n\"}}}"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = fs::read(&file).ok();
        peer.call(&put).await.unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        assert_eq!(fs::read(file.with_extension("json.bak")).ok(), before, "{number}");
        let elsewhere = folder.path().join(format!("{number}.json"));
        fs::copy(&file, &elsewhere).unwrap();
        assert_eq!(open(&elsewhere).unwrap().snapshot().kv, server.snapshot().kv);
    }
    for key in ["k", "主题", "none"] {
        peer.call(&DeleteKvConfig { namespace: "N".into(), key: key.into() }).await.unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), r#"{"configTable":{"N":{}}}"#, "a namespace stays");
    drop(peer);
    // The stream's task has the server, too.
    tokio::task::yield_now().await;
    drop(server);
    let again = open(&file).unwrap();
    let list = connect(&again).call(&GetKvListByNamespace { namespace: "N".into() }).await.unwrap();
    assert!(list.table.is_empty());
}

#[tokio::test]
async fn a_torn_file_is_replaced_by_its_copy() {
    for (name, file, copy, expected) in [
        ("nothing there", None, None, None),
        ("only the file", Some(STORE), None, Some("v")),
        ("only the copy", None, Some(STORE), Some("v")),
        ("both, and the file counts", Some(STORE), Some(r#"{"configTable":{"N":{"k":"old"}}}"#), Some("v")),
        ("a torn file", Some(r#"{"configTable":{"N":{"k""#), Some(STORE), Some("v")),
        ("an empty file", Some(""), Some(STORE), Some("v")),
        ("an empty file and no copy", Some(""), None, None),
        ("a torn copy does no harm", Some(STORE), Some("{"), Some("v")),
        ("no values are none", Some(r#"{"configTable":{"N":{"k":null},"M":null}}"#), None, None),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("kvConfig.json");
        for (path, text) in [(path.clone(), file), (path.with_extension("json.bak"), copy)] {
            if let Some(text) = text {
                fs::write(path, text).unwrap();
            }
        }
        let server = open(&path).expect(name);
        assert_eq!(stored(&server).as_deref(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_broken_beyond_its_copy_is_an_error_at_start_that_names_it() {
    for (file, copy) in [
        (Some("{"), None),
        (None, Some("")),
        (Some("[]"), None),
        // Another file: it would be overwritten.
        (Some("{}"), None),
        (Some(r#"{"clusters":{}}"#), None),
        (Some(r#"{"configTable":{"N":7}}"#), Some("{")),
        (None, Some("torn")),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("kvConfig.json");
        for (path, text) in [(path.clone(), file), (path.with_extension("json.bak"), copy)] {
            if let Some(text) = text {
                fs::write(path, text).unwrap();
            }
        }
        let error = open(&path).expect_err("broken");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    // A folder is no file.
    let folder = TempDir::new().unwrap();
    let error = open(folder.path()).expect_err("a folder");
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_says_so_and_holds_in_memory() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kvConfig.json");
    let server = open(&path).unwrap();
    // Where the new file would be written first there is a folder.
    fs::create_dir(path.with_extension("json.new")).unwrap();
    let mut peer = connect(&server);
    let refusal = peer.call(&put("k", "v")).await.unwrap_err();
    assert!(refusal.remark.is_some_and(|remark| remark.contains("kvConfig.json")));
    let value = peer.call(&GetKvConfig { namespace: "N".into(), key: "k".into() }).await.unwrap();
    assert_eq!(value, "v");
}

#[tokio::test]
async fn after_a_torn_file_the_next_change_leaves_two_whole_ones() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kvConfig.json");
    fs::write(&path, "{torn").unwrap();
    fs::write(path.with_extension("json.bak"), STORE).unwrap();
    let server = open(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), STORE, "mended at once");
    connect(&server).call(&put("k", "w")).await.unwrap();
    assert_eq!(fs::read_to_string(path.with_extension("json.bak")).unwrap(), STORE);
    assert_eq!(fs::read_to_string(&path).unwrap(), STORE.replace("\"v\"", "\"w\""));
}

#[cfg(unix)]
#[tokio::test]
async fn a_change_keeps_the_permissions_of_the_file_and_follows_a_link_to_it() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = TempDir::new().unwrap();
    let (path, link) = (folder.path().join("kvConfig.json"), folder.path().join("link.json"));
    fs::write(&path, STORE).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    symlink(&path, &link).unwrap();
    let server = open(&link).unwrap();
    connect(&server).call(&put("k", "w")).await.unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("\"w\""));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    for file in [path.clone(), path.with_extension("json.bak")] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
