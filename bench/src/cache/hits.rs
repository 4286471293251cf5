//! What a lookup of a fresh route costs, on one thread and on two, beside what others take for the same topics.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rocketmq_nameserver::RouteCache;
use tokio::runtime::Builder;

use super::lookups::{ASYNC, Async, BARE, BARE_ROUTES, Bare, Blocking, Lookups, MOKA, Moka};
use super::report::{Hits, Lookup};
use super::routes::{self, Routes};
use super::{LONG, NOTHING, Plan, TOPICS};
use crate::measure::thread_cpu_time;
use crate::rounds::topic;
use crate::server::{over, ratios};
use crate::{Outcome, say};

/// As many as look up at the same time at most.
pub(super) const THREADS: usize = 2;

/// One of those who look up, over all rounds.
#[derive(Default)]
struct Rounds {
    /// Processor time per lookup, on one thread.
    ns: Vec<f64>,
    /// Lookups per second, on one thread and on two.
    one: Vec<f64>,
    two: Vec<f64>,
}

impl Rounds {
    /// How many times the rate of one thread two have, round by round.
    fn gain(&self) -> Vec<f64> {
        self.two.iter().zip(&self.one).map(|(two, one)| two / one).collect()
    }
}

pub(super) fn measure(plan: &Plan) -> Outcome<Hits> {
    let order = shuffled(TOPICS);
    // The cache's tasks live here. They have nothing to do while lookups are measured.
    let filling = Builder::new_current_thread().enable_all().build()?;
    let cache = RouteCache::builder(routes::client(Routes::Differ)?).ttl(LONG).build()?;
    let blocking = RouteCache::builder(cache.client().clone()).ttl(LONG).build_sync()?;
    let fill = |cache: &RouteCache| {
        filling.block_on(cache.preload(&order)).into_iter().collect::<Result<Vec<_>, _>>()
    };
    fill(&blocking.to_async())?;
    let routes = fill(&cache)?;
    let all: [Box<dyn Lookups>; 5] = [
        Box::new(Bare::new(&order)),
        Box::new(Bare::on_routes(&routes)),
        Box::new(Async::new(cache)?),
        Box::new(Blocking(blocking)),
        Box::new(Moka::new(&order)),
    ];
    let mut rounds: [Rounds; 5] = Default::default();
    for round in 0..=plan.hits_rounds {
        if round % 10 == 1 {
            say(&format!("hits: round {round} of {}", plan.hits_rounds));
        }
        for (lookups, rounds) in all.iter().zip(&mut rounds) {
            let one = race(lookups.as_ref(), &order, plan.passes, 1)?;
            let two = race(lookups.as_ref(), &order, plan.passes, THREADS)?;
            // The first is not counted: nothing is in the processor's caches yet.
            if round > 0 {
                rounds.ns.push(one.ns);
                rounds.one.push(one.rate);
                rounds.two.push(two.rate);
            }
        }
    }
    summary(plan, &all.each_ref().map(|lookups| lookups.name()), &rounds)
}

