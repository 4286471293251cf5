//! Who asks when: all clients in turns, each for a slice of time, round after round; then the medians.
//!
//! A machine changes its pace within seconds. The floor is measured beside every client in every round, so the
//! ratio of the two holds even where the figures themselves do not. Many short rounds rather than few long ones: what
//! else the machine does then spoils some of them and not the median.

use std::time::Duration;

use crate::client::{AsyncClient, BLOCKING, BlockingClient, CURRENT_THREAD, THREADS};
use crate::floor::Floor;
use crate::measure::{Slice, Spread};
use crate::report::{Asked, Machine, Report};
use crate::stub::Stub;
use crate::{Outcome, decode, say};

/// Queries in flight under [`Load::Many`]; also of the floor's under [`Load::Batch`].
pub(crate) const MANY: usize = 64;

/// Topics in one batch call.
pub(crate) const BATCH: usize = 1_000;

/// How a client is asked to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// One query, its answer, the next query.
    One,
    /// Many loops, each with one query at a time.
    Many,
    /// One call for [`BATCH`] topics, then the next.
    Batch,
}

/// A client that can be measured for a slice of time.
pub(crate) trait Asker {
    /// What it is called in the tables.
    fn name(&self) -> &'static str;

    /// How many of its queries are in flight under [`Load::Many`].
    fn many(&self) -> usize {
        MANY
    }

    /// Asks under that load until `slice` has passed.
    fn ask(&mut self, load: Load, slice: Duration) -> Outcome<Slice>;
}

/// How much is measured.
#[derive(Debug)]
pub(crate) struct Plan {
    quick: bool,
    rounds: usize,
    slice: Duration,
    decode_rounds: usize,
}

impl Plan {
    /// Half a minute in all.
    pub(crate) const FULL: Plan =
        Plan { quick: false, rounds: 31, slice: Duration::from_millis(60), decode_rounds: 61 };

    /// A few seconds in all.
    pub(crate) const QUICK: Plan =
        Plan { quick: true, rounds: 7, slice: Duration::from_millis(40), decode_rounds: 11 };
}

/// The name of a topic. All have the same length.
pub(crate) fn topic(number: usize) -> String {
    format!("Topic{number:06}")
}

/// Measures everything that the plan says.
pub(crate) fn run(plan: &Plan) -> Outcome<Report> {
    say("decoding and the steps around it");
    let steps = decode::measure(plan.decode_rounds)?;
    let stub = Stub::start()?;
    let mut askers: Vec<Box<dyn Asker>> = vec![
        Box::new(Floor::connect(stub.address)?),
        Box::new(AsyncClient::on_current_thread(stub.address, MANY)?),
        Box::new(AsyncClient::on_workers(stub.address)?),
        Box::new(BlockingClient::connect(stub.address)?),
    ];
    let one = in_turns(&mut askers, Load::One, "one query at a time", plan)?;
    let batch = in_turns(&mut askers, Load::Batch, "batches of 1,000 topics", plan)?;
    askers.push(Box::new(AsyncClient::on_current_thread(stub.address, THREADS)?));
    let many = in_turns(&mut askers, Load::Many, "many queries in flight", plan)?;
    Ok(Report {
        machine: Machine::here()?,
        quick: plan.quick,
        rounds: plan.rounds,
        slice_ms: plan.slice.as_millis() as u64,
        threads_of_tasks: threads_of_tasks(&askers, &many).ok_or(NOTHING)?,
        one: summary(&askers, Load::One, &one).ok_or(NOTHING)?,
        many: summary(&askers, Load::Many, &many).ok_or(NOTHING)?,
        batch: summary(&askers, Load::Batch, &batch).ok_or(NOTHING)?,
        steps,
    })
}

const NOTHING: &str = "nothing was measured";

/// The slices of one asker, one for each round.
type Slices = Vec<Slice>;

/// Threads that share a blocking client beside as many tasks.
fn threads_of_tasks(askers: &[Box<dyn Asker>], slices: &[Slices]) -> Option<Spread> {
    let of = |name| {
        let at = askers.iter().position(|asker| asker.many() == THREADS && asker.name() == name)?;
        slices.get(at)
    };
    ratios(of(BLOCKING)?, of(CURRENT_THREAD)?, Slice::queries_per_second)
}

/// One's figure as a part of the other's, round by round.
fn ratios(slices: &[Slice], others: &[Slice], figure: fn(&Slice) -> f64) -> Option<Spread> {
    Spread::of(slices.iter().zip(others).map(|(slice, other)| figure(slice) / figure(other)))
}

fn summary(askers: &[Box<dyn Asker>], load: Load, slices: &[Slices]) -> Option<Vec<Asked>> {
    let floor = slices.first()?;
    askers.iter().zip(slices).map(|(asker, slices)| asked(asker.as_ref(), load, slices, floor)).collect()
}

/// All askers, round after round; the first is the floor.
fn in_turns(askers: &mut [Box<dyn Asker>], load: Load, what: &str, plan: &Plan) -> Outcome<Vec<Slices>> {
    // Not counted: buffers grow, the processor wakes up.
    for asker in askers.iter_mut() {
        asker.ask(load, plan.slice / 4)?;
    }
    let mut slices = vec![Vec::with_capacity(plan.rounds); askers.len()];
    for round in 1..=plan.rounds {
        if round % 10 == 1 {
            say(&format!("{what}: round {round} of {}", plan.rounds));
        }
        for (asker, slices) in askers.iter_mut().zip(&mut slices) {
            slices.push(asker.ask(load, plan.slice)?);
        }
    }
    Ok(slices)
}

/// The medians of one asker, and its ratios to the floor's slice in the same round.
pub(crate) fn asked(asker: &dyn Asker, load: Load, slices: &[Slice], floor: &[Slice]) -> Option<Asked> {
    let over_rounds = |figure: fn(&Slice) -> f64| Spread::of(slices.iter().map(figure));
    let of_floor = |figure| ratios(slices, floor, figure);
    let p50 = |slice: &Slice| slice.wait_us(0.5).unwrap_or(f64::NAN);
    let wait = |share| Spread::of(slices.iter().filter_map(|slice| slice.wait_us(share)));
    Some(Asked {
        client: asker.name().into(),
        in_flight: match load {
            Load::One => Some(1),
            Load::Many => Some(asker.many()),
            Load::Batch => None,
        },
        queries_per_second: over_rounds(Slice::queries_per_second)?.median,
        wait_p50_us: wait(0.5).map(|spread| spread.median),
        wait_p99_us: wait(0.99).map(|spread| spread.median),
        cpu_us_per_query: over_rounds(Slice::cpu_us_per_query)?.median,
        wait_p50_of_floor: if load == Load::One { of_floor(p50) } else { None },
        queries_of_floor: of_floor(Slice::queries_per_second)?,
        cpu_of_floor: of_floor(Slice::cpu_us_per_query)?,
    })
}
