//! How many queries a server answers: closed loops, all servers in turns, round after round.

use std::sync::Arc;
use std::time::Duration;

use rocketmq_nameserver_testkit::interop::Jars;

use super::cluster::{BROKERS, Cluster};
use super::frames;
use super::load::{Crowd, Load, Pipeline};
use super::report::{Queries, Throughput};
use super::subject::{JAVA, Subject};
use super::{NOTHING, Plan, TOPICS, over, ratios};
use crate::measure::Slice;
use crate::rounds::topic;
use crate::{Outcome, say};

/// A server and what asks it.
struct Turn {
    subject: Subject,
    /// The stub has none.
    cluster: Option<Cluster>,
    one: Asked,
    many: Asked,
}

/// One closed loop, and what it did in each round.
struct Asked {
    load: Box<dyn Load>,
    slices: Vec<Slice>,
    /// The server's processor time in each slice.
    cpu: Vec<Option<Duration>>,
}

impl Turn {
    fn new(subject: Subject, cluster: Option<Cluster>, queries: &Arc<frames::Queries>) -> Outcome<Turn> {
        let one = Asked::new(Pipeline::connect(subject.address, Arc::clone(queries))?);
        let many = Asked::new(Crowd::connect(subject.address, queries)?);
        Ok(Turn { subject, cluster, one, many })
    }

    fn stay(&mut self) -> Outcome<()> {
        self.cluster.as_mut().map_or(Ok(()), Cluster::stay)
    }

    /// Queries are not looked at, so this is how it is known that they were answered.
    fn check(&self) -> Outcome<()> {
        match self.cluster {
            Some(_) => self.subject.check_route(&topic(TOPICS), BROKERS),
            None => Ok(()),
        }
    }
}

impl Asked {
    fn new(load: impl Load + 'static) -> Asked {
        Asked { load: Box::new(load), slices: Vec::new(), cpu: Vec::new() }
    }

    fn ask(&mut self, subject: &Subject, slice: Duration) -> Outcome<()> {
        let before = subject.processor_time();
        self.slices.push(self.load.ask(slice)?);
        let after = subject.processor_time();
        self.cpu.push(after.zip(before).map(|(after, before)| after.saturating_sub(before)));
        Ok(())
    }

    fn cpu_us_per_query(&self) -> impl Iterator<Item = f64> {
        let measured = self.slices.iter().zip(&self.cpu);
        measured.filter_map(|(slice, cpu)| Some(cpu.as_ref()?.as_secs_f64() * 1e6 / slice.queries as f64))
    }
}

pub(super) fn measure(plan: &Plan, jars: Option<&Jars>) -> Outcome<Queries> {
    say("queries: starting the servers");
    let queries = Arc::new(frames::Queries::new(TOPICS, TOPICS)?);
    let mut turns = vec![Turn::new(Subject::stub()?, None, &queries)?];
    for subject in Subject::both(jars)? {
        let cluster = Cluster::register(subject.address, TOPICS)?;
        turns.push(Turn::new(subject, Some(cluster), &queries)?);
    }
    for turn in &mut turns {
        turn.check()?;
        let warm_up = turn.subject.warm_up(plan);
        turn.one.load.ask(warm_up)?;
        turn.many.load.ask(warm_up)?;
    }
    for round in 1..=plan.rounds {
        if round % 10 == 1 {
            say(&format!("queries: round {round} of {}", plan.rounds));
        }
        turns.iter_mut().try_for_each(Turn::stay)?;
        for turn in &mut turns {
            turn.one.ask(&turn.subject, plan.slice)?;
        }
        for turn in &mut turns {
            turn.many.ask(&turn.subject, plan.slice)?;
        }
    }
    turns.iter().try_for_each(Turn::check)?;
    Ok(Queries {
        rounds: plan.rounds,
        slice_ms: plan.slice.as_millis() as u64,
        one_connection: summary(&turns, |turn| &turn.one)?,
        many_connections: summary(&turns, |turn| &turn.many)?,
    })
}

/// The first is the stub.
fn summary(turns: &[Turn], of: fn(&Turn) -> &Asked) -> Outcome<Vec<Throughput>> {
    let rates = |turn: &Turn| of(turn).slices.iter().map(Slice::queries_per_second).collect::<Vec<_>>();
    let stub = rates(turns.first().ok_or(NOTHING)?);
    let java = turns.iter().find(|turn| turn.subject.name == JAVA).map(rates);
    let throughput = |turn: &Turn| {
        let own = rates(turn);
        let waits = of(turn).slices.iter().filter_map(|slice| slice.wait_us(0.99));
        Ok(Throughput {
            server: turn.subject.name.into(),
            queries_per_second: over(own.iter().copied())?,
            wait_p99_us: over(waits).ok(),
            cpu_us_per_query: over(of(turn).cpu_us_per_query()).ok(),
            queries_of_java: java.as_ref().map(|java| ratios(&own, java)).transpose()?,
            queries_of_stub: ratios(&own, &stub)?,
            generator_cpu_us_per_query: over(of(turn).slices.iter().map(Slice::cpu_us_per_query))?,
        })
    };
    turns.iter().map(throughput).collect()
}
