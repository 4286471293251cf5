//! Odd frames and a random script on a real server and on the embedded one, in step: `conformance --against 4`.
//!
//! | option | what |
//! |---|---|
//! | `--against 4\|5` | which generation: 4.9.7 or 5.3.3 |
//! | `--seed N` | the script; the one of the tests unless set |
//! | `--steps N` | how many requests; 500 unless set. More than about 2,000 take so long that brokers expire |
//! | `--seeds N` | so many scripts, each on new servers, with this seed and those behind it |
//! | `--beside live` | two real servers of the release: whatever differs is the script's fault |
//! | `--trace` | prints each step and what the real server replied |
//!
//! Exit codes: 0 no difference, 1 some, or no servers; 2 wrong use.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use rocketmq_nameserver_server::Personality;
use rocketmq_nameserver_testkit::conformance::{
    Embedded, Generation, SEED, STEPS, differences_of_frames, side_by_side,
};
use rocketmq_nameserver_testkit::interop::{Jars, RealNameServer, Release};

const USAGE: &str =
    "usage: conformance --against 4|5 [--seed N] [--steps N] [--seeds N] [--beside embedded|live] [--trace]";

struct Options {
    generation: Generation,
    seed: u64,
    steps: usize,
    seeds: u64,
    beside_live: bool,
    trace: bool,
}

#[expect(clippy::print_stderr, reason = "whoever started this must see what is wrong")]
fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut generation = None;
    let (mut seed, mut steps, mut seeds) = (SEED, STEPS, 1);
    let (mut beside_live, mut trace) = (false, false);
    while let Some(name) = arguments.next() {
        if name == "--trace" {
            trace = true;
            continue;
        }
        let value = arguments.next()?;
        match (name.as_str(), value.as_str()) {
            ("--against", "4") => generation = Some(Generation::Four),
            ("--against", "5") => generation = Some(Generation::Five),
            ("--seed", value) => seed = value.parse().ok()?,
            ("--steps", value) => steps = value.parse().ok()?,
            ("--seeds", value) => seeds = value.parse().ok()?,
            ("--beside", "embedded") => beside_live = false,
            ("--beside", "live") => beside_live = true,
            _ => return None,
        }
    }
    Some(Options { generation: generation?, seed, steps, seeds, beside_live, trace })
}

/// Whether there was no difference.
#[expect(clippy::print_stdout, reason = "the report")]
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let (release, personality) = match options.generation {
        Generation::Four => (Release::V4_9_7, Personality::V4),
        Generation::Five => (Release::V5_3_3, Personality::V5),
    };
    let jars = Jars::fetch(release)?;
    let mut same = true;
    for seed in options.seed..options.seed.saturating_add(options.seeds) {
        let live = RealNameServer::start(&jars)?;
        let embedded = Embedded::start(personality)?;
        let second = options.beside_live.then(|| RealNameServer::start(&jars)).transpose()?;
        let other = second.as_ref().map_or(embedded.address(), RealNameServer::address);
        let addresses = [live.address(), other];
        let (count, lines) = differences_of_frames(options.generation, addresses)?;
        println!("{release}: {count} odd frames, {} differences", lines.len());
        for line in &lines {
            println!("  - {line}");
        }
        same &= lines.is_empty();
        let trace = |number: usize, step: &dyn Display, reply: &dyn Display| {
            if options.trace {
                println!("{number}: {step}\n    {reply}");
            }
        };
        let report = side_by_side(options.generation, addresses, seed, options.steps, trace)?;
        println!("{release}: {report}");
        same &= report.found.is_empty();
    }
    Ok(same)
}
