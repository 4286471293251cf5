//! How many bytes a cached topic takes, in a program of its own under an allocator that counts: puts topics into a cache and
//! prints how many bytes are allocated then that were not before. The bench program starts it.
//!
//! All is done by one thread, so every byte is counted.

#[path = "routes.rs"]
mod routes;

use std::error::Error;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Duration;

use allocation_counter::measure;
use clap::Parser;
use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
use tokio::runtime::{Builder, Runtime};

use routes::Routes;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Counts the bytes that topics take in a route cache.
#[derive(Debug, Parser)]
struct Arguments {
    /// Whether the topics' routes differ.
    #[arg(value_enum)]
    routes: Routes,
    /// How many topics there are.
    topics: usize,
}

/// How many topics are asked for in one call.
const AT_ONCE: usize = 1_000;

/// Nothing is refreshed meanwhile.
const TTL: Duration = Duration::from_secs(3600);

fn main() -> ExitCode {
    let Arguments { routes, topics } = Arguments::parse();
    let said = bytes(routes, topics).and_then(|bytes| Ok(writeln!(io::stdout().lock(), "{bytes}")?));
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If even stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "bench memory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bytes(routes: Routes, topics: usize) -> Outcome<i64> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = routes::client(routes)?;
    // The connection and its buffers are no part of the cache: they have their size before anything counts.
    drop(filled(&runtime, &client, 1..=AT_ONCE)?);
    settle(&runtime);
    let mut cache = None;
    let counted = measure(|| {
        cache = Some(filled(&runtime, &client, 1..=topics));
        settle(&runtime);
    });
    match cache.ok_or("nothing was filled")??.stats().topics {
        cached if cached == topics => Ok(counted.bytes_current),
        cached => Err(format!("{cached} of {topics} topics are in the cache").into()),
    }
}

/// A cache with the topics of these numbers.
fn filled(
    runtime: &Runtime,
    client: &AsyncNameServerClient,
    numbers: RangeInclusive<usize>,
) -> Outcome<RouteCache> {
    let cache = RouteCache::builder(client.clone()).ttl(TTL).build()?;
    let (first, last) = numbers.into_inner();
    for first in (first..=last).step_by(AT_ONCE) {
        let topics = (first..=last).take(AT_ONCE).map(|number| format!("Topic{number:06}"));
        for route in runtime.block_on(cache.preload(topics)) {
            route?;
        }
    }
    Ok(cache)
}

/// Lets tasks end that have nothing more to do.
fn settle(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..AT_ONCE {
            tokio::task::yield_now().await;
        }
    });
}