fn summary(plan: &Plan, names: &[&'static str], rounds: &[Rounds]) -> Outcome<Hits> {
    let of = |name| names.iter().position(|other| *other == name).and_then(|at| rounds.get(at));
    let of = |name| of(name).ok_or(NOTHING);
    let (bare, on_routes, cache, moka) = (of(BARE)?, of(BARE_ROUTES)?, of(ASYNC)?, of(MOKA)?);
    let lookup = |(name, rounds): (&&str, &Rounds)| {
        Ok(Lookup {
            name: (*name).into(),
            ns: over(rounds.ns.iter().copied())?,
            ns_of_bare: ratios(&rounds.ns, &bare.ns)?,
            ns_of_bare_on_routes: ratios(&rounds.ns, &on_routes.ns)?,
            per_second_on_two: over(rounds.two.iter().copied())?,
            gain: over(rounds.gain())?,
            gain_of_bare: ratios(&rounds.gain(), &bare.gain())?,
        })
    };
    Ok(Hits {
        rounds: plan.hits_rounds,
        lookups: plan.passes * TOPICS,
        who: names.iter().zip(rounds).map(lookup).collect::<Outcome<_>>()?,
        faster_than_moka: ratios(&moka.ns, &cache.ns)?,
    })
}

/// What some threads did at the same time.
struct Race {
    /// Processor time per lookup of the first thread.
    ns: f64,
    /// Lookups per second of all, from when the first began until the last was done.
    rate: f64,
}

/// Each thread looks everything up that often, each beginning somewhere else.
fn race(lookups: &dyn Lookups, order: &[String], passes: usize, threads: usize) -> Outcome<Race> {
    let begin = Barrier::new(threads);
    let run = |thread: usize| {
        let (behind, before) = order.split_at(thread * order.len() / threads);
        begin.wait();
        let (start, cpu) = (Instant::now(), thread_cpu_time());
        let mut found = 0;
        for _ in 0..passes {
            found += lookups.look_up(before, thread)? + lookups.look_up(behind, thread)?;
        }
        Outcome::Ok((found, start, Instant::now(), thread_cpu_time().saturating_sub(cpu)))
    };
    let ran = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
        joined.collect::<Outcome<Vec<_>>>()
    })?;
    let found: usize = ran.iter().map(|(found, ..)| found).sum();
    let expected = threads * passes * order.len();
    if found != expected {
        return Err(format!("{}: {found} of {expected} lookups found a route", lookups.name()).into());
    }
    let start = ran.iter().map(|(_, start, ..)| *start).min().ok_or(NOTHING)?;
    let end = ran.iter().map(|(_, _, end, _)| *end).max().ok_or(NOTHING)?;
    let cpu = ran.first().map_or(Duration::ZERO, |(.., cpu)| *cpu);
    Ok(Race {
        ns: cpu.as_secs_f64() * 1e9 / (passes * order.len()) as f64,
        rate: found as f64 / (end - start).as_secs_f64(),
    })
}

/// All topics in an order without a pattern, the same in every run.
fn shuffled(count: usize) -> Vec<String> {
    let mut numbers: Vec<usize> = (1..=count).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for at in (1..count).rev() {
        // xorshift64: each order is about as likely, which is all that is wanted.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        numbers.swap(at, (state % (at as u64 + 1)) as usize);
    }
    numbers.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_shuffled_and_all_there() {
        let shuffled = shuffled(1_000);
        let in_order: Vec<String> = (1..=1_000).map(topic).collect();
        assert_ne!(shuffled, in_order);
        let mut sorted = shuffled;
        sorted.sort_unstable();
        assert_eq!(sorted, in_order);
    }

    #[test]
    fn every_lookup_must_find_its_topic() {
        let topics = shuffled(10);
        let (known, unknown) = topics.split_at(5);
        let bare = Bare::new(known);
        for threads in [1, THREADS] {
            assert!(race(&bare, known, 3, threads).is_ok(), "{threads} threads");
            assert!(race(&bare, unknown, 3, threads).is_err(), "{threads} threads");
        }
    }

    #[test]
    fn a_gain_is_of_one_round_and_compared_with_the_bare_one() {
        let rounds = |scale: f64| Rounds {
            ns: vec![scale, 3.0 * scale, 2.0 * scale],
            one: vec![1.0, 10.0, 100.0],
            two: [1.0, 10.0, 100.0].map(|rate| rate * scale).into(),
        };
        let all = [rounds(2.0), rounds(1.0), rounds(4.0), rounds(8.0)];
        let hits = summary(&Plan::QUICK, &[BARE, BARE_ROUTES, ASYNC, MOKA], &all).unwrap();
        let cache = hits.who.iter().find(|lookup| lookup.name == ASYNC).unwrap();
        let medians =
            [cache.ns, cache.ns_of_bare, cache.ns_of_bare_on_routes, cache.gain, cache.gain_of_bare];
        assert_eq!(medians.map(|spread| spread.median), [8.0, 2.0, 4.0, 4.0, 2.0]);
        assert_eq!(hits.faster_than_moka.median, 2.0);
    }
}
