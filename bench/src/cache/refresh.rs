//! What it costs to ask again for many routes that have not changed: the cache, which does not read a body that it knows,
//! beside a client that reads each, and beside the floor.

use std::sync::Arc;

use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
use tokio::runtime::{Builder, Runtime};

use super::report::{Refresh, Refreshed};
use super::{LONG, Plan, TOPICS};
use crate::measure::{Slice, Stopwatch};
use crate::rounds::topic;
use crate::server::cluster::{BROKERS, Cluster};
use crate::server::frames::Queries;
use crate::server::load::{Load, Pipeline};
use crate::server::subject::Subject;
use crate::server::{over, ratios};
use crate::{Outcome, say};

/// What they are called in the tables.
pub(super) const FLOOR: &str = "floor, 64 in flight";
pub(super) const CACHE: &str = "`RouteCache::refresh_routes`";
pub(super) const DECODES: &str = "`query_topic_route_infos`";

/// A cache, and the client under it.
struct Cached {
    runtime: Runtime,
    cache: RouteCache,
    topics: Vec<String>,
}

impl Cached {
    fn new(subject: &Subject) -> Outcome<Cached> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = AsyncNameServerClient::builder().servers(subject.address.to_string()).build()?;
        let cache = RouteCache::builder(client).ttl(LONG).build()?;
        let topics: Vec<String> = (1..=TOPICS).map(topic).collect();
        for route in runtime.block_on(cache.preload(&topics)) {
            match route?.broker_data_list.len() {
                BROKERS => {}
                other => return Err(format!("a topic has {other} brokers instead of {BROKERS}").into()),
            }
        }
        Ok(Cached { runtime, cache, topics })
    }

    /// Asks for all of them again.
    fn refresh(&self) -> Outcome<Slice> {
        let unchanged = || self.cache.stats().unchanged;
        let before = unchanged();
        let stopwatch = Stopwatch::start();
        for route in self.runtime.block_on(self.cache.refresh_routes(&self.topics)) {
            route?;
        }
        let slice = stopwatch.stop(TOPICS as u64, Vec::new());
        match unchanged() - before {
            count if count == TOPICS as u64 => Ok(slice),
            count => Err(format!("{count} of {TOPICS} answers were what was known").into()),
        }
    }

    /// The same by the client alone.
    fn decode(&self) -> Outcome<Slice> {
        let client = self.cache.client();
        let stopwatch = Stopwatch::start();
        for route in self.runtime.block_on(client.query_topic_route_infos(&self.topics)) {
            route?;
        }
        Ok(stopwatch.stop(TOPICS as u64, Vec::new()))
    }
}

pub(super) fn measure(plan: &Plan) -> Outcome<Refresh> {
    let subject = Subject::embedded()?;
    let mut cluster = Cluster::register(subject.address, TOPICS)?;
    let mut floor = Pipeline::connect(subject.address, Arc::new(Queries::new(TOPICS, TOPICS)?))?;
    let cached = Cached::new(&subject)?;
    let mut slices: [Vec<Slice>; 3] = Default::default();
    for round in 0..=plan.refresh_rounds {
        if round % 10 == 1 {
            say(&format!("refresh: round {round} of {}", plan.refresh_rounds));
        }
        cluster.stay()?;
        let round_of = [floor.ask(plan.floor)?, cached.refresh()?, cached.decode()?];
        // The first is not counted: buffers grow.
        if round > 0 {
            slices.iter_mut().zip(round_of).for_each(|(slices, slice)| slices.push(slice));
        }
    }
    subject.check_route(&topic(TOPICS), BROKERS)?;
    summary(plan, &slices)
}

fn summary(plan: &Plan, slices: &[Vec<Slice>; 3]) -> Outcome<Refresh> {
    let [floor, _, decodes] = slices;
    let all = |slices: &[Slice], figure: fn(&Slice) -> f64| slices.iter().map(figure).collect::<Vec<_>>();
    let refreshed = |(name, slices): (&str, &Vec<Slice>)| {
        let (rate, cpu) = (all(slices, Slice::queries_per_second), all(slices, Slice::cpu_us_per_query));
        Ok(Refreshed {
            name: name.into(),
            per_second_of_floor: ratios(&rate, &all(floor, Slice::queries_per_second))?,
            cpu_of_decoding: ratios(&cpu, &all(decodes, Slice::cpu_us_per_query))?,
            per_second: over(rate)?,
            cpu_us: over(cpu)?,
        })
    };
    let who = [FLOOR, CACHE, DECODES].into_iter().zip(slices).map(refreshed).collect::<Outcome<Vec<_>>>()?;
    Ok(Refresh { rounds: plan.refresh_rounds, who })
}
