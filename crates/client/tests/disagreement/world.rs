//! Servers in memory that say what they are told to. Time is paused.

use std::future::ready;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocketmq_nameserver::protocol::code::ResponseCode;
use rocketmq_nameserver::{AsyncNameServerClient, ClientBuilder, NameServerError};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};

/// How long a call may take here.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// What a server does with whatever it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Server {
    /// Answers with this body.
    Says(&'static str),
    /// Answers with this body, once.
    SaysOnce(&'static str),
    /// Does not know the topic.
    NotFound,
    /// Has just started.
    NotReady,
    /// Takes requests and answers none.
    Silent,
    /// Refuses connections.
    Down,
}

/// How many requests have come to a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked(Arc<AtomicUsize>);

impl Asked {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client of these servers, whose names are ns-0, ns-1, …; and how much each of them was asked.
pub(crate) fn client(servers: &[Server]) -> (AsyncNameServerClient, Vec<Asked>) {
    client_with(servers, |builder| builder)
}

pub(crate) fn client_with(
    servers: &[Server],
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (AsyncNameServerClient, Vec<Asked>) {
    let names: Vec<String> = (0..servers.len()).map(|at| format!("ns-{at}")).collect();
    let asked: Vec<Asked> = servers.iter().map(|_| Asked::default()).collect();
    let peers: Vec<_> = servers
        .iter()
        .zip(asked.clone())
        .map(|(server, asked)| {
            let server = *server;
            (server, in_memory(move |peer| serve(peer, server, asked.clone())))
        })
        .collect();
    let builder = AsyncNameServerClient::builder().servers(names.join(";")).timeout(LIMIT);
    let builder = builder.connector(move |address| {
        let at: usize = address.host().trim_start_matches("ns-").parse().expect("one of ours");
        let (server, open) = &peers[at];
        ready(match server {
            Server::Down => Err(io::ErrorKind::ConnectionRefused.into()),
            _ => open(address).into_inner(),
        })
    });
    (settings(builder).build().expect("good settings"), asked)
}

async fn serve(mut peer: PeerConnection, server: Server, asked: Asked) {
    while let Some(request) = peer.request().await {
        let before = asked.0.fetch_add(1, Ordering::Relaxed);
        let opaque = request.header.opaque;
        match server {
            Server::Says(body) => peer.answer(opaque, body).await,
            Server::SaysOnce(body) if before == 0 => peer.answer(opaque, body).await,
            Server::NotFound => {
                peer.refuse(opaque, ResponseCode::TOPIC_NOT_EXIST, "No topic route info").await;
            }
            Server::NotReady => {
                peer.refuse(opaque, ResponseCode::SYSTEM_ERROR, "name server not ready").await;
            }
            Server::SaysOnce(_) | Server::Silent | Server::Down => {}
        }
    }
}

/// Each with its kind: `ns-1 Timeout`.
pub(crate) fn failures<'a>(
    failed: impl Iterator<Item = (&'a rocketmq_nameserver::Name, &'a NameServerError)>,
) -> String {
    let shown = failed.map(|(server, error)| format!("{} {:?}", short(server), error.kind()));
    shown.collect::<Vec<_>>().join(", ")
}

/// Without the port.
pub(crate) fn short(server: &str) -> &str {
    server.trim_end_matches(":9876")
}

pub(crate) fn all_short(servers: &[rocketmq_nameserver::Name]) -> String {
    servers.iter().map(|server| short(server)).collect::<Vec<_>>().join("+")
}
