//! Many topics at once: pipelined over one connection, a result for each.
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example batch
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use std::time::Instant;

use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let site = Site::start().await?;
    let client = AsyncNameServerClient::builder().servers(&site.addresses).build()?;

    // Without a cache.
    let topics = ["orders", "payments", "no-such-topic"];
    for (topic, route) in topics.iter().zip(client.query_topic_route_infos(topics).await) {
        match route {
            Ok(route) => println!("{topic}: {} brokers", route.broker_data_list.len()),
            Err(error) if error.is_topic_not_found() => println!("{topic}: not there"),
            Err(error) => return Err(error.into()),
        }
    }

    // With one: have routes ready before the first message is sent.
    let cache = RouteCache::new(client);
    let started = Instant::now();
    let ready = cache.preload(topics).await.iter().filter(|route| route.is_ok()).count();
    println!("{ready} of {} routes are ready after {:?}", topics.len(), started.elapsed());
    Ok(())
}
