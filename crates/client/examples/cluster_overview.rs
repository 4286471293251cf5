//! An operator: which clusters, brokers and topics are there, and do all NameServers say the same?
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example cluster_overview
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use rocketmq_nameserver::AsyncNameServerClient;
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let site = Site::start().await?;
    let client = AsyncNameServerClient::builder().servers(&site.addresses).build()?;

    let info = client.get_broker_cluster_info().await?;
    for (cluster, brokers) in &info.cluster_addr_table {
        println!("{cluster}: {} brokers", brokers.len());
        for broker in brokers.iter().filter_map(|name| info.broker_addr_table.get(name)) {
            for (id, address) in broker.broker_addresses.iter() {
                let role = if id == 0 { "master" } else { "slave" };
                println!("  {} {role} at {address}", broker.broker_name);
            }
        }
        let topics = client.get_topics_by_cluster(cluster).await?.topic_list;
        for (topic, route) in topics.iter().zip(client.query_topic_route_infos(&topics).await) {
            // It may have been deleted a moment ago.
            let Ok(route) = route else { continue };
            let queues = route.queue_data_list.iter();
            let shown: Vec<String> = queues
                .map(|queue| format!("{} {} {}", queue.broker_name, queue.perm, queue.write_queue_nums))
                .collect();
            println!("  topic {topic}: {}", shown.join(", "));
        }
    }

    // Each NameServer has tables of its own.
    let topics = client.query_all_topics().await.topics();
    for routes in client.query_all_many(&topics).await {
        for difference in routes.differences() {
            println!("{}: {:?} say otherwise: {:?}", routes.topic(), difference.servers, difference.changes);
        }
        for (server, error) in routes.failed() {
            println!("{}: nobody knows what {server} says: {error}", routes.topic());
        }
    }
    println!("{} topics compared between {}", topics.len(), site.addresses);
    Ok(())
}
