//! A consumer: which queues of a topic are mine, when several consumers share them?
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example consumer_routing
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use rocketmq_nameserver::{AsyncNameServerClient, MessageQueue, RouteCache, subscribe_queues};
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let mut site = Site::start().await?;
    let client = AsyncNameServerClient::builder().servers(&site.addresses).build()?;
    let cache = RouteCache::new(client);

    let route = cache.get_route("orders").await?;
    let mut queues: Vec<MessageQueue> = subscribe_queues("orders", &route).collect();
    // All consumers of a group must have them in the same order.
    queues.sort();
    for consumer in 0..3 {
        let mine: Vec<String> = averagely(&queues, consumer, 3)
            .iter()
            .map(|queue| format!("{}:{}", queue.broker_name, queue.queue_id))
            .collect();
        println!("consumer {consumer} reads {}", mine.join(" "));
    }

    // Queues are shared anew when there are more of them.
    site.register("broker-b", "127.0.0.1:10921", 8)?;
    let route = cache.refresh_route("orders").await?;
    println!("now there are {} queues", subscribe_queues("orders", &route).count());
    Ok(())
}

/// The share of one of `consumers` in a row, as RocketMQ's averaging strategy has it: the first ones get one more.
fn averagely(queues: &[MessageQueue], consumer: usize, consumers: usize) -> &[MessageQueue] {
    let (each, more) = (queues.len() / consumers, queues.len() % consumers);
    let from = consumer * each + consumer.min(more);
    let count = each + usize::from(consumer < more);
    &queues[from..from + count]
}
