//! Many calls at once for a topic that nobody has asked for: how many requests that makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use super::Plan;
use super::report::Cold;
use super::routes::{Answers, Routes};
use crate::rounds::topic;
use crate::stub::PATIENCE;
use crate::{Outcome, say};

/// How many calls there are at once.
const CALLS: usize = 1_000;

/// Threads that call: so calls meet in the cache.
const WORKERS: usize = 2;

/// A server that answers nothing before it may.
#[derive(Clone)]
struct Server {
    answers: Answers,
    requests: Arc<AtomicUsize>,
    may: Arc<Semaphore>,
}

impl Server {
    async fn serve(self, mut connection: PeerConnection) {
        while let Some((opaque, topic)) = connection.topic().await {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let (Ok(_may), Ok(frame)) = (self.may.acquire().await, self.answers.frame(opaque, &topic)) else {
                return;
            };
            connection.send(&frame).await;
        }
    }
}

pub(super) fn measure(plan: &Plan) -> Outcome<Cold> {
    say("cold: 1,000 calls at once for one topic");
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let mut most = 0;
    for _ in 0..plan.cold_rounds {
        most = most.max(runtime.block_on(requests())?);
    }
    Ok(Cold { rounds: plan.cold_rounds, calls: CALLS, most_requests: most })
}

/// One new cache.
async fn requests() -> Outcome<usize> {
    let server = Server {
        answers: Answers::new(Routes::Same)?,
        requests: Arc::default(),
        may: Semaphore::new(0).into(),
    };
    let serving = server.clone();
    let client = AsyncNameServerClient::builder()
        .servers("in-memory:9876")
        .connector(in_memory(move |connection| serving.clone().serve(connection)))
        .build()?;
    let cache = RouteCache::new(client);
    let topic = topic(1);
    let mut calls = JoinSet::new();
    for _ in 0..CALLS {
        let (cache, topic) = (cache.clone(), topic.clone());
        calls.spawn(async move { cache.get_route(&topic).await });
    }
    // All of them have found nothing before there is an answer.
    let all_wait = async {
        loop {
            let stats = cache.stats();
            if stats.misses + stats.joined >= CALLS as u64 {
                break;
            }
            yield_now().await;
        }
    };
    timeout(PATIENCE, all_wait).await?;
    server.may.add_permits(CALLS);
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(server.requests.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_at_once_are_one_request() {
        assert_eq!(requests().await.unwrap(), 1);
    }
}
