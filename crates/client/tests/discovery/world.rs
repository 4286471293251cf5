//! NameServers in memory, and a registry that names them.

use std::collections::BTreeMap;
use std::future::{Future, pending, ready};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::{AsyncNameServerClient, Discovery, ServerAddress, ServerListChanges, Stream};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};
use tokio::sync::watch;

/// How often the registry is asked.
pub(crate) const EVERY: Duration = Duration::from_secs(30);

/// How long a call may take here. Longer than anything here needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What the registry says when it is asked.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    List(&'static str),
    Nothing,
    Fails,
    Hangs,
}

/// A registry of servers, which says whatever the test wants.
#[derive(Clone)]
pub(crate) struct Registry {
    says: Arc<Mutex<Says>>,
    asked: watch::Sender<usize>,
}

impl Registry {
    pub(crate) fn new(says: Says) -> Self {
        Registry { says: Arc::new(Mutex::new(says)), asked: watch::Sender::new(0) }
    }

    pub(crate) fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked that often.
    pub(crate) async fn was_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let enough = asked.wait_for(|asked| *asked >= times);
        tokio::time::timeout(EVERY * 100, enough).await.expect("questions").unwrap();
    }

    pub(crate) fn discovery(&self) -> Discovery {
        let registry = self.clone();
        Discovery::from_fn(EVERY, move || {
            let says = registry.says.lock().unwrap().clone();
            registry.asked.send_modify(|asked| *asked += 1);
            async move {
                match says {
                    Says::List(list) => Ok(ServerAddress::parse_list(list).unwrap()),
                    Says::Nothing => Ok(Vec::new()),
                    Says::Fails => Err(io::Error::other("the registry is down")),
                    Says::Hangs => pending().await,
                }
            }
        })
    }
}

/// Every host is a server; what each of them was asked stands under its name.
#[derive(Clone, Default)]
pub(crate) struct Network {
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
    down: Arc<Mutex<Vec<&'static str>>>,
    mute: Arc<Mutex<Vec<&'static str>>>,
    /// Rings when a mute server has got a request, and again for each that is to answer.
    pub(crate) waits: Arc<tokio::sync::Notify>,
    pub(crate) answers: Arc<tokio::sync::Notify>,
}

/// What one server has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) connects: usize,
    pub(crate) requests: usize,
    pub(crate) closed: usize,
}

pub(crate) fn seen(connects: usize, requests: usize, closed: usize) -> Seen {
    Seen { connects, requests, closed }
}

impl Network {
    pub(crate) fn with_mute(hosts: &[&'static str]) -> Self {
        let network = Network::default();
        network.mute.lock().unwrap().extend(hosts);
        network
    }

    pub(crate) fn is_down(&self, hosts: &[&'static str]) {
        *self.down.lock().unwrap() = hosts.to_vec();
    }

    pub(crate) fn seen(&self, host: &str) -> Seen {
        self.seen.lock().unwrap().get(host).copied().unwrap_or_default()
    }

    fn note(&self, host: &str, note: impl FnOnce(&mut Seen)) {
        note(self.seen.lock().unwrap().entry(host.to_owned()).or_default());
    }

    async fn serve(self, host: String, mut peer: PeerConnection) {
        self.note(&host, |seen| seen.connects += 1);
        while let Some(request) = peer.request().await {
            self.note(&host, |seen| seen.requests += 1);
            if self.mute.lock().unwrap().iter().any(|mute| *mute == host) {
                self.waits.notify_one();
                self.answers.notified().await;
            }
            peer.answer(request.header.opaque, "{}").await;
        }
        self.note(&host, |seen| seen.closed += 1);
    }

    fn connect(&self, server: ServerAddress) -> io::Result<Box<dyn Stream>> {
        let host = server.host().to_owned();
        if self.down.lock().unwrap().iter().any(|down| *down == host) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let network = self.clone();
        in_memory(move |peer| network.clone().serve(host.clone(), peer))(server).into_inner()
    }

    pub(crate) fn client(&self, discovery: Discovery) -> AsyncNameServerClient {
        let network = self.clone();
        let builder = AsyncNameServerClient::builder().discovery(discovery).timeout(LIMIT);
        builder.connector(move |server| ready(network.connect(server))).build().unwrap()
    }
}

pub(crate) async fn ask(client: &AsyncNameServerClient) {
    client.query_topic_route_info("t").await.unwrap();
}

/// The hosts of the client's servers.
pub(crate) fn hosts(client: &AsyncNameServerClient) -> String {
    joined(&client.server_list())
}

pub(crate) fn joined(servers: &[ServerAddress]) -> String {
    servers.iter().map(ServerAddress::host).collect::<Vec<_>>().join(";")
}

/// The next change: before, after. It comes within the interval of the registry.
pub(crate) async fn next(changes: &mut ServerListChanges) -> (String, String) {
    let change = tokio::time::timeout(EVERY * 10, changes.changed()).await.expect("a change").unwrap();
    (joined(&change.before), joined(&change.after))
}

/// Waits until that holds, however often other tasks must run for it.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never: {what}");
}

/// What a future says at its first poll.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    futures_util::FutureExt::now_or_never(future)
}
