//! Where to send messages of a topic that does not exist yet: to the brokers that create topics by themselves
//! (`docs/wire.md` §4.5).

use std::ops::Deref;
use std::sync::Arc;

use rocketmq_nameserver_protocol::model::TopicRouteData;

use crate::blocking::SyncNameServerClient;
use crate::cache::{CachedRoute, RouteCache, SyncRouteCache};
use crate::client::AsyncNameServerClient;
use crate::error::{NameServerError, Result};

/// The topic that brokers register which create topics by themselves (`autoCreateTopicEnable`).
pub const AUTO_CREATE_TOPIC_KEY_TOPIC: &str = "TBW102";

/// How many queues a topic gets on each broker that creates it: 4, as `defaultTopicQueueNums` of Java's producer.
pub const DEFAULT_TOPIC_QUEUE_NUMS: u32 = 4;

/// The route of [`AUTO_CREATE_TOPIC_KEY_TOPIC`] as the route of a topic that is to be created: each broker has at most
/// `default_topic_queue_nums` queues, and at most as many as it lets that topic's consumers read.
///
/// ```
/// use rocketmq_nameserver::{DEFAULT_TOPIC_QUEUE_NUMS, TopicRouteData, default_topic_route};
///
/// let route = TopicRouteData::from_bytes(
///     br#"{"queueDatas":[{"brokerName":"a","perm":7,"readQueueNums":8,"writeQueueNums":8}]}"#).unwrap();
/// let route = default_topic_route(&route, DEFAULT_TOPIC_QUEUE_NUMS);
/// assert_eq!(route.queue_data_list[0].write_queue_nums, 4);
/// ```
pub fn default_topic_route(tbw102_route: &TopicRouteData, default_topic_queue_nums: u32) -> TopicRouteData {
    let mut route = tbw102_route.clone();
    for queue in &mut route.queue_data_list {
        let nums = queue.read_queue_nums.min(default_topic_queue_nums);
        queue.read_queue_nums = nums;
        queue.write_queue_nums = nums;
    }
    route
}

/// A route to send messages by: what `route_to_publish` returns. It can be used wherever a [`TopicRouteData`] is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteToPublish {
    /// The route.
    pub route: Arc<TopicRouteData>,
    /// Whether the topic does not exist yet, and this is where it would be created.
    pub is_default: bool,
}

impl Deref for RouteToPublish {
    type Target = TopicRouteData;

    fn deref(&self) -> &TopicRouteData {
        &self.route
    }
}

impl AsyncNameServerClient {
    /// Where to send messages of a topic, as Java's producer finds it: by the topic's route; if no server knows the topic, by that
    /// of [`AUTO_CREATE_TOPIC_KEY_TOPIC`], with at most `default_topic_queue_nums`
    /// ([`DEFAULT_TOPIC_QUEUE_NUMS`]) queues on each broker.
    ///
    /// A topic that has a route keeps it, also if [`publish_queues`](crate::publish_queues) makes no queues of it: its brokers are
    /// drained or have lost their masters, and it must not come up elsewhere.
    ///
    /// Where both topics are asked for, each question has the client's limit.
    ///
    /// ```
    /// # async fn f(client: rocketmq_nameserver::AsyncNameServerClient) -> rocketmq_nameserver::Result<()> {
    /// use rocketmq_nameserver::{DEFAULT_TOPIC_QUEUE_NUMS, publish_queues};
    ///
    /// let route = client.route_to_publish("orders", DEFAULT_TOPIC_QUEUE_NUMS).await?;
    /// if route.is_default {
    ///     println!("the first message will create the topic");
    /// }
    /// println!("{} queues", publish_queues("orders", &route).count());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`query_topic_route_info`](Self::query_topic_route_info). If neither topic is found, the error is about `topic`.
    pub async fn route_to_publish(
        &self,
        topic: &str,
        default_topic_queue_nums: u32,
    ) -> Result<RouteToPublish> {
        match Found::of(topic, self.query_topic_route_info(topic).await)? {
            Found::Route(route) => Ok(route),
            Found::Missing(error) => {
                let default = self.query_topic_route_info(AUTO_CREATE_TOPIC_KEY_TOPIC).await;
                instead(error, default, default_topic_queue_nums)
            }
        }
    }
}

