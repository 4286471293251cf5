//! Keeps one copy of what many topics have in common: brokers, and whole routes. A route does not name its topic, so
//! topics on the same brokers with the same numbers of queues have the same.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use rocketmq_nameserver_protocol::model::{BrokerData, TopicRouteData};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::entry::BodyHash;

/// What is shared. It keeps nothing alive for long that nobody else has: what is unused is thrown out whenever the tables
/// have doubled.
#[derive(Debug, Default)]
pub(super) struct Interned {
    brokers: HashSet<Arc<BrokerData>, FxBuildHasher>,
    /// By the hash of a body that says them.
    routes: FxHashMap<BodyHash, Weak<TopicRouteData>>,
    sweep_brokers_at: usize,
    sweep_routes_at: usize,
}

/// Below this many entries nobody looks for unused ones.
const MIN_SWEEP: usize = 64;

impl Interned {
    /// The route that such a body says, if some topic has it.
    pub(super) fn by_body(&self, body: BodyHash) -> Option<Arc<TopicRouteData>> {
        self.routes.get(&body)?.upgrade()
    }

    /// The route with the brokers that others have, or the very route that another topic has.
    pub(super) fn share(&mut self, body: BodyHash, mut route: Arc<TopicRouteData>) -> Arc<TopicRouteData> {
        if let Some(known) = self.by_body(body) {
            return known;
        }
        // Nobody else has it yet: it was just read.
        for broker in Arc::get_mut(&mut route).into_iter().flat_map(|route| &mut route.broker_data_list) {
            match self.brokers.get(broker) {
                Some(known) => *broker = Arc::clone(known),
                None => drop(self.brokers.insert(Arc::clone(broker))),
            }
        }
        self.routes.insert(body, Arc::downgrade(&route));
        self.sweep();
        route
    }

    fn sweep(&mut self) {
        if self.brokers.len() > self.sweep_brokers_at.max(MIN_SWEEP) {
            self.brokers.retain(|broker| Arc::strong_count(broker) > 1);
            self.sweep_brokers_at = 2 * self.brokers.len();
        }
        if self.routes.len() > self.sweep_routes_at.max(MIN_SWEEP) {
            self.routes.retain(|_, route| route.strong_count() > 0);
            self.sweep_routes_at = 2 * self.routes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(port: usize) -> Arc<TopicRouteData> {
        let body = format!(
            r#"{{"brokerDatas":[{{"brokerAddrs":{{0:"h:{port}"}},"brokerName":"a","cluster":"C"}}],"queueDatas":[{{"brokerName":"a","perm":6}}]}}"#
        );
        Arc::new(TopicRouteData::from_bytes(body.as_bytes()).unwrap())
    }

    #[test]
    fn equal_brokers_and_bodies_are_shared() {
        let mut interned = Interned::default();
        let one = interned.share(1, route(1));
        let other = interned.share(2, route(1));
        assert!(!Arc::ptr_eq(&one, &other));
        assert!(Arc::ptr_eq(&one.broker_data_list[0], &other.broker_data_list[0]));
        assert!(Arc::ptr_eq(&one, &interned.share(1, route(1))));
        assert!(Arc::ptr_eq(&one, &interned.by_body(1).unwrap()));
        assert!(interned.by_body(3).is_none());
        assert!(!Arc::ptr_eq(&one.broker_data_list[0], &interned.share(4, route(2)).broker_data_list[0]));
    }

    #[test]
    fn what_nobody_has_any_more_goes() {
        let mut interned = Interned::default();
        for port in 0..10_000 {
            drop(interned.share(port as BodyHash, route(port)));
            assert!(interned.brokers.len() <= MIN_SWEEP + 1 && interned.routes.len() <= MIN_SWEEP + 1);
        }
        let kept: Vec<_> = (0..1000).map(|port| interned.share(port as BodyHash, route(port))).collect();
        assert_eq!(
            interned.brokers.iter().filter(|broker| Arc::strong_count(broker) > 1).count(),
            kept.len()
        );
    }
}
