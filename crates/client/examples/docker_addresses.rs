//! A broker in a container: it advertises an address that only other containers reach, and its port is published on this
//! machine. Rules say what is used instead, and nothing changes on any server.
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example docker_addresses
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

mod site;

use rocketmq_nameserver::{
    AddressRewriting, AsyncNameServerClient, RouteCache, find_broker_address_in_publish, publish_queues,
};
use site::{Outcome, Site};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Outcome {
    let mut site = Site::start().await?;
    // What Docker does with `-p 127.0.0.1:PORT:10911`: something listens here for the broker.
    let published = TcpListener::bind("127.0.0.1:0").await?;
    site.register("broker-a", "172.17.0.2:10911", 4)?;

    let rules = AddressRewriting::new()
        .exact("172.17.0.2:10911", &published.local_addr()?.to_string())
        // All other containers: the same port on this machine.
        .cidr("172.17.0.0/16", "localhost");
    let client =
        AsyncNameServerClient::builder().servers(&site.addresses).rewrite_addresses(rules).build()?;
    let cache = RouteCache::new(client);

    let route = cache.get_route("orders").await?;
    for broker in &route.broker_data_list {
        println!(
            "{} advertises {:?}, used is {:?}",
            broker.broker_name,
            broker.advertised(),
            broker.broker_addresses
        );
    }
    let queue = publish_queues("orders", &route).next().ok_or("no queue to send to")?;
    let address = find_broker_address_in_publish(&route, &queue.broker_name).ok_or("no master")?;
    let connection = TcpStream::connect(address.as_str()).await?;
    println!("connected to {} of {} by {}", queue.queue_id, queue.broker_name, connection.peer_addr()?);
    Ok(())
}
