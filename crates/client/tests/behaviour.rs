//! The behaviour suite on the embedded NameServer. The same suite runs on the real ones: `cargo xtask interop`.

use rocketmq_nameserver_server::{NameServer, NameServerHandle};
use rocketmq_nameserver_testkit::behaviour::{self, Target};
use std::sync::Arc;
use tokio::sync::Mutex;

async fn start(address: String) -> NameServerHandle {
    NameServer::builder().listen(address).start().await.expect("a server starts in milliseconds")
}

async fn embedded() -> Target {
    let server = start("127.0.0.1:0".to_owned()).await;
    let address = server.address();
    let running = Arc::new(Mutex::new(Some(server)));
    let restart = move || {
        let running = Arc::clone(&running);
        Box::pin(async move {
            let mut running = running.lock().await;
            if let Some(server) = running.take() {
                server.shutdown().await;
            }
            *running = Some(start(address.to_string()).await);
        }) as _
    };
    Target { address, restart: Box::new(restart) }
}

macro_rules! on_the_embedded_server {
    ($($name:ident),*) => {
        $(#[tokio::test]
        async fn $name() {
            behaviour::$name(&mut embedded().await).await;
        })*
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
    restart_between_calls
);

#[tokio::test]
async fn the_whole_suite_in_a_row_on_one_server() {
    behaviour::all(&mut embedded().await).await;
}
