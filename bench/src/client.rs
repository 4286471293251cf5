//! The clients of this project against the stub: async on two runtimes, and blocking.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rocketmq_nameserver::{AsyncNameServerClient, SyncNameServerClient};
use rocketmq_nameserver_protocol::model::TopicRouteData;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::measure::{Slice, Stopwatch};
use crate::rounds::{Asker, BATCH, Load, MANY, topic};

/// Worker threads of the multi-thread runtime: enough for tasks to move between threads, on any machine the same.
const WORKERS: usize = 2;

/// Threads that share one blocking client, and the tasks that they are compared with.
pub(crate) const THREADS: usize = 16;

/// What they are called in the tables.
pub(crate) const CURRENT_THREAD: &str = "async, current-thread runtime";
pub(crate) const WORKER_THREADS: &str = "async, multi-thread runtime, 2 workers";
pub(crate) const BLOCKING: &str = "blocking";

/// The async client on a runtime of its own.
#[derive(Debug)]
pub(crate) struct AsyncClient {
    name: &'static str,
    runtime: Runtime,
    client: AsyncNameServerClient,
    many: usize,
}

impl AsyncClient {
    /// On the runtime of the thread that asks, with that many tasks.
    pub(crate) fn on_current_thread(server: SocketAddr, many: usize) -> Outcome<Self> {
        Self::connect(CURRENT_THREAD, &mut Builder::new_current_thread(), server, many)
    }

    /// On a runtime with [`WORKERS`] threads.
    pub(crate) fn on_workers(server: SocketAddr) -> Outcome<Self> {
        Self::connect(WORKER_THREADS, Builder::new_multi_thread().worker_threads(WORKERS), server, MANY)
    }

    fn connect(name: &'static str, runtime: &mut Builder, server: SocketAddr, many: usize) -> Outcome<Self> {
        let runtime = runtime.enable_all().build()?;
        let client = AsyncNameServerClient::builder().servers(server.to_string()).build()?;
        expect_route(&runtime.block_on(client.query_topic_route_info(&topic(1)))?)?;
        Ok(AsyncClient { name, runtime, client, many })
    }
}

impl Asker for AsyncClient {
    fn name(&self) -> &'static str {
        self.name
    }

    fn many(&self) -> usize {
        self.many
    }

    fn ask(&mut self, load: Load, slice: Duration) -> Outcome<Slice> {
        let (client, many) = (self.client.clone(), self.many);
        let stopwatch = Stopwatch::start();
        let until = Instant::now() + slice;
        // Spawned, as an application does it: on the multi-thread runtime `block_on` would poll from a thread that is
        // none of the workers.
        let (queries, waits) = self.runtime.block_on(async move {
            match load {
                Load::One => tokio::spawn(one_at_a_time(client, until)).await?,
                Load::Many => tokio::spawn(many_at_once(client, many, until)).await?,
                Load::Batch => tokio::spawn(batches(client, until)).await?,
            }
        })?;
        Ok(stopwatch.stop(queries, waits))
    }
}

type Counted = Outcome<(u64, Vec<Duration>)>;

async fn one_at_a_time(client: AsyncNameServerClient, until: Instant) -> Counted {
    let topic = topic(1);
    let mut waits = Vec::new();
    let mut now = Instant::now();
    while now < until {
        client.query_topic_route_info(&topic).await?;
        let then = std::mem::replace(&mut now, Instant::now());
        waits.push(now - then);
    }
    Ok((waits.len() as u64, waits))
}

async fn many_at_once(client: AsyncNameServerClient, many: usize, until: Instant) -> Counted {
    let mut tasks = JoinSet::new();
    for number in 1..=many {
        let client = client.clone();
        tasks.spawn(async move {
            let topic = topic(number);
            let mut queries = 0;
            while Instant::now() < until {
                client.query_topic_route_info(&topic).await?;
                queries += 1;
            }
            Outcome::Ok(queries)
        });
    }
    let mut queries = 0;
    while let Some(task) = tasks.join_next().await {
        queries += task??;
    }
    Ok((queries, Vec::new()))
}

async fn batches(client: AsyncNameServerClient, until: Instant) -> Counted {
    let topics: Vec<String> = (1..=BATCH).map(topic).collect();
    let mut waits = Vec::new();
    let mut now = Instant::now();
    while now < until {
        for route in client.query_topic_route_infos(&topics).await {
            route?;
        }
        let then = std::mem::replace(&mut now, Instant::now());
        waits.push(now - then);
    }
    Ok(((waits.len() * BATCH) as u64, waits))
}

/// The blocking client.
#[derive(Debug)]
pub(crate) struct BlockingClient {
    client: SyncNameServerClient,
}

impl BlockingClient {
    /// Asks once, so that the connection stands.
    pub(crate) fn connect(server: SocketAddr) -> Outcome<Self> {
        let client = SyncNameServerClient::builder().servers(server.to_string()).build_sync()?;
        expect_route(&client.query_topic_route_info(&topic(1))?)?;
        Ok(BlockingClient { client })
    }

    fn one_at_a_time(&self, until: Instant) -> Counted {
        let topic = topic(1);
        let mut waits = Vec::new();
        let mut now = Instant::now();
        while now < until {
            self.client.query_topic_route_info(&topic)?;
            let then = std::mem::replace(&mut now, Instant::now());
            waits.push(now - then);
        }
        Ok((waits.len() as u64, waits))
    }

    fn many_at_once(&self, until: Instant) -> Counted {
        let ask_on = |topic: String| {
            let mut queries = 0;
            while Instant::now() < until {
                self.client.query_topic_route_info(&topic)?;
                queries += 1;
            }
            Outcome::Ok(queries)
        };
        thread::scope(|scope| {
            let threads: Vec<_> =
                (1..=THREADS).map(|number| scope.spawn(move || ask_on(topic(number)))).collect();
            let mut queries = 0;
            for thread in threads {
                queries += thread.join().map_err(|_| "a thread that asked has panicked")??;
            }
            Ok((queries, Vec::new()))
        })
    }

    fn batches(&self, until: Instant) -> Counted {
        let topics: Vec<String> = (1..=BATCH).map(topic).collect();
        let mut waits = Vec::new();
        let mut now = Instant::now();
        while now < until {
            for route in self.client.query_topic_route_infos(&topics)? {
                route?;
            }
            let then = std::mem::replace(&mut now, Instant::now());
            waits.push(now - then);
        }
        Ok(((waits.len() * BATCH) as u64, waits))
    }
}

impl Asker for BlockingClient {
    fn name(&self) -> &'static str {
        BLOCKING
    }

    fn many(&self) -> usize {
        THREADS
    }

    fn ask(&mut self, load: Load, slice: Duration) -> Outcome<Slice> {
        let stopwatch = Stopwatch::start();
        let until = Instant::now() + slice;
        let (queries, waits) = match load {
            Load::One => self.one_at_a_time(until)?,
            Load::Many => self.many_at_once(until)?,
            Load::Batch => self.batches(until)?,
        };
        Ok(stopwatch.stop(queries, waits))
    }
}

/// A fast wrong answer would be worth nothing.
fn expect_route(route: &Arc<TopicRouteData>) -> Outcome<()> {
    match (route.broker_data_list.len(), route.queue_data_list.len()) {
        (8, 8) => Ok(()),
        (brokers, queues) => Err(format!("expected 8 brokers, got {brokers} with {queues} queues").into()),
    }
}
