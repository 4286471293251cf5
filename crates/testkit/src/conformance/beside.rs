//! Two servers in step: each request of a script goes to both, and what they answer and show is compared.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::compare::compare;
use super::known::{Against, Rules};
use super::script::Script;
use super::server::{Generation, Server, Shown, addresses};

/// With so many differences it is over: what a difference leaves behind makes others.
const ENOUGH: usize = 20;

/// How long what takes effect later may take. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
const AT_ONCE: Duration = Duration::ZERO;

/// How often is looked whether it has.
const POLL: Duration = Duration::from_millis(10);

/// What came of a script.
#[derive(Debug)]
pub struct Report {
    /// The seed of the script.
    pub seed: u64,
    /// How many steps were done.
    pub steps: usize,
    /// How many replies were compared.
    pub compared: usize,
    /// What differs.
    pub found: Vec<Found>,
}

/// What differs behind one step.
#[derive(Debug)]
pub struct Found {
    /// The number of the step, from 0.
    pub step: usize,
    /// The request.
    pub request: String,
    /// What the real server replied.
    pub expected: String,
    /// What the other one replied.
    pub reply: String,
    /// What differs in the replies; then what differs since then in what the two show of their tables.
    pub differences: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { seed, steps, compared, found } = self;
        write!(f, "seed {seed}: {steps} steps, {compared} replies compared, {} steps differ", found.len())?;
        for Found { step, request, expected, reply, differences } in found {
            write!(f, "\n\nstep {step}: {request}\n  expected {expected}\n  found    {reply}")?;
            for difference in differences {
                write!(f, "\n  - {difference}")?;
            }
        }
        Ok(())
    }
}

/// Has a script of that seed played by two new servers of one generation. `expected` is the one that is right.
/// `watch` is told each step and what the right one replied.
///
/// # Errors
/// If one of them cannot be connected to, or never comes to rest.
pub fn side_by_side(
    generation: Generation,
    [expected, other]: [SocketAddr; 2],
    seed: u64,
    steps: usize,
    mut watch: impl FnMut(usize, &dyn fmt::Display, &dyn fmt::Display),
) -> io::Result<Report> {
    let mut servers = [Server::new(expected, generation)?, Server::new(other, generation)?];
    let mut report = Report { seed, steps: 0, compared: 0, found: Vec::new() };
    let (mut before, mut count) = (BTreeSet::new(), 0);
    for (number, step) in Script::new(generation, seed).take(steps).enumerate() {
        let [expected, reply] = both(&mut servers, |server| {
            let reply = server.perform(&step)?;
            if step.takes_effect_later() {
                server.rest()?;
            }
            Ok(reply)
        })?;
        watch(number, &step, &expected);
        let look =
            Look::at(&mut servers, &before, if step.takes_effect_later() { PATIENCE } else { AT_ONCE })?;
        let replies = compare(&expected, &reply, &rules(&look.addresses));
        let mut differences: Vec<String> = replies.iter().map(ToString::to_string).collect();
        differences.extend(look.differences.difference(&before).cloned());
        report.steps += 1;
        report.compared += 1 + look.compared;
        before = look.differences;
        count += differences.len();
        if !differences.is_empty() {
            report.found.push(Found {
                step: number,
                request: step.to_string(),
                expected: expected.to_string(),
                reply: reply.to_string(),
                differences,
            });
        }
        if count >= ENOUGH {
            break;
        }
    }
    Ok(report)
}

fn rules(addresses: &BTreeSet<String>) -> Rules<'_> {
    Rules { addresses, against: Against::RunningServer }
}

/// What both servers show of their tables.
struct Look {
    compared: usize,
    addresses: BTreeSet<String>,
    differences: BTreeSet<String>,
}

impl Look {
    /// Looks until there is no difference that was not there before, for so long.
    fn at(servers: &mut [Server; 2], before: &BTreeSet<String>, patience: Duration) -> io::Result<Look> {
        let end = Instant::now() + patience;
        loop {
            let [right, other] = both(servers, |server| Ok(server.shown()))?;
            let addresses = addresses(&other);
            let differences = differences_shown(&right, &other, &rules(&addresses));
            if differences.is_subset(before) || Instant::now() >= end {
                return Ok(Look { compared: right.len(), addresses, differences });
            }
            thread::sleep(POLL);
        }
    }
}

/// Each server does it, at the same time: most of the time is waiting.
fn both<T: Send>(
    [one, other]: &mut [Server; 2],
    act: impl Fn(&mut Server) -> io::Result<T> + Sync,
) -> io::Result<[T; 2]> {
    thread::scope(|scope| {
        let first = scope.spawn(|| act(one));
        let second = act(other);
        let first = first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok([first?, second?])
    })
}

fn differences_shown(right: &Shown, other: &Shown, rules: &Rules<'_>) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for ((question, expected), (_, found)) in right.iter().zip(other) {
        let differences = compare(expected, found, rules);
        lines.extend(differences.iter().map(|difference| format!("then {question}: {difference}")));
    }
    lines
}
