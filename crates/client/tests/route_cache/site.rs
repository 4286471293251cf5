//! Servers in memory whose answers a test changes as it goes. Time is paused.

use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{AsyncNameServerClient, ClientBuilder, RouteCache, Stream};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};
use tokio::sync::watch;

/// How long a call may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a server says to a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// The route of these brokers, in this order.
    Route(Vec<&'static str>),
    /// Bytes that are no route.
    Garbage,
    NotFound,
    NotReady,
    /// Nothing at all, and the connection stays.
    Nothing,
    /// The connection closes.
    HangsUp,
}

/// One server.
pub(crate) struct Server {
    says: watch::Sender<Says>,
    /// The topics that were asked for, the client's own cheap question excluded.
    asked: Mutex<Vec<String>>,
    /// Whether answers are held back until they are let go.
    held: watch::Sender<bool>,
}

impl Server {
    pub(crate) fn says(&self, says: Says) {
        self.says.send_replace(says);
    }

    /// How often it was asked for a route.
    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Answers from now on are worked out at once and leave when they are let go.
    pub(crate) fn hold(&self) {
        self.held.send_replace(true);
    }

    pub(crate) fn let_go(&self) {
        self.held.send_replace(false);
    }

    async fn serve(self: Arc<Self>, mut peer: PeerConnection) {
        while let Some((opaque, topic)) = peer.topic().await {
            if !topic.is_empty() {
                self.asked.lock().unwrap().push(topic);
            }
            let says = self.says.borrow().clone();
            self.held.subscribe().wait_for(|held| !held).await.expect("the server is there");
            match says {
                Says::Route(brokers) => peer.answer(opaque, &route(&brokers)).await,
                Says::Garbage => peer.answer(opaque, "{]").await,
                Says::NotFound => {
                    peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
                }
                Says::NotReady => {
                    peer.refuse(opaque, ResponseCode::SYSTEM_ERROR, "name server not ready").await;
                }
                Says::Nothing => {}
                Says::HangsUp => return,
            }
        }
    }
}

/// A route of these brokers, each with 4 queues.
pub(crate) fn route(brokers: &[&str]) -> String {
    let of = |each: fn(&str) -> String| brokers.iter().map(|name| each(name)).collect::<Vec<_>>().join(",");
    let groups =
        of(|name| format!(r#"{{"brokerAddrs":{{0:"{name}:10911"}},"brokerName":"{name}","cluster":"C"}}"#));
    let queues =
        of(|name| format!(r#"{{"brokerName":"{name}","perm":6,"readQueueNums":4,"writeQueueNums":4}}"#));
    format!(r#"{{"brokerDatas":[{groups}],"queueDatas":[{queues}]}}"#)
}

/// Servers by name.
pub(crate) struct Site {
    servers: BTreeMap<&'static str, Arc<Server>>,
}

type Opened = io::Result<Box<dyn Stream>>;

impl Site {
    /// These servers, each of which says the same.
    pub(crate) fn new(names: &[&'static str], says: &Says) -> Self {
        let server = |name| {
            let server = Server {
                says: watch::Sender::new(says.clone()),
                asked: Mutex::default(),
                held: watch::Sender::new(false),
            };
            (name, Arc::new(server))
        };
        Site { servers: names.iter().copied().map(server).collect() }
    }

    pub(crate) fn server(&self, name: &str) -> &Server {
        &self.servers[name]
    }

    /// All servers say that from now on.
    pub(crate) fn all_say(&self, says: &Says) {
        self.servers.values().for_each(|server| server.says(says.clone()));
    }

    /// How often any was asked.
    pub(crate) fn asked(&self) -> usize {
        self.servers.values().map(|server| server.asked()).sum()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let names: Vec<&str> = self.servers.keys().copied().collect();
        let open: BTreeMap<
            &'static str,
            Box<dyn Fn(rocketmq_nameserver::ServerAddress) -> Opened + Send + Sync>,
        > = self
            .servers
            .iter()
            .map(|(name, server)| {
                let server = Arc::clone(server);
                let open = in_memory(move |peer| Arc::clone(&server).serve(peer));
                let open: Box<dyn Fn(_) -> Opened + Send + Sync> =
                    Box::new(move |address| open(address).into_inner());
                (*name, open)
            })
            .collect();
        AsyncNameServerClient::builder()
            .servers(names.join(";"))
            .timeout(LIMIT)
            .connector(move |address| ready(open[address.host()](address)))
    }

    pub(crate) fn client(&self) -> AsyncNameServerClient {
        self.builder().build().unwrap()
    }

    /// A cache with the defaults.
    pub(crate) fn cache(&self) -> RouteCache {
        RouteCache::new(self.client())
    }
}

/// The names of a route's brokers.
pub(crate) fn brokers(route: &rocketmq_nameserver::TopicRouteData) -> Vec<&str> {
    route.broker_data_list.iter().map(|broker| broker.broker_name.as_str()).collect()
}

/// Lets time pass, and all that has to be done in it.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
