//! What the embedded server can do, beside the Java server in the same run.
//!
//! | module | what |
//! |---|---|
//! | [`mod@queries`] | rates: closed loops over one connection and over many ([`mod@load`]) |
//! | [`mod@changing`] | waits while a large broker registers changed tables ([`mod@registrar`]) |
//! | [`mod@fresh`] | servers just started: time, memory, large brokers that register ([`mod@cluster`]) |
//! | [`mod@beside_idle`] | memory and waits beside many idle connections ([`mod@idle`]) |
//! | [`mod@open_loop`], [`mod@disturbance`] | honest waits, and two loops beside each other |
//! | [`mod@subject`] | the servers: embedded, Java, stub, each a process |
//! | [`mod@frames`], [`mod@wire`] | ready-made requests, and plain sockets for them |
//! | [`mod@helper`], [`mod@process`] | this program once more, and what the system says about a process |
//! | [`mod@report`], [`mod@required`], [`mod@page`] | the numbers, the bounds, `docs/benchmarks-server.md` |
//!
//! The same rules as for everybody else ([`rounds`](crate::rounds)): all in turns, medians, and ratios within the same
//! round. The committed numbers are `bench/results/server.json`.

mod beside_idle;
mod changing;
pub(crate) mod cluster;
mod disturbance;
pub(crate) mod frames;
mod fresh;
mod helper;
mod idle;
pub(crate) mod load;
mod open_loop;
mod page;
pub(crate) mod process;
mod queries;
mod registrar;
mod report;
mod required;
pub(crate) mod subject;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rocketmq_nameserver_testkit::interop::{Jars, Release};

use crate::Outcome;
use crate::measure::Spread;
use crate::report::Machine;

pub(crate) use idle::{IdleArguments, hold};
pub(crate) use page::{page, tables};
pub(crate) use registrar::{RegisterArguments, register};
pub(crate) use report::ServerReport;
pub(crate) use required::required;
pub(crate) use subject::serve;

/// How many topics each broker has while queries are measured.
const TOPICS: usize = 1_000;

/// How many topics a large broker has.
const MANY_TOPICS: usize = 10_000;

const NOTHING: &str = "nothing was measured";

#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// Fewer and shorter rounds: half a minute, for a look.
    #[arg(long)]
    quick: bool,
    /// Without the Java server: no JDK is needed, and there are no ratios to it.
    #[arg(long)]
    alone: bool,
    /// Measure this part only; may be given more than once.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Write the numbers to this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Rates, over one connection and over 64.
    Queries,
    /// Waits while a large broker registers changed tables.
    Changing,
    /// Start, memory, registering 8 large brokers.
    Fresh,
    /// 10,000 idle connections.
    Idle,
}

/// How much is measured.
struct Plan {
    quick: bool,
    /// Of closed loops.
    rounds: usize,
    slice: Duration,
    /// How long each closed loop keeps a Java server busy before anything counts.
    warm_up: Duration,
    changing_rounds: usize,
    /// How long each open loop takes while tables change.
    changing: Duration,
    fresh_rounds: usize,
    idle_rounds: usize,
    /// How long each open loop takes beside idle connections.
    idle: Duration,
}

impl Plan {
    /// Ten minutes in all.
    const FULL: Plan = Plan {
        quick: false,
        rounds: 31,
        slice: Duration::from_millis(100),
        warm_up: Duration::from_secs(5),
        changing_rounds: 5,
        changing: Duration::from_secs(20),
        fresh_rounds: 7,
        idle_rounds: 5,
        idle: Duration::from_secs(4),
    };

    const QUICK: Plan = Plan {
        quick: true,
        rounds: 7,
        slice: Duration::from_millis(60),
        warm_up: Duration::from_secs(2),
        changing_rounds: 1,
        changing: Duration::from_secs(4),
        fresh_rounds: 1,
        idle_rounds: 1,
        idle: Duration::from_secs(1),
    };
}

/// Measures what the arguments say.
pub(crate) fn run(arguments: &ServerArguments) -> Outcome<ServerReport> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let load_average = process::load_average();
    let open_files = process::raise_open_files();
    let jars = if arguments.alone { None } else { Some(Jars::fetch(Release::V5_3_3)?) };
    let jars = jars.as_ref();
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    Ok(ServerReport {
        machine: Machine::here()?,
        load_average,
        quick: plan.quick,
        java: jars.map(|jars| jars.release().to_string()),
        brokers: cluster::BROKERS,
        topics: TOPICS,
        many_topics: MANY_TOPICS,
        queries: if wanted(Part::Queries) { queries::measure(&plan, jars)? } else { Default::default() },
        fresh: if wanted(Part::Fresh) { fresh::measure(&plan, jars)? } else { Default::default() },
        changing: if wanted(Part::Changing) { changing::measure(&plan, jars)? } else { Default::default() },
        idle: if wanted(Part::Idle) {
            beside_idle::measure(&plan, jars, open_files)?
        } else {
            Default::default()
        },
    })
}

/// A figure over all rounds.
pub(crate) fn over(rounds: impl IntoIterator<Item = f64>) -> Outcome<Spread> {
    Spread::of(rounds).ok_or_else(|| NOTHING.into())
}

/// One's figures as multiples of the other's, round by round.
pub(crate) fn ratios(figures: &[f64], others: &[f64]) -> Outcome<Spread> {
    over(figures.iter().zip(others).map(|(figure, other)| figure / other))
}