impl SyncNameServerClient {
    /// Where to send messages of a topic. See [`AsyncNameServerClient::route_to_publish`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime.
    pub fn route_to_publish(&self, topic: &str, default_topic_queue_nums: u32) -> Result<RouteToPublish> {
        match Found::of(topic, self.query_topic_route_info(topic))? {
            Found::Route(route) => Ok(route),
            Found::Missing(error) => {
                let default = self.query_topic_route_info(AUTO_CREATE_TOPIC_KEY_TOPIC);
                instead(error, default, default_topic_queue_nums)
            }
        }
    }
}

impl RouteCache {
    /// Where to send messages of a topic, out of the cache if it can be. See [`AsyncNameServerClient::route_to_publish`].
    ///
    /// While the topic is missing, it is asked for again as [`get_route`](Self::get_route) does it, every 3 s by default; so its own
    /// route is used soon after it was created. If no server answers then, this fails, whatever is known of the other topic:
    /// brokers that are not among that topic's may have got this one meanwhile.
    ///
    /// # Errors
    /// As [`get_route`](Self::get_route). If neither topic is found, the error is about `topic`.
    pub async fn route_to_publish(
        &self,
        topic: &str,
        default_topic_queue_nums: u32,
    ) -> Result<RouteToPublish> {
        match Found::of(topic, shared(self.get_route(topic).await))? {
            Found::Route(route) => Ok(route),
            Found::Missing(error) => {
                let default = shared(self.get_route(AUTO_CREATE_TOPIC_KEY_TOPIC).await);
                instead(error, default, default_topic_queue_nums)
            }
        }
    }
}

impl SyncRouteCache {
    /// Where to send messages of a topic. See [`RouteCache::route_to_publish`].
    ///
    /// # Errors
    /// As there, and Usage inside an async runtime unless there is a fresh route.
    pub fn route_to_publish(&self, topic: &str, default_topic_queue_nums: u32) -> Result<RouteToPublish> {
        match Found::of(topic, shared(self.get_route(topic)))? {
            Found::Route(route) => Ok(route),
            Found::Missing(error) => {
                let default = shared(self.get_route(AUTO_CREATE_TOPIC_KEY_TOPIC));
                instead(error, default, default_topic_queue_nums)
            }
        }
    }
}

fn shared(answer: Result<CachedRoute>) -> Result<Arc<TopicRouteData>> {
    answer.map(|route| Arc::clone(route.route()))
}

/// What asking for the topic led to.
enum Found {
    Route(RouteToPublish),
    /// The other topic is to be asked for.
    Missing(NameServerError),
}

impl Found {
    fn of(topic: &str, answer: Result<Arc<TopicRouteData>>) -> Result<Found> {
        match answer {
            Ok(route) => Ok(Found::Route(RouteToPublish { route, is_default: false })),
            // Asking for the same once more would tell nothing new.
            Err(error) if error.is_topic_not_found() && topic != AUTO_CREATE_TOPIC_KEY_TOPIC => {
                Ok(Found::Missing(error))
            }
            Err(error) => Err(error),
        }
    }
}

/// What the answer about the other topic makes of the one that is missing.
fn instead(
    missing: NameServerError,
    default: Result<Arc<TopicRouteData>>,
    default_topic_queue_nums: u32,
) -> Result<RouteToPublish> {
    match default {
        Ok(route) => {
            let route = Arc::new(default_topic_route(&route, default_topic_queue_nums));
            Ok(RouteToPublish { route, is_default: true })
        }
        Err(error) if error.is_topic_not_found() => Err(missing),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rocketmq_nameserver_protocol::model::{Perm, QueueData};

    use super::*;

    #[test]
    fn rule_4_5_each_broker_has_at_most_the_default_number_and_what_it_lets_be_read() {
        for (read, write, default, expected) in [
            (8, 8, 4, 4),
            (2, 8, 4, 2),
            (8, 2, 4, 4),
            (0, 8, 4, 0),
            (4, 4, 4, 4),
            (8, 8, 0, 0),
            (3, 3, u32::MAX, 3),
        ] {
            let queue = QueueData {
                broker_name: "a".into(),
                perm: Perm(7),
                read_queue_nums: read,
                write_queue_nums: write,
                ..Default::default()
            };
            let tbw102 = TopicRouteData { queue_data_list: vec![queue.clone()], ..Default::default() };
            let capped = QueueData { read_queue_nums: expected, write_queue_nums: expected, ..queue };
            let route = default_topic_route(&tbw102, default);
            assert_eq!(route.queue_data_list, [capped], "{read} {write} {default}");
        }
    }
}
