//! What the route cache costs and what it saves.
//!
//! | module | what |
//! |---|---|
//! | [`mod@hits`] | a lookup of a fresh route, beside [`mod@lookups`] of others: a bare map, moka |
//! | [`mod@refresh`] | asking again for many routes that have not changed |
//! | [`mod@memory`] | the bytes that a cached topic takes, counted in a program of its own (`memory_process.rs`) |
//! | [`mod@faults`] | waits while one of two servers is silent or cannot be reached |
//! | [`mod@cold`] | many calls at once for a topic that nobody has asked for |
//! | [`mod@routes`] | a server in memory that knows every topic |
//! | [`mod@report`], [`mod@required`], [`mod@page`] | the numbers, the bounds, `docs/benchmarks-cache.md` |
//!
//! The same rules as for everybody else ([`rounds`](crate::rounds)): all in turns, medians, and ratios within the same
//! round. The committed numbers are `bench/results/cache.json`.

mod cold;
mod faults;
mod hits;
mod lookups;
mod memory;
mod page;
mod refresh;
mod report;
mod required;
mod routes;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::Outcome;
use crate::report::Machine;
use crate::server::process;

pub(crate) use page::{page, tables};
pub(crate) use report::CacheReport;
pub(crate) use required::required;

/// How many topics are looked up, and refreshed.
const TOPICS: usize = 10_000;

/// No route becomes stale, and none is refreshed behind anybody's back, while something is measured.
const LONG: Duration = Duration::from_secs(3600);

const NOTHING: &str = "nothing was measured";

#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    /// Fewer and shorter rounds: ten seconds, for a look.
    #[arg(long)]
    quick: bool,
    /// Measure this part only; may be given more than once.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Write the numbers to this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Lookups of fresh routes.
    Hits,
    /// Routes that have not changed, asked for again.
    Refresh,
    /// The bytes that a topic takes.
    Memory,
    /// One of two servers silent, or not to be reached.
    Faults,
    /// 1,000 calls at once for one topic.
    Cold,
}

/// How much is measured.
struct Plan {
    quick: bool,
    hits_rounds: usize,
    /// How often all topics are looked up in a round.
    passes: usize,
    refresh_rounds: usize,
    /// How long the floor asks in each round.
    floor: Duration,
    /// How many topics are put into a cache, all with another route.
    curve: &'static [usize],
    faults_rounds: usize,
    cold_rounds: usize,
}

impl Plan {
    /// A minute in all.
    const FULL: Plan = Plan {
        quick: false,
        hits_rounds: 31,
        passes: 20,
        refresh_rounds: 31,
        floor: Duration::from_millis(100),
        curve: &[10_000, 100_000, 1_000_000],
        faults_rounds: 5,
        cold_rounds: 31,
    };

    const QUICK: Plan = Plan {
        quick: true,
        hits_rounds: 7,
        passes: 5,
        refresh_rounds: 3,
        floor: Duration::from_millis(60),
        curve: &[10_000, 100_000],
        faults_rounds: 1,
        cold_rounds: 7,
    };
}

/// Measures what the arguments say.
pub(crate) fn run(arguments: &CacheArguments) -> Outcome<CacheReport> {
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let load_average = process::load_average();
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    Ok(CacheReport {
        machine: Machine::here()?,
        load_average,
        quick: plan.quick,
        topics: TOPICS,
        hits: wanted(Part::Hits).then(|| hits::measure(&plan)).transpose()?,
        refresh: wanted(Part::Refresh).then(|| refresh::measure(&plan)).transpose()?,
        memory: wanted(Part::Memory).then(|| memory::measure(&plan)).transpose()?,
        faults: wanted(Part::Faults).then(|| faults::measure(&plan)).transpose()?,
        cold: wanted(Part::Cold).then(|| cold::measure(&plan)).transpose()?,
    })
}
