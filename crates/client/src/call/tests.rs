//! What can only be seen from inside: sets of servers that change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use rocketmq_nameserver_protocol::code::ResponseCode;
use rocketmq_nameserver_protocol::command::Command;
use rocketmq_nameserver_protocol::frame::{self, DEFAULT_MAX_FRAME_SIZE, SerializeType};
use rocketmq_nameserver_protocol::header::ExtFields;
use rocketmq_nameserver_protocol::request::GetRouteInfo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::Servers;
use crate::address::{self, ServerAddress};
use crate::client::AsyncNameServerClient;
use crate::config::Stream;
use crate::error::{NameServerError, Result};
use crate::failure::Failure;
use crate::question::Question;
use crate::stats::ServerStats;

/// Nothing here takes that long: time is paused.
const LIMIT: Duration = Duration::from_secs(60);

/// Servers that answer as soon as they may.
#[derive(Clone, Default)]
struct Net {
    /// What each server may answer: a permit an answer. Closed for one that answers everything.
    may_answer: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    /// The servers at which a connection was closed by the client, in that order.
    closed: Arc<Mutex<Vec<String>>>,
    /// Servers that refuse connections, and how many they have refused.
    refused: Arc<Mutex<HashMap<String, usize>>>,
}

impl Net {
    fn refuse(&self, host: &str) {
        self.refused.lock().unwrap().insert(host.to_owned(), 0);
    }

    fn refused(&self, host: &str) -> usize {
        self.refused.lock().unwrap()[host]
    }

    /// From now on this server waits for permits.
    fn hold(&self, host: &str) -> Arc<Semaphore> {
        let held = Arc::new(Semaphore::new(0));
        self.may_answer.lock().unwrap().insert(host.to_owned(), Arc::clone(&held));
        held
    }

    fn closed(&self) -> Vec<String> {
        self.closed.lock().unwrap().clone()
    }

    async fn serve(self, host: String, mut stream: DuplexStream) {
        let may_answer = self.may_answer.lock().unwrap().get(&host).cloned();
        let mut input = BytesMut::new();
        loop {
            while let Some(whole) = frame::cut(&mut input, DEFAULT_MAX_FRAME_SIZE).unwrap() {
                let opaque = Command::from_frame(whole).unwrap().header.opaque;
                if let Some(may_answer) = &may_answer {
                    may_answer.acquire().await.unwrap().forget();
                }
                let body = r#"{"brokerDatas":[],"queueDatas":[]}"#;
                let answer =
                    Command::response(opaque, ResponseCode::SUCCESS, ExtFields::new(), body.to_owned());
                stream.write_all(&answer.to_frame(SerializeType::Json).unwrap()).await.unwrap();
            }
            if stream.read_buf(&mut input).await.unwrap() == 0 {
                return self.closed.lock().unwrap().push(host);
            }
        }
    }

    fn servers(&self, list: &str) -> Arc<Servers> {
        let net = self.clone();
        let builder = AsyncNameServerClient::builder().servers(list).timeout(LIMIT);
        let builder = builder.connector(move |server: ServerAddress| {
            if let Some(refused) = net.refused.lock().unwrap().get_mut(server.host()) {
                *refused += 1;
                return std::future::ready(Err(std::io::ErrorKind::ConnectionRefused.into()));
            }
            let (near, far) = tokio::io::duplex(4096);
            tokio::spawn(net.clone().serve(server.host().to_owned(), far));
            std::future::ready(Ok(Box::new(near) as Box<dyn Stream>))
        });
        builder.build().unwrap().servers
    }
}

fn list(servers: &str) -> Vec<ServerAddress> {
    address::parse_list(servers).unwrap()
}

/// Asks and says who answered.
async fn ask(servers: &Servers) -> Result<String> {
    let topic = GetRouteInfo::new("T");
    let told = servers.ask_told(&topic, LIMIT, &Question::Route(topic.topic.clone())).await?;
    assert!(told.answer.broker_data_list.is_empty());
    Ok(told.server.to_string())
}

/// A call that waits at this server, which is the first one.
async fn waiting(servers: &Arc<Servers>) -> JoinHandle<Result<String>> {
    let call = tokio::spawn({
        let servers = Arc::clone(servers);
        async move { ask(&servers).await }
    });
    until(|| servers.stats().servers[0].in_flight == 1).await;
    call
}

/// Gives everybody turns until it is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never");
}

