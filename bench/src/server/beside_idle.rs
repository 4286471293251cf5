//! What idle connections cost: memory, and how long the queries of others wait.

use rocketmq_nameserver_testkit::interop::Jars;

use super::cluster::Cluster;
use super::disturbance::Pairs;
use super::frames::Queries;
use super::idle::IdleConnections;
use super::load::{Crowd, Load};
use super::open_loop::OpenLoop;
use super::report::{Beside, Idle};
use super::subject::{EMBEDDED, JAVA, Subject};
use super::{NOTHING, Plan, TOPICS, over};
use crate::{Outcome, say};

/// How many connections there should be.
const CONNECTIONS: usize = 10_000;

/// The open files that a process has beside them.
const OTHER_FILES: u64 = 200;

/// One server over all rounds.
#[derive(Default)]
struct Rounds {
    kept: Vec<usize>,
    kib_each: Vec<f64>,
    pairs: Pairs,
}

impl Rounds {
    /// A server of its own each time: memory that was free already would hide what a connection takes.
    fn measure(&mut self, subject: Outcome<Subject>, connections: usize, plan: &Plan) -> Outcome<()> {
        let subject = subject?;
        let address = subject.address;
        let mut cluster = Cluster::register(address, TOPICS)?;
        Crowd::connect(address, &Queries::new(TOPICS, TOPICS)?.into())?.ask(subject.warm_up(plan))?;
        let mut queries = OpenLoop::connect(address, plan.idle, TOPICS)?;
        let quiet = queries.run()?;
        let before = subject.resident_kib();
        let idle = IdleConnections::open(address, connections)?;
        let after = subject.resident_kib();
        cluster.stay()?;
        let disturbed = queries.run()?;
        let grown = after.zip(before).map(|(after, before)| after.saturating_sub(before));
        self.kib_each.extend(grown.map(|kib| kib as f64 / idle.opened as f64));
        self.kept.push(idle.kept()?);
        self.pairs.push(&quiet, &disturbed);
        Ok(())
    }

    fn summary(&self, server: &str) -> Outcome<Beside> {
        Ok(Beside {
            server: server.into(),
            kept: *self.kept.iter().min().ok_or(NOTHING)?,
            kib_each: over(self.kib_each.iter().copied()).ok(),
            waits: self.pairs.summary()?,
        })
    }
}

pub(super) fn measure(plan: &Plan, jars: Option<&Jars>, open_files: u64) -> Outcome<Idle> {
    let room = open_files.saturating_sub(OTHER_FILES);
    let connections = usize::try_from(room).unwrap_or(usize::MAX).min(CONNECTIONS);
    if connections < CONNECTIONS {
        say(&format!("only {connections} idle connections: a process may open {open_files} files here"));
    }
    let (mut embedded, mut java) = (Rounds::default(), Rounds::default());
    for round in 1..=plan.idle_rounds {
        say(&format!("idle connections: round {round} of {}", plan.idle_rounds));
        embedded.measure(Subject::embedded(), connections, plan)?;
        if let Some(jars) = jars {
            java.measure(Subject::java(jars), connections, plan)?;
        }
    }
    let mut servers = vec![embedded.summary(EMBEDDED)?];
    if jars.is_some() {
        servers.push(java.summary(JAVA)?);
    }
    let seconds = plan.idle.as_secs();
    Ok(Idle { rounds: plan.idle_rounds, seconds, open_files, connections: CONNECTIONS, servers })
}
