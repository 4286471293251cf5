//! The KV store, the settings and the personality: what the server does with them.

use rocketmq_nameserver::protocol::request::GetKvConfig;
use rocketmq_nameserver::{DEFAULT_TIMEOUT, SyncNameServerClient, create_sync_client};

use crate::process::{Scratch, ScratchFolder, Serving, nsctl, stderr, stdout};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/topology.example.json");

fn client(server: &Serving) -> SyncNameServerClient {
    let (host, port) = server.address().rsplit_once(':').expect("host:port");
    create_sync_client(host, port.parse().expect("a port"), DEFAULT_TIMEOUT).expect("a good address")
}

fn kv(server: &Serving, key: &str) -> String {
    let wanted = GetKvConfig { namespace: "ORDER_TOPIC_CONFIG".into(), key: key.into() };
    client(server).request(&wanted).expect("it is there").to_string()
}

#[test]
fn kv_entries_of_a_file_are_there_when_it_is_ready() {
    let server = Serving::start(&["--from", EXAMPLE]);
    assert_eq!(kv(&server, "payments"), "broker-a:8;broker-b:8");
}

#[test]
fn a_kv_file_outlives_the_server_and_a_broken_one_is_wrong_use() {
    let file = Scratch::new("kvConfig.json", r#"{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"a:1"}}}"#);
    let first = Serving::start(&["--kv-file", file.path(), "--from", EXAMPLE]);
    drop(first);
    let second = Serving::start(&["--kv-file", file.path()]);
    assert_eq!((&*kv(&second, "T"), &*kv(&second, "payments")), ("a:1", "broker-a:8;broker-b:8"));
    drop(second);
    // What a topology says takes the place of what is stored.
    let topology = Scratch::new("over.json", r#"{"kv":{"ORDER_TOPIC_CONFIG":{"T":"b:2"}}}"#);
    drop(Serving::start(&["--kv-file", file.path(), "--from", topology.path()]));
    let third = Serving::start(&["--kv-file", file.path()]);
    assert_eq!((&*kv(&third, "T"), &*kv(&third, "payments")), ("b:2", "broker-a:8;broker-b:8"));

    let broken = Scratch::new("broken.json", "{");
    let output = nsctl(&["serve", "--listen", "127.0.0.1:0", "--kv-file", broken.path()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(broken.path()), "{}", stderr(&output));
}

#[test]
fn a_kv_file_that_cannot_be_written_is_wrong_use_before_anything_listens() {
    let file = Scratch::new("no-folder", "");
    let (no_folder, below) = (format!("{}/kv.json", file.path()), format!("{}/x/kv.json", file.path()));
    let setting = format!("kvConfigPath={no_folder}");
    for (arguments, says) in [
        (
            ["--kv-file", &*no_folder],
            format!("{no_folder} cannot be used: its folder {} cannot", file.path()),
        ),
        (["--kv-file", &*below], format!("{below} cannot be used: its folder {}/x cannot", file.path())),
        (["--kv-file", "/proc/nsctl/kv.json"], "/proc/nsctl/kv.json cannot be used: its folder".to_owned()),
        (["--set", &*setting], format!("{no_folder} cannot be used: its folder {} cannot", file.path())),
    ] {
        let output = nsctl(&[&["serve", "--listen", "127.0.0.1:0"], arguments.as_slice()].concat());
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{arguments:?}");
        let expected = format!("nsctl: the KV file {says}");
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    }
}

#[test]
fn without_all_of_its_topology_it_does_not_serve() {
    let folder = ScratchFolder::new("half");
    let file = folder.0.join("kv.json");
    // What it writes before it renames it.
    std::fs::create_dir_all(folder.0.join("kv.json.new")).expect("the target folder is writable");
    let file = file.to_str().expect("UTF-8");
    for (arguments, says) in [
        (["--kv-file", file], format!("changed, but only in memory: cannot write {file}: ")),
        (["--timeout", "1ns"], "deadline".to_owned()),
        // Closed or reset, as the system likes.
        (["--max-frame-size", "64"], "connection".to_owned()),
    ] {
        let arguments =
            [&["serve", "--listen", "127.0.0.1:0", "--from", EXAMPLE], arguments.as_slice()].concat();
        let output = nsctl(&arguments);
        let said = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(3), true), "{said}");
        let last = said.lines().last().expect("a line");
        let entry = r#"nsctl: the topology's KV entry "payments" of "ORDER_TOPIC_CONFIG" cannot be put: "#;
        assert!(last.starts_with(entry) && last.contains(&says), "{said}");
        let json = nsctl(&[arguments.as_slice(), &["-o", "json"]].concat());
        assert!(stderr(&json).lines().last().is_some_and(|line| line.contains(r#""kind":"System""#)));
    }
}

#[test]
fn missing_folders_of_a_kv_file_are_made_and_nothing_else() {
    let folder = ScratchFolder::new("kv-folder");
    let deeper = folder.0.join("a/b");
    let file = deeper.join("kv.json");
    let file = file.to_str().expect("UTF-8");
    let content = || {
        let entries = std::fs::read_dir(&deeper).expect("it was made");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("it is there").file_name()).collect();
        names.sort_unstable();
        names
    };
    drop(Serving::start(&["--kv-file", file]));
    // The lock stays: whoever is about to take it has it open already.
    assert_eq!(content(), ["kv.json.lock"]);
    drop(Serving::start(&["--kv-file", file, "--from", EXAMPLE]));
    assert_eq!(content(), ["kv.json", "kv.json.lock"]);
    let stored = std::fs::read(file).expect("it was written");
    drop(Serving::start(&["--kv-file", file]));
    assert_eq!(std::fs::read(file).expect("it is still there"), stored);
}

#[test]
fn settings_take_effect_and_unknown_ones_are_wrong_use() {
    let server = Serving::start(&["--from", EXAMPLE, "--set", "orderMessageEnable=true"]);
    assert!(server.ask(&["route", "payments"]).contains("Ordered: broker-a:8;broker-b:8"));
    for setting in ["noSuchSetting=1", "orderMessageEnable=perhaps"] {
        let output = nsctl(&["serve", "--listen", "127.0.0.1:0", "--set", setting]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
}

#[test]
fn the_settings_that_help_lists_are_there() {
    let help = stdout(&nsctl(&["serve", "--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, listed) = help.split_once("May be given several times. ").expect("the help of --set");
    let (listed, _) = listed.split_once("; all others are kept and shown only").expect("it ends so");
    let (both, v5) = listed.split_once(" have an effect, and with --personality 5 also ").expect("two lists");
    let keys =
        |list: &str| -> Vec<String> { list.replace(" and ", ", ").split(", ").map(str::to_owned).collect() };
    for (personality, keys, count) in [("4", keys(both), 3), ("5", [keys(both), keys(v5)].concat(), 16)] {
        assert_eq!(keys.len(), count, "{keys:?}");
        let server = Serving::start(&["--personality", personality]);
        let settings = client(&server).get_namesrv_config().expect("it shows them");
        let missing: Vec<_> = keys.iter().filter(|key| settings.get(key).is_none()).collect();
        assert!(missing.is_empty(), "{personality} has no {missing:?}");
    }
}

#[test]
fn a_personality_is_told_by_its_words() {
    for (personality, words) in [("4", "docs/faq/"), ("5", "bestPractice/06FAQ")] {
        let server = Serving::start(&["--personality", personality]);
        let output = nsctl(&["-n", server.address(), "route", "nope"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}
