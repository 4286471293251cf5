//! Waits until a topic's route is as it should be.

use std::time::Duration;

use rocketmq_nameserver_protocol::model::TopicRouteData;
use tokio::time::{Instant, sleep, timeout_at};

use super::RouteCache;
use super::entry::CachedRoute;
use crate::error::{ErrorKind, NameServerError, Result};

/// How long the first pause between two questions is. Registering a topic takes a broker some milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How long the longest pause is: nobody waits much longer than this for what is already there.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl RouteCache {
    /// Asks for the topic's route again and again until it is as wanted: until a topic that was just created is there, or a broker
    /// has left. Pauses grow from 50 ms to 1 s.
    ///
    /// ```
    /// # async fn f(cache: rocketmq_nameserver::RouteCache) -> rocketmq_nameserver::Result<()> {
    /// use std::time::Duration;
    ///
    /// let two_brokers = |route: &rocketmq_nameserver::TopicRouteData| route.broker_data_list.len() == 2;
    /// let route = cache.wait_for_route("orders", two_brokers, Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Timeout after `limit`, saying what was there last; Usage after [`close`](Self::close). Other errors are waited out.
    pub async fn wait_for_route<F>(&self, topic: &str, is_wanted: F, limit: Duration) -> Result<CachedRoute>
    where
        F: Fn(&TopicRouteData) -> bool,
    {
        let end = Instant::now().checked_add(limit);
        let mut pause = FIRST_PAUSE;
        let mut last = None;
        loop {
            let answer = match end {
                Some(end) => timeout_at(end, self.refresh_route(topic)).await.ok(),
                None => Some(self.refresh_route(topic).await),
            };
            match answer {
                Some(Ok(route)) if is_wanted(&route) => return Ok(route),
                Some(Err(error)) if error.kind() == ErrorKind::Usage => return Err(error),
                Some(answer) => last = Some(answer),
                None => return Err(too_late(topic, limit, last)),
            }
            let left = end.map_or(pause, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(too_late(topic, limit, last));
            }
            sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

fn too_late(topic: &str, limit: Duration, last: Option<Result<CachedRoute>>) -> NameServerError {
    let wanted = format!("the route of topic {topic:?} was not as wanted within {limit:?}");
    NameServerError::waited_in_vain(match last {
        Some(Ok(route)) => format!(
            "{wanted}: {} has {} brokers and {} lists of queues for it",
            route.source(),
            route.broker_data_list.len(),
            route.queue_data_list.len()
        ),
        Some(Err(error)) => format!("{wanted}: {error}"),
        None => format!("{wanted}: no server has answered by then"),
    })
}
