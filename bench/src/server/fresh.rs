//! Servers that have just been started: how long that takes, what they need, and how fast large brokers register.

use std::time::Duration;

use rocketmq_nameserver_testkit::interop::Jars;

use super::cluster::{BROKERS, Cluster};
use super::report::{BesideJava, Fresh, Memory, Started};
use super::subject::{EMBEDDED, JAVA, Subject};
use super::{MANY_TOPICS, Plan, over, ratios};
use crate::measure::Spread;
use crate::rounds::topic;
use crate::{Outcome, say};

/// How often the brokers register again, each time with a changed table. The last counts.
const AGAIN: usize = 3;

/// One server in one round. Times in ms; memory in MiB, not a number where the system does not tell.
struct Figures {
    start: f64,
    register: f64,
    register_again: f64,
    idle: f64,
    registered: f64,
    registered_again: f64,
}

fn figures(subject: Outcome<Subject>) -> Outcome<Figures> {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let subject = subject?;
    let resident = || subject.resident_kib().map_or(f64::NAN, |kib| kib as f64 / 1024.0);
    let idle = resident();
    let mut cluster = Cluster::connect(subject.address, MANY_TOPICS)?;
    let register = ms(cluster.register_all()?);
    let registered = resident();
    subject.check_route(&topic(MANY_TOPICS), BROKERS)?;
    let mut again = Duration::ZERO;
    for _ in 0..AGAIN {
        cluster.change()?;
        again = cluster.register_all()?;
    }
    let start = ms(subject.start);
    Ok(Figures { start, register, register_again: ms(again), idle, registered, registered_again: resident() })
}

pub(super) fn measure(plan: &Plan, jars: Option<&Jars>) -> Outcome<Fresh> {
    let (mut embedded, mut java) = (Vec::new(), Vec::new());
    for round in 1..=plan.fresh_rounds {
        say(&format!("fresh servers: round {round} of {}", plan.fresh_rounds));
        embedded.push(figures(Subject::embedded())?);
        java.extend(jars.map(|jars| figures(Subject::java(jars))).transpose()?);
    }
    let mut servers = vec![started(EMBEDDED, &embedded, &java)?];
    if jars.is_some() {
        servers.push(started(JAVA, &java, &java)?);
    }
    Ok(Fresh { rounds: plan.fresh_rounds, servers })
}

fn started(server: &str, rounds: &[Figures], java: &[Figures]) -> Outcome<Started> {
    let each =
        |rounds: &[Figures], figure: fn(&Figures) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let own = |figure: fn(&Figures) -> f64| over(each(rounds, figure));
    let of_java = |figure: fn(&Figures) -> f64| ratios(&each(rounds, figure), &each(java, figure));
    let faster = |figure: fn(&Figures) -> f64| ratios(&each(java, figure), &each(rounds, figure));
    let is_known = |spread: &Spread| spread.median.is_finite();
    let memory = Memory {
        idle_mib: own(|figures| figures.idle)?,
        registered_mib: own(|figures| figures.registered)?,
        registered_again_mib: own(|figures| figures.registered_again)?,
        registered_of_java: of_java(|figures| figures.registered).ok(),
    };
    let beside_java = || {
        Outcome::Ok(BesideJava {
            register: faster(|figures| figures.register)?,
            register_again: faster(|figures| figures.register_again)?,
        })
    };
    Ok(Started {
        server: server.into(),
        start_ms: own(|figures| figures.start)?,
        register_ms: own(|figures| figures.register)?,
        register_again_ms: own(|figures| figures.register_again)?,
        memory: is_known(&memory.idle_mib).then_some(memory),
        beside_java: beside_java().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_beside_java_in_the_same_round() {
        let figures = |scale: f64| Figures {
            start: scale,
            register: 10.0 * scale,
            register_again: 5.0 * scale,
            idle: scale,
            registered: 4.0 * scale,
            registered_again: 6.0 * scale,
        };
        let (own, java) = ([1.0, 2.0, 3.0].map(figures), [4.0, 10.0, 9.0].map(figures));
        let own = started(EMBEDDED, &own, &java).unwrap();
        assert_eq!(own.register_ms.median, 20.0);
        assert_eq!(own.beside_java.unwrap().register.median, 4.0);
        assert_eq!(own.memory.unwrap().registered_of_java.unwrap().median, 0.25);

        let alone = started(EMBEDDED, &[figures(1.0), figures(f64::NAN)], &[]).unwrap();
        assert!(alone.beside_java.is_none());
        assert!(alone.memory.unwrap().registered_of_java.is_none());
        assert!(started(EMBEDDED, &[figures(f64::NAN)], &[]).unwrap().memory.is_none());
    }
}
