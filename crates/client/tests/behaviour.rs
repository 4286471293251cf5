//! The behaviour suite on the embedded NameServer. The same suite runs on the real ones: `cargo xtask interop`.

use rocketmq_nameserver::AsyncNameServerClient;
use rocketmq_nameserver_server::{NameServer, NameServerHandle, Personality};
use rocketmq_nameserver_testkit::behaviour::{self, Target};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

async fn start(address: String, personality: Personality) -> NameServerHandle {
    let builder = NameServer::builder().listen(address).personality(personality);
    builder.start().await.expect("a server starts in milliseconds")
}

async fn embedded(personality: Personality) -> Target {
    let server = start("127.0.0.1:0".to_owned(), personality).await;
    let address = server.address();
    let running = Arc::new(Mutex::new(Some(server)));
    let restart = move || {
        let running = Arc::clone(&running);
        Box::pin(async move {
            let mut running = running.lock().await;
            if let Some(server) = running.take() {
                server.shutdown().await;
            }
            *running = Some(start(address.to_string(), personality).await);
        }) as _
    };
    Target { address, restart: Box::new(restart) }
}

/// Each function on servers of both generations.
macro_rules! on_the_embedded_server {
    ($($name:ident),*) => {
        mod v4 {
            $(#[tokio::test]
            async fn $name() {
                super::behaviour::$name(&mut super::embedded(super::Personality::V4).await).await;
            })*
        }

        mod v5 {
            $(#[tokio::test]
            async fn $name() {
                super::behaviour::$name(&mut super::embedded(super::Personality::V5).await).await;
            })*
        }
    };
}

on_the_embedded_server!(
    existing_topic,
    missing_topic,
    cluster_info,
    two_hundred_calls_on_one_connection,
    batch_of_five_hundred,
    ipv6_and_non_ascii,
    registration_with_exactly_one_topic,
    broker_leaves,
    kv_store,
    write_permissions,
    topic_lists,
    deleting_a_topic,
    namesrv_config,
    data_version,
    requests_of_5x_brokers,
    restart_between_calls
);

#[tokio::test]
async fn the_whole_suite_in_a_row_on_one_server() {
    for personality in [Personality::V4, Personality::V5] {
        behaviour::all(&mut embedded(personality).await).await;
    }
}

#[tokio::test]
async fn a_server_on_an_ipv6_address_is_reached() {
    let server = start("[::1]:0".to_owned(), Personality::V5).await;
    let client = AsyncNameServerClient::builder().servers(server.address().to_string()).build().unwrap();
    assert!(client.get_broker_cluster_info().await.unwrap().broker_addr_table.is_empty());
    assert!(client.stats().servers[0].server.starts_with("[::1]:"));
}

#[tokio::test]
async fn a_connection_that_the_server_closes_for_idleness_is_no_error() {
    let idle = Duration::from_millis(100);
    let server = NameServer::builder().listen("127.0.0.1:0").idle_timeout(idle).start().await.unwrap();
    let client = AsyncNameServerClient::builder().servers(server.address().to_string()).build().unwrap();
    for connects in 1..=3 {
        client.get_broker_cluster_info().await.unwrap();
        assert_eq!(client.stats().servers[0].connects, connects);
        behaviour::eventually("idle close", || async {
            if client.is_connected() { Err("connected".to_owned()) } else { Ok(()) }
        })
        .await;
    }
    assert_eq!(client.stats().errors(), 0);
}
