//! Real servers for tests in other languages: `real-servers 4.9.7` or `real-servers 5.3.3`.
//!
//! Starts a NameServer and a broker with the topic `test_topic`, and says where they are once all of it is ready, in one
//! line of JSON on stdout: `{"broker":"127.0.0.1:10260","namesrv":"127.0.0.1:10242","release":"5.3.3","topic":"test_topic"}`.
//! They run until stdin ends, which it also does when whoever started this is gone. Exit codes: 0 all went well, 1 no
//! servers (stderr says why), 2 wrong use.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use rocketmq_nameserver_protocol::model::Perm;
use rocketmq_nameserver_testkit::interop::{BrokerOptions, Jars, RealBroker, RealNameServer, Release};
use serde_json::json;

const TOPIC: &str = "test_topic";

/// Read and write queues: what a broker gives a topic that names no number.
const QUEUES: u32 = 8;

#[expect(clippy::print_stderr, reason = "whoever started this must see why there are no servers")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let named = arguments.next().and_then(|name| by_name(&name));
    let (Some(release), None) = (named, arguments.next()) else {
        let names = Release::ALL.map(|release| release.to_string());
        eprintln!("usage: real-servers {}", names.join("|"));
        return ExitCode::from(2);
    };
    match run(release) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn by_name(name: &str) -> Option<Release> {
    Release::ALL.into_iter().find(|release| release.to_string() == name)
}

fn run(release: Release) -> Result<(), Box<dyn Error>> {
    let jars = Jars::fetch(release)?;
    let mut name_server = RealNameServer::start(&jars)?;
    let mut broker = RealBroker::start(&jars, name_server.address(), &BrokerOptions::default())?;
    broker.create_topic(TOPIC, QUEUES, QUEUES, Perm::READ_WRITE)?;
    let ready = json!({
        "release": release.to_string(),
        "namesrv": name_server.address(),
        "broker": broker.address(),
        "topic": TOPIC,
    });
    writeln!(io::stdout().lock(), "{ready}")?;
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    // Nobody asks them any more: the quick way out.
    broker.kill_hard()?;
    name_server.kill_hard()?;
    Ok(())
}
