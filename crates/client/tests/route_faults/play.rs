//! A fault as a table: what happens, and the three things that are promised about it.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocketmq_nameserver::RouteCache;
use rocketmq_nameserver_testkit::route_changes::in_short;
use tokio::task::JoinSet;

use crate::site::{Says, Site, outcome, pass};

/// The topic that all of this is about.
pub(crate) const TOPIC: &str = "T";

/// One row: what happens, and what is seen after it.
pub(crate) struct Step {
    pub(crate) what: &'static str,
    /// What servers say from now on; `*` are all of them.
    pub(crate) says: &'static [(&'static str, Says)],
    /// How much time then passes, in seconds.
    pub(crate) seconds: u64,
    /// What `get_route` then returns, as [`outcome`] has it.
    pub(crate) route: &'static str,
    /// What the watch has told meanwhile.
    pub(crate) told: &'static [&'static str],
    /// How many requests were sent meanwhile, this step's call of `get_route` included if it had to wait.
    pub(crate) requests: RangeInclusive<usize>,
}

/// Plays the rows one after the other.
pub(crate) async fn play(site: &Site, cache: &RouteCache, watch: &Watched, steps: &[Step]) {
    for step in steps {
        let asked = site.asked();
        for (server, says) in step.says {
            match *server {
                "*" => site.all_say(*says),
                server => site.server(server).says(*says),
            }
        }
        pass(Duration::from_secs(step.seconds)).await;
        let route = outcome(&cache.get_route(TOPIC).await);
        tokio::task::yield_now().await;
        assert_eq!(route, step.route, "{}: get_route", step.what);
        assert_eq!(watch.told(), step.told, "{}: watch", step.what);
        let requests = site.asked() - asked;
        assert!(step.requests.contains(&requests), "{}: {requests} requests", step.what);
    }
}

/// A watch of the topic with a reader that takes each change as it comes, so that nothing is summed up.
pub(crate) struct Watched {
    told: Arc<Mutex<Vec<String>>>,
    _reader: JoinSet<()>,
}

impl Watched {
    pub(crate) fn of(cache: &RouteCache) -> Self {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let (mut watch, tell) = (cache.watch([TOPIC]).unwrap(), Arc::clone(&told));
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            while let Some(change) = watch.next().await {
                tell.lock().unwrap().push(in_short(&change.change));
            }
        });
        Watched { told, _reader: reader }
    }

    /// What it has told since this was asked last.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}
