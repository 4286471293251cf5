//! How long queries wait while a large broker registers a changed table each second.

use rocketmq_nameserver_testkit::interop::Jars;

use super::cluster::Cluster;
use super::disturbance::Pairs;
use super::load::{Crowd, Load};
use super::open_loop::OpenLoop;
use super::registrar::Registrar;
use super::report::{Changing, Disturbed};
use super::subject::Subject;
use super::{MANY_TOPICS, Plan, TOPICS, over};
use crate::{Outcome, say};

struct Turn {
    subject: Subject,
    cluster: Cluster,
    queries: OpenLoop,
    pairs: Pairs,
    registrations: Vec<f64>,
}

impl Turn {
    fn new(subject: Subject, plan: &Plan) -> Outcome<Turn> {
        let address = subject.address;
        let cluster = Cluster::register(address, TOPICS)?;
        let queries = OpenLoop::connect(address, plan.changing, TOPICS)?;
        Crowd::connect(address, &super::frames::Queries::new(TOPICS, TOPICS)?.into())?
            .ask(subject.warm_up(plan))?;
        Ok(Turn { subject, cluster, queries, pairs: Pairs::default(), registrations: Vec::new() })
    }

    /// The large broker is there all the time; it is silent first.
    fn measure(&mut self, plan: &Plan) -> Outcome<()> {
        self.cluster.stay()?;
        let mut registrar = Registrar::start(self.subject.address, MANY_TOPICS, plan.changing)?;
        let quiet = self.queries.run()?;
        self.cluster.stay()?;
        registrar.go()?;
        let disturbed = self.queries.run()?;
        self.registrations.extend(registrar.finish()?);
        self.pairs.push(&quiet, &disturbed);
        Ok(())
    }
}

pub(super) fn measure(plan: &Plan, jars: Option<&Jars>) -> Outcome<Changing> {
    say("changing tables: starting the servers");
    let turns = Subject::both(jars)?.into_iter().map(|subject| Turn::new(subject, plan));
    let mut turns = turns.collect::<Outcome<Vec<_>>>()?;
    for round in 1..=plan.changing_rounds {
        say(&format!("changing tables: round {round} of {}", plan.changing_rounds));
        // What a server does after a large broker has left is over before its next turn.
        turns.iter_mut().try_for_each(|turn| turn.measure(plan))?;
    }
    let summary = |turn: &Turn| {
        Ok(Disturbed {
            server: turn.subject.name.into(),
            registration_ms: over(turn.registrations.iter().copied())?,
            waits: turn.pairs.summary()?,
        })
    };
    Ok(Changing {
        rounds: plan.changing_rounds,
        seconds: plan.changing.as_secs(),
        servers: turns.iter().map(summary).collect::<Outcome<_>>()?,
    })
}
