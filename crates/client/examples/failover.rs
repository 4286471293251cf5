//! Two NameServers, one of which stops to answer: what do calls and the cache do?
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example failover
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use std::time::{Duration, Instant};

use rocketmq_nameserver::{AsyncNameServerClient, RouteCache};
use rocketmq_nameserver_server::Fault;
use site::{Outcome, Site};

#[tokio::main]
async fn main() -> Outcome {
    let site = Site::start().await?;
    let [first, second] = &site.servers[..] else {
        return Err("this example stops servers, so it works on its own ones only: unset NAMESRV_ADDR".into());
    };
    let client =
        AsyncNameServerClient::builder().servers(&site.addresses).timeout(Duration::from_secs(2)).build()?;
    let cache = RouteCache::builder(client.clone()).ttl(Duration::from_secs(1)).build()?;
    cache.get_route("orders").await?;

    first.server().set_fault(Fault::Silent);
    for call in 0..3 {
        let started = Instant::now();
        client.query_topic_route_info("orders").await?;
        println!("one server is silent, call {call}: {:.1?}", started.elapsed());
    }

    second.server().set_fault(Fault::NotReady);
    let started = Instant::now();
    match client.query_topic_route_info("orders").await {
        Ok(_) => println!("a server has answered after all"),
        Err(error) => println!("no server answers: an error after {:.1?}:\n  {error}", started.elapsed()),
    }
    let route = cache.get_route("orders").await?;
    println!("the cache still serves {} brokers: {}", route.broker_data_list.len(), cache.explain("orders"));

    first.server().clear_faults();
    let started = Instant::now();
    cache.wait_for_route("orders", |_| true, Duration::from_secs(10)).await?;
    println!("answered again after {:.1?}", started.elapsed());
    Ok(())
}
