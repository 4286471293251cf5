//! The program as `cargo xtask bench` calls it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rocketmq_nameserver_protocol::frame::SerializeType;
use rocketmq_nameserver_protocol::request::{GetRouteInfo, Request};

const PATIENCE: Duration = Duration::from_secs(30);

fn bench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rocketmq-nameserver-bench"))
}

fn output(arguments: &[&Path]) -> Output {
    bench().args(arguments).output().unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs with these arguments and makes a page of the numbers, which has all the tables.
fn becomes_a_page(name: &str, arguments: &[&str]) {
    let (numbers, page) = (file(&format!("{name}.json")), file(&format!("{name}.md")));
    let mut run: Vec<&Path> = arguments.iter().map(Path::new).collect();
    run.extend(["--json".as_ref(), numbers.as_path()]);
    let run = output(&run);
    assert!(run.status.success(), "{}", stderr(&run));
    let tables = String::from_utf8(run.stdout).unwrap();

    let write = output(&["render".as_ref(), &numbers, "--write".as_ref(), &page]);
    assert!(write.status.success(), "{}", stderr(&write));
    let printed = output(&["render".as_ref(), &numbers]);
    assert_eq!(fs::read(&page).unwrap(), printed.stdout);
    for row in tables.lines().filter(|line| line.starts_with('|')) {
        assert!(fs::read_to_string(&page).unwrap().contains(row), "{row}");
    }

    let check = output(&["render".as_ref(), &numbers, "--check".as_ref(), &page]);
    assert!(check.status.success(), "{}", stderr(&check));
    fs::write(&page, "something else\n").unwrap();
    let check = output(&["render".as_ref(), &numbers, "--check".as_ref(), &page]);
    assert_eq!(check.status.code(), Some(1));
    assert!(stderr(&check).contains("cargo xtask bench render"), "{}", stderr(&check));
}

#[test]
fn a_quick_run_writes_numbers_that_become_a_page() {
    becomes_a_page("quick", &["run", "--quick"]);
}

#[test]
fn a_quick_run_of_the_server_writes_numbers_that_become_a_page() {
    becomes_a_page("server", &["server", "--quick", "--alone"]);
}

#[test]
fn a_quick_run_of_the_cache_writes_numbers_that_become_a_page() {
    // Without the memory of 100,000 topics, which a debug build takes a minute to fill.
    let parts = ["hits", "refresh", "faults", "cold"].map(|part| ["--only", part]);
    becomes_a_page("cache", &[&["cache", "--quick"], parts.as_flattened()].concat());
}

#[test]
fn topics_with_routes_of_their_own_take_more_memory_than_those_that_share_one() {
    let [differ, same] = ["differ", "same"].map(|routes| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rocketmq-nameserver-bench-memory"));
        let counted = program.args([routes, "1000"]).output().unwrap();
        assert!(counted.status.success(), "{}", stderr(&counted));
        String::from_utf8(counted.stdout).unwrap().trim().parse::<i64>().unwrap()
    });
    // A broker group's queues alone are more than 32 bytes, and there are 8.
    assert!(same > 0, "{same}");
    assert!(differ - same > 1_000 * 8 * 32, "{differ} and {same}");
}

#[test]
fn servers_answer_until_their_stdin_closes() {
    // The embedded server knows no topics, and so it refuses.
    for (server, end) in [("stub", "]}"), ("serve", "}")] {
        answers_until_its_stdin_closes(server, end);
    }
}

fn answers_until_its_stdin_closes(server: &str, end: &str) {
    let mut server = bench().arg(server).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut address).unwrap();

    let mut socket = TcpStream::connect(address.trim()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = GetRouteInfo::new("Topic000001").to_command();
    socket.write_all(&request.to_frame(SerializeType::Json).unwrap()).unwrap();
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    socket.read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(end.as_bytes()));

    drop(server.stdin.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(server.wait()));
    assert!(receiver.recv_timeout(PATIENCE).unwrap().unwrap().success());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let missing = file("missing.json");
    for arguments in [
        vec!["render".as_ref(), missing.as_path()],
        vec!["render".as_ref(), missing.as_path(), "--check".as_ref(), &missing],
    ] {
        let output = output(&arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("missing.json"), "{}", stderr(&output));
    }
}
