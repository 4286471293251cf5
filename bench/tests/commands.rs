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

#[test]
fn a_quick_run_writes_numbers_that_become_a_page() {
    let (numbers, page) = (file("quick.json"), file("quick.md"));
    let run = output(&["run".as_ref(), "--quick".as_ref(), "--json".as_ref(), &numbers]);
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
fn the_stub_answers_until_its_stdin_closes() {
    let mut stub = bench().arg("stub").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    let mut stdout = BufReader::new(stub.stdout.take().unwrap());
    stdout.read_line(&mut address).unwrap();

    let mut socket = TcpStream::connect(address.trim()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = GetRouteInfo::new("Topic000001").to_command();
    socket.write_all(&request.to_frame(SerializeType::Json).unwrap()).unwrap();
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    socket.read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(b"]}"));

    drop(stub.stdin.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(stub.wait()));
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
