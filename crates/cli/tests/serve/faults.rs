//! Wrong on purpose: `--fault` and `--faults-from-stdin`.

use std::process::Stdio;

use rocketmq_nameserver_server::Fault;
use rustix::process::Signal;

use crate::process::{Scratch, Serving, nsctl, nsctl_that_reads, stderr, stdout};

const TOPOLOGY: &str = r#"{"clusters": {"c": {
    "brokers": {"a": {"brokerAddrs": {"0": "127.0.0.1:10911"}}, "b": {"brokerAddrs": {"0": "127.0.0.1:10921"}}},
    "topics": {"orders": {"readQueueNums": 4}}
}}}"#;

/// Asks for the route of `orders`.
fn check(server: &Serving, faults: &str, code: i32, says: &str) {
    let limit = if says == DEADLINE { "300ms" } else { "30s" };
    let output = nsctl(&["-n", server.address(), "--timeout", limit, "route", "orders"]);
    let said = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{faults}: {said}");
    assert!(said.contains(says), "{faults}: {said}");
}

/// What is said when no answer came in time.
const DEADLINE: &str = "deadline";

/// Faults, the exit code of who asks for a route, and a part of what that is told.
const SEEN: [(&str, i32, &str); 10] = [
    ("refuse", 3, "nothing blocks the way"),
    ("go-away", 3, "shutting down"),
    ("not-ready", 1, "name server not ready"),
    ("empty", 1, "not found"),
    ("disagree", 0, "1 broker"),
    ("silent", 3, DEADLINE),
    ("wrong-opaque", 3, DEADLINE),
    ("slow=10ms", 0, "2 brokers"),
    ("half-frame", 3, "closed"),
    ("empty,slow=60s", 3, DEADLINE),
];

#[test]
fn a_server_may_be_wrong_from_the_start() {
    let file = Scratch::new("faults-start.json", TOPOLOGY);
    for (faults, code, says) in SEEN {
        let mut server = Serving::start(&["--from", file.path(), "--fault", faults]);
        assert_eq!(server.remark(), format!("fault: {faults}"));
        check(&server, faults, code, says);
        server.signal(Signal::TERM);
        assert_eq!(server.wait(), (Some(0), String::new(), String::new()), "{faults}");
    }
    let mut server = Serving::start(&["--fault", "empty", "--fault", "slow=1ms,silent"]);
    assert_eq!(server.remark(), "fault: empty,slow=1ms,silent");
}

#[test]
fn lines_on_stdin_change_what_is_wrong() {
    let file = Scratch::new("faults-stdin.json", TOPOLOGY);
    let mut server =
        Serving::start_that_reads(Stdio::piped(), &["--from", file.path(), "--faults-from-stdin"]);
    check(&server, "none yet", 0, "2 brokers");
    for (faults, code, says) in SEEN {
        server.tell(faults);
        assert_eq!(server.remark(), format!("fault: {faults}"));
        check(&server, faults, code, says);
    }
    for wrong in ["nope", "slow", "none,silent", "Silent"] {
        server.tell("");
        server.tell(wrong);
        let said = server.remark();
        assert!(said.starts_with("nsctl: ") && said.ends_with("Nothing has changed"), "{said}");
        check(&server, wrong, 3, DEADLINE);
    }
    server.tell("none");
    assert_eq!(server.remark(), "fault: none");
    check(&server, "none", 0, "2 brokers");
    server.tell("forget");
    assert_eq!(server.remark(), "fault: forget");
    check(&server, "forget", 1, "not found");
    server.signal(Signal::INT);
    // Its stdin is still open.
    assert_eq!(server.wait(), (Some(0), String::new(), String::new()));
}

#[test]
fn faults_stay_when_stdin_ends() {
    let mut server = Serving::start_that_reads(Stdio::piped(), &["--fault", "empty", "--faults-from-stdin"]);
    assert_eq!(server.remark(), "fault: empty");
    server.tell("not-ready");
    assert_eq!(server.remark(), "fault: not-ready");
    server.close_stdin();
    check(&server, "stdin has ended", 1, "name server not ready");
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), (Some(0), String::new(), String::new()));
}

#[test]
fn what_is_no_fault_is_wrong_use() {
    for (arguments, says) in [
        (&["--fault", "nope"][..], "there are refuse"),
        (&["--fault", "silent,nope"], "nope"),
        (&["--fault", "slow"], "slow=200ms"),
        (&["--fault", ""], "there are refuse"),
        (&["--fault", "forget"], "--faults-from-stdin"),
        (&["--from", "-", "--faults-from-stdin"], "stdin"),
    ] {
        let output = nsctl_that_reads(Stdio::null(), &[&["serve"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn help_has_every_fault() {
    let help = stdout(&nsctl(&["serve", "--help"]));
    let (_, listed) = help.split_once("left something to do:\n").expect("a list");
    let listed: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split(' ').next().filter(|name| !name.is_empty()))
        .collect();
    for name in &listed {
        assert!(name.parse::<Fault>().is_ok(), "{name}");
    }
    let all = "".parse::<Fault>().expect_err("no fault").to_string();
    let (_, all) = all.split_once("there are ").expect("a list");
    for name in all.split(", ").flat_map(|part| part.split(" and ")) {
        let name = name.replace("TIME", "200ms");
        assert!(listed.contains(&name.as_str()), "{name} in {listed:?}");
    }
}
