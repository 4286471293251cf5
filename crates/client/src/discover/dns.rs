//! All addresses of a host name.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tokio::sync::oneshot;

use super::source::{Answer, Asking, Source};
use crate::address::ServerAddress;

/// As long as CoreDNS, which Kubernetes has, lets such an answer be kept.
const EVERY: Duration = Duration::from_secs(30);

/// Twice what the system's resolver waits for the first of its servers before it asks the second one.
const LIMIT: Duration = Duration::from_secs(10);

pub(super) fn source(name: &ServerAddress) -> Source {
    let lookup = Arc::new(Lookup { name: name.clone(), running: Mutex::default() });
    Source::new(format!("DNS name {name}"), EVERY, LIMIT, move || {
        let found = lookup.find();
        Box::pin(found) as Asking
    })
}

type Found = Shared<BoxFuture<'static, Answer>>;

/// The lookups of one name: at most one at a time. The system's resolver cannot be stopped and knows no deadline, so a
/// lookup that nobody waits for any more goes on, and the next one to ask waits for it instead of starting another.
struct Lookup {
    name: ServerAddress,
    running: Mutex<Option<Found>>,
}

impl Lookup {
    fn find(&self) -> Found {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.as_ref().filter(|found| found.peek().is_none()) {
            Some(found) => found.clone(),
            None => running.insert(start(self.name.clone())).clone(),
        }
    }
}

/// A thread of its own, because a runtime waits at its end for every blocking task, however long that takes.
fn start(name: ServerAddress) -> Found {
    let (found, answer) = oneshot::channel();
    let looks = move || {
        // Nobody may be waiting any more.
        let _gone = found.send(look_up(&name).map_err(|error| error.to_string()));
    };
    let started = thread::Builder::new().name("nameserver-dns".to_owned()).spawn(looks);
    let answer = async move {
        started.map_err(|error| format!("cannot start a thread: {error}"))?;
        answer.await.unwrap_or_else(|_| Err("the lookup ended without an answer".to_owned()))
    };
    answer.boxed().shared()
}

fn look_up(name: &ServerAddress) -> io::Result<Vec<ServerAddress>> {
    let addresses = (name.host(), name.port()).to_socket_addrs()?;
    let mut seen = BTreeSet::new();
    let servers = addresses.filter(|address| seen.insert(*address)).map(server_at);
    Ok(servers.filter_map(Result::ok).collect())
}

fn server_at(address: SocketAddr) -> crate::Result<ServerAddress> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() > 0 => {
            ServerAddress::new(&format!("{}%{}", v6.ip(), v6.scope_id()), v6.port())
        }
        other => ServerAddress::new(&other.ip().to_string(), other.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_once_at_a_time() {
        let lookup = Lookup { name: "127.0.0.1:1".parse().unwrap(), running: Mutex::default() };
        // Nobody waits for it to the end.
        drop(lookup.find());
        let (one, other) = (lookup.find(), lookup.find());
        assert!(one.ptr_eq(&other));
        assert_eq!(one.await.unwrap(), std::slice::from_ref(&lookup.name));
        assert!(!lookup.find().ptr_eq(&other), "what has been waited for is old");
    }

    #[test]
    fn addresses_keep_their_zones() {
        for (address, expected) in [
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[2001:db8::1]:2", "[2001:db8::1]:2"),
            ("[fe80::1%3]:4", "[fe80::1%3]:4"),
        ] {
            assert_eq!(server_at(address.parse().unwrap()).unwrap().to_string(), expected);
        }
    }
}
