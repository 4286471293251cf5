//! Servers in memory that fail when a test wants it. Time is paused.

use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::Either;
use futures_util::stream::{FuturesUnordered, StreamExt};
use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{
    AsyncNameServerClient, CachedRoute, ClientBuilder, Result, RouteCache, ServerAddress, Stream,
};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};
use tokio::sync::watch;

/// How long a call may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a server says to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Says {
    /// The route of these brokers.
    Route(&'static [&'static str]),
    NotFound,
    NotReady,
    /// Nothing at all, and the connection stays.
    Nothing,
    /// It is not there: connections end and new ones are refused.
    Down,
}

/// One server.
pub(crate) struct Server {
    says: watch::Sender<Says>,
    /// How long its answers take.
    delay: Mutex<Duration>,
    /// Topics whose answers take longer than that.
    slow_topics: Mutex<BTreeMap<&'static str, Duration>>,
    /// Requests for routes, and connections that were refused.
    asked: watch::Sender<usize>,
}

impl Server {
    fn new(says: Says) -> Self {
        let (delay, slow_topics) = (Mutex::default(), Mutex::default());
        Server { says: watch::Sender::new(says), delay, slow_topics, asked: watch::Sender::new(0) }
    }

    pub(crate) fn says(&self, says: Says) {
        self.says.send_replace(says);
    }

    pub(crate) fn takes(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// It takes that long for this topic alone.
    pub(crate) fn takes_for(&self, topic: &'static str, delay: Duration) {
        self.slow_topics.lock().unwrap().insert(topic, delay);
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked that often.
    pub(crate) async fn was_asked(&self, times: usize) {
        self.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }

    fn is_asked(&self) {
        self.asked.send_modify(|asked| *asked += 1);
    }

    /// Answers until it goes down. What it says is decided when the request arrives; answers may overtake each other.
    async fn serve(self: Arc<Self>, mut peer: PeerConnection) {
        let mut says = self.says.subscribe();
        let mut late = FuturesUnordered::new();
        loop {
            let event = tokio::select! {
                _down = says.wait_for(|says| *says == Says::Down) => return,
                request = peer.topic() => match request {
                    Some(request) => Either::Left(request),
                    None => return,
                },
                Some(answer) = late.next() => Either::Right(answer),
            };
            match event {
                Either::Left((opaque, topic)) => {
                    // The client's own cheap question names no topic.
                    if !topic.is_empty() {
                        self.is_asked();
                    }
                    let says = *self.says.borrow();
                    let delay = self.slow_topics.lock().unwrap().get(topic.as_str()).copied();
                    let delay = delay.unwrap_or(*self.delay.lock().unwrap());
                    if delay.is_zero() {
                        say(&mut peer, opaque, says).await;
                    } else {
                        late.push(async move {
                            tokio::time::sleep(delay).await;
                            (opaque, says)
                        });
                    }
                }
                Either::Right((opaque, says)) => say(&mut peer, opaque, says).await,
            }
        }
    }
}

async fn say(peer: &mut PeerConnection, opaque: i32, says: Says) {
    match says {
        Says::Route(brokers) => peer.answer(opaque, &route(brokers)).await,
        Says::NotFound => peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await,
        Says::NotReady => peer.refuse(opaque, ResponseCode::SYSTEM_ERROR, "name server not ready").await,
        Says::Nothing | Says::Down => {}
    }
}

/// A route of these brokers, each with 4 queues.
fn route(brokers: &[&str]) -> String {
    let of = |each: fn(&str) -> String| brokers.iter().map(|name| each(name)).collect::<Vec<_>>().join(",");
    let groups =
        of(|name| format!(r#"{{"brokerAddrs":{{0:"{name}:10911"}},"brokerName":"{name}","cluster":"C"}}"#));
    let queues =
        of(|name| format!(r#"{{"brokerName":"{name}","perm":6,"readQueueNums":4,"writeQueueNums":4}}"#));
    format!(r#"{{"brokerDatas":[{groups}],"queueDatas":[{queues}]}}"#)
}

/// Servers by name.
#[derive(Clone)]
pub(crate) struct Site {
    servers: Arc<BTreeMap<&'static str, Arc<Server>>>,
}

impl Site {
    /// These servers, each of which says the same.
    pub(crate) fn new(names: &[&'static str], says: Says) -> Self {
        let servers = names.iter().map(|name| (*name, Arc::new(Server::new(says))));
        Site { servers: Arc::new(servers.collect()) }
    }

    pub(crate) fn server(&self, name: &str) -> &Server {
        &self.servers[name]
    }

    /// All servers say that from now on.
    pub(crate) fn all_say(&self, says: Says) {
        self.servers.values().for_each(|server| server.says(says));
    }

    /// How often any was asked.
    pub(crate) fn asked(&self) -> usize {
        self.servers.values().map(|server| server.asked()).sum()
    }

    /// A client that reaches these servers; it does not know yet which there are.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let open: BTreeMap<_, _> = self
            .servers
            .iter()
            .map(|(name, server)| {
                let served = Arc::clone(server);
                (*name, in_memory(move |peer| Arc::clone(&served).serve(peer)))
            })
            .collect();
        let servers = Arc::clone(&self.servers);
        let connect = move |address: ServerAddress| -> io::Result<Box<dyn Stream>> {
            let server = &servers[address.host()];
            if *server.says.borrow() == Says::Down {
                server.is_asked();
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            open[address.host()](address).into_inner()
        };
        AsyncNameServerClient::builder().timeout(LIMIT).connector(move |address| ready(connect(address)))
    }

    pub(crate) fn client(&self) -> AsyncNameServerClient {
        let names: Vec<&str> = self.servers.keys().copied().collect();
        self.builder().servers(names.join(";")).build().unwrap()
    }

    /// A cache with the defaults.
    pub(crate) fn cache(&self) -> RouteCache {
        RouteCache::new(self.client())
    }
}

/// Lets time pass, and all that has to be done in it.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A route's brokers, and whether it is stale; or the kind of the error.
pub(crate) fn outcome(result: &Result<CachedRoute>) -> String {
    match result {
        Ok(route) => {
            let brokers: Vec<&str> =
                route.broker_data_list.iter().map(|broker| broker.broker_name.as_str()).collect();
            format!("{}{}", brokers.join(" "), if route.is_stale() { ", stale" } else { "" })
        }
        Err(error) if error.is_topic_not_found() => "not found".to_owned(),
        Err(error) => format!("{:?} error", error.kind()),
    }
}