fn stats(servers: &Servers, name: &str) -> ServerStats {
    servers.stats().servers.into_iter().find(|server| server.server == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_removed_server_answers_who_waits_and_then_its_connection_closes() {
    let net = Net::default();
    let held = net.hold("a");
    let servers = net.servers("a;b");
    let waits = waiting(&servers).await;
    let change = servers.replace_servers(list("b;c")).unwrap();
    assert_eq!(change, (list("a;b"), list("b;c")));
    assert_eq!(servers.names(), ["b:9876", "c:9876"]);
    for _ in 0..3 {
        assert_eq!(ask(&servers).await.unwrap(), "b:9876", "new calls go to the new servers");
    }
    assert!(!waits.is_finished() && net.closed().is_empty(), "who waits is left alone");
    held.add_permits(1);
    assert_eq!(waits.await.unwrap().unwrap(), "a:9876");
    until(|| net.closed() == ["a"]).await;
    assert!(servers.is_connected(), "the connection to the server in use is there");
    assert_eq!(servers.stats().servers.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_to_a_removed_server_closes_at_once() {
    let net = Net::default();
    let servers = net.servers("a");
    assert_eq!(ask(&servers).await.unwrap(), "a:9876");
    servers.replace_servers(list("b")).unwrap();
    until(|| net.closed() == ["a"]).await;
    assert!(!servers.is_connected());
}

#[tokio::test(start_paused = true)]
async fn it_does_so_even_while_a_call_waits_that_could_have_gone_there() {
    let net = Net::default();
    let held = net.hold("a");
    let servers = net.servers("a;b");
    held.add_permits(1);
    let question = Question::new("get", "routes");
    assert!(servers.ask_every(&GetRouteInfo::new("T"), LIMIT, &question).await.is_complete());
    let waits = waiting(&servers).await;
    servers.replace_servers(list("c")).unwrap();
    until(|| net.closed() == ["b"]).await;
    held.add_permits(1);
    assert_eq!(waits.await.unwrap().unwrap(), "a:9876");
}

#[tokio::test(start_paused = true)]
async fn a_removed_server_is_not_probed_any_more_and_one_that_stays_is() {
    let net = Net::default();
    net.refuse("a");
    net.refuse("b");
    let held = net.hold("c");
    let servers = net.servers("a;b;c");
    held.add_permits(1);
    assert_eq!(ask(&servers).await.unwrap(), "c:9876");
    // A call that could have gone there keeps the removed server in memory.
    let waits = tokio::spawn({
        let servers = Arc::clone(&servers);
        async move { ask(&servers).await }
    });
    until(|| stats(&servers, "c:9876").in_flight == 1).await;
    servers.replace_servers(list("b;c")).unwrap();
    let refused = (net.refused("a"), net.refused("b"));
    tokio::time::sleep(LIMIT / 6).await;
    assert_eq!(net.refused("a"), refused.0);
    assert!(net.refused("b") > refused.1);
    held.add_permits(1);
    assert_eq!(waits.await.unwrap().unwrap(), "c:9876");
}

#[tokio::test(start_paused = true)]
async fn servers_that_stay_keep_connection_counters_and_health() {
    let net = Net::default();
    let servers = net.servers("a;b");
    ask(&servers).await.unwrap();
    for (name, to, answers) in [
        ("another one before it", "c;a", "a:9876"),
        ("only the order", "a;c", "a:9876"),
        ("named twice", "a;d;a", "a:9876"),
    ] {
        servers.replace_servers(list(to)).unwrap();
        assert_eq!(ask(&servers).await.unwrap(), answers, "{name}: the one in use stays in use");
        assert_eq!(stats(&servers, "a:9876").connects, 1, "{name}");
    }
    assert_eq!(stats(&servers, "a:9876").requests, 4);
    assert!(net.closed().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_and_the_same_list_change_nothing() {
    let servers = Net::default().servers("a;b");
    for same in [Vec::new(), list("a;b"), list("a;b;a")] {
        assert_eq!(servers.replace_servers(same), None);
        assert_eq!((servers.names().len(), servers.len()), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_reaches_calls_at_removed_servers() {
    let net = Net::default();
    net.hold("a");
    let servers = net.servers("a");
    let waits = waiting(&servers).await;
    servers.replace_servers(list("b")).unwrap();
    // Another change must not forget the first one.
    servers.replace_servers(list("c")).unwrap();
    servers.disconnect().await;
    let is_disconnected = |error: &NameServerError| {
        error.attempts().iter().all(|attempt| matches!(attempt.failure, Failure::Disconnected))
    };
    assert!(is_disconnected(&waits.await.unwrap().unwrap_err()));
    assert_eq!(ask(&servers).await.unwrap(), "c:9876");
}
