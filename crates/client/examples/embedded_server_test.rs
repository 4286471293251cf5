//! How to test code that asks a NameServer: with one that runs in the test, and that fails on demand.
//!
//! ```console
//! $ cargo run -p rocketmq-nameserver --example embedded_server_test
//! ```
//!
//! In a test it is the same code behind `#[tokio::test]`.
#![expect(clippy::print_stdout, reason = "an example shows what it finds")]

use std::error::Error;
use std::time::Duration;

use rocketmq_nameserver::{
    AsyncNameServerClient, DataVersion, Perm, RegisterBroker, RegisterBrokerBody, TopicConfig,
};
use rocketmq_nameserver_server::{Fault, NameServer};

/// The code under test: how many queues can be written to?
async fn writable_queues(client: &AsyncNameServerClient, topic: &str) -> rocketmq_nameserver::Result<u32> {
    let route = client.query_topic_route_info(topic).await?;
    Ok(route.queue_data_list.iter().map(|queue| queue.write_queue_nums).sum())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = NameServer::builder().listen("127.0.0.1:0").start().await?;
    let body =
        RegisterBrokerBody::new(DataVersion::default(), [TopicConfig::new("orders", 8, Perm::READ_WRITE)]);
    server.register(RegisterBroker::new("test-cluster", "broker-a", 0, "127.0.0.1:10911", body))?;
    let client = AsyncNameServerClient::builder()
        .servers(server.address().to_string())
        .timeout(Duration::from_millis(300))
        .build()?;

    assert_eq!(writable_queues(&client, "orders").await?, 8);
    assert!(writable_queues(&client, "other").await.is_err_and(|error| error.is_topic_not_found()));
    server.server().set_fault(Fault::NotReady);
    assert!(writable_queues(&client, "orders").await.is_err_and(|error| error.is_not_ready()));
    server.server().clear_faults();
    server.server().set_fault(Fault::Silent);
    assert!(writable_queues(&client, "orders").await.is_err_and(|error| error.is_timeout()));
    server.server().clear_faults();
    assert_eq!(writable_queues(&client, "orders").await?, 8);
    println!("all as expected");
    server.shutdown().await;
    Ok(())
}
