//! Servers in memory that can be told at any time what to do wrong. Time is paused.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{AsyncNameServerClient, ClientBuilder, Result, ServerAddress, ServerStats, Stream};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory, route_body};
use tokio::time::Instant;

use Behaviour::*;

/// How long a call may take here.
pub(crate) const LIMIT: Duration = Duration::from_secs(6);

/// After how long an answer is late while there are few samples, and a connection has a rival.
pub(crate) const LATE: u64 = 50;
pub(crate) const RACE: u64 = 250;

/// What a server does. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It names itself as the broker of any topic.
    Answers,
    /// It reads and says nothing.
    Silent,
    /// It answers everything that late.
    Slow(u64),
    NotFound,
    /// It does not find anything, that late.
    SlowNotFound(u64),
    NotReady,
    Busy,
    /// It says something that is final.
    SaysNo,
    Nonsense,
    GoesAway,
    /// It closes the connection instead of an answer.
    HangsUp,
    /// It takes no connection.
    Refuses,
    /// A connection neither opens nor fails.
    BlackHole,
    /// A connection opens that late.
    OpensLate(u64),
}

#[derive(Default)]
struct Server {
    behaviour: Mutex<Option<Behaviour>>,
    /// When it was asked, and for which topic; probes ask for the topic "".
    asked: Mutex<Vec<(Instant, String)>>,
    dialled: Mutex<Vec<Instant>>,
}

impl Server {
    fn behaviour(&self) -> Behaviour {
        self.behaviour.lock().unwrap().unwrap_or(Answers)
    }

    async fn open(self: Arc<Self>, server: ServerAddress) -> io::Result<Box<dyn Stream>> {
        self.dialled.lock().unwrap().push(Instant::now());
        match self.behaviour() {
            Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
            BlackHole => return pending().await,
            OpensLate(after) => tokio::time::sleep(Duration::from_millis(after)).await,
            _ => {}
        }
        let host = server.host().to_owned();
        let serve = move |peer| Arc::clone(&self).serve(host.clone(), peer);
        in_memory(serve)(server).await
    }

    async fn serve(self: Arc<Self>, host: String, mut peer: PeerConnection) {
        while let Some((opaque, topic)) = peer.topic().await {
            self.asked.lock().unwrap().push((Instant::now(), topic));
            let behaviour = self.behaviour();
            if let Slow(after) | SlowNotFound(after) = behaviour {
                tokio::time::sleep(Duration::from_millis(after)).await;
            }
            let no = |code, remark| (code, remark);
            let (code, remark) = match behaviour {
                Silent => continue,
                HangsUp => return,
                Nonsense => {
                    peer.answer(opaque, "nonsense").await;
                    continue;
                }
                NotFound | SlowNotFound(_) => no(ResponseCode::TOPIC_NOT_EXIST, "No topic route info"),
                NotReady => no(ResponseCode::SYSTEM_ERROR, "name server not ready"),
                Busy => no(ResponseCode::SYSTEM_BUSY, "[OVERLOAD]"),
                SaysNo => no(ResponseCode::SYSTEM_ERROR, "java.lang.NullPointerException"),
                GoesAway => no(ResponseCode::GO_AWAY, "please go away"),
                Answers | Slow(_) | Refuses | BlackHole | OpensLate(_) => {
                    peer.answer(opaque, &route_body(&host)).await;
                    continue;
                }
            };
            peer.refuse(opaque, code, remark).await;
        }
    }
}

/// Servers called a, b, c …
#[derive(Clone)]
pub(crate) struct World(Arc<BTreeMap<String, Arc<Server>>>);

impl World {
    pub(crate) fn of(behaviours: &[Behaviour]) -> World {
        let servers = ('a'..).zip(behaviours).map(|(host, behaviour)| {
            let server = Server { behaviour: Mutex::new(Some(*behaviour)), ..Server::default() };
            (host.to_string(), Arc::new(server))
        });
        World(Arc::new(servers.collect()))
    }

    pub(crate) fn set(&self, host: &str, behaviour: Behaviour) {
        *self.0[host].behaviour.lock().unwrap() = Some(behaviour);
    }

    /// A client of all of them, in the order of their names.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let servers: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let servers = servers.join(";");
        let world = self.clone();
        let connect = move |server: ServerAddress| Arc::clone(&world.0[server.host()]).open(server);
        AsyncNameServerClient::builder().servers(servers).timeout(LIMIT).connector(connect)
    }

    pub(crate) fn client(&self) -> AsyncNameServerClient {
        self.builder().build().unwrap()
    }

    /// How often the server was asked by calls, not by probes.
    pub(crate) fn asked(&self, host: &str) -> usize {
        let asked = self.0[host].asked.lock().unwrap();
        asked.iter().filter(|(_, topic)| !topic.is_empty()).count()
    }

    /// When connections to the server were opened.
    pub(crate) fn dialled(&self, host: &str) -> Vec<Instant> {
        self.0[host].dialled.lock().unwrap().clone()
    }
}

/// Asks for a route and says which server answered.
pub(crate) async fn ask(client: &AsyncNameServerClient) -> Result<String> {
    let route = client.query_topic_route_info("T").await?;
    Ok(route.broker_data_list[0].broker_name.to_string())
}

/// As [`ask`], with the milliseconds that it took.
pub(crate) async fn timed(client: &AsyncNameServerClient) -> (Result<String>, u64) {
    let started = Instant::now();
    let answer = ask(client).await;
    (answer, u64::try_from(started.elapsed().as_millis()).unwrap())
}

/// The clock ticks in milliseconds, and a few ticks are lost on the way.
#[track_caller]
pub(crate) fn check_took(what: &str, took: u64, expected: u64) {
    assert!((expected..=expected + 5).contains(&took), "{what}: {took} ms instead of {expected}");
}

pub(crate) fn stats(client: &AsyncNameServerClient, host: &str) -> ServerStats {
    let name = format!("{host}:9876");
    client.stats().servers.into_iter().find(|server| server.server == *name).unwrap()
}

/// Lets time pass until it is so, and says how much did.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(600), "{what}: never");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}
