//! A producer: where does the next message of a topic go?
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example producer_routing
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use rocketmq_nameserver::{
    AsyncNameServerClient, DEFAULT_TOPIC_QUEUE_NUMS, MessageQueue, RouteCache, check_topic,
    find_broker_address_in_publish, publish_queues,
};
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let site = Site::start().await?;
    let client = AsyncNameServerClient::builder().servers(&site.addresses).build()?;
    let cache = RouteCache::new(client);

    // For each message: the route is in the cache, fresh, and asking for it waits for nobody.
    for message in 0..10 {
        let route = cache.get_route("orders").await?;
        let queues: Vec<MessageQueue> = publish_queues("orders", &route).collect();
        let queue = &queues[message % queues.len()];
        let address = find_broker_address_in_publish(&route, &queue.broker_name).ok_or("no master")?;
        println!("message {message} -> queue {} of {} at {address}", queue.queue_id, queue.broker_name);
    }

    // A topic that does not exist yet goes where brokers create topics by themselves, if they do.
    check_topic("invoices")?;
    match cache.route_to_publish("invoices", DEFAULT_TOPIC_QUEUE_NUMS).await {
        Ok(route) => println!("invoices: {} queues", publish_queues("invoices", &route).len()),
        Err(error) if error.is_topic_not_found() => println!("invoices: create the topic first"),
        Err(error) => return Err(error.into()),
    }

    // A broker that cannot be reached: its topics are asked for again behind the producer's back.
    let topics = cache.report_failure("broker-a")?;
    println!("broker-a failed: {topics} topics are looked at again");
    println!("{} of {} lookups were hits", cache.stats().hits, cache.stats().hits + cache.stats().misses);
    Ok(())
}
