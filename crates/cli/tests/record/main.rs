//! `nsctl record` as its users meet it: what it writes is served again with the same answers.
#![cfg(unix)]

mod same_answers;
mod wrong_servers;

/// The programs that the tests start; not all that it can do is needed here.
#[allow(dead_code)]
#[path = "../serve/process.rs"]
mod process;
