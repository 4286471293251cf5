//! How long calls wait while one of two servers is of no use: it takes connections and never answers, or nothing that is sent
//! to it arrives.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rocketmq_nameserver::{AsyncNameServerClient, Stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::report::{Faults, Waited};
use super::{NOTHING, Plan};
use crate::measure::percentile;
use crate::rounds::topic;
use crate::server::cluster::Cluster;
use crate::server::subject::Subject;
use crate::server::{over, ratios};
use crate::{Outcome, say};

/// How many topics there are, which are asked for in turn.
const TOPICS: usize = 1_000;

/// How many calls there are, one at a time.
const CALLS: usize = 10_000;

/// So many may find out that a server is of no use; the percentiles are those of the others.
const FIRST: usize = 10;

/// How long a call may take.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// The other server. It is asked first, unless it is as good as any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Healthy(SocketAddr),
    /// Takes connections and never answers.
    Silent,
    /// Connecting takes for ever.
    Unreachable,
}

/// What they are called in the tables.
pub(super) const HEALTHY: &str = "healthy";
pub(super) const SILENT: &str = "silent";
pub(super) const UNREACHABLE: &str = "not to be reached";

impl Other {
    fn name(self) -> &'static str {
        match self {
            Other::Healthy(_) => HEALTHY,
            Other::Silent => SILENT,
            Other::Unreachable => UNREACHABLE,
        }
    }
}

/// All calls of one client.
struct Calls {
    waits: Vec<Duration>,
    failed: usize,
}

impl Calls {
    /// In µs, without the first.
    fn us(&self, share: f64) -> f64 {
        let mut waits = self.waits.get(FIRST..).unwrap_or_default().to_vec();
        waits.sort_unstable();
        percentile(&waits, share).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e6)
    }

    fn slowest(&self) -> Duration {
        self.waits.iter().copied().max().unwrap_or_default()
    }
}

pub(super) fn measure(plan: &Plan) -> Outcome<Faults> {
    let servers = [Subject::embedded()?, Subject::embedded()?];
    let mut clusters = Vec::new();
    for server in &servers {
        clusters.push(Cluster::register(server.address, TOPICS)?);
    }
    let [good, second] = servers.each_ref().map(|server| server.address);
    let others = [Other::Healthy(second), Other::Silent, Other::Unreachable];
    let mut rounds: [Vec<Calls>; 3] = Default::default();
    for round in 1..=plan.faults_rounds {
        say(&format!("faults: round {round} of {}", plan.faults_rounds));
        for (other, rounds) in others.into_iter().zip(&mut rounds) {
            clusters.iter_mut().try_for_each(Cluster::stay)?;
            rounds.push(ask(good, other)?);
        }
    }
    let healthy = p99s(rounds.first().ok_or(NOTHING)?);
    let waited = |(other, rounds): (Other, &Vec<Calls>)| {
        let slowest = rounds.iter().map(Calls::slowest).max().unwrap_or_default();
        Ok(Waited {
            other: other.name().into(),
            failed: rounds.iter().map(|calls| calls.failed).sum(),
            slowest_ms: (slowest.as_secs_f64() * 1e6).round() / 1e3,
            p50_us: over(rounds.iter().map(|calls| calls.us(0.5)))?,
            p99_us: over(p99s(rounds))?,
            p99_of_healthy: ratios(&p99s(rounds), &healthy)?,
        })
    };
    Ok(Faults {
        rounds: plan.faults_rounds,
        calls: CALLS,
        first: FIRST,
        limit_ms: LIMIT.as_millis() as u64,
        others: others.into_iter().zip(&rounds).map(waited).collect::<Outcome<_>>()?,
    })
}

fn p99s(rounds: &[Calls]) -> Vec<f64> {
    rounds.iter().map(|calls| calls.us(0.99)).collect()
}

/// A new client, which knows nothing of the servers yet, and all its calls.
fn ask(good: SocketAddr, other: Other) -> Outcome<Calls> {
    let topics: Vec<String> = (1..=TOPICS).map(topic).collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let bad = listener.local_addr()?;
        // In the same place where the good one stands in the other runs.
        let servers = match other {
            Other::Healthy(second) => [good, second],
            Other::Silent | Other::Unreachable => [bad, good],
        };
        let mut silence = JoinSet::new();
        silence.spawn(keep_silent(listener));
        let client = AsyncNameServerClient::builder()
            .servers(servers.map(|server| server.to_string()).join(";"))
            .timeout(LIMIT)
            // All dial in the same way, so that it makes no difference.
            .connector(move |server| dial((Ipv4Addr::LOCALHOST, server.port()).into(), other, bad))
            .build()?;
        let mut calls = Calls { waits: Vec::with_capacity(CALLS), failed: 0 };
        for topic in topics.iter().cycle().take(CALLS) {
            let start = Instant::now();
            let route = client.query_topic_route_info(topic).await;
            calls.waits.push(start.elapsed());
            calls.failed += usize::from(route.is_err());
        }
        Ok(calls)
    })
}

async fn dial(server: SocketAddr, other: Other, bad: SocketAddr) -> io::Result<Box<dyn Stream>> {
    if other == Other::Unreachable && server == bad {
        pending::<()>().await;
    }
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// Takes every connection and does nothing with it.
async fn keep_silent(listener: TcpListener) {
    let mut taken = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        taken.push(stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_calls_count_as_slow_but_not_for_percentiles() {
        let mut waits = vec![Duration::from_micros(5); FIRST + 100];
        waits[FIRST - 1] = Duration::from_secs(1);
        let calls = Calls { waits, failed: 0 };
        assert_eq!(calls.us(1.0), 5.0);
        assert_eq!(calls.slowest(), Duration::from_secs(1));
    }
}
