//! Routes as ready-made bytes: a body is made once for each change and dialect, and then only handed out.
//!
//! Before it comes [`dispatch`](crate::dispatch), which makes what is not there. One number says whether anything has changed
//! that a route may show; a body that was made at another number is made anew. So no change has to know which routes it
//! touches, and looking up a route takes no lock that changes hold.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use rocketmq_nameserver_protocol::json::Dialect;
use rocketmq_nameserver_protocol::model::Name;

/// How many parts the map has. Two questions meet at one lock only if their topics fall into the same.
const SHARDS: usize = 64;

/// From which size on a part is cleared of what is old before something new comes in.
const SHARD_SIZE: usize = 256;

/// The bodies of routes.
#[derive(Debug)]
pub(crate) struct ReadyRoutes {
    generation: AtomicU64,
    hasher: RandomState,
    shards: Vec<RwLock<HashMap<Name, Ready>>>,
}

/// The bodies of one topic's route as it was at one generation.
#[derive(Debug)]
struct Ready {
    generation: u64,
    standard: Option<Bytes>,
    legacy: Option<Bytes>,
}

impl Ready {
    fn body(&mut self, dialect: Dialect) -> &mut Option<Bytes> {
        match dialect {
            Dialect::Standard => &mut self.standard,
            Dialect::Legacy => &mut self.legacy,
        }
    }
}

impl Default for ReadyRoutes {
    fn default() -> Self {
        ReadyRoutes {
            generation: AtomicU64::new(0),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
        }
    }
}

impl ReadyRoutes {
    /// Something has changed that routes may show.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// To be asked before a route is looked at, and to be given to [`put`](Self::put) with what was seen.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The body of a topic's route, if it is ready.
    pub(crate) fn get(&self, topic: &Name, dialect: Dialect) -> Option<Bytes> {
        let generation = self.generation();
        let shard = self.shard(topic)?.read().unwrap_or_else(PoisonError::into_inner);
        let ready = shard.get(topic).filter(|ready| ready.generation == generation)?;
        match dialect {
            Dialect::Standard => ready.standard.clone(),
            Dialect::Legacy => ready.legacy.clone(),
        }
    }

    /// Keeps a body that was made from what was seen at that generation or after it.
    pub(crate) fn put(&self, topic: &Name, dialect: Dialect, generation: u64, body: Bytes) {
        let Some(shard) = self.shard(topic) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= SHARD_SIZE && !shard.contains_key(topic) {
            let current = self.generation();
            shard.retain(|_, ready| ready.generation == current);
        }
        let made = || Ready { generation, standard: None, legacy: None };
        let ready = shard.entry(topic.clone()).or_insert_with(made);
        if ready.generation < generation {
            *ready = made();
        }
        if ready.generation == generation {
            *ready.body(dialect) = Some(body);
        }
    }

    fn shard(&self, topic: &Name) -> Option<&RwLock<HashMap<Name, Ready>>> {
        let hash = usize::try_from(self.hasher.hash_one(topic) % SHARDS as u64).ok()?;
        self.shards.get(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_handed_out_until_something_changes() {
        let routes = ReadyRoutes::default();
        let (topic, standard, legacy) = (Name::from("T"), Dialect::Standard, Dialect::Legacy);
        let body = |text: &'static str| Bytes::from_static(text.as_bytes());
        let seen = routes.generation();
        assert_eq!(routes.get(&topic, standard), None);
        routes.put(&topic, standard, seen, body("s1"));
        assert_eq!((routes.get(&topic, standard), routes.get(&topic, legacy)), (Some(body("s1")), None));
        routes.put(&topic, legacy, seen, body("l1"));
        assert_eq!(routes.get(&topic, legacy), Some(body("l1")));
        routes.changed();
        assert_eq!((routes.get(&topic, standard), routes.get(&topic, legacy)), (None, None));
        // What was seen before the change comes too late.
        routes.put(&topic, standard, seen, body("s1"));
        assert_eq!(routes.get(&topic, standard), None);
        routes.put(&topic, standard, routes.generation(), body("s2"));
        assert_eq!((routes.get(&topic, standard), routes.get(&topic, legacy)), (Some(body("s2")), None));
        routes.put(&topic, legacy, seen, body("l1"));
        assert_eq!(routes.get(&topic, legacy), None);
    }

    #[test]
    fn topics_that_are_gone_do_not_stay_for_ever() {
        let routes = ReadyRoutes::default();
        for round in 0..4 {
            for number in 0..SHARDS * SHARD_SIZE {
                let topic = Name::from(format!("{round}-{number}"));
                routes.put(&topic, Dialect::Legacy, routes.generation(), Bytes::new());
            }
            routes.changed();
        }
        let kept: usize = routes.shards.iter().map(|shard| shard.read().unwrap().len()).sum();
        assert!(kept < 2 * SHARDS * SHARD_SIZE, "{kept}");
    }
}
