//! What changes about a topic, as it changes.
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example watch
//! ```
//!
//! With `NAMESRV_ADDR` it watches `orders` there, until Ctrl-C.
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use std::time::Duration;

use rocketmq_nameserver::{AsyncNameServerClient, Change, RouteCache, UnregisterBroker};
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let mut site = Site::start().await?;
    let client = AsyncNameServerClient::builder().servers(&site.addresses).build()?;
    // Changes are seen when a route is refreshed: here within a fraction of a second, by default within 30 s.
    let cache = RouteCache::builder(client).ttl(Duration::from_millis(200)).build()?;
    let mut watch = cache.watch(["orders"])?;

    let mut step = 0;
    while let Some(change) = watch.next().await {
        match &change.change {
            Change::TopicFound { after } => println!("orders has {} brokers", after.broker_data_list.len()),
            Change::BrokerAdded { after } => println!("+ {} {:?}", after.broker_name, after.broker_addresses),
            Change::BrokerRemoved { before } => println!("- {}", before.broker_name),
            Change::QueuesChanged { broker_name, before, after } => {
                println!("  queues of {broker_name}: {before:?} -> {after:?}");
            }
            other => println!("  {other:?}"),
        }
        if site.servers.is_empty() {
            continue;
        }
        // Without real brokers the example makes changes of its own, one after the other.
        match step {
            0 => site.register("broker-c", "127.0.0.1:10931", 4)?,
            2 => {
                for server in &site.servers {
                    server.unregister(UnregisterBroker {
                        cluster_name: "example-cluster".into(),
                        broker_name: "broker-a".into(),
                        broker_addr: "127.0.0.1:10911".into(),
                        broker_id: 0,
                    });
                }
            }
            4 => break,
            _ => {}
        }
        step += 1;
    }
    Ok(())
}
