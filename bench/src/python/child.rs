//! `measure.py`, one process for the whole run, told line by line what to ask.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::script;
use super::server::PAIRS;
use crate::Outcome;
use crate::measure::Slice;
use crate::rounds::{Asker, Load};

/// A real 4.9.7 answer, for the readers.
const ROUTE_FRAME: &[u8] = include_bytes!("../../../crates/testkit/captures/rocketmq-4.9.7-route.frame");

/// How much longer than it was told to ask the process may take to answer. Far more than a call may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process as the bench program sees it. Dropping it ends it.
pub(super) struct Child {
    process: process::Child,
    answers: Receiver<std::io::Result<String>>,
}

#[derive(Serialize)]
struct Start<'a> {
    host: String,
    port: u16,
    topic: &'a str,
    body: &'a str,
}

/// What the process says first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// The interpreter's version.
    pub(super) python: String,
    /// uvloop's version, if it is there.
    pub(super) uvloop: Option<String>,
    brokers: Vec<usize>,
}

#[derive(Serialize)]
struct Ask {
    client: &'static str,
    in_flight: usize,
    seconds: f64,
}

/// Times in ns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    queries: u64,
    wall: u64,
    cpu: u64,
    waits: Vec<u64>,
}

#[derive(Serialize)]
struct Read {
    seconds: f64,
}

/// The processor time of one body, in ns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reads {
    pub(super) from_bytes: f64,
    pub(super) literal_eval: f64,
}

impl Child {
    /// Starts the process and has each of its clients ask once.
    pub(super) fn start(python: &Path, server: SocketAddr, topic: &str) -> Outcome<(Child, About)> {
        let mut process = Command::new(python)
            .arg(script())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", python.display()))?;
        let stdout = process.stdout.take();
        let (sender, answers) = mpsc::channel();
        let mut child = Child { process, answers };
        let stdout = stdout.ok_or("measure.py has no stdout")?;
        thread::spawn(move || {
            // Ends with the process, or when nobody waits any more.
            let _ = BufReader::new(stdout).lines().try_for_each(|line| sender.send(line));
        });
        let body = body().ok_or("the capture is not an answer with text in its body")?;
        let start = Start { host: server.ip().to_string(), port: server.port(), topic, body };
        let about: About = child.tell(&start, Duration::ZERO)?;
        match about.brokers.iter().find(|brokers| **brokers != PAIRS) {
            None => Ok((child, about)),
            Some(brokers) => Err(format!("expected {PAIRS} brokers, Python got {brokers}").into()),
        }
    }

    /// Has both readers read for so long each.
    pub(super) fn read(&mut self, each: Duration) -> Outcome<Reads> {
        self.tell(&Read { seconds: each.as_secs_f64() }, each * 2)
    }

    fn tell<T: DeserializeOwned>(&mut self, what: &impl Serialize, takes: Duration) -> Outcome<T> {
        let stdin = self.process.stdin.as_mut().ok_or("measure.py has no stdin")?;
        // If it is gone, its last words are on stderr.
        writeln!(stdin, "{}", serde_json::to_string(what)?)
            .map_err(|error| format!("measure.py: {error}"))?;
        let answer = self.answers.recv_timeout(takes + PATIENCE);
        let answer = answer.map_err(|_| "measure.py gave no answer; stderr may say why")??;
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may be gone already; there is nothing left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The text of the captured body.
pub(super) fn body() -> Option<&'static str> {
    let (_, behind) = ROUTE_FRAME.split_first_chunk::<4>()?;
    let (header, behind) = behind.split_first_chunk::<4>()?;
    std::str::from_utf8(behind.get(u32::from_be_bytes(*header) as usize..)?).ok()
}

/// One client of the process with so many queries in flight.
pub(super) struct PythonAsker<'a> {
    child: &'a RefCell<Child>,
    name: &'static str,
    in_flight: usize,
}

impl<'a> PythonAsker<'a> {
    pub(super) fn new(child: &'a RefCell<Child>, name: &'static str, in_flight: usize) -> Self {
        PythonAsker { child, name, in_flight }
    }
}

impl Asker for PythonAsker<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn many(&self) -> usize {
        self.in_flight
    }

    fn ask(&mut self, load: Load, slice: Duration) -> Outcome<Slice> {
        let in_flight = if load == Load::One { 1 } else { self.in_flight };
        let ask = Ask { client: self.name, in_flight, seconds: slice.as_secs_f64() };
        let asked: Asked = self.child.borrow_mut().tell(&ask, slice)?;
        Ok(Slice {
            queries: asked.queries,
            wall: Duration::from_nanos(asked.wall),
            cpu: Duration::from_nanos(asked.cpu),
            waits: asked.waits.into_iter().map(Duration::from_nanos).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_captured_body_is_a_route_with_bare_keys() {
        let body = body().unwrap();
        assert!(body.starts_with(r#"{"brokerDatas":[{"brokerAddrs":{0:""#), "{body}");
        assert!(body.ends_with("]}"), "{body}");
    }
}
