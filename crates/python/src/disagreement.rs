//! What several servers say about the same, as the dataclasses of `disagreement.py`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;
use rocketmq_nameserver::{
    AllClusters, AllRoutes, AllTopics, BrokerOpinion, ClusterDifference, Difference, ListDifference, Name,
    NameServerError, TopicRouteData,
};

use crate::convert::{ToPython, list};
use crate::outcome::Outcome;
use crate::{error, route_change};

/// The classes, looked up once.
struct Classes {
    all_routes: Py<PyAny>,
    opinion: Py<PyAny>,
    difference: Py<PyAny>,
    all_topics: Py<PyAny>,
    list_difference: Py<PyAny>,
    all_clusters: Py<PyAny>,
    cluster_difference: Py<PyAny>,
    broker_opinion: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let module = py.import("pyrocketmq.nameserver.disagreement")?;
        let class = |name| module.getattr(name).map(Bound::unbind);
        Ok(Classes {
            all_routes: class("AllRoutes")?,
            opinion: class("Opinion")?,
            difference: class("Difference")?,
            all_topics: class("AllTopics")?,
            list_difference: class("ListDifference")?,
            all_clusters: class("AllClusters")?,
            cluster_difference: class("ClusterDifference")?,
            broker_opinion: class("BrokerOpinion")?,
        })
    })
}

/// Each is a value whatever servers say: their errors are part of it.
macro_rules! outcomes {
    ($($class:ty),*) => {
        $(impl Outcome for $class {
            fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Result<Bound<'py, PyAny>, Bound<'py, PyAny>>> {
                ToPython::to_python(self, py).map(Ok)
            }
        })*
    };
}

outcomes!(AllRoutes, Vec<AllRoutes>, AllTopics, AllClusters);

impl ToPython for Vec<AllRoutes> {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(list(py, self.iter())?.into_any())
    }
}

impl ToPython for AllRoutes {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut routes = Routes::default();
        let answers = answers(py, self.answers().iter(), |route| routes.object(py, route))?;
        let opinions = PyList::empty(py);
        for opinion in self.opinions() {
            let route = opinion.route.map(|route| routes.object(py, &route)).transpose()?;
            opinions.append(classes(py)?.opinion.bind(py).call1((names(py, &opinion.servers)?, route))?)?;
        }
        let differences = PyList::empty(py);
        for Difference { servers, than, changes } in self.differences() {
            let told = PyList::empty(py);
            for change in &changes {
                told.append(route_change::to_python(py, self.topic(), change)?)?;
            }
            let fields = (names(py, &servers)?, names(py, &than)?, told);
            differences.append(classes(py)?.difference.bind(py).call1(fields)?)?;
        }
        let failed = failures(py, self.failed())?;
        let fields = (self.topic().as_str(), answers, opinions, failed, differences);
        classes(py)?.all_routes.bind(py).call1(fields)
    }
}

/// Servers agree as a rule: then one object is enough.
#[derive(Default)]
struct Routes<'py>(Vec<(Arc<TopicRouteData>, Bound<'py, PyAny>)>);

impl<'py> Routes<'py> {
    fn object(&mut self, py: Python<'py>, route: &Arc<TopicRouteData>) -> PyResult<Bound<'py, PyAny>> {
        if let Some((_, object)) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, route)) {
            return Ok(object.clone());
        }
        let object = route.to_python(py)?;
        self.0.push((Arc::clone(route), object.clone()));
        Ok(object)
    }
}

impl ToPython for AllTopics {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answers =
            answers(py, self.answers().iter(), |topics| Ok(names(py, &topics.topic_list)?.into_any()))?;
        let differences = PyList::empty(py);
        for ListDifference { topic, listed_at, missing_at } in self.differences() {
            let fields = (topic.as_str(), names(py, &listed_at)?, names(py, &missing_at)?);
            differences.append(classes(py)?.list_difference.bind(py).call1(fields)?)?;
        }
        let fields = (answers, names(py, &self.topics())?, failures(py, self.failed())?, differences);
        classes(py)?.all_topics.bind(py).call1(fields)
    }
}

impl ToPython for AllClusters {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answers = answers(py, self.answers().iter(), |info| info.to_python(py))?;
        let differences = list(py, self.differences().iter())?;
        let fields = (answers, names(py, &self.broker_names())?, failures(py, self.failed())?, differences);
        classes(py)?.all_clusters.bind(py).call1(fields)
    }
}

impl ToPython for ClusterDifference {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let opinions = list(py, self.opinions.iter())?;
        classes(py)?.cluster_difference.bind(py).call1((self.broker_name.as_str(), opinions))
    }
}

impl ToPython for BrokerOpinion {
    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let broker = self.broker.as_ref().map(|broker| broker.to_python(py)).transpose()?;
        let fields = (names(py, &self.servers)?, broker, names(py, &self.listed_in)?);
        classes(py)?.broker_opinion.bind(py).call1(fields)
    }
}

/// Server and answer, or server and exception.
fn answers<'a, 'py, T: 'a>(
    py: Python<'py>,
    answers: impl Iterator<Item = &'a (Name, Result<T, NameServerError>)>,
    mut object: impl FnMut(&T) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (server, answer) in answers {
        let answer = match answer {
            Ok(answer) => object(answer)?,
            Err(error) => error::exception(py, error)?,
        };
        list.append((server.as_str(), answer))?;
    }
    Ok(list)
}

fn failures<'a, 'py>(
    py: Python<'py>,
    failed: impl Iterator<Item = (&'a Name, &'a NameServerError)>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (server, error) in failed {
        list.append((server.as_str(), error::exception(py, error)?))?;
    }
    Ok(list)
}

fn names<'py>(py: Python<'py>, names: &[Name]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, names.iter().map(Name::as_str))
}
