//! What a query costs in Python, on a real NameServer 4.9.7, beside the floor on that server in the same round.
//!
//! | module | what |
//! |---|---|
//! | [`mod@server`] | the Java server with 8 broker pairs that register by hand |
//! | [`mod@child`] | `crates/python/bench/measure.py`, one process for the whole run, told line by line what to ask |
//! | [`mod@report`] | the numbers, to JSON and back |
//! | [`mod@page`] | the numbers as tables and as `docs/benchmarks-python.md`, beside what is required of them |
//!
//! The same rules as for everybody else ([`rounds`](crate::rounds)): all in turns, many short rounds, medians, and
//! ratios to the floor's turn in the same round. The committed numbers are `bench/results/python.json`.

mod child;
mod page;
mod report;
mod server;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::floor::Floor;
use crate::measure::{Slice, Spread};
use crate::report::Machine;
use crate::rounds::{Asker, Load, MANY, asked, topic};
use crate::{Outcome, say};

pub(crate) use page::{page, required, tables};
pub(crate) use report::PythonReport;

use child::{Child, PythonAsker, Reads};
use report::{Crowd, Reading};
use server::Brokers;

/// The rate must not fall when this many tasks ask at the same time.
const CROWD: usize = 1_000;

#[derive(Debug, Args)]
pub(crate) struct PythonArguments {
    /// A Python that can import pyrocketmq.nameserver, such as that of a virtual environment; with uvloop, if that is to
    /// be measured, too.
    #[arg(long, value_name = "PROGRAM")]
    python: PathBuf,
    /// Fewer and shorter rounds: half a minute with the server's start, for a look.
    #[arg(long)]
    quick: bool,
    /// Write the numbers to this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// How much is measured.
struct Plan {
    quick: bool,
    rounds: usize,
    slice: Duration,
    /// How long each of the two readers reads in each round.
    reading: Duration,
    /// How long the server is kept busy before anything counts: its code is compiled while it runs.
    warm_up: Duration,
}

impl Plan {
    /// Two minutes in all. A slice must be long beside the time that 1,000 queries take together.
    const FULL: Plan = Plan {
        quick: false,
        rounds: 21,
        slice: Duration::from_millis(500),
        reading: Duration::from_millis(60),
        warm_up: Duration::from_secs(5),
    };

    const QUICK: Plan = Plan {
        quick: true,
        rounds: 5,
        slice: Duration::from_millis(250),
        reading: Duration::from_millis(30),
        warm_up: Duration::from_secs(2),
    };
}

/// One asker under one load, and what it did in each round.
struct Turn<'a> {
    asker: Box<dyn Asker + 'a>,
    load: Load,
    slices: Vec<Slice>,
}

impl<'a> Turn<'a> {
    fn new(asker: impl Asker + 'a, load: Load) -> Self {
        Turn { asker: Box::new(asker), load, slices: Vec::new() }
    }

    fn is(&self, name: &str, in_flight: usize) -> bool {
        self.load == Load::Many && self.asker.name() == name && self.asker.many() == in_flight
    }
}

/// Starts the server, measures everything, ends the server.
pub(crate) fn run(arguments: &PythonArguments) -> Outcome<PythonReport> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    say("starting a NameServer 4.9.7; the first time, Maven fetches it");
    let server = server::start()?;
    let mut brokers = Brokers::register(server.address())?;
    let (child, about) = Child::start(&arguments.python, server.address(), &topic(1))?;
    let child = RefCell::new(child);
    let python = |name, in_flight| PythonAsker::new(&child, name, in_flight);

    let floor = || Floor::connect(server.address());
    let mut turns = vec![Turn::new(floor()?, Load::One), Turn::new(python("sync", 1), Load::One)];
    let loops: &[_] = if about.uvloop.is_some() { &["asyncio", "uvloop"] } else { &["asyncio"] };
    turns.extend(loops.iter().map(|name| Turn::new(python(name, 1), Load::One)));
    turns.push(Turn::new(floor()?, Load::Many));
    for name in loops {
        turns.extend([MANY, CROWD].map(|in_flight| Turn::new(python(name, in_flight), Load::Many)));
    }

    say("warming up");
    Floor::connect(server.address())?.ask(Load::Many, plan.warm_up)?;
    for turn in &mut turns {
        turn.asker.ask(turn.load, plan.slice)?;
    }
    let mut reads = Vec::with_capacity(plan.rounds);
    for round in 1..=plan.rounds {
        if round % 5 == 1 {
            say(&format!("round {round} of {}", plan.rounds));
        }
        brokers.stay()?;
        for turn in &mut turns {
            turn.slices.push(turn.asker.ask(turn.load, plan.slice)?);
        }
        reads.push(child.borrow_mut().read(plan.reading)?);
    }

    let nothing = "nothing was measured";
    Ok(PythonReport {
        machine: Machine::here()?,
        python: about.python,
        uvloop: about.uvloop,
        server: server.release().to_string(),
        quick: plan.quick,
        rounds: plan.rounds,
        slice_ms: plan.slice.as_millis() as u64,
        one: summary(&turns, Load::One).ok_or(nothing)?,
        many: summary(&turns, Load::Many).ok_or(nothing)?,
        crowd: loops.iter().map(|name| crowd(&turns, name)).collect::<Option<_>>().ok_or(nothing)?,
        reading: reading(&reads).ok_or(nothing)?,
    })
}

/// The medians under one load; the first asker under it is the floor.
fn summary(turns: &[Turn<'_>], load: Load) -> Option<Vec<crate::report::Asked>> {
    let turns = || turns.iter().filter(|turn| turn.load == load);
    let floor = turns().next()?;
    turns().map(|turn| asked(turn.asker.as_ref(), load, &turn.slices, &floor.slices)).collect()
}

/// The rate with [`CROWD`] in flight, as a part of that with [`MANY`] in the same round.
fn crowd(turns: &[Turn<'_>], name: &str) -> Option<Crowd> {
    let [many, crowd] = [MANY, CROWD].map(|in_flight| turns.iter().find(|turn| turn.is(name, in_flight)));
    let pairs = crowd?.slices.iter().zip(&many?.slices);
    let of_many =
        Spread::of(pairs.map(|(crowd, many)| crowd.queries_per_second() / many.queries_per_second()))?;
    Some(Crowd { client: name.into(), queries_of_64: of_many })
}

fn reading(reads: &[Reads]) -> Option<Reading> {
    let over_rounds = |figure: fn(&Reads) -> f64| Spread::of(reads.iter().map(figure));
    Some(Reading {
        body_bytes: child::body().map(str::len)?,
        from_bytes_ns: over_rounds(|reads| reads.from_bytes)?.median,
        literal_eval_ns: over_rounds(|reads| reads.literal_eval)?.median,
        from_bytes_of_literal_eval: over_rounds(|reads| reads.from_bytes / reads.literal_eval)?,
    })
}

/// Where `measure.py` is.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/python/bench/measure.py")
}
