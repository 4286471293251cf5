//! The Python objects of a cache's routes. Each is made once and handed out again until the topic has another route: what
//! changes meanwhile, its age above all, it asks its [`Origin`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;
use rocketmq_nameserver::{CachedRoute, Name, RouteCache, TopicRouteData};

use crate::cache::Shared;
use crate::convert::{models, route_of};

/// Below this many objects nobody looks for those whose topics are gone.
const MIN_SWEEP: usize = 64;

/// By topic. The cache's lock is around it.
#[derive(Default)]
pub(crate) struct HandedOut {
    objects: HashMap<String, Object>,
    /// Counts lookups.
    now: u64,
    sweep_at: usize,
}

struct Object {
    route: CachedRoute,
    object: Py<PyAny>,
    /// The number of the lookup that found it last.
    used: u64,
}

impl HandedOut {
    pub(crate) fn find(&mut self, py: Python<'_>, route: &CachedRoute) -> Option<Py<PyAny>> {
        let known = self.objects.get_mut(route.topic()).filter(|known| is_same(&known.route, route))?;
        self.now += 1;
        known.used = self.now;
        Some(known.object.clone_ref(py))
    }

    /// Runs Python code, so it is not for those who hold the lock.
    pub(crate) fn make(py: Python<'_>, cache: &Arc<Shared>, route: &CachedRoute) -> PyResult<Py<PyAny>> {
        let object = route_of(py, route.route(), models(py)?.cached_route.bind(py))?;
        object.setattr(intern!(py, "_origin"), Origin::new(cache, route.clone()))?;
        Ok(object.unbind())
    }

    /// Keeps an object. Those that have to go for it are put into `dropped`, to be dropped when no lock is held.
    pub(crate) fn insert(
        &mut self,
        route: &CachedRoute,
        object: Py<PyAny>,
        cache: &RouteCache,
        max_topics: usize,
        dropped: &mut Vec<Py<PyAny>>,
    ) {
        self.now += 1;
        let object = Object { route: route.clone(), object, used: self.now };
        dropped.extend(self.objects.insert(route.topic().to_owned(), object).map(|before| before.object));
        if self.objects.len() > self.sweep_at.max(MIN_SWEEP).min(max_topics) {
            let topics: HashSet<Name> = cache.topics().into_iter().collect();
            let gone = self.objects.extract_if(|topic, _| !topics.contains(topic.as_str()));
            dropped.extend(gone.map(|(_, gone)| gone.object));
            self.sweep_at = self.objects.len().saturating_mul(2);
        }
        while self.objects.len() > max_topics {
            let Some(topic) = self.longest_unused() else { return };
            cache.invalidate(&topic);
            dropped.extend(self.remove(&topic));
        }
    }

    pub(crate) fn remove(&mut self, topic: &str) -> Option<Py<PyAny>> {
        self.objects.remove(topic).map(|known| known.object)
    }

    fn longest_unused(&self) -> Option<String> {
        self.objects.iter().min_by_key(|(_, known)| known.used).map(|(topic, _)| topic.clone())
    }
}

/// Whether both are the same route: then nothing that Python sees of them differs.
pub(crate) fn is_same(one: &CachedRoute, other: &CachedRoute) -> bool {
    one.generation() == other.generation()
        && Arc::ptr_eq(one.route(), other.route())
        && one.source() == other.source()
}

/// Where a route comes from and how far it can be trusted by now.
#[pyclass(frozen, module = "pyrocketmq.nameserver._native")]
pub(crate) struct Origin {
    cache: Weak<Shared>,
    ttl: Duration,
    /// Taken only with the GIL held, so that no other thread holds it when a process forks.
    known: Mutex<Known>,
}

struct Known {
    route: CachedRoute,
    at: Instant,
    /// As long as there are no more of them its age is known.
    confirmations: u32,
}

#[pymethods]
impl Origin {
    #[getter]
    fn topic(&self) -> String {
        self.known().route.topic().to_owned()
    }

    #[getter]
    fn source(&self) -> String {
        self.known().route.source().to_owned()
    }

    #[getter]
    fn confirmations(&self) -> u32 {
        self.known().route.confirmations()
    }

    #[getter]
    fn age(&self) -> f64 {
        self.age_now().as_secs_f64()
    }

    #[getter]
    fn stale(&self) -> bool {
        self.age_now() > self.ttl
    }
}

impl Origin {
    /// What Python has the object of.
    pub(crate) fn route(&self) -> Arc<TopicRouteData> {
        Arc::clone(self.known().route.route())
    }

    fn new(cache: &Arc<Shared>, route: CachedRoute) -> Self {
        Origin { cache: Arc::downgrade(cache), ttl: cache.ttl(), known: Mutex::new(Known::new(route)) }
    }

    /// A route that has another one in its place by now is confirmed no more, it only grows older.
    fn age_now(&self) -> Duration {
        let mut known = self.known();
        let confirmations = known.route.confirmations();
        if confirmations != known.confirmations {
            known.confirmations = confirmations;
            if let Some(again) = self.cache.upgrade().and_then(|cache| cache.again(&known.route)) {
                *known = Known::new(again);
            }
        }
        known.route.age() + known.at.elapsed()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn new(route: CachedRoute) -> Self {
        Known { at: Instant::now(), confirmations: route.confirmations(), route }
    }
}
