//! Servers in memory, each with a script of its own.

use std::collections::BTreeMap;
use std::future::ready;
use std::io;
use std::time::Duration;

use rocketmq_nameserver::{
    AsyncNameServerClient, ErrorKind, NameServerError, PerServer, ServerAddress, Stream,
};
use rocketmq_nameserver_testkit::scripted_peer::{PeerConnection, in_memory};

/// How long a call may take here; time is paused.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

type Opened = io::Result<Box<dyn Stream>>;

/// Servers in memory, by host name.
#[derive(Default)]
pub(crate) struct Peers(BTreeMap<&'static str, Box<dyn Fn(ServerAddress) -> Opened + Send + Sync>>);

impl Peers {
    /// A server that runs this script for each connection.
    pub(crate) fn with<F, Fut>(mut self, host: &'static str, script: F) -> Self
    where
        F: Fn(PeerConnection) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let open = in_memory(script);
        self.0.insert(host, Box::new(move |server| open(server).into_inner()));
        self
    }

    /// A server that refuses connections.
    pub(crate) fn with_none_at(mut self, host: &'static str) -> Self {
        self.0.insert(host, Box::new(|_| Err(io::ErrorKind::ConnectionRefused.into())));
        self
    }

    /// A client of all of them, in the order of their names.
    pub(crate) fn client(self) -> AsyncNameServerClient {
        let servers: Vec<&str> = self.0.keys().copied().collect();
        let builder = AsyncNameServerClient::builder().servers(servers.join(";")).timeout(LIMIT);
        builder.connector(move |server| ready(self.0[server.host()](server))).build().unwrap()
    }
}

/// Does whatever it is asked.
pub(crate) async fn obey(mut peer: PeerConnection) {
    while let Some(request) = peer.request().await {
        peer.answer(request.header.opaque, "").await;
    }
}

/// Each server and what kind of error it had.
pub(crate) fn kinds<T>(results: &PerServer<T>) -> Vec<(&str, Option<ErrorKind>)> {
    let kind = |result: &Result<T, NameServerError>| result.as_ref().err().map(NameServerError::kind);
    results.iter().map(|(server, result)| (server.as_str(), kind(result))).collect()
}
